"""A commit to another branch: it has everything, and what the user works on stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commit.repositories import call, changed_by, files_at, hook, open_kiali, rendered, state
from tests.diff.repositories import fleet, git
from tests.objects import files_of


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A repository whose tree is committed, whose config has changed since, and in which somebody else works."""
    folder = rendered(tmp_path / "mesh")
    open_kiali(folder)
    (folder / "half.txt").write_text("half")
    git(folder, "add", "half.txt")
    (folder / "untracked.txt").write_text("mine")
    return folder


def test_files_index_and_head_of_the_user_stay_as_they_are(changed: Path):
    before, files = state(changed), files_of(changed / "output")

    said = call(changed, "commit", "--branch", "mesh/open")

    assert said.status == 0, said.error
    after = state(changed)
    assert after[1:] == before[1:]
    assert files_of(changed / "output") == files
    assert set(after[0].splitlines()) - set(before[0].splitlines()) == {
        f"{git(changed, 'rev-parse', 'mesh/open')} commit\trefs/heads/mesh/open"
    }
    assert not (changed / ".git" / "worktrees").exists()


def test_the_branch_has_the_same_commit_as_ones_own_would(changed: Path):
    call(changed, "commit", "--branch", "mesh")
    git(changed, "restore", "--staged", "half.txt")
    call(changed, "commit")

    assert git(changed, "rev-parse", "mesh^{tree}") == git(changed, "rev-parse", "main^{tree}")
    assert git(changed, "rev-parse", "mesh^") == git(changed, "rev-parse", "main^")
    assert git(changed, "log", "-1", "--format=%B", "mesh") == git(changed, "log", "-1", "--format=%B", "main")
    assert "half.txt" not in files_at(changed, "mesh")


def change(folder: Path) -> None:
    fleet(folder, clusters=1, addons={"kiali": {}, "zipkin": {}}, expose={"kiali": {}})


def commit_there(folder: Path) -> None:
    git(folder, "worktree", "add", "--quiet", str(folder.parent / "there"), "mesh")
    git(folder.parent / "there", "commit", "--quiet", "--allow-empty", "--message", "Theirs")


def commit_here(folder: Path) -> None:
    git(folder, "commit", "--quiet", "--allow-empty", "--only", "--message", "Mine")


@pytest.mark.parametrize("interfere", [change, commit_there, commit_here])
@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_a_branch_at_another_commit_is_left_alone(
    changed: Path, arguments: tuple[str, ...], interfere: Callable[[Path], None]
):
    call(changed, "commit", "--branch", "mesh")
    interfere(changed)
    before = state(changed)

    said = call(changed, "commit", "--branch", "mesh", *arguments)

    assert said.status == 1
    assert "branch mesh is there already, at another commit" in said.error
    assert "git switch mesh" in said.error
    assert state(changed) == before


def test_a_branch_that_has_this_very_commit_is_done(changed: Path):
    call(changed, "commit", "--branch", "mesh")
    before = state(changed)

    said = call(changed, "commit", "--branch", "mesh")

    assert (said.status, said.stdout) == (0, "mesh: nothing to commit\n")
    assert f"note: branch mesh has this commit already: {git(changed, 'rev-parse', 'mesh')[:12]}" in said.stderr
    assert state(changed) == before


def test_a_branch_at_this_commit_is_taken(changed: Path):
    git(changed, "branch", "mesh")

    assert call(changed, "commit", "--branch", "mesh").status == 0
    assert "meshgen.yaml" in changed_by(changed, "mesh")


def test_ones_own_branch_by_its_name_is_ones_own(changed: Path):
    said = call(changed, "commit", "--branch", "main")

    assert "other changes are staged: half.txt" in said.error


def test_nothing_to_commit_makes_no_branch(changed: Path):
    fleet(changed, clusters=1, addons={"kiali": {}})
    before = state(changed)

    said = call(changed, "commit", "--branch", "mesh")

    assert (said.status, said.stdout) == (0, "mesh: nothing to commit\n")
    assert state(changed) == before


@pytest.mark.parametrize("name", ["-x", "a..b", "a b", "HEAD", "a.lock", "@{-1}", ""])
def test_what_is_no_name_of_a_branch_is_refused(changed: Path, name: str):
    said = call(changed, "commit", f"--branch={name}")

    assert said.status == 1
    assert "is no name of a branch" in said.error


