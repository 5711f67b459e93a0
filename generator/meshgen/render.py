"""The whole story of a render: config in, the files of the tree out; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from meshgen.build.install import engines_of
from meshgen.build.istiooperator import install_method
from meshgen.build.manifests import Manifests, Places
from meshgen.build.stage import Memory, Remark
from meshgen.build.stages import Built, build, minor_of
from meshgen.catalog import Version, minors, release_of
from meshgen.check.carried import carried_remarks
from meshgen.check.objects import duplicate_remarks, manifest_remarks, stage_remarks
from meshgen.check.settings import kubernetes_remarks, name_remarks, release_remarks, settings_remarks
from meshgen.config.load import load
from meshgen.config.manifests import read_manifests
from meshgen.config.resolve import Cluster, Environment, Mesh, resolve
from meshgen.delivery.wire import Wired, wire
from meshgen.delivery.wiring import ClusterTree
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.generate import generate_all
from meshgen.layout.tree import Layout, Part, lay_out
from meshgen.policy import PolicyRemark, policy_remarks, subject_of
from meshgen.policy.own import own_findings
from meshgen.policy.ownrules import OwnRule, read_own_rules
from meshgen.policy.verdict import Found, judge, policy_problems, unused_suppressions


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


def render(config: Path, today: date | None = None) -> Rendering:
    """Turn a config into its tree; without a `today` no suppression of its policy ends.

    Raises InputError with every problem where any is an error; warnings come with the result.
    """
    built = build_mesh(config, today)
    layout = layout_of(built)
    wired = wired_by(built, layout)
    files = {path: text.encode() for path, text in {**layout.files, **wired.files}.items()}
    return Rendering(files, wired.clusters, built.findings)


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


def check_settings(mesh: Mesh) -> tuple[Finding, ...]:
    """What there is to say about the settings of every cluster, before anything is built of them.

    Raises InputError with everything found where any is an error.
    """
    return _checked(_Findings(mesh), Memory()).all()


def _checked(findings: _Findings, memory: Memory) -> _Findings:
    mesh = findings.mesh
    for cluster in mesh.clusters:
        findings.add(cluster, policy_problems(cluster.settings.get("policy"), findings.today, findings.own))
        findings.add(cluster, settings_remarks(cluster.settings, memory))
        findings.add(cluster, carried_remarks(cluster.settings, memory))
        findings.add(cluster, name_remarks(mesh.name, cluster.name, cluster.settings))
        findings.add_entry(cluster, kubernetes_remarks(cluster.settings.get("istio") or {}, cluster.kubernetes))
    findings.stop_at_errors()
    return findings


def build_resolved(mesh: Mesh, today: date | None = None) -> BuiltMesh:
    """Check a resolved config, and build the objects of every cluster; see `render`."""
    memory = Memory()
    rules = read_own_rules(mesh.folder)
    findings = _checked(_Findings(mesh, today, tuple(rule.id for rule in rules)), memory)
    shared = _bases(mesh)
    sharing = frozenset(environment.name for environment in mesh.environments if _shares(environment))
    answers = generate_all(mesh.name, _parts(mesh, shared, sharing), memory)
    for cluster in mesh.clusters:
        findings.add(cluster, answers.of(mesh.name, cluster.settings, (cluster.cloud,), memory))
    findings.stop_at_errors()
    manifests = replace(read_manifests(mesh), generated=answers.objects)
    bases = {key: build(mesh.name, settings, GENERIC, manifests, memory) for key, settings in shared.items()}
    environments = []
    for environment in mesh.environments:
        part = _shared_part(mesh, environment, manifests, memory) if environment.name in sharing else None
        clusters = tuple(
            BuiltCluster(cluster, build(mesh.name, cluster.settings, (cluster.cloud,), manifests, memory))
            for cluster in environment.clusters
        )
        for one in clusters:
            _check(mesh.name, one, _places(one, manifests, memory), findings, memory)
        environments.append((environment, part, clusters))
    _check_policy(
        [(one, _places(one, manifests, memory)) for _, _, clusters in environments for one in clusters], rules, findings
    )
    findings.stop_at_errors()
    return BuiltMesh(mesh, bases, tuple(environments), findings.all())


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
        base["delivery"] = next((one for one in deliveries if engines_of(one).by_flux), base["delivery"])
    return base


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


def _places(one: BuiltCluster, manifests: Manifests, memory: Memory) -> Places:
    """Where the user's own objects of a cluster are written."""
    addons, resources = (one.cluster.settings.get(key) or _NONE for key in ("addons", "resources"))
    return memory.recall(manifests.places, addons, resources)


_NONE: dict[str, Any] = {}


