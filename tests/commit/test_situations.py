"""What a repository may be in the middle of, and what a commit says to it; nothing of the user's is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commit.repositories import (
    bare_remote,
    call,
    changed_by,
    files_at,
    hook,
    new,
    open_kiali,
    rendered,
    state,
    subject,
)
from tests.diff.repositories import PERSON, fleet, git
from tests.objects import files_of


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A repository whose tree is committed, and whose config has changed since."""
    rendered(tmp_path / "mesh")
    open_kiali(tmp_path / "mesh")
    return tmp_path / "mesh"


def test_without_a_repository_it_is_said_and_nothing_is_written(tmp_path: Path):
    fleet(tmp_path)

    said = call(tmp_path, "commit", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))

    assert said.status == 3
    assert "not a git repository" in said.error
    assert "git init" in said.error
    assert not (tmp_path / "output").exists()


def test_a_repository_of_another_user_is_trusted_as_git_advises(tmp_path: Path):
    rendered(tmp_path)

    said = call(tmp_path, "commit", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")

    assert said.status == 3
    assert "dubious ownership" in said.error
    assert f"hint: if you trust it: git config --global --add safe.directory {tmp_path}" in said.error


def test_without_git_it_is_said(tmp_path: Path):
    rendered(tmp_path)

    said = call(tmp_path, "commit", PATH=str(tmp_path))

    assert said.status == 3
    assert "git is not on the PATH" in said.error


def test_the_first_commit_of_a_repository_may_be_the_tree(tmp_path: Path):
    fleet(tmp_path, clusters=1)
    git(tmp_path, "init", "--quiet", "--initial-branch", "trunk")

    said = call(tmp_path, "commit")

    assert said.status == 0, said.error
    assert git(tmp_path, "rev-list", "--count", "trunk") == "1"
    assert {"meshgen.yaml", "overlays/dev.yaml", "output/README.md"} <= files_at(tmp_path, "trunk")
    assert git(tmp_path, "status", "--porcelain") == ""


def test_the_first_commit_may_be_on_another_branch(tmp_path: Path):
    fleet(tmp_path, clusters=1)
    git(tmp_path, "init", "--quiet", "--initial-branch", "trunk")

    said = call(tmp_path, "commit", "--branch", "mesh")

    assert said.status == 0, said.error
    assert "output/README.md" in files_at(tmp_path, "mesh")
    assert git(tmp_path, "symbolic-ref", "HEAD") == "refs/heads/trunk"


def test_a_detached_head_is_refused_unless_a_branch_is_named(changed: Path):
    git(changed, "checkout", "--quiet", "--detach")
    before = state(changed)

    said = call(changed, "commit")

    assert said.status == 1
    assert "HEAD is detached" in said.error
    assert "--branch NAME" in said.error
    assert state(changed) == before
    assert call(changed, "commit", "--branch", "mesh").status == 0
    assert "meshgen.yaml" in changed_by(changed, "mesh")


def merge(folder: Path) -> None:
    git(folder, "stash", "--quiet")
    git(folder, "switch", "--quiet", "--create", "other")
    (folder / "a.txt").write_text("one")
    git(folder, "add", "a.txt")
    git(folder, "commit", "--quiet", "--message", "One")
    git(folder, "switch", "--quiet", "main")
    (folder / "a.txt").write_text("two")
    git(folder, "add", "a.txt")
    git(folder, "commit", "--quiet", "--message", "Two")


def try_git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env={**os.environ, **PERSON}, check=False, capture_output=True)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("merge", "other"), "a merge is in progress"),
        (("rebase", "other"), "a rebase is in progress"),
        (("cherry-pick", "other"), "a cherry-pick is in progress"),
        (("bisect", "start"), "a bisection is in progress"),
    ],
)
def test_what_is_in_progress_is_ended_first(changed: Path, command: tuple[str, ...], what: str):
    merge(changed)
    try_git(changed, *command)
    git(changed, "checkout", "stash@{0}", "--", "meshgen.yaml")
    before = state(changed)

    said = call(changed, "commit")

    assert said.status == 1
    assert what in said.error
    assert "hint: end it with `git " in said.error
    assert state(changed) == before


