"""Flux's objects that wait for each other, or for the very stage that they are part of."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark
from meshgen.config.problems import plain
from meshgen.order.needs import depends_on
from meshgen.order.remarks import said_of
from meshgen.order.scene import Scene
from meshgen.order.thing import Thing, group_of, thing_of

_WAITING = {"HelmRelease": "helm.toolkit.fluxcd.io", "Kustomization": "kustomize.toolkit.fluxcd.io"}


def circle_remarks(scene: Scene, places: Places) -> Iterator[Remark]:
    """Each circle once, and each object that waits for its own stage."""
    waiting = {thing_of(obj): (stage, obj) for stage, obj in scene.own if _waits(obj)}
    before = {thing: [one for one, _ in depends_on(obj, obj["kind"])] for thing, (_, obj) in waiting.items()}
    told: set[Thing] = set()
    for thing, (stage, obj) in waiting.items():
        circle = _circle(thing, before)
        if circle and not told & set(circle):
            told.update(circle)
            names = ", which waits for ".join(plain(one.name) for one in (*circle[1:], circle[0]))
            what = f"it waits for {names}: none of them is ever ready"
            yield said_of(obj, what, "take one of these dependsOn out", rule="MG443", places=places, at=_AT)
        yield from _for_itself(scene, stage, obj, places)


_AT = ("spec", "dependsOn")


def _waits(obj: KubernetesObject) -> bool:
    return _WAITING.get(obj["kind"]) == group_of(obj)


def _circle(start: Thing, before: dict[Thing, list[Thing]]) -> list[Thing]:
    """The way from a thing back to itself; nothing where there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for thing in before.get(way[-1], ()):
            if thing == start:
                return way
            if thing not in seen:
                seen.add(thing)
                ways.append([*way, thing])
    return []


def _for_itself(scene: Scene, stage: int, obj: KubernetesObject, places: Places) -> Iterator[Remark]:
    """A Kustomization that waits for the one of meshgen's that waits for it."""
    flux = (scene.settings.get("delivery") or {}).get("flux")
    if obj["kind"] != "Kustomization" or not flux or flux.get("kubeConfig"):
        return
    home = flux.get("namespace") or "flux-system"
    stages = {Thing("Kustomization", f"{scene.mesh}-{part.stage.name}", home): part.number for part in scene.parts}
    for thing, index in depends_on(obj, "Kustomization"):
        later = stages.get(thing)
        if later is not None and later >= stage:
            what = f"it waits for {thing}, which is not ready before stage {scene.stage(stage)} is, this one included"
            hint = "take it out: what comes in a stage waits for all stages before it anyway"
            yield said_of(obj, what, hint, rule="MG443", places=places, at=(*_AT, index))
