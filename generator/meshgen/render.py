"""The whole story of a render: config in, the files of the tree out; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from meshgen.build.install import engines_of
from meshgen.build.istiooperator import install_method
from meshgen.build.manifests import Manifests
from meshgen.build.stage import Memory
from meshgen.build.stages import Built, build, minor_of
from meshgen.catalog import Version, minors
from meshgen.check.settings import settings_remarks
from meshgen.config.load import load
from meshgen.config.manifests import readable_manifests
from meshgen.config.resolve import Cluster, Environment, Mesh, resolve
from meshgen.delivery.wire import Wired, wire
from meshgen.delivery.wiring import ClusterTree
from meshgen.finding import Finding
from meshgen.findings import Findings
from meshgen.generate import generate_all
from meshgen.layout.tree import Layout, Part, lay_out
from meshgen.policy.ownrules import read_own_rules
from meshgen.review import review_objects, review_readable, review_settings, review_wiring


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
    """The tree of a config: its files by path, what is applied where, and the objects that it is made of."""

    files: dict[str, bytes]
    clusters: tuple[ClusterTree, ...]
    built: BuiltMesh

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say of the config; no errors."""
        return self.built.findings


def render(config: Path, today: date | None = None) -> Rendering:
    """Turn a config into its tree; without a `today` no suppression of its policy ends.

    Raises InputError with every problem where any is an error; warnings come with the result.
    """
    built = build_mesh(config, today)
    layout = layout_of(built)
    wired = wired_by(built, layout)
    files = {path: text.encode() for path, text in {**layout.files, **wired.files}.items()}
    return Rendering(files, wired.clusters, built)


def validate(config: Path, today: date | None = None) -> tuple[Finding, ...]:
    """Everything that there is to say of a config and of all that it renders to, the engines' own objects too.

    Raises InputError with every problem where any is an error.
    """
    built = build_mesh(config, today)
    findings = Findings(built.mesh, today)
    review_wiring(findings, wired_by(built, layout_of(built)).objects)
    return (*built.findings, *findings.all())


def layout_of(built: BuiltMesh) -> Layout:
    """Lay the objects of every cluster out as bases, environments and clusters."""
    environments = [
        (part, [Part(one.cluster.name, one.built, base_key(one.cluster.settings)) for one in clusters])
        for _, part, clusters in built.environments
    ]
    return lay_out(built.bases, environments)


def wired_by(built: BuiltMesh, layout: Layout) -> Wired:
    """Make what the engines apply the stages of a layout by."""
    clusters = {one.cluster.name: one.built for one in built.clusters}
    shared = {environment.name: part.built if part else None for environment, part, _ in built.environments}
    return wire(built.mesh, clusters, shared, layout)


def build_mesh(config: Path, today: date | None = None) -> BuiltMesh:
    """Load, validate and resolve a config, and build the objects of every cluster; see `render`."""
    return build_resolved(resolve(load(config)), today)


def build_resolved(mesh: Mesh, today: date | None = None) -> BuiltMesh:
    """Check a resolved config, and build the objects of every cluster; see `render`."""
    memory = Memory()
    rules = read_own_rules(mesh.folder)
    findings = Findings(mesh, today, tuple(rule.id for rule in rules))
    review_settings(findings, memory)
    shared = _bases(mesh)
    sharing = frozenset(environment.name for environment in mesh.environments if _shares(environment))
    answers = generate_all(mesh.name, _parts(mesh, shared, sharing), memory)
    for cluster in mesh.clusters:
        findings.add(cluster, answers.of(mesh.name, cluster.settings, (cluster.cloud,), memory))
    findings.stop_at_errors()
    read, unread = readable_manifests(mesh)
    manifests = replace(read, generated=answers.objects)
    bases = {key: build(mesh.name, settings, GENERIC, manifests, memory) for key, settings in shared.items()}
    environments = []
    for environment in mesh.environments:
        part = _shared_part(mesh, environment, manifests, memory) if environment.name in sharing else None
        members = tuple(
            BuiltCluster(cluster, build(mesh.name, cluster.settings, (cluster.cloud,), manifests, memory))
            for cluster in environment.clusters
        )
        environments.append((environment, part, members))
    built = BuiltMesh(mesh, bases, tuple(environments), ())
    clusters = [(one.cluster, one.built) for one in built.clusters]
    review_readable(clusters, manifests, unread, findings, memory)
    review_objects(clusters, manifests, rules, findings, memory)
    return replace(built, findings=findings.all())