def test_a_conflict_that_a_stash_left_is_resolved_first(changed: Path):
    git(changed, "stash", "--quiet")
    fleet(changed, clusters=1, addons={"kiali": {}}, expose={"kiali": {"internal": True}})
    git(changed, "commit", "--quiet", "--all", "--message", "Another")
    try_git(changed, "stash", "pop")
    fleet(changed, clusters=1, addons={"jaeger": {}})

    said = call(changed, "commit")

    assert said.status == 1
    assert "a merge left several sides of meshgen.yaml" in said.error


@pytest.mark.parametrize("path", ["meshgen.yaml", "output/README.md"])
def test_a_staged_version_that_is_not_on_the_disk_is_not_lost(changed: Path, path: str):
    on_disk = (changed / path).read_text()
    (changed / path).write_text(f"{on_disk}# staged\n")
    git(changed, "add", path)
    (changed / path).write_text(on_disk)
    before = state(changed)

    said = call(changed, "commit")

    assert said.status == 1
    assert f"{path}: on the disk it is not what is staged; nothing was written" in said.error
    assert f"git add {path} takes what is on the disk, git restore {path} what is staged" in said.error
    assert state(changed) == before
    assert call(changed, "commit", "--branch", "mesh").status == 0
    git(changed, "add", path)
    assert call(changed, "commit").status == 0
    assert git(changed, "rev-parse", "main^{tree}") == git(changed, "rev-parse", "mesh^{tree}")


def test_a_source_that_is_to_be_forgotten_and_kept_is_not_taken_back_in_silence(changed: Path):
    git(changed, "rm", "--quiet", "--cached", "overlays/dev.yaml")

    said = call(changed, "commit")

    assert said.status == 1
    assert "overlays/dev.yaml: on the disk it is not what is staged" in said.error
    assert "git add overlays/dev.yaml takes what is on the disk, rm overlays/dev.yaml what is staged" in said.error


@pytest.mark.parametrize("changes", [True, False])
def test_a_staged_deletion_of_a_rendered_file_does_not_outlive_the_commit(changed: Path, changes: bool):
    if not changes:
        git(changed, "checkout", "--quiet", "meshgen.yaml")
    git(changed, "rm", "--quiet", "output/README.md")

    said = call(changed, "commit")

    assert said.status == 0, said.error
    assert ("note: output/README.md: unstaged" in said.stderr) != changes
    assert git(changed, "status", "--porcelain") == ""
    assert "output/README.md" in files_at(changed, "main")


def test_an_index_that_another_git_holds_is_an_environment_failure(changed: Path):
    (changed / ".git" / "index.lock").touch()
    tree = files_of(changed / "output")

    said = call(changed, "commit")

    assert said.status == 3
    assert "another Git holds index.lock" in said.error
    assert "remove" in said.error
    assert files_of(changed / "output") == tree


def test_a_lock_that_comes_while_it_commits_is_said_and_the_index_is_as_it_was(changed: Path):
    index = git(changed, "ls-files", "--stage")
    hook(changed, "pre-commit", "touch $(git rev-parse --git-dir)/refs/heads/main.lock")

    said = call(changed, "commit")

    assert said.status == 3
    assert "nothing was committed" in said.error
    assert git(changed, "ls-files", "--stage") == index
    assert subject(changed).startswith("Render msa")


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_without_a_name_git_does_not_commit(changed: Path, arguments: tuple[str, ...]):
    before = state(changed)
    nobody = {"GIT_AUTHOR_NAME": None, "GIT_AUTHOR_EMAIL": None, "GIT_COMMITTER_NAME": None}
    git(changed, "config", "user.useConfigOnly", "true")

    said = call(changed, "commit", *arguments, **nobody, GIT_COMMITTER_EMAIL=None)

    assert said.status == 3
    assert "Git does not know who you are" in said.error
    assert "user.name" in said.error
    assert state(changed) == before


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg", "prepare-commit-msg"])
def test_a_hook_that_says_no_is_quoted_and_nothing_is_lost(changed: Path, name: str):
    before = state(changed)
    hook(changed, name, "echo 'the mesh is frozen, token=abcdefgh' >&2; exit 1")

    said = call(changed, "commit")

    assert said.status == 1
    assert "the mesh is frozen, token=(secret)" in said.error
    assert "the rendered tree stays written" in said.error
    refs, head, index, *_ = state(changed)
    assert (refs, head, index) == before[:3]
    assert call(changed, "render", "--check").status == 0
    (changed / ".git" / "hooks" / name).unlink()
    assert call(changed, "commit").status == 0
    assert "meshgen.yaml" in changed_by(changed)


