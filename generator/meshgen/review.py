"""Everything that there is to say of a mesh: first of its settings, then of the objects that are built of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshgen.build.manifests import Manifests, Places
from meshgen.build.stage import KubernetesObject, Memory, Remark
from meshgen.build.stages import Built
from meshgen.catalog import Version, release_of
from meshgen.check.carried import carried_remarks
from meshgen.check.fleet import delivery_remarks, server_remarks
from meshgen.check.neededsecrets import needed_remarks
from meshgen.check.objectfields import field_remarks, kinds_brought, wiring_remarks
from meshgen.check.objects import duplicate_remarks, manifest_remarks, stage_remarks
from meshgen.check.secrets import decryption_remarks
from meshgen.check.settings import kubernetes_remarks, name_remarks, release_remarks, settings_remarks
from meshgen.check.unrunimages import unrun_remarks
from meshgen.config.creationrules import CreationRules, read_creation_rules
from meshgen.config.resolve import Cluster, Mesh
from meshgen.finding import Finding
from meshgen.findings import Findings
from meshgen.order import order_remarks
from meshgen.policy import Subject, subject_of
from meshgen.policy.hosts import gateway_spaces
from meshgen.policy.matching import environment_names, kind_findings, match_findings
from meshgen.policy.own import own_findings
from meshgen.policy.ownrules import OwnRule
from meshgen.policy.registry import object_remarks, setting_remarks
from meshgen.policy.subject import MADE
from meshgen.policy.verdict import policy_problems


def check_settings(mesh: Mesh) -> tuple[Finding, ...]:
    """What there is to say about the settings of every cluster, before anything is built of them.

    Raises InputError with everything found where any is an error.
    """
    findings = Findings(mesh)
    review_settings(findings, Memory())
    return findings.all()


def review_settings(findings: Findings, memory: Memory) -> None:
    """Find what is wrong with the settings of every cluster; raises InputError where any is an error."""
    mesh = findings.mesh
    for cluster in mesh.clusters:
        findings.add(cluster, policy_problems(cluster.settings.get("policy"), findings.today, findings.own))
        findings.add(cluster, settings_remarks(cluster.settings, memory))
        findings.add(cluster, carried_remarks(cluster.settings, memory))
        findings.add(cluster, name_remarks(mesh.name, cluster.name, cluster.settings))
        findings.add_entry(cluster, kubernetes_remarks(cluster.settings.get("istio") or {}, cluster.kubernetes))
    for cluster, remark in delivery_remarks(mesh, memory):
        findings.add(cluster, (remark,))
    for cluster, remark in server_remarks(mesh):
        findings.add_entry(cluster, (remark,))
    findings.stop_at_errors()


def review_objects(
    clusters: Sequence[tuple[Cluster, Built]],
    manifests: Manifests,
    rules: tuple[OwnRule, ...],
    findings: Findings,
    memory: Memory,
) -> None:
    """Find what is wrong with the objects of every cluster; raises InputError where any is an error."""
    creation = read_creation_rules(findings.mesh.folder, manifests)
    findings.add_whole(creation.findings if creation else ())
    reviewed = [(cluster, built, _places(cluster, manifests, memory)) for cluster, built in clusters]
    refused = [_review(cluster, built, places, creation, findings, memory) for cluster, built, places in reviewed]
    for cluster, remark in unrun_remarks(clusters, memory):
        findings.add(cluster, (remark,))
    _review_by_policy(reviewed, refused, rules, findings)
    findings.stop_at_errors()


def review_readable(
    clusters: Sequence[tuple[Cluster, Built]],
    manifests: Manifests,
    unread: Sequence[Finding],
    findings: Findings,
    memory: Memory,
) -> None:
    """Where manifests could not be read, find what is surely wrong with those that could; raises InputError then.

    What depends on the whole, such as a reference that leads nowhere, nobody can tell before.
    """
    if not unread:
        return
    findings.add_whole(unread)
    for cluster, built in clusters:
        for remarks in _refusals(cluster, built, _places(cluster, manifests, memory), memory):
            findings.add(cluster, [one for one in remarks if one.document and one.severity == "error"])
    findings.stop_at_errors()


def review_wiring(findings: Findings, wiring: Mapping[str, Sequence[KubernetesObject]]) -> None:
    """Find what an API server would refuse of the engines' own objects; raises InputError where any is an error.

    `wiring` has them by directory: `clusters/NAME/ENGINE`, or `environments/NAME/ENGINE` for what serves several.
    """
    members: dict[tuple[str, str], Cluster] = {}
    for cluster in findings.mesh.clusters:
        members["clusters", cluster.name] = cluster
        members.setdefault(("environments", cluster.environment), cluster)
    memory = Memory()
    for directory, objects in wiring.items():
        what, name, *_ = directory.split("/")
        cluster = members[what, name]
        settings = cluster.settings
        kubernetes = cluster.kubernetes or release_of(settings["istio"]).kubernetes[1]
        version = Version.parse(settings["istio"]["version"])
        for obj in objects:
            findings.add(cluster, memory.recall_same(wiring_remarks, obj, kubernetes, version))
    findings.stop_at_errors()


_NONE: dict[str, Any] = {}
# Objects that Istio's webhook refuses, by the manifest that holds each and its `KIND/NAME`.
_Refused = frozenset[tuple[int, str | None]]
# Rules that warn of what the webhook may refuse, which is said as that alone.
_MILDER = frozenset({"MG514", "MG544", "MG584"})


def _places(cluster: Cluster, manifests: Manifests, memory: Memory) -> Places:
    """Where the user's own objects of a cluster are written."""
    addons, resources = (cluster.settings.get(key) or _NONE for key in ("addons", "resources"))
    return memory.recall(manifests.places, addons, resources)