def _parts(
    mesh: Mesh, bases: dict[str, dict[str, Any]], sharing: frozenset[str]
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """The settings and clouds of everything that is built: bases, environments, clusters."""
    yield from ((settings, GENERIC) for settings in bases.values())
    for environment in mesh.environments:
        if environment.name in sharing:
            yield environment.settings, _clouds(environment)
        yield from ((cluster.settings, (cluster.cloud,)) for cluster in environment.clusters)


# A base says nothing that depends on a cloud.
GENERIC = ("generic",)


def base_key(settings: dict[str, Any]) -> str:
    """What clusters share a base: one Istio minor and one install method, such as `1.11-operator`."""
    return f"{minor_of(settings)}-{install_method(settings['istio'])}"


def _bases(mesh: Mesh) -> dict[str, dict[str, Any]]:
    """The settings of every base: the mesh's without `expose`.

    A minor that the mesh itself does not name takes the oldest version that a cluster runs, so that the base stays as
    it is until the last cluster has moved on.
    """
    members: dict[str, list[Cluster]] = {}
    for cluster in mesh.clusters:
        members.setdefault(base_key(cluster.settings), []).append(cluster)
    bases = {key: _base(mesh, clusters) for key, clusters in members.items()}
    return {key: settings for key, settings in bases.items() if _can_stand_alone(settings)}


def _base(mesh: Mesh, clusters: list[Cluster]) -> dict[str, Any]:
    """The settings of the base that these clusters stand on."""
    running = [Version.parse(cluster.settings["istio"]["version"]) for cluster in clusters]
    istio = mesh.settings.get("istio") or {}
    own = istio.get("version") and Version.parse(istio["version"]).minor == running[0].minor
    version = istio["version"] if own else str(min(running))
    base = {key: value for key, value in mesh.settings.items() if key != "expose"}
    base["istio"] = {**istio, "version": version, "install": install_method(clusters[0].settings["istio"])}
    if not _can_stand_alone(base):
        oldest = min(clusters, key=lambda cluster: Version.parse(cluster.settings["istio"]["version"]))
        base["istio"] = {**oldest.settings["istio"], "install": base["istio"]["install"]}
    deliveries = [cluster.settings.get("delivery") or {} for cluster in clusters]
    if not engines_of(base.get("delivery") or {}).by_flux:
        # What Flux applies has its base all the same.
        base["delivery"] = next((_unmarked(one) for one in deliveries if engines_of(one).by_flux), base["delivery"])
    return base


def _unmarked(delivery: dict[str, Any]) -> dict[str, Any]:
    """The delivery of a cluster without the images that are marked for it."""
    flux = delivery.get("flux")
    return {**delivery, "flux": {**flux, "imagePolicies": None}} if flux else delivery


def _shared_part(mesh: Mesh, environment: Environment, manifests: Manifests, memory: Memory) -> Part:
    """What the clusters of an environment share."""
    settings = environment.settings
    built = build(mesh.name, settings, _clouds(environment), manifests, memory)
    return Part(environment.name, built, base_key(settings))


def _shares(environment: Environment) -> bool:
    """Whether an environment's own layers make sense alone, and are what one of its clusters could stand on."""
    settings = environment.settings
    if not (settings.get("istio") or {}).get("version") or not _can_stand_alone(settings):
        return False
    return base_key(settings) in {base_key(cluster.settings) for cluster in environment.clusters}


def _clouds(environment: Environment) -> tuple[str, ...]:
    return tuple(sorted({cluster.cloud for cluster in environment.clusters}))


def _can_stand_alone(settings: dict[str, Any]) -> bool:
    """Whether layers that others still change make sense already, where their meaning decides what is rendered."""
    istio = settings["istio"]
    if minor_of(settings) not in minors() and istio.get("assumeMinor") not in minors():
        return False
    found = () if install_method(settings["istio"]) == "operator" else settings_remarks({"istio": istio}, Memory())
    return not any(remark.severity == "error" for remark in found)
