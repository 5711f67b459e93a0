"""What the objects of a cluster must satisfy as a whole, whoever wrote them."""

from __future__ import annotations

from collections import Counter

from meshgen.build.stage import Memory, Remark, Stage
from meshgen.catalog import removed
from meshgen.layout.identity import Identity, identity


def stage_remarks(stage: Stage, kubernetes: str) -> list[Remark]:
    """Objects of a stage whose API the cluster does not serve; the pointers lead into the cluster's entry."""
    remarks = []
    for obj in stage.objects:
        gone = removed(kubernetes, obj["apiVersion"], obj["kind"])
        if gone is not None:
            name = obj["metadata"]["name"]
            message = f"{obj['kind']} {name}: Kubernetes {kubernetes} does not serve {obj['apiVersion']}"
            hint = f"gone since {gone.since}; use {gone.instead}" if gone.instead else f"gone since {gone.since}"
            remarks.append(Remark("MG402", message, "/kubernetesVersion", hint))
    return remarks


def manifest_remarks(stage: Stage, asked: tuple[str, ...]) -> list[Remark]:
    """What the user's own manifests should not hold, or not leave open; `asked` are the Services of `expose`."""
    return [*_secrets(stage), *_operators(stage), *_open(stage, asked)]


def _secrets(stage: Stage) -> list[Remark]:
    """Secrets of the user's own manifests that would stand in Git for everyone to read."""
    remarks = []
    for obj in stage.objects:
        if obj["kind"] == "Secret" and (obj.get("data") or obj.get("stringData")):
            message = f"Secret {obj['metadata']['name']} would stand in the tree in the clear"
            hint = "take it out of your manifests, and make it on the cluster or by an operator for secrets"
            remarks.append(Remark("MG503", message, "/addons", hint, "warning", at_key=True))
    return remarks


def _operators(stage: Stage) -> list[Remark]:
    """IstioOperators among the user's own manifests: from 1.24 on nothing reads one, and before, pruning uninstalls."""
    return [
        Remark(
            "MG406",
            f"IstioOperator {obj['metadata']['name']} stands among your own manifests",
            "/addons",
            "say it under `istio` instead, and take it out of the manifests",
            at_key=True,
        )
        for obj in stage.objects
        if obj["kind"] == "IstioOperator"
    ]


def _open(stage: Stage, asked: tuple[str, ...]) -> list[Remark]:
    """Services of the user's own manifests that are open load balancers already, and that `expose` leaves so."""
    remarks = []
    for obj in stage.objects:
        name = obj["metadata"]["name"]
        spec = obj.get("spec") or {}
        if obj["kind"] != "Service" or spec.get("type") != "LoadBalancer" or spec.get("loadBalancerSourceRanges"):
            continue
        if name not in asked and f"{name}.{obj['metadata'].get('namespace', 'default')}" not in asked:
            message = f"Service {name} is a load balancer in your own manifests, open to every address"
            hint = f"say expose: {{{name}: ...}}, with internal: true, sourceRanges or type: ClusterIP"
            remarks.append(Remark("MG501", message, "/addons", hint, "warning", at_key=True))
    return remarks


def duplicate_remarks(memory: Memory, *stages: Stage) -> list[Remark]:
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
    return [_duplicate(key) for key in sorted(found) if key.kind not in _OF_A_RELEASE or names[key.name] < 2]


_OF_A_RELEASE = ("HelmRelease", "OCIRepository")


def _identities(stage: Stage) -> tuple[frozenset[Identity], tuple[Identity, ...]]:
    """What a stage holds, and what it holds twice."""
    counted = Counter(identity(obj).registered for obj in stage.objects)
    return frozenset(counted), tuple(key for key, count in counted.items() if count > 1)


def _duplicate(key: Identity) -> Remark:
    where = f" in {key.namespace}" if key.namespace else ""
    hint = "take it out of your own manifests, or leave out the addon that brings it"
    return Remark("MG405", f"{key.kind} {key.name}{where} is there twice", "/addons", hint, at_key=True)