def _review(
    cluster: Cluster,
    built: Built,
    places: Places,
    creation: CreationRules | None,
    findings: Findings,
    memory: Memory,
) -> _Refused:
    """Find what is wrong with the objects of a cluster; give those that Istio's webhook refuses."""
    mesh, settings = findings.mesh.name, cluster.settings
    findings.add(cluster, built.remarks)
    kubernetes = cluster.kubernetes or release_of(settings["istio"]).kubernetes[1]
    asked = tuple(settings.get("expose") or ())
    refused: set[tuple[int, str | None]] = set()
    for remarks in _refusals(cluster, built, places, memory):
        findings.add(cluster, remarks)
        refused |= {_object_of(one) for one in remarks if one.rule == "MG424"}
    for stage in built.stages:
        findings.add_entry(cluster, memory.recall(stage_remarks, stage, kubernetes, places))
        findings.add(cluster, memory.recall(manifest_remarks, stage, asked, places, creation))
    findings.add(cluster, decryption_remarks(settings, built.stages, memory))
    findings.add(cluster, memory.recall(needed_remarks, places, *built.stages))
    findings.add(cluster, duplicate_remarks(memory, places, *built.stages))
    findings.add(cluster, order_remarks(mesh, built.stages, settings, kubernetes, places, memory))
    releases = tuple(release for stage in built.stages for release in stage.releases)
    by_argocd = bool((settings.get("delivery") or {}).get("argocd"))
    findings.add(cluster, release_remarks(mesh, cluster.name, by_argocd, releases))
    return frozenset(refused)


def _refusals(cluster: Cluster, built: Built, places: Places, memory: Memory) -> Iterator[list[Remark]]:
    """What the API server or Istio's webhook would refuse of the objects of a cluster, each for itself."""
    settings = cluster.settings
    kubernetes = cluster.kubernetes or release_of(settings["istio"]).kubernetes[1]
    version, brought = Version.parse(settings["istio"]["version"]), kinds_brought(memory, built.stages)
    for stage in built.stages:
        yield memory.recall(field_remarks, stage, kubernetes, version, brought, places)
        if places:
            from meshgen.check.refused import refusal_remarks

            yield memory.recall(refusal_remarks, stage, kubernetes, places)


def _object_of(remark: Remark) -> tuple[int, str | None]:
    return id(remark.document), remark.object


def _review_by_policy(
    reviewed: Sequence[tuple[Cluster, Built, Places]],
    refused: Sequence[_Refused],
    rules: tuple[OwnRule, ...],
    findings: Findings,
) -> None:
    """What the policy's rules, and the user's own, have against each cluster, and suppressions that serve none."""
    subjects = [subject_of(cluster, built.stages, built.istioctl_input, places) for cluster, built, places in reviewed]
    # Clusters that share settings and objects are judged once: what a rule sees of a cluster itself is in the key.
    judged: dict[tuple[Any, ...], tuple[Remark, ...]] = {}
    by_objects: dict[tuple[Any, ...], tuple[Remark, ...]] = {}
    for (cluster, built, _), subject, gone in zip(reviewed, subjects, refused, strict=True):
        parts = (id(subject.settings), id(built.istioctl_input), *map(id, built.stages))
        key = (cluster.cloud, subject.production, *parts)
        if key not in judged:
            judged[key] = (*setting_remarks(subject), *_of_objects(subject, built, by_objects))
        said = judged[key]
        if gone:
            said = tuple(one for one in said if one.rule not in _MILDER or _object_of(one) not in gone)
        findings.add(cluster, said)
    found, wrong = own_findings(rules, subjects)
    if rules:
        mesh = findings.mesh
        wrong += match_findings(rules, environment_names(mesh.folder) | {one.name for one in mesh.environments})
        wrong += kind_findings(rules, {obj["kind"] for subject in subjects for _, obj in subject.objects})
    by_name = {cluster.name: cluster for cluster, _, _ in reviewed}
    for breach in found:
        findings.add(by_name[breach.cluster], (breach.remark,))
    findings.add_whole(wrong)
    findings.add_unused()


def _of_objects(
    subject: Subject, built: Built, judged: dict[tuple[Any, ...], tuple[Remark, ...]]
) -> tuple[Remark, ...]:
    """What rules about objects alone find; once for clusters that are equal in all that these look at."""
    seen = subject.of_objects()
    stages = (id(stage) for stage in built.stages if stage.name not in MADE)
    apart = frozenset(gateway_spaces(subject))
    key = (json.dumps(seen.settings), apart, seen.cluster.cloud, seen.production, id(seen.places), *stages)
    if key not in judged:
        judged[key] = tuple(object_remarks(seen))
        if seen.places:
            from meshgen.check.dangling import reference_remarks

            judged[key] = (*judged[key], *reference_remarks(seen, apart))
    return judged[key]
