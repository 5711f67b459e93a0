"""The whole story of a render: config in, the files of the tree out; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meshgen.build.stage import ADDONS, Memory, Remark
from meshgen.build.stages import Built, Manifests, build, install_method, minor_of
from meshgen.catalog import Version, minors, release
from meshgen.check.carried import carried_remarks
from meshgen.check.objects import duplicate_remarks, manifest_remarks, stage_remarks
from meshgen.check.settings import kubernetes_remarks, name_remarks, settings_remarks
from meshgen.config.load import load
from meshgen.config.manifests import read_manifests
from meshgen.config.resolve import Cluster, Environment, Mesh, resolve
from meshgen.delivery.wire import wire
from meshgen.delivery.wiring import ClusterTree
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.layout.tree import Part, lay_out


@dataclass(frozen=True)
class BuiltCluster:
    """A cluster and the objects that it gets."""

    cluster: Cluster
    built: Built


@dataclass(frozen=True)
class BuiltMesh:
    """All that a config asks for, as objects; no file of the tree yet."""

    mesh: Mesh
    bases: dict[str, Built]
    environments: tuple[tuple[Environment, Part | None, tuple[BuiltCluster, ...]], ...]
    findings: tuple[Finding, ...]

    @property
    def clusters(self) -> Iterator[BuiltCluster]:
        """Every cluster, in the order of the environments."""
        return (cluster for _, _, clusters in self.environments for cluster in clusters)


@dataclass(frozen=True)
class Rendering:
    """The tree of a config: its files by path, and what is applied where."""

    files: dict[str, bytes]
    clusters: tuple[ClusterTree, ...]
    findings: tuple[Finding, ...]


def render(config: Path) -> Rendering:
    """Turn a config into its tree.

    Raises InputError with every problem where any is an error; warnings come with the result.
    """
    built = build_mesh(config)
    layout = lay_out(
        built.bases,
        [
            (part, [Part(one.cluster.name, one.built, base_key(one.cluster.settings)) for one in clusters])
            for _, part, clusters in built.environments
        ],
    )
    wired = wire(built.mesh, {one.cluster.name: one.built for one in built.clusters}, layout)
    files = {path: text.encode() for path, text in {**layout.files, **wired.files}.items()}
    return Rendering(files, wired.clusters, built.findings)


def build_mesh(config: Path) -> BuiltMesh:
    """Load, validate and resolve a config, and build the objects of every cluster; see `render`."""
    mesh = resolve(load(config))
    findings = _Findings(mesh)
    memory = Memory()
    for cluster in mesh.clusters:
        findings.add(cluster, settings_remarks(cluster.settings, memory))
        findings.add(cluster, carried_remarks(cluster.settings, memory))
        findings.add(cluster, name_remarks(mesh.name, cluster.name, cluster.settings))
        findings.add_entry(cluster, kubernetes_remarks(cluster.settings.get("istio") or {}, cluster.kubernetes))
    findings.stop_at_errors()
    manifests = Manifests(read_manifests(mesh))
    bases = {key: build(mesh.name, settings, ("generic",), manifests, memory) for key, settings in _bases(mesh).items()}
    environments = []
    for environment in mesh.environments:
        part = _shared_part(mesh, environment, manifests, memory)
        clusters = tuple(
            BuiltCluster(cluster, build(mesh.name, cluster.settings, (cluster.cloud,), manifests, memory))
            for cluster in environment.clusters
        )
        for one in clusters:
            _check(one, findings, memory)
        environments.append((environment, part, clusters))
    findings.stop_at_errors()
    return BuiltMesh(mesh, bases, tuple(environments), findings.all())


def base_key(settings: dict[str, Any]) -> str:
    """What clusters share a base: one Istio minor and one install method, such as `1.11-operator`."""
    return f"{minor_of(settings)}-{install_method(settings)}"


def _bases(mesh: Mesh) -> dict[str, dict[str, Any]]:
    """The settings of every base: the mesh's without `expose`.

    A minor that the mesh itself does not name takes the oldest version that a cluster runs, so that the base stays as
    it is until the last cluster has moved on.
    """
    versions: dict[str, list[Version]] = {}
    methods: dict[str, str] = {}
    for cluster in mesh.clusters:
        key = base_key(cluster.settings)
        versions.setdefault(key, []).append(Version.parse(cluster.settings["istio"]["version"]))
        methods[key] = install_method(cluster.settings)
    shared = {key: value for key, value in mesh.settings.items() if key != "expose"}
    istio = mesh.settings.get("istio") or {}
    bases = {}
    for key, running in versions.items():
        own = istio.get("version") and Version.parse(istio["version"]).minor == running[0].minor
        version = istio["version"] if own else str(min(running))
        bases[key] = {**shared, "istio": {**istio, "version": version, "install": methods[key]}}
    return bases


def _shared_part(mesh: Mesh, environment: Environment, manifests: Manifests, memory: Memory) -> Part | None:
    """What the clusters of an environment share; None where its own layers name no known version of Istio."""
    settings = environment.settings
    keys = {base_key(cluster.settings) for cluster in environment.clusters}
    if not (settings.get("istio") or {}).get("version") or not _is_known(settings) or base_key(settings) not in keys:
        return None
    clouds = tuple(sorted({cluster.cloud for cluster in environment.clusters}))
    return Part(environment.name, build(mesh.name, settings, clouds, manifests, memory), base_key(settings))


def _is_known(settings: dict[str, Any]) -> bool:
    return minor_of(settings) in minors()


def _check(one: BuiltCluster, findings: _Findings, memory: Memory) -> None:
    cluster, built = one.cluster, one.built
    findings.add(cluster, built.remarks)
    known = release(minor_of(cluster.settings))
    kubernetes = cluster.kubernetes or known.kubernetes[1]
    for stage in built.stages:
        findings.add_entry(cluster, memory.recall(stage_remarks, stage, kubernetes))
        if stage.name == ADDONS:
            asked = tuple(cluster.settings.get("expose") or ())
            findings.add(cluster, memory.recall(manifest_remarks, stage, asked))
    findings.add(cluster, duplicate_remarks(memory, *built.stages))
    if built.istioctl_input is not None:
        message = f"Istio {known.minor} itself is not applied by this tree: its IstioOperator is istioctl's input"
        where = f"environments/{cluster.environment}/istioctl/, for a cluster that differs in clusters/NAME/istioctl/"
        hint = f"run `istioctl install -f istiooperator.yaml`; it stands in {where}"
        findings.add(cluster, [Remark("MG403", message, "/istio/version", hint, "warning")])


class _Findings:
    """Collects what is found on the way, each problem once however many clusters have it."""

    def __init__(self, mesh: Mesh) -> None:
        self._clusters = sum(1 for _ in mesh.clusters)
        # The clusters that each finding holds for; none where its position names the cluster.
        self._found: dict[Finding, dict[str, None]] = {}

    def add(self, cluster: Cluster, remarks: Iterable[Remark]) -> None:
        """Take remarks whose pointers lead into a cluster's settings."""
        for remark in remarks:
            finding = cluster.finding(
                remark.rule,
                remark.message,
                remark.pointer,
                hint=remark.hint,
                severity=remark.severity,
                at_key=remark.at_key,
            )
            self._found.setdefault(finding, {})[cluster.name] = None

    def add_entry(self, cluster: Cluster, remarks: Iterable[Remark]) -> None:
        """Take remarks whose pointers lead into a cluster's own entry."""
        for remark in remarks:
            finding = cluster.entry_finding(
                remark.rule, remark.message, remark.pointer, hint=remark.hint, severity=remark.severity
            )
            self._found.setdefault(finding, {})

    def all(self) -> tuple[Finding, ...]:
        """Everything found, in the order of the files; a message names the clusters where it holds for some only."""
        said = [self._said(finding, list(clusters)) for finding, clusters in self._found.items()]
        return tuple(sorted(said, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.rule)))

    def _said(self, finding: Finding, clusters: list[str]) -> Finding:
        if len(clusters) in (0, self._clusters):
            return finding
        named = ", ".join(clusters) if len(clusters) <= 3 else f"{len(clusters)} of {self._clusters} clusters"
        return replace(finding, message=f"{finding.message} (on {named})")

    def stop_at_errors(self) -> None:
        """Raise InputError where something is an error."""
        if any(finding.severity == "error" for finding in self._found):
            raise InputError(self.all())
