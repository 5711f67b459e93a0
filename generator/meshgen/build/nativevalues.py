"""Says by a chart's values what Flux patches into its objects: Argo CD and the Sail operator can't patch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from meshgen.build.chart import ChartRelease, ObjectPatch
from meshgen.build.k8spatches import environment_values
from meshgen.build.stage import Remark
from meshgen.catalog import Version, chart_values, owned_by_chart
from meshgen.values import merged, nested

# The translation has put these into the values already. A count of replicas holds where nothing scales them.
_SAID = frozenset({"replicaCount", "hpaSpec.minReplicas", "hpaSpec.maxReplicas", "hpaSpec.scaleTargetRef"})


def said_by_values(release: ChartRelease, engine: str) -> tuple[ChartRelease, tuple[Remark, ...]]:
    """The release without patches: what the chart has a value for has become that, of the rest each is a remark."""
    paths = chart_values(release.chart.name, Version.parse(release.chart.version)) if release.patches else {}
    values, remarks = release.values, []
    for patch in release.patches:
        for field, value in _apart(_fields(patch), owned_by_chart(release.chart.name)):
            if field in _SAID:
                continue
            if path := paths.get(field):
                values = merged(values, nested(tuple(path.split(".")), value))
            else:
                remarks.append(_unsaid(release, patch, field, engine))
    return replace(release, values=values, patches=()), tuple(dict.fromkeys(remarks))


def _apart(fields: Iterable[tuple[str, Any]], owned: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Any]]:
    """The fields; apart what no value can say: names that the chart writes itself, and text that it can't quote."""
    for field, value in fields:
        names = owned.get(field.partition(".")[0], ())
        if isinstance(value, dict) and field in ("env", "nodeSelector", "podAnnotations"):
            kept = {key: one for key, one in value.items() if key not in names and not _unquotable(field, one)}
            yield from ((f"{field}.{key}", one) for key, one in value.items() if key not in kept)
            if kept:
                yield field, kept
        elif field == "env.valueFrom":
            yield from ((f"env.{one['name']}", one) for one in value if one["name"] in names)
            if kept_list := [one for one in value if one["name"] not in names]:
                yield field, kept_list
        else:
            yield field, value


def _unquotable(field: str, value: Any) -> bool:
    # The charts put a variable's value between quotes as it is.
    return field == "env" and any(character in str(value) for character in '"\\\n')


def _fields(patch: ObjectPatch) -> Iterator[tuple[str, Any]]:
    """The parts of a setting that charts have values of their own for."""
    if patch.setting is None:
        yield "", None
        return
    key, value = patch.setting
    if value is None:
        yield key, None
    elif key == "env":
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
    plain, taken = environment_values(variables)
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
    where = ".".join(patch.pointer.split("/")[1:3])
    message = f"{where}: {engine} can't patch objects, and chart {release.chart.name} has no value for {what}"
    hint = "take it out, or say install: manifests"
    if where.startswith("addons."):
        hint = "take the built-in addon, a newer version of the chart, or Flux"
    elif where.startswith("expose."):
        hint = "say it by the chart's own values, or take Flux"
    return Remark("MG215", message, patch.pointer, hint, at_key=True)
