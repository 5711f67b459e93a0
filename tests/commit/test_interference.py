"""Others work in the repository while a commit is made: at whatever point, theirs stays and ours is whole or not there.

A `git` that stands first on the PATH does what another person would, just before one of meshgen's own calls of Git.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.commit.repositories import Said, call, open_kiali, rendered
from tests.diff.repositories import fleet, git

EDITED = "output/base/1.11-operator/addons/kustomization.yaml"
THEIRS = {
    "commits all": "git add --all && git commit --quiet -m Theirs",
    "commits a source": "git commit --quiet --only -m Theirs meshgen.yaml",
    "commits something else": "git commit --quiet --only --allow-empty -m Theirs",
    "stages something else": "echo half > half.txt; git add half.txt",
    "stages all": "git add --all",
    "edits a source": "sed -i 's/zipkin/jaeger/' meshgen.yaml",
    "edits the tree": f"echo '# mine' >> {EDITED}",
    "switches the branch": "git switch --quiet --create other",
    "holds the index": "touch .git/index.lock",
}
COMMITTED = {"commits all", "commits a source", "commits something else"}
# Before the paths are known to Git, and before the commit: between these the index is ours in part.
TELLING = ("add --intent-to-add", "commit --cleanup=whitespace")
POINTS = range(11, 45)
"""From what the repository is asked first to the last call of Git's that a commit takes."""
ELSEWHERE = ("commits all", "stages all", "edits a source", "switches the branch")


def points(deeds: Iterable[str]) -> list[tuple[str, int]]:
    """Each deed at every fourth point, so that every point has some of them."""
    return [(what, point) for number, what in enumerate(deeds) for point in POINTS[number % 4 :: 4]]


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A repository whose tree is committed, and whose config asks for files that Git does not know yet."""
    folder = rendered(tmp_path / "mesh")
    fleet(folder, clusters=1, addons={"kiali": {}, "zipkin": {}})
    return folder


def interfering(folder: Path, theirs: str, point: str | int) -> str:
    """A PATH with a `git` that does something before one call: of this number, or the first with these words."""
    real, place = shutil.which("git"), folder.parent / "bin"
    place.mkdir()
    # What ends in the words, or goes on with another one.
    words = f'case "$* " in *"{point} "*) ;; *) false ;; esac'
    test = words if isinstance(point, str) else f"[ $(wc -l < {place}/calls) = {point} ]"
    (place / "git").write_text(
        f"""#!/bin/sh
echo >> {place}/calls
if [ ! -e {place}/done ] && {{ {test}; }}; then
    touch {place}/done
    export PATH={os.path.dirname(str(real))}:$PATH
    (unset GIT_INDEX_FILE; cd {folder} && {{ {theirs}; }} && git rev-parse HEAD > {place}/theirs) > /dev/null 2>&1
