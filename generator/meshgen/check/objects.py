"""What the objects of a cluster must satisfy as a whole, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshgen.build.stage import KubernetesObject, Remark, Stage
from meshgen.catalog import removed
from meshgen.layout.identity import identity


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


def duplicate_remarks(*stages: Stage) -> list[Remark]:
    """Objects that a cluster would get twice, which the engines would fight over."""
    return list(_duplicates(obj for stage in stages for obj in stage.objects))


def _duplicates(objects: Iterable[KubernetesObject]) -> Iterator[Remark]:
    seen = set()
    for obj in objects:
        key = identity(obj).registered
        if key in seen:
            where = f" in {key.namespace}" if key.namespace else ""
            message = f"{key.kind} {key.name}{where} is there twice"
            hint = "take it out of your own manifests, or leave out the addon that brings it"
            yield Remark("MG405", message, "/addons", hint, at_key=True)
        seen.add(key)
