"""What the objects of a cluster must satisfy as a whole, whoever wrote them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Memory, Remark, Stage
from meshgen.catalog import removed
from meshgen.check.secrets import secret_remarks
from meshgen.config.creationrules import CreationRules
from meshgen.layout.identity import Identity, identity


def stage_remarks(stage: Stage, kubernetes: str, places: Places) -> list[Remark]:
    """Objects of a stage whose API the cluster does not serve.

    The pointers lead into the cluster's entry, or into the manifest of the user's own that holds the object.
    """
    remarks = []
    for obj in stage.objects:
        gone = removed(kubernetes, obj["apiVersion"], obj["kind"])
        if gone is not None:
            name = obj["metadata"]["name"]
            message = f"{obj['kind']} {name}: Kubernetes {kubernetes} does not serve {obj['apiVersion']}"
            hint = f"gone since {gone.since}; use {gone.instead}" if gone.instead else f"gone since {gone.since}"
            document = places.of(obj)
            at = "/apiVersion" if document else "/kubernetesVersion"
            remarks.append(Remark("MG402", message, at, hint, document=document, object=f"{obj['kind']}/{name}"))
    return remarks


def manifest_remarks(
    stage: Stage, asked: tuple[str, ...], places: Places, rules: CreationRules | None = None
) -> list[Remark]:
    """What the user's own manifests should not hold, or not leave open.

    `asked` are the Services of `expose`, `rules` those by which SOPS encrypts files.
    """
    remarks: list[Remark] = []
    for obj in stage.objects:
        document = places.of(obj)
        if document is None:
            continue
        found = (*secret_remarks(obj, document, rules), _operator(obj) or _open(obj, asked))
        about, space = f"{obj['kind']}/{obj['metadata']['name']}", obj["metadata"].get("namespace")
        remarks += (replace(one, document=document, object=about, namespace=space) for one in found if one)
    return remarks


def _operator(obj: KubernetesObject) -> Remark | None:
    """An IstioOperator: from 1.24 on nothing reads one, and before, pruning it uninstalls Istio."""
    if obj["kind"] != "IstioOperator":
        return None
    message = f"IstioOperator {obj['metadata']['name']} stands among your own manifests"
    return Remark("MG406", message, "/kind", "say it under `istio` instead, and take it out of the manifests")


def _open(obj: KubernetesObject, asked: tuple[str, ...]) -> Remark | None:
    """A Service that is an open load balancer already, and that `expose` leaves so."""
    spec, name = obj.get("spec") or {}, obj["metadata"]["name"]
    if obj["kind"] != "Service" or spec.get("type") != "LoadBalancer" or spec.get("loadBalancerSourceRanges"):
        return None
    if name in asked or f"{name}.{obj['metadata'].get('namespace', 'default')}" in asked:
        return None
    message = f"Service {name} is a load balancer in your own manifests, open to every address"
    hint = f"say expose: {{{name}: ...}}, with internal: true, sourceRanges or type: ClusterIP"
    return Remark("MG501", message, "/spec/type", hint, "warning")


def duplicate_remarks(memory: Memory, places: Places, *stages: Stage) -> list[Remark]:
    """Objects that a cluster would get twice, which the engines would fight over."""
    seen: set[Identity] = set()
    found: list[Identity] = []
    for stage in stages:
        keys, twice = memory.recall(_identities, stage)
        found += twice
        found += keys & seen
        seen |= keys
    names = Counter(release.name for stage in stages for release in stage.releases)
    # Two releases of one name are said as that (`release_remarks`), for Argo CD has no objects of them here.
    return [_duplicate(key, places) for key in sorted(found) if key.kind not in _OF_A_RELEASE or names[key.name] < 2]


_OF_A_RELEASE = ("HelmRelease", "OCIRepository")


def _identities(stage: Stage) -> tuple[frozenset[Identity], tuple[Identity, ...]]:
    """What a stage holds, and what it holds twice."""
    counted = Counter(identity(obj).registered for obj in stage.objects)
    return frozenset(counted), tuple(key for key, count in counted.items() if count > 1)


def _duplicate(key: Identity, places: Places) -> Remark:
    where = f" in {key.namespace}" if key.namespace else ""
    message = f"{key.kind} {key.name}{where} is there twice"
    match places.all(key):
        case []:
            hint = "take it out of your own manifests, or leave out the addon that brings it"
            return Remark("MG405", message, "/addons", hint, at_key=True)
        case [document]:
            hint = "meshgen brings it too: take it out of your own manifests, or leave out what brings it"
            return Remark("MG405", message, "/metadata/name", hint, document=document)
        case [first, *_, last]:
            hint = f"the other one is in {first.where('/metadata/name')}: keep one of them"
            return Remark("MG405", message, "/metadata/name", hint, document=last)
        case _:
            raise AssertionError(places)