def test_a_hook_sees_what_is_committed_and_none_of_our_options(changed: Path):
    hook(changed, "pre-commit", 'git diff --cached --name-only -- "*.yaml" > hook.txt; env | grep GIT_CONFIG > env.txt')

    call(changed, "commit")

    assert "meshgen.yaml" in (changed / "hook.txt").read_text()
    assert "protocol.allow" not in (changed / "env.txt").read_text()
    assert "fsmonitor" not in (changed / "env.txt").read_text()


@pytest.mark.parametrize(("arguments", "branch"), [((), "main"), (("--branch", "mesh"), "mesh")])
def test_a_hook_that_changes_what_is_committed_is_said_by_the_status_and_nothing_is_pushed(
    changed: Path, tmp_path: Path, arguments: tuple[str, ...], branch: str
):
    bare_remote(tmp_path / "origin", changed)
    before = git(tmp_path / "origin", "for-each-ref")
    hook(changed, "pre-commit", "echo '# formatted' >> output/README.md; git add output/README.md")

    said = call(changed, "commit", "--push", *arguments)

    assert said.status == 1
    commit = git(changed, "rev-parse", branch)
    assert f"{branch}: commit {commit[:12]}, " in said.stdout
    assert f"commit {commit[:12]} is made, and a hook or somebody else changed it" in said.error
    assert "1 file(s), output/README.md" in said.error
    assert "exclude output/ from your hooks" in said.error
    assert git(tmp_path / "origin", "for-each-ref") == before


def test_a_tree_that_a_hook_changed_is_mended_as_the_hint_says(changed: Path):
    hook(changed, "pre-commit", "echo '# formatted' >> output/README.md; git add output/README.md")
    assert call(changed, "commit").status == 1
    (changed / ".git" / "hooks" / "pre-commit").unlink()

    assert call(changed, "commit", "--overwrite").status == 0

    assert git(changed, "status", "--porcelain") == ""
    git(changed, "clone", "--quiet", ".", "clone")
    assert call(changed / "clone", "render", "--check").status == 0


def test_a_hook_that_changes_other_files_and_one_that_adds_some_are_in_order(changed: Path):
    (changed / "CHANGES").write_text("none")
    hook(changed, "pre-commit", "echo '# formatted' >> meshgen.yaml; git add meshgen.yaml CHANGES")

    said = call(changed, "commit")

    assert said.status == 0
    assert "note: a hook changed meshgen.yaml" in said.stderr
    assert {"CHANGES", "meshgen.yaml"} <= changed_by(changed)
    assert "note: a hook or somebody else has more in the commit: 1 file(s), CHANGES" in said.stderr
    assert git(changed, "status", "--porcelain") == ""
    (changed / ".git" / "hooks" / "pre-commit").unlink()
    assert call(changed, "commit").stdout == "main: nothing to commit\n"


def test_a_hook_that_changes_the_tree_and_not_the_commit_is_noted(changed: Path):
    hook(changed, "pre-commit", "echo '# formatted' >> output/README.md")

    said = call(changed, "commit")

    assert said.status == 0
    assert "note: a hook or somebody else changed the tree, which the commit has as rendered" in said.stderr
    assert "1 file(s), README.md" in said.stderr


