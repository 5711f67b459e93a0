"""Environments and clusters that are there on one side only, said as such and not as all of their objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from meshgen.diff.change import FleetChange
from meshgen.diff.entrances import ISTIO
from meshgen.diff.objects import Objects, Reader
from meshgen.diff.reach import services
from meshgen.diff.sides import Side
from meshgen.diff.wiring import left_behind

_NEW = "it is new: nothing that runs is touched"


def fleet_changes(old: Side, new: Side, clusters: Sequence[str] = ()) -> tuple[FleetChange, ...]:
    """What came, went and moved; of the clusters named, where some are."""
    return (*_removed(old, new, clusters), *_added(old, new, clusters), *_moved(old, new, clusters))


def _removed(old: Side, new: Side, asked: Sequence[str]) -> Iterator[FleetChange]:
    for environment, clusters in old.environments.items():
        gone = tuple(one for one in clusters if one not in new.clusters and (not asked or one in asked))
        whole = bool(gone) and gone == clusters and environment not in new.environments
        for name, inside in ((environment, gone),) if whole else ((one, (one,)) for one in gone):
            reasons = dict.fromkeys(left_behind(old.clusters[one], new.directories) for one in inside)
            kind: Literal["environment", "cluster"] = "environment" if whole else "cluster"
            yield FleetChange(kind, "removed", name, "replacement", "; ".join(reasons), inside)


def _added(old: Side, new: Side, asked: Sequence[str]) -> Iterator[FleetChange]:
    # One for all: what clusters share is read once.
    reader = Reader()
    for environment, clusters in new.environments.items():
        come = tuple(one for one in clusters if one not in old.clusters and (not asked or one in asked))
        if come and come == clusters and environment not in old.environments:
            yield _new("environment", environment, new, come, reader)
        else:
            yield from (_new("cluster", one, new, (one,), reader) for one in come)


def _new(
    kind: Literal["environment", "cluster"], name: str, side: Side, clusters: tuple[str, ...], reader: Reader
) -> FleetChange:
    opened = sorted({one for cluster in clusters for one in _open(reader.applied(side.clusters[cluster]))})
    if opened:
        named = ", ".join(opened[:5]) + ", …" * (len(opened) > 5)
        return FleetChange(kind, "added", name, "exposure", f"it is new, and opens to the outside: {named}", clusters)
    return FleetChange(kind, "added", name, "cosmetic", _NEW, clusters)


def _open(objects: Objects) -> Iterator[str]:
    """What lets every address into a cluster: Services, those of charts too, and what makes a controller open one.

    An Istio Gateway does not: it is reachable where the Service of its gateway is.
    """
    for key, (_, obj) in objects.items():
        if key.space:
            continue
        if key.kind in ("Ingress", "Gateway") and key.group != ISTIO:
            yield f"{key.kind} {key.name}"
        for service in services(obj).values():
            if service.is_open_to_all:
                yield service.name or key.name


def _moved(old: Side, new: Side, asked: Sequence[str]) -> Iterator[FleetChange]:
    for name, cluster in new.clusters.items():
        before = old.clusters.get(name)
        if before is None or (asked and name not in asked):
            continue
        was, now = before.cluster.environment, cluster.cluster.environment
        if was != now:
            reason = f"it moves from environment {was} to {now}; its objects are compared below"
            yield FleetChange("cluster", "moved", name, "cosmetic", reason, (name,))
