"""The two sides of a comparison: what each config becomes, and errors that name their side."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from meshgen.config.load import load
from meshgen.config.resolve import Cluster, Mesh, resolve
from meshgen.delivery.argocdfleet import applications_of, without_applications
from meshgen.delivery.wire import Wired
from meshgen.delivery.wiring import KubernetesObject
from meshgen.diff.revision import Revision, refused
from meshgen.diff.sources import Source
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.render import BuiltCluster, BuiltMesh, build_resolved, layout_of, wired_by
from meshgen.yaml import emit


@dataclass(frozen=True)
class SideCluster:
    """A cluster of a side: its stages, their directories, and the homes of its wiring by engine, with its texts."""

    cluster: Cluster
    mesh: str
    built: BuiltCluster
    directories: frozenset[str]
    homes: Mapping[str, str]
    # By (engine, file).
    wiring: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Side:
    """What a config becomes; `directories` are those of its stages. Without `mesh` there was no config."""

    name: str
    mesh: Mesh | None
    clusters: Mapping[str, SideCluster]
    findings: tuple[Finding, ...] = ()
    directories: frozenset[str] = frozenset()

    @property
    def environments(self) -> dict[str, tuple[str, ...]]:
        """The clusters of each environment."""
        environments = self.mesh.environments if self.mesh else ()
        return {one.name: tuple(cluster.name for cluster in one.clusters) for one in environments}


def read_both(old: Source, new: Source) -> tuple[Side, Side]:
    """Build both sides. Raises InputError with the errors of both; each finding names its side."""
    sides: list[Side] = []
    findings: list[Finding] = []
    for source in (old, new):
        try:
            sides.append(_read(source, may_lack=source is old))
        except InputError as error:
            findings += error.findings
    if findings:
        raise InputError(findings)
    return sides[0], sides[1]


def _read(source: Source, *, may_lack: bool) -> Side:
    revision = source.revision
    if revision is not None and not revision.has_config():
        if may_lack:
            return Side(source.name, None, {})
        hint = "name another revision, or the config that it has with -c FILE"
        raise InputError([refused("this revision has no such config", f"{source.name}:{revision.config}", hint)])
    with _renamed(source):
        if revision is None:
            return _side(source, build_resolved(resolve(load(source.config))))
        with revision.materialised() as made, _homed(made.folder, revision):
            mesh = resolve(load(made.config))
            made.bring_sources(mesh)
            return _side(source, build_resolved(mesh))


def _side(source: Source, built: BuiltMesh) -> Side:
    layout = layout_of(built)
    wired = wired_by(built, layout)
    wiring = _wiring(built.mesh.name, wired)
    trees = {one.name: one for one in wired.clusters}
    clusters = {}
    for one in built.clusters:
        name = one.cluster.name
        directories = frozenset(path for _, path in layout.paths[name])
        clusters[name] = SideCluster(one.cluster, built.mesh.name, one, directories, trees[name].wiring, wiring[name])
    there = frozenset(posixpath.dirname(path) for path in layout.files)
    return Side(source.name, built.mesh, clusters, tuple(_named(one, source) for one in built.findings), there)


def _wiring(mesh: str, wired: Wired) -> dict[str, dict[tuple[str, str], str]]:
    """The texts of each cluster's wiring, as a render would write them; what serves a whole environment is of each."""
    texts: dict[str, dict[tuple[str, str], str]] = {one.name: {} for one in wired.clusters}
    homes: dict[str, list[tuple[str, str, str]]] = {}
    above: dict[tuple[str, str], list[str]] = {}
    for one in wired.clusters:
        for engine, path in one.wiring.items():
            home = f"environments/{one.environment}/{engine}"
            above.setdefault((engine, home), []).append(one.name)
            homes.setdefault(path, []).append((one.name, engine, ""))
            homes.setdefault(home, []).append((one.name, engine, "environment/"))
    for path, text in wired.files.items():
        folder, _, file = path.rpartition("/")
        if file in ("kustomization.yaml", "clusters.yaml", "applicationset.yaml"):
            continue
        for name, engine, home in homes.get(folder, ()):
            texts[name][engine, home + file] = text
    for (engine, home), names in above.items():
        for name, file, obj in _own_parts(mesh, names, wired.objects.get(home, ())):
            texts[name][engine, file] = emit(obj)
    return texts


def _own_parts(
    mesh: str, names: Sequence[str], objects: Sequence[KubernetesObject]
) -> Iterator[tuple[str, str, KubernetesObject]]:
    """(cluster, file, object) of what stands above the clusters, taken apart: none is told what becomes of another."""
    roots = {f"{mesh}-{name}": name for name in names}
    for obj in objects:
        if obj["kind"] == "ApplicationSet":
            common = without_applications(obj)
            yield from ((name, "environment/applicationset.yaml", common) for name in names)
            yield from ((name, made["metadata"]["name"], made) for name, made in applications_of(obj))
        elif root := roots.get(obj["metadata"]["name"].removesuffix(".root")):
            yield root, "clusters.yaml", obj


@contextmanager
def _renamed(source: Source) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError([_named(one, source) for one in error.findings]) from None


@contextmanager
def _homed(folder: Path, revision: Revision) -> Iterator[None]:
    """Say paths from the config's folder, where a message would name the folder that goes away again."""
    try:
        yield
    except InputError as error:
        root = f"{folder.as_posix()}/"
        home = revision.config.parent.as_posix()
        raise InputError(
            [
                replace(one, file=posixpath.relpath(one.file.removeprefix(root), home))
                if one.file and one.file.startswith(root)
                else one
                for one in error.findings
            ]
        ) from None


def _named(finding: Finding, source: Source) -> Finding:
    """The finding with its file as the side calls it: `REV:path`, as `git show` takes it."""
    if source.revision is None:
        return replace(finding, file=source.prefix + finding.file) if source.prefix and finding.file else finding
    home = source.revision.config.parent
    outside = finding.rule == "MG702"
    path = finding.file if outside else posixpath.normpath(posixpath.join(home, finding.file or home.as_posix()))
    return replace(finding, file=f"{source.name}:{path}")