@pytest.mark.parametrize(("arguments", "revision"), [((), "main"), (("--branch", "mesh"), "mesh")])
def test_a_tag_that_flux_committed_is_kept_by_the_next_commit(
    tmp_path: Path, arguments: tuple[str, ...], revision: str
):
    policies = {"quay.io/kiali/kiali": "flux-system:kiali"}
    delivery = {"flux": {"url": "https://example.com/mesh.git", "imagePolicies": policies}}
    folder = new(tmp_path / "mesh", delivery=delivery)
    assert call(folder, "commit").status == 0
    (marked,) = (path for path in folder.rglob("kustomization.yaml") if "$imagepolicy" in path.read_text())
    marked.write_text(re.sub('newTag: "[^"]*"', 'newTag: "v9.9.9"', marked.read_text()))
    git(folder, "commit", "--quiet", "--all", "--message", "Update from image update automation")

    fleet(folder, clusters=1, delivery=delivery, addons={"kiali": {}, "zipkin": {}}, expose={"kiali": {}})
    said = call(folder, "commit", *arguments)

    assert said.status == 0
    assert "hook" not in said.stderr
    path = marked.relative_to(folder).as_posix()
    assert path in changed_by(folder, revision)
    assert 'newTag: "v9.9.9"' in git(folder, "show", f"{revision}:{path}")


def test_a_merge_of_what_flux_moved_and_what_the_config_asks_for_says_which_side_to_take(tmp_path: Path):
    flux = {"url": "https://example.com/mesh.git", "imagePolicies": {"quay.io/kiali/kiali": "flux-system:kiali"}}
    folder = new(tmp_path / "mesh", delivery={"flux": flux}, addons={"kiali": {"version": "v1.38"}})
    assert call(folder, "commit").status == 0
    git(folder, "branch", "flux")
    fleet(folder, clusters=1, delivery={"flux": flux}, addons={"kiali": {"version": "v1.39"}})
    assert call(folder, "commit").status == 0
    git(folder, "switch", "--quiet", "flux")
    (file,) = (path for path in folder.rglob("kustomization.yaml") if "$imagepolicy" in path.read_text())
    file.write_text(file.read_text().replace('newTag: "v1.38"', 'newTag: "v1.40"'))
    git(folder, "commit", "--quiet", "--all", "--message", "Update from image update automation")
    git(folder, "switch", "--quiet", "main")
    assert "<<<<<<<" not in file.read_text()
    merged = subprocess.run(["git", "-C", folder, "merge", "flux"], check=False, capture_output=True, text=True)
    assert "CONFLICT" in merged.stdout

    said = call(folder, "render")
    assert "MG602: has conflict marks of a merge" in said.error
    assert "take the side of the branch that changed the config, by `git checkout --ours`" in said.error

    git(folder, "checkout", "--quiet", "--ours", file)
    assert call(folder, "render", "--check").status == 0


def test_the_message_says_where_a_tag_that_flux_chose_goes_although_no_object_of_the_config_changes(tmp_path: Path):
    flux = {"url": "https://example.com/mesh.git"}
    marked = flux | {"imagePolicies": {"quay.io/kiali/kiali": "flux-system:kiali"}}
    folder = new(tmp_path / "mesh", delivery={"flux": marked}, addons={"kiali": {"version": "v1.38"}})
    assert call(folder, "commit").status == 0
    (file,) = (path for path in folder.rglob("kustomization.yaml") if "$imagepolicy" in path.read_text())
    file.write_text(file.read_text().replace('newTag: "v1.38"', 'newTag: "v1.40"'))
    git(folder, "commit", "--quiet", "--all", "--message", "Update from image update automation")

    fleet(folder, clusters=1, delivery={"flux": flux}, addons={"kiali": {"version": "v1.38"}})
    said = call(folder, "commit")

    assert "info MG606: quay.io/kiali/kiali leaves v1.40, where Flux moved it, for v1.38" in said.stderr
    subject, _, body = git(folder, "log", "-1", "--format=%B").partition("\n")
    assert subject == "msa: quay.io/kiali/kiali v1.40 -> v1.38 and 1 more"
    assert "- quay.io/kiali/kiali leaves v1.40, where Flux moved it, for v1.38 (environments/" in body
    assert "stay as they are" not in body


