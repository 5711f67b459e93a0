"""Says by a chart's values what Flux patches into its objects: Argo CD and the Sail operator can't patch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from meshgen.build.chart import ChartRelease, ObjectPatch
from meshgen.build.stage import Remark
from meshgen.build.translate import nested
from meshgen.catalog import Version, chart_values, merged

# The translation has put these into the values already. A count of replicas holds where nothing scales them.
_SAID = frozenset({"replicaCount", "hpaSpec.minReplicas", "hpaSpec.maxReplicas", "hpaSpec.scaleTargetRef"})


def said_by_values(release: ChartRelease, engine: str) -> tuple[ChartRelease, tuple[Remark, ...]]:
    """The release without patches: what the chart has a value for has become that, of the rest each is a remark."""
    paths = chart_values(release.chart.name, Version.parse(release.chart.version)) if release.patches else {}
    values, remarks = release.values, []
    for patch in release.patches:
        for field, value in _fields(patch):
            if field in _SAID:
                continue
            if path := paths.get(field):
                values = merged(values, nested(tuple(path.split(".")), value))
            else:
                remarks.append(_unsaid(release, patch, field, engine))
    return replace(release, values=values, patches=()), tuple(dict.fromkeys(remarks))


def _fields(patch: ObjectPatch) -> Iterator[tuple[str, Any]]:
    """The parts of a setting that charts have values of their own for."""
    if patch.setting is None:
        yield "", None
        return
    key, value = patch.setting
    if key == "env":
        yield from _environment(value)
    elif key == "strategy":
        yield from _strategy(value)
    elif key == "hpaSpec":
        for name, part in value.items():
            yield from _metrics(part) if name == "metrics" else [(f"hpaSpec.{name}", part)]
    elif key == "service":
        yield from ((f"service.{name}", part) for name, part in value.items())
    else:
        yield key, value


def _environment(variables: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    plain = {one["name"]: one.get("value") or "" for one in variables if not one.get("valueFrom")}
    taken = [one for one in variables if one.get("valueFrom")]
    if plain:
        yield "env", plain
    if taken:
        yield "env.valueFrom", taken


def _strategy(strategy: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, part in strategy.items():
        if name == "rollingUpdate" and isinstance(part, dict):
            yield from ((f"strategy.{key}", value) for key, value in part.items())
        elif (name, part) != ("type", "RollingUpdate"):
            yield f"strategy.{name}", part


def _metrics(metrics: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """A target for CPU, and one for memory beside it, are all that a chart has values for."""
    targets: dict[str, Any] = {}
    for metric in metrics:
        resource = metric.get("resource") or {}
        target = resource.get("target") or {}
        name = resource.get("name")
        if target.get("type") != "Utilization" or name not in ("cpu", "memory"):
            yield "hpaSpec.metrics", metrics
            return
        targets[name] = target.get("averageUtilization")
    if "cpu" not in targets:
        yield "hpaSpec.metrics", metrics
        return
    yield from ((f"hpaSpec.{name}", target) for name, target in targets.items())


def _unsaid(release: ChartRelease, patch: ObjectPatch, field: str, engine: str) -> Remark:
    what = f"k8s.{field}" if field else f"what changes {patch.kind} {patch.name}"
    message = f"istio.components: {engine} can't patch objects, and chart {release.chart.name} has no value for {what}"
    hint = "take it out, or say install: manifests"
    return Remark("MG215", message, patch.pointer, hint, at_key=True)