def _check(mesh: str, one: BuiltCluster, places: Places, findings: _Findings, memory: Memory) -> None:
    cluster, built = one.cluster, one.built
    findings.add(cluster, built.remarks)
    known = release_of(cluster.settings["istio"])
    kubernetes = cluster.kubernetes or known.kubernetes[1]
    for stage in built.stages:
        findings.add_entry(cluster, memory.recall(stage_remarks, stage, kubernetes, places))
        asked = tuple(cluster.settings.get("expose") or ())
        findings.add(cluster, memory.recall(manifest_remarks, stage, asked, places))
    findings.add(cluster, duplicate_remarks(memory, places, *built.stages))
    releases = tuple(release for stage in built.stages for release in stage.releases)
    by_argocd = bool((cluster.settings.get("delivery") or {}).get("argocd"))
    findings.add(cluster, release_remarks(mesh, cluster.name, by_argocd, releases))


def _check_policy(clusters: list[tuple[BuiltCluster, Places]], rules: tuple[OwnRule, ...], findings: _Findings) -> None:
    """What the policy's rules, and the user's own, have against each cluster, and suppressions that serve none."""
    subjects = [subject_of(one.cluster, one.built.stages, one.built.istioctl_input, places) for one, places in clusters]
    # Clusters that share settings and objects are judged once: what a rule sees of a cluster itself is in the key.
    judged: dict[tuple[Any, ...], tuple[PolicyRemark, ...]] = {}
    for (one, _), subject in zip(clusters, subjects, strict=True):
        parts = (id(subject.settings), id(one.built.istioctl_input), *map(id, one.built.stages))
        key = (subject.cluster.cloud, subject.production, *parts)
        if key not in judged:
            judged[key] = tuple(policy_remarks(subject))
        findings.add(subject.cluster, judged[key])
    found, wrong = own_findings(rules, subjects)
    by_name = {one.cluster.name: one.cluster for one, _ in clusters}
    for breach in found:
        findings.add(by_name[breach.cluster], (breach.remark,))
    findings.add_whole(wrong)
    findings.add_unused()


class _Findings:
    """Collects what is found on the way, each problem once however many clusters have it, as the policy wants it."""

    def __init__(self, mesh: Mesh, today: date | None = None, own: tuple[str, ...] = ()) -> None:
        self.mesh, self.today, self.own = mesh, today, own
        self._used: set[str] = set()
        self._clusters = sum(1 for _ in mesh.clusters)
        # The clusters that each finding holds for, none where it is about no cluster.
        self._found: dict[Finding, dict[str, None]] = {}
        # Findings whose position names their cluster.
        self._placed: set[Finding] = set()

    def add(self, cluster: Cluster, remarks: Iterable[Remark]) -> None:
        """Take remarks whose pointers lead into a cluster's settings."""
        for remark in self._judged(cluster, remarks):
            finding = (remark.document or cluster).finding(
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
        for remark in self._judged(cluster, remarks):
            said = remark.document.finding if remark.document else cluster.entry_finding
            finding = said(remark.rule, remark.message, remark.pointer, hint=remark.hint, severity=remark.severity)
            self._found.setdefault(finding, {})[cluster.name] = None
            if not remark.document:
                self._placed.add(finding)

    def _judged(self, cluster: Cluster, remarks: Iterable[Remark]) -> Iterable[Remark]:
        """The remarks as the cluster's policy wants them."""
        policy = cluster.settings.get("policy")
        if not policy:
            return remarks
        verdict = judge((Found(remark, cluster.name) for remark in remarks), policy, self.today)
        self._used |= verdict.used
        return [one.remark for one in verdict.findings]

    def add_whole(self, findings: Iterable[Finding]) -> None:
        """Take findings that have their position already."""
        self._found.update((finding, {}) for finding in findings)

    def add_unused(self) -> None:
        """Tell of suppressions that took nothing away on any cluster."""
        for cluster in self.mesh.clusters:
            policy = cluster.settings.get("policy")
            if policy:
                self.add(cluster, unused_suppressions([policy], frozenset(self._used), self.today))

    def all(self) -> tuple[Finding, ...]:
        """Everything found, in the order of the files; a message names the clusters where it holds for some only."""
        said = [self._said(finding, list(clusters)) for finding, clusters in self._found.items()]
        return tuple(sorted(said, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.rule)))

    def _said(self, finding: Finding, clusters: list[str]) -> Finding:
        message = finding.message
        if clusters and len(clusters) < self._clusters and finding not in self._placed:
            named = ", ".join(clusters) if len(clusters) <= 3 else f"{len(clusters)} of {self._clusters} clusters"
            message = f"{message} (on {named})"
        return replace(finding, message=message, clusters=tuple(clusters))

    def stop_at_errors(self) -> None:
        """Raise InputError where something is an error."""
        if any(finding.severity == "error" for finding in self._found):
            raise InputError(self.all())