def test_a_checkout_with_line_ends_of_windows_is_no_edit_and_is_committed_with_unix_ones(tmp_path: Path):
    policies = {"quay.io/kiali/kiali": "flux-system:kiali"}
    delivery = {"flux": {"url": "https://example.com/mesh.git", "imagePolicies": policies}}
    origin = new(tmp_path / "origin", delivery=delivery)
    assert call(origin, "commit").status == 0
    git(tmp_path, "clone", "--quiet", "--config", "core.autocrlf=true", "origin", "clone")
    clone = tmp_path / "clone"
    (marked,) = (path for path in clone.rglob("kustomization.yaml") if "$imagepolicy" in path.read_text())
    moved = re.sub(b'newTag: "[^"]*"', b'newTag: "v9.9.9"', marked.read_bytes())
    assert b"\r\n" in moved
    marked.write_bytes(moved)
    git(clone, "commit", "--quiet", "--all", "--message", "Update from image update automation")

    assert call(clone, "render", "--check").status == 0
    fleet(clone, clusters=1, delivery=delivery, addons={"kiali": {}, "zipkin": {}}, expose={"kiali": {}})
    for arguments in (("--branch", "mesh"), ()):
        said = call(clone, "commit", *arguments)
        assert said.status == 0, said.error

    assert git(clone, "rev-parse", "mesh^{tree}") == git(clone, "rev-parse", "main^{tree}")
    assert not [line for line in git(clone, "ls-files", "--eol").splitlines() if not line.startswith("i/lf")]
    assert 'newTag: "v9.9.9"' in git(clone, "show", f"main:{marked.relative_to(clone).as_posix()}")
    assert call(clone, "render", "--check").status == 0


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_a_signature_that_fails_is_said_and_nothing_is_committed(changed: Path, arguments: tuple[str, ...]):
    git(changed, "config", "commit.gpgSign", "true")
    git(changed, "config", "gpg.program", "false")
    refs = git(changed, "for-each-ref")

    said = call(changed, "commit", *arguments)

    assert said.status == 3
    assert "the commit cannot be signed" in said.error
    assert git(changed, "for-each-ref") == refs


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_a_commit_is_signed_where_the_user_signs(changed: Path, arguments: tuple[str, ...], tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name, value in (("commit.gpgSign", "true"), ("gpg.format", "ssh"), ("user.signingKey", str(key))):
        git(changed, "config", name, value)

    said = call(changed, "commit", *arguments)

    assert said.status == 0, said.error
    assert "gpgsig -----BEGIN SSH SIGNATURE" in git(
        changed, "cat-file", "commit", arguments[-1] if arguments else "HEAD"
    )


def submodule(folder: Path, source: Path, name: str) -> None:
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), name)
    git(folder, "commit", "--quiet", "--message", "A submodule")


def test_a_tree_in_a_submodule_is_refused(changed: Path, tmp_path: Path):
    new(tmp_path / "other")
    git(changed, "stash", "--quiet")
    submodule(changed, tmp_path / "other", "trees")
    before = state(changed)

    said = call(changed, "commit", "-O", "trees/output")

    assert said.status == 1
    assert "is in another repository" in said.error
    assert "a submodule" in said.error
    assert state(changed) == before


