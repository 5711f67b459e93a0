"""Keeps what meshgen makes itself from Flux's variables: a dashboard's `${datasource}` is none of them."""

from __future__ import annotations

from typing import Any

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Stage

_MARK = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}


def replaces_variables(delivery: dict[str, Any]) -> bool:
    """Whether Flux is asked to replace variables."""
    asked = (delivery.get("flux") or {}).get("postBuild") or {}
    return bool(asked.get("substitute") or asked.get("substituteFrom"))


def without_variables(stage: Stage, places: Places) -> Stage:
    """The stage, its objects that hold `${` marked so that Flux leaves them alone; those in `places` are the user's."""
    objects = tuple(_marked(obj) if _holds_variable(obj) and places.of(obj) is None else obj for obj in stage.objects)
    if all(new is old for new, old in zip(objects, stage.objects, strict=True)):
        return stage
    return Stage(stage.name, objects, stage.releases)


def _marked(obj: KubernetesObject) -> KubernetesObject:
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **_MARK}}}


def _holds_variable(value: Any) -> bool:
    if isinstance(value, str):
        return "${" in value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_holds_variable(one) for one in inner)
