"""Selects effective objects of clusters, for people and for other tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.config.problems import guess
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.render import BuiltMesh, build_mesh


@dataclass(frozen=True)
class Shown:
    """One object of one cluster; its stage is None where no stage's directory holds it."""

    cluster: str
    environment: str
    stage: str | None
    object: dict[str, Any]


def select(
    config: Path, *, clusters: Sequence[str] = (), stage: str | None = None, objects: Sequence[str] = ()
) -> tuple[list[Shown], tuple[Finding, ...]]:
    """The effective objects that the selectors name, in the order in which they are applied, and what was found.

    `objects` are `KIND` or `KIND/NAME`, in any case. Raises InputError for a cluster or a stage that is not there, and
    for every selector that nothing matches.
    """
    built = build_mesh(config)
    everything = list(_objects(built))
    _known("cluster", clusters, list(dict.fromkeys(one.cluster for one in everything)))
    _known("stage", [] if stage is None else [stage], list(dict.fromkeys(one.stage for one in everything if one.stage)))
    chosen = [
        one for one in everything if (not clusters or one.cluster in clusters) and (stage is None or one.stage == stage)
    ]
    unmatched = [_unmatched(text, chosen) for text in objects if not any(_matches(one.object, text) for one in chosen)]
    if unmatched:
        raise InputError(unmatched)
    shown = [one for one in chosen if not objects or any(_matches(one.object, text) for text in objects)]
    return shown, built.findings


def _objects(built: BuiltMesh) -> Iterator[Shown]:
    for one in built.clusters:
        cluster = one.cluster
        for stage in one.built.stages:
            for obj in stage.objects:
                yield Shown(cluster.name, cluster.environment, stage.name, obj)
        if one.built.istioctl_input is not None:
            yield Shown(cluster.name, cluster.environment, None, one.built.istioctl_input)


def _matches(obj: dict[str, Any], selector: str) -> bool:
    kind, _, name = selector.lower().partition("/")
    return obj["kind"].lower() == kind and (not name or obj["metadata"]["name"].lower() == name)


def _unmatched(selector: str, chosen: Sequence[Shown]) -> Finding:
    """What is wrong with a selector that matches nothing: its name where its kind is there, or its kind."""
    kind, _, name = selector.partition("/")
    names = sorted({one.object["metadata"]["name"] for one in chosen if _matches(one.object, kind)})
    kinds = sorted({one.object["kind"] for one in chosen})
    named = [one.object["kind"] for one in chosen if one.object["metadata"]["name"] == kind]
    if named:
        hint: str | None = f"say its kind before its name: {named[-1]}/{kind}"
    else:
        hint = guess(name, names) if names else guess(kind, kinds)
    return Finding("MG701", "error", f"no object matches {selector}", hint=hint)


def _known(what: str, wanted: Sequence[str], known: list[str]) -> None:
    for name in wanted:
        if name not in known:
            raise InputError([Finding("MG701", "error", f'there is no {what} "{name}"', hint=guess(name, known))])