def test_a_source_in_a_submodule_is_refused(changed: Path, tmp_path: Path):
    new(tmp_path / "other")
    (tmp_path / "other" / "s.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: s}\n")
    git(tmp_path / "other", "add", "s.yaml")
    git(tmp_path / "other", "commit", "--quiet", "--message", "A manifest")
    git(changed, "stash", "--quiet")
    submodule(changed, tmp_path / "other", "shared")
    fleet(changed, resources={"s": {"path": "./shared/s.yaml"}})

    said = call(changed, "commit")

    assert said.status == 1
    assert "shared/s.yaml: it is in another repository" in said.error


def test_a_mesh_in_a_submodule_is_committed_there_and_the_outer_repository_is_named(changed: Path, tmp_path: Path):
    new(tmp_path / "other")
    git(changed, "stash", "--quiet")
    submodule(changed, tmp_path / "other", "inner")
    git(changed / "inner", "switch", "--quiet", "main")

    said = call(changed / "inner", "commit")

    assert said.status == 0, said.error
    assert f"is a submodule: {changed} has to take its new commit" in said.stderr
    assert git(changed, "status", "--porcelain") == "M inner"


def test_a_linked_work_tree_commits_to_its_own_branch(changed: Path, tmp_path: Path):
    git(changed, "worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
    before = state(changed)
    open_kiali(tmp_path / "linked")

    said = call(tmp_path / "linked", "commit")

    assert said.status == 0, said.error
    assert "meshgen.yaml" in changed_by(changed, "linked")
    assert git(changed, "rev-parse", "main") == git(changed, "rev-parse", "linked^")
    assert state(changed)[1:] == before[1:]
    said = call(tmp_path / "linked", "commit", "--branch", "main")
    assert "branch main is there already" in said.error


def test_a_bare_repository_has_no_config_to_commit(tmp_path: Path):
    git(tmp_path, "init", "--quiet", "--bare")
    fleet(tmp_path)

    said = call(tmp_path, "commit")

    assert said.status == 3
    assert "must be run in a work tree" in said.error


def test_a_shallow_clone_commits_as_any_other(changed: Path, tmp_path: Path):
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{changed}", "shallow")
    open_kiali(tmp_path / "shallow")

    said = call(tmp_path / "shallow", "commit", "--push", "--branch", "mesh")

    assert said.status == 0, said.error
    assert "meshgen.yaml" in changed_by(changed, "mesh")


def test_two_commits_at_once_leave_one_whole_history(changed: Path):
    # The second one begins while the first one's hook runs, and finds the index held.
    second = f"{sys.executable} -m meshgen commit > second.txt 2>&1; echo $? > status.txt"
    hook(changed, "pre-commit", f'test -n "$SECOND" && exit 0; export SECOND=1; {second}')

    said = call(changed, "commit")

    assert said.status == 0, said.error
    assert (changed / "status.txt").read_text() == "3\n"
    assert "another Git holds index.lock" in (changed / "second.txt").read_text()
    assert git(changed, "rev-list", "--count", "main") == "3"
    git(changed, "fsck", "--strict")


def test_a_commit_that_comes_in_between_stays_and_ours_is_not_made(changed: Path):
    index = git(changed, "ls-files", "--stage")
    other = "git commit-tree -p HEAD -m Theirs $(git rev-parse 'HEAD^{tree}')"
    hook(changed, "pre-commit", f"git update-ref refs/heads/main $({other})")

    said = call(changed, "commit")

    assert said.status == 3
    assert "another commit came in between" in said.error
    assert subject(changed) == "Theirs"
    assert git(changed, "ls-files", "--stage") == index
    (changed / ".git" / "hooks" / "pre-commit").unlink()
    assert call(changed, "commit").status == 0
    assert subject(changed, "HEAD^") == "Theirs"


def test_a_git_that_fails_for_another_reason_is_quoted(changed: Path):
    (changed / ".git" / "COMMIT_EDITMSG").unlink()
    (changed / ".git" / "COMMIT_EDITMSG").mkdir()

    said = call(changed, "commit")

    assert said.status == 3
    assert "`git commit` failed; nothing was committed" in said.error
    assert "COMMIT_EDITMSG" in said.error
