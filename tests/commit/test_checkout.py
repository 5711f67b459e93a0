"""Files that Git does not see as the disk has them: they are neither taken for deleted nor left out of a commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commit.repositories import call, changed_by, open_kiali, rendered, state
from tests.diff.repositories import git


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    folder = rendered(tmp_path / "mesh")
    # A copy's files have another time than Git knows, and what may be changed stays in a sparse checkout.
    git(folder, "update-index", "--refresh")
    return folder


def in_tree(folder: Path) -> str:
    """A file that a change of exposure changes."""
    open_kiali(folder)
    assert call(folder, "commit", "--branch", "probe").status == 0
    git(folder, "checkout", "--quiet", "meshgen.yaml")
    return sorted(path for path in changed_by(folder, "probe") if path.endswith("kustomization.yaml"))[0]


@pytest.mark.parametrize(
    ("patterns", "absent"),
    [
        (("--no-cone", "/*", "!/overlays/dev.yaml"), "overlays/dev.yaml"),
        (("--cone", "output"), "overlays/dev.yaml"),
        (("--cone", "overlays", "output/base"), "output/.meshgen/lock.json"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh"), ("--dry-run",)])
def test_what_a_sparse_checkout_leaves_out_is_not_taken_for_deleted(
    mesh: Path, patterns: tuple[str, ...], absent: str, arguments: tuple[str, ...]
):
    git(mesh, "sparse-checkout", "set", *patterns)
    before = state(mesh)

    said = call(mesh, "commit", *arguments)

    assert said.status == 1
    assert absent in said.error
    assert "in the repository, and left out of this checkout; nothing was written" in said.error
    assert "git sparse-checkout disable" in said.error
    assert state(mesh) == before


def test_plain_objects_of_a_checkout_that_lacks_sources_are_on_no_branch(mesh: Path):
    git(mesh, "sparse-checkout", "set", "--no-cone", "/*", "!/overlays/dev.yaml")

    said = call(mesh, "render", "--branch", "plain")

    assert said.status == 1
    assert "overlays/dev.yaml: in the repository, and left out of this checkout" in said.error
    assert git(mesh, "branch", "--list", "plain") == ""


def test_a_sparse_checkout_that_has_the_mesh_commits_as_any_other(mesh: Path):
    for name in ("other/a.txt", "output/environments/dev/mine/a.txt"):
        (mesh / name).parent.mkdir(parents=True)
        (mesh / name).write_text("a")
    git(mesh, "add", ".")
    git(mesh, "commit", "--quiet", "--message", "Another folder")
    git(mesh, "sparse-checkout", "set", "--no-cone", "/*", "!/other", "!mine")
    assert not (mesh / "other").exists()
    open_kiali(mesh)

    for arguments in (("--branch", "mesh"), ()):
        assert call(mesh, "commit", *arguments).status == 0

    assert git(mesh, "rev-parse", "mesh^{tree}") == git(mesh, "rev-parse", "main^{tree}")
    assert "other/a.txt" in git(mesh, "ls-files")


@pytest.mark.parametrize("mark", ["assume-unchanged", "skip-worktree"])
@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_a_marked_source_that_changed_is_refused_before_anything_is_written(
    mesh: Path, mark: str, arguments: tuple[str, ...]
):
    git(mesh, "update-index", f"--{mark}", "meshgen.yaml")
    assert call(mesh, "commit", *arguments).status == 0
    open_kiali(mesh)
    before = state(mesh)

    said = call(mesh, "commit", *arguments)

    assert said.status == 1
    assert "meshgen.yaml: Git is told not to look at it, so the commit would have half of the change" in said.error
    assert f"hint: git update-index --no-{mark} meshgen.yaml" in said.error
    assert state(mesh) == before
    git(mesh, "update-index", f"--no-{mark}", "meshgen.yaml")
    assert call(mesh, "commit", *arguments).status == 0
    assert "meshgen.yaml" in changed_by(mesh, arguments[-1] if arguments else "main")


@pytest.mark.parametrize("mark", ["assume-unchanged", "skip-worktree"])
def test_a_marked_file_of_the_tree_is_not_left_out_of_the_commit(mesh: Path, mark: str):
    path = in_tree(mesh)
    git(mesh, "update-index", f"--{mark}", path)
    open_kiali(mesh)

    said = call(mesh, "commit")

    assert said.status == 1
    assert f"{path}: Git is told not to look at it" in said.error
    assert "nothing was committed" in said.error
    assert git(mesh, "rev-list", "--count", "main") == "2"
    assert call(mesh, "commit", "--branch", "mesh").status == 0
    git(mesh, "update-index", f"--no-{mark}", path)
    assert call(mesh, "commit").status == 0
    assert path in changed_by(mesh)


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_a_link_in_the_place_of_a_folder_is_committed_first(mesh: Path, arguments: tuple[str, ...]):
    (mesh / "overlays").rename(mesh / "environments")
    (mesh / "overlays").symlink_to("environments")
    before = state(mesh)

    said = call(mesh, "commit", *arguments)

    assert said.status == 1
    assert "overlays is a link now, and Git has files below it, such as overlays/dev.yaml; nothing was written" in (
        said.error
    )
    assert "git add --all overlays" in said.error
    assert state(mesh) == before
    git(mesh, "add", "--all", "overlays", "environments")
    git(mesh, "commit", "--quiet", "--message", "Move")
    open_kiali(mesh)
    assert call(mesh, "commit", *arguments).status == 0
    assert "meshgen.yaml" in changed_by(mesh, arguments[-1] if arguments else "main")


@pytest.mark.parametrize("arguments", [(), ("--branch", "mesh")])
def test_what_links_among_the_overlays_lead_to_is_committed_with_the_tree(mesh: Path, arguments: tuple[str, ...]):
    (mesh / "kept").mkdir()
    (mesh / "overlays" / "dev.yaml").rename(mesh / "kept" / "dev.yaml")
    (mesh / "overlays" / "dev").symlink_to("../kept")
    (mesh / "overlays" / "prod.yaml").rename(mesh / "prod.yaml")
    (mesh / "overlays" / "prod.yaml").symlink_to("../prod.yaml")
    git(mesh, "add", "--all")
    git(mesh, "commit", "--quiet", "--message", "Links")
    for name in ("kept/dev.yaml", "prod.yaml"):
        (mesh / name).write_text((mesh / name).read_text() + "# changed\n")

    said = call(mesh, "commit", *arguments)

    assert said.status == 0, said.error
    assert {"kept/dev.yaml", "prod.yaml"} <= changed_by(mesh, arguments[-1] if arguments else "main")
