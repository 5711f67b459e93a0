"""The order check of a cluster: what an engine would wait for in vain, or find too early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.manifests import Places
from meshgen.build.stage import Memory, Remark, Stage
from meshgen.order.absent import absent_remarks
from meshgen.order.circles import circle_remarks
from meshgen.order.engines import engines_of
from meshgen.order.scene import Scene, scene_of
from meshgen.order.unmet import unmeshed_remarks, unmet_remarks
from meshgen.order.unready import unready_remarks
from meshgen.order.webhooks import self_blocking_remarks, webhook_remarks


def order_remarks(
    mesh: str, stages: tuple[Stage, ...], settings: dict[str, Any], kubernetes: str, places: Places, memory: Memory
) -> tuple[Remark, ...]:
    """Deadlocks, races and gaps in the order of a cluster's stages, each said of an object of the user's own.

    What meshgen itself makes is in order by construction: a cluster without objects of the user's own costs nothing.
    """
    scene = scene_of(mesh, stages, settings, kubernetes, places, memory)
    if not any(part.own for part in scene.parts):
        return ()
    return memory.recall(_remarks, scene, places)


def _remarks(scene: Scene, places: Places) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(_found(scene, places)))


def _found(scene: Scene, places: Places) -> Iterator[Remark]:
    for engine in engines_of(scene.settings.get("delivery") or {}):
        yield from unmet_remarks(scene, engine, places)
        yield from webhook_remarks(scene, engine, places)
        yield from unready_remarks(scene, engine, places)
    yield from circle_remarks(scene, places)
    yield from unmeshed_remarks(scene, places)
    yield from self_blocking_remarks(scene, places)
    yield from absent_remarks(scene, places)
