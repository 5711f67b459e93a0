"""Needs that are met too late: for each object, what it needs against what brings it."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark
from meshgen.order.engines import Engine
from meshgen.order.remarks import NAME, said_of, unmet
from meshgen.order.scene import Scene
from meshgen.order.thing import KIND, SIDECARS, Need, Source, Thing, group_of, space_of
from meshgen.policy.injection import asks
from meshgen.policy.reading import Map, items, mapping, pod_template, text


def unmet_remarks(scene: Scene, engine: Engine, places: Places) -> Iterator[Remark]:
    """What an engine waits for in vain, or too early."""
    for part in scene.parts:
        for obj, needs in part.needs:
            for need in needs:
                source = scene.source(need.thing)
                verdict = source and engine.verdict(obj, part.number, need, source)
                if source and verdict:
                    yield unmet(scene, engine, obj, part.number, need, source, verdict, places)
            yield from _converted(scene, engine, obj, part.number, places)


def _converted(scene: Scene, engine: Engine, obj: KubernetesObject, stage: int, places: Places) -> Iterator[Remark]:
    """An object in another version than its CRD keeps is converted by a webhook, which has to run."""
    source = scene.source(Thing(KIND, obj["kind"], group_of(obj))) if "." in group_of(obj) else None
    if source is None or source.by is None or source.by["kind"] != "CustomResourceDefinition":
        return
    kept = [text(one, "name") for one in items(source.by, "spec", "versions") if one.get("storage") is True]
    service = mapping(source.by, "spec", "conversion", "webhook", "clientConfig", "service")
    running = scene.behind(text(service, "namespace"), text(service, "name"))
    if running is None or obj["apiVersion"].partition("/")[2] in kept:
        return
    webhook = Source(running.stage, running.service, runs=True)
    need = Need(
        Thing("Service", running.service["metadata"]["name"], space_of(running.service)), "taken", ("apiVersion",)
    )
    if verdict := engine.verdict(obj, stage, need, webhook):
        yield unmet(scene, engine, obj, stage, need, webhook, verdict, places)


def unmeshed_remarks(scene: Scene, places: Places) -> Iterator[Remark]:
    """Pods that start before what injects their sidecars, and so have none."""
    istiod = scene.source(Thing(SIDECARS))
    for number, obj in scene.own if istiod else ():
        template = pod_template(obj)
        if not istiod or number >= istiod.stage or not template or obj["kind"] == "CronJob":
            continue
        if not _has_auto(template) and _wants_sidecar(scene, obj, template):
            here, there = scene.stage(number), scene.stage(istiod.stage)
            what = f"its pods start in stage {here}, before istiod injects sidecars in stage {there}: they have none"
            hint = "leave out its stage: namespaces, or restart the pods once istiod runs"
            yield said_of(obj, what, hint, rule="MG446", places=places, severity="warning", at=NAME)


def _has_auto(template: Map) -> bool:
    return any(text(one, "image") == "auto" for one in items(template, "spec", "containers"))


def _wants_sidecar(scene: Scene, obj: KubernetesObject, template: Map) -> bool:
    if mapping(template, "spec").get("hostNetwork") is True:
        return False
    said = asks(template, scene.reads_words)
    return is_injected(scene, space_of(obj)) if said is None else said


def is_injected(scene: Scene, space: str) -> bool:
    """Whether a namespace of the tree asks for sidecars."""
    labels = scene.labels_of(space) or {}
    if "istio-injection" in labels:
        return bool(labels["istio-injection"] == "enabled")
    # The pods of another revision are injected by an istiod that may run already.
    return "istio.io/rev" in labels and labels["istio.io/rev"] in scene.revisions
