"""Hydrates clusters: writes their effective objects out as plain YAML, for those who review or apply just that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from meshgen.build.stage import Memory, Stage
from meshgen.config.resolve import Mesh
from meshgen.layout.identity import identity
from meshgen.layout.kustomization import file_names
from meshgen.render import BuiltMesh, Rendering
from meshgen.tree.plan import Plan
from meshgen.tree.update import compare, update
from meshgen.yaml import emit, emit_documents

if TYPE_CHECKING:
    from meshgen.commit.branch import BranchPlan

Per = Literal["object", "stage"]
FOLDER = "hydrated"
"""The folder of plain objects where they stand in the tree."""


@dataclass(frozen=True)
class Plain:
    """The plain objects of a mesh, by path, and where they go: into the tree, unless a folder or a branch is named."""

    mesh: str
    files: Mapping[str, bytes] = field(repr=False)
    directory: Path | None = None
    branch: str | None = None


@dataclass(frozen=True)
class Brought:
    """What became of the tree, and of plain objects that stand elsewhere; or would become, in a dry run."""

    tree: Plan
    directory: Plan | None = None
    branch: BranchPlan | None = None
    commit: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether all is as it should be already."""
        return all(one is None or one.is_clean for one in (self.tree, self.directory, self.branch))


def plain_objects(built: BuiltMesh, per: Per, *, directory: Path | None = None, branch: str | None = None) -> Plain:
    """The plain objects of a mesh; see `hydrated`."""
    return Plain(built.mesh.name, hydrated(built, per), directory, branch)


def hydrated(built: BuiltMesh, per: Per = "object") -> dict[str, bytes]:
    """The effective objects of every cluster: `CLUSTER/STAGE/KIND-NAME.yaml`, or `CLUSTER/STAGE.yaml`.

    They are those that `kustomize build` of a stage's directory gives. What is no object of a stage has no file: charts
    that Argo CD installs, istioctl's input. No two names are one on a file system that folds case.
    """
    memory = Memory()
    return {
        f"{one.cluster.name}/{path}": content
        for one in built.clusters
        for stage in one.built.stages
        if stage.objects
        for path, content in memory.recall(_files, stage, per, memory).items()
    }


def _files(stage: Stage, per: Per, memory: Memory) -> dict[str, bytes]:
    if per == "stage":
        return {f"{stage.name}.yaml": emit_documents(list(stage.objects)).encode()}
    names = file_names(stage.objects)
    return {
        f"{stage.name}/{names[identity(obj)]}.yaml": memory.recall_same(emit, obj).encode() for obj in stage.objects
    }


def tree_files(rendering: Rendering, plain: Plain | None) -> dict[str, bytes]:
    """The files of the tree, with the plain objects where they stand in it."""
    if plain is None or plain.directory is not None or plain.branch is not None:
        return rendering.files
    return {**rendering.files, **{f"{FOLDER}/{path}": content for path, content in plain.files.items()}}


def bring(
    config: Path,
    output: Path,
    rendering: Rendering,
    plain: Plain | None,
    *,
    write: bool = True,
    overwrite: bool = False,
    notify: Callable[[str], None] | None = None,
) -> Brought:
    """Write the tree and the plain objects, or only plan it.

    What stands in the way of either is found before anything is written: InputError, Refused for a branch.
    """

    def apply(root: Path, files: Mapping[str, bytes], *, write: bool = write) -> Plan:
        if write:
            return update(root, files, overwrite=overwrite, notify=notify)
        return compare(root, files, overwrite=overwrite)

    files = tree_files(rendering, plain)
    if plain is None or (plain.directory is None and plain.branch is None):
        return Brought(apply(output, files))
    apply(output, files, write=False)
    if plain.directory is not None:
        apply(plain.directory, plain.files, write=False)
        return Brought(apply(output, files), directory=apply(plain.directory, plain.files))
    mesh = rendering.built.mesh
    return _on_branch(config, mesh, plain, lambda: apply(output, files), write=write, overwrite=overwrite)


def _on_branch(
    config: Path, mesh: Mesh, plain: Plain, tree: Callable[[], Plan], *, write: bool, overwrite: bool
) -> Brought:
    from meshgen.commit.branch import plan_branch, write_branch
    from meshgen.commit.checkout import check_checked_out
    from meshgen.commit.scope import sources_in
    from meshgen.git import repository

    found = repository(config.parent, hint="run it in a clone, or hydrate into a folder with --hydrate-to DIR")
    sources, _ = sources_in(found, config, mesh)
    places = [source.path for source in sources]
    check_checked_out(found.root, places, lambda path: any(source.holds(path) for source in sources))
    branch = plan_branch(found, plain.branch or "", plain.files, mesh=plain.mesh, overwrite=overwrite)
    done = tree()
    return Brought(done, branch=branch, commit=write_branch(branch) if write and not branch.is_clean else None)