@pytest.mark.parametrize(("there", "name"), [("mesh", "mesh/up"), ("mesh/up/a", "mesh/up"), ("mesh", "mesh/up/a")])
@pytest.mark.parametrize("command", ["commit", "render"])
def test_a_branch_that_leaves_no_room_for_the_name_is_named_and_nothing_is_written(
    changed: Path, command: str, there: str, name: str
):
    git(changed, "branch", there)
    git(changed, "branch", "meshes")
    before, files = state(changed), files_of(changed)

    said = call(changed, command, "--branch", name)

    assert said.status == 1
    assert f"branch {name} can't be beside branch {there}; nothing was written" in said.error
    assert f"git branch -m {there} NAME" in said.error
    assert (state(changed), files_of(changed)) == (before, files)


def test_the_branch_of_a_first_commit_to_come_keeps_its_room(tmp_path: Path):
    fleet(tmp_path, clusters=1)
    git(tmp_path, "init", "--quiet", "--initial-branch", "trunk")

    said = call(tmp_path, "commit", "--branch", "trunk/mesh")

    assert said.status == 1
    assert "can't be beside branch trunk" in said.error


def test_hooks_find_the_files_and_the_branch_of_the_commit(changed: Path, tmp_path: Path):
    seen = tmp_path / "seen.txt"
    tree = "output/environments/dev/addons/service-kiali.patch.yaml"
    hook(changed, "pre-commit", f"(git symbolic-ref HEAD; cat {tree}; git diff --cached --name-only) > {seen}")

    call(changed, "commit", "--branch", "mesh")

    text = seen.read_text()
    assert text.startswith("refs/heads/mesh\n")
    assert "type: LoadBalancer" in text
    assert "meshgen.yaml" in text
    assert "half.txt" not in text


def test_hooks_of_a_relative_folder_run_too(changed: Path):
    (changed / ".hooks").mkdir()
    hook(changed, "pre-commit", "echo frozen; exit 1")
    (changed / ".git" / "hooks" / "pre-commit").rename(changed / ".hooks" / "pre-commit")
    git(changed, "config", "core.hooksPath", ".hooks")

    said = call(changed, "commit", "--branch", "mesh")

    assert said.status == 1
    assert "frozen" in said.error


def test_plain_objects_come_to_a_branch_past_all_hooks_but_that_of_refs(changed: Path):
    for name in ("pre-commit", "commit-msg", "post-commit", "post-index-change", "reference-transaction"):
        hook(changed, name, f"cat > /dev/null; echo {name} >> {changed}/ran.txt")

    said = call(changed, "render", "--branch", "plain")

    assert said.status == 0, said.error
    assert set((changed / "ran.txt").read_text().split()) == {"reference-transaction"}


def test_a_hook_that_says_no_leaves_no_branch_and_no_file(changed: Path):
    before, files = state(changed), files_of(changed / "output")
    hook(changed, "commit-msg", "echo 'no ticket'; exit 1")

    said = call(changed, "commit", "--branch", "mesh")

    assert said.status == 1
    assert "nothing was committed, and no branch was made" in said.error
    assert "no ticket" in said.error
    assert state(changed) == before
    assert files_of(changed / "output") == files


def test_sources_that_are_new_gone_and_executable_are_as_they_are(changed: Path):
    manifest = "apiVersion: v1\nkind: Namespace\nmetadata: {name: s}\n"
    (changed / "s.yaml").write_text(manifest)
    (changed / "s.yaml").chmod(0o755)
    (changed / "linked.yaml").symlink_to("s.yaml")
    fleet(changed, clusters=1, resources={"s": {"path": "./linked.yaml"}})
    (changed / "overlays" / "prod.yaml").unlink()

    said = call(changed, "commit", "--branch", "mesh")

    assert said.status == 0, said.error
    modes = git(changed, "ls-tree", "mesh", "s.yaml", "linked.yaml")
    assert [line.split()[0] for line in modes.splitlines()] == ["120000", "100755"]
    assert "overlays/prod.yaml" not in files_at(changed, "mesh")