fi
exec {real} "$@"
"""
    )
    (place / "git").chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def staged(folder: Path) -> set[str]:
    return set(git(folder, "diff", "--cached", "--no-renames", "--name-status", "HEAD").splitlines())


def holds(folder: Path, what: str, said: Said) -> None:
    """What is promised whatever the others do and whenever they do it."""
    assert "hook refused" not in said.error, said.error
    deleted = [line for line in staged(folder) if line.startswith("D")]
    assert deleted == [], f"{said.error}: {deleted}"
    theirs = folder.parent / "bin" / "theirs"
    if theirs.exists():
        git(folder, "merge-base", "--is-ancestor", theirs.read_text().strip(), "HEAD")
    if what == "stages something else" and theirs.exists():
        assert "A\thalf.txt" in staged(folder)
    if what == "edits the tree" and theirs.exists():
        assert "# mine" in (folder / EDITED).read_text()
    if said.status == 0 and said.json["commit"]:
        git(folder.parent, "clone", "--quiet", "--branch", said.json["branch"], str(folder), "clone")
        git(folder.parent / "clone", "reset", "--quiet", "--hard", said.json["commit"])
        assert call(folder.parent / "clone", "render", "--check").status == 0
        assert "half.txt" not in git(folder, "show", "--format=", "--name-only", said.json["commit"])
    elif said.status == 0:
        assert call(folder, "render", "--check").status == 0
        assert not [line for line in git(folder, "status", "--porcelain").splitlines() if "output" in line]
    elif not said.json["commit"]:
        assert what in COMMITTED or git(folder, "log", "--all", "--format=%s").count("zipkin") == 0
        if what not in ("stages all", "holds the index"):
            assert git(folder, "diff-files", "--diff-filter=A", "--name-only") == "", said.error


@pytest.mark.parametrize("point", TELLING)
@pytest.mark.parametrize("what", THEIRS)
def test_what_others_do_in_between_stays_and_the_commit_is_whole_or_not_there(changed: Path, what: str, point: str):
    said = call(changed, "commit", "-o", "json", PATH=interfering(changed, THEIRS[what], point))

    assert (changed.parent / "bin" / "done").exists()
    holds(changed, what, said)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "point"), points(THEIRS))
def test_at_no_point_does_it_matter_what_others_do(changed: Path, what: str, point: int):
    said = call(changed, "commit", "-o", "json", PATH=interfering(changed, THEIRS[what], point))

    holds(changed, what, said)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "point"), points(ELSEWHERE))
def test_at_no_point_does_it_matter_for_another_branch(changed: Path, what: str, point: int):
    said = call(changed, "commit", "-o", "json", "--branch", "mesh", PATH=interfering(changed, THEIRS[what], point))

    holds(changed, what, said)


@pytest.mark.parametrize(
    ("what", "point", "status", "words"),
    [
        ("commits all", "add --intent-to-add", 0, "another commit came in between, and it has all"),
        ("commits all", "commit --cleanup=whitespace", 0, "another commit came in between, and it has all"),
        ("commits something else", "commit --cleanup=whitespace", 3, "which stands on it"),
        ("commits something else", "read-tree", 3, "another commit came in between; nothing was committed"),
        ("edits a source", "read-tree", 3, "meshgen.yaml has changed while the tree was rendered from it"),
        ("edits a source", "commit --cleanup=whitespace", 1, "meshgen.yaml has changed while it was committed"),
        ("edits the tree", "read-tree", 1, "kustomization.yaml: error MG602: was edited"),
        (
            "edits the tree",
            "commit --cleanup=whitespace",
            1,
            "has not what was rendered in 1 file(s), output/base/1.11-operator/addons/kustomization.yaml",
        ),
        ("switches the branch", "read-tree", 3, "branch other was checked out in between; nothing was"),
        (
            "switches the branch",
            "commit --cleanup=whitespace",
            3,
            "branch other was checked out just before the commit",
        ),
        ("holds the index", "commit --cleanup=whitespace", 3, "another Git holds a lock of the repository"),
        ("stages all", "commit --cleanup=whitespace", 0, ""),
    ],
)
def test_what_came_in_between_is_said(changed: Path, what: str, point: str, status: int, words: str):
    said = call(changed, "commit", PATH=interfering(changed, THEIRS[what], point))

    assert said.status == status, said.error
    assert words in said.error + said.stderr


def test_the_branch_of_another_commit_is_left_to_it(changed: Path):
    theirs = "git update-ref refs/heads/mesh $(git commit-tree -p HEAD -m Theirs $(git rev-parse 'HEAD^{tree}'))"

    said = call(changed, "commit", "--branch", "mesh", PATH=interfering(changed, theirs, "commit --cleanup=whitespace"))

    assert said.status == 3
    assert "another commit came in" in said.error
    assert git(changed, "log", "--grep=Theirs", "--format=%s", "mesh") == "Theirs"


def test_a_failure_that_no_hook_can_cause_is_not_put_on_one(changed: Path):
    open_kiali(changed)
    place = changed.parent / "bin"
    place.mkdir()
    fails = 'case "$*" in *"commit --cleanup=whitespace"*) echo odd; exit 1 ;; esac'
    (place / "git").write_text(f'#!/bin/sh\n{fails}\nexec {shutil.which("git")} "$@"\n')
    (place / "git").chmod(0o755)

    said = call(changed, "commit", PATH=f"{place}:{os.environ['PATH']}")

    assert said.status == 3
    assert "`git commit` failed; nothing was committed" in said.error
    assert "hook" not in said.error
