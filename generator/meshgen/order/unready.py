"""Objects that wait for pods which come later, or never end: budgets, claims, and Jobs with a sidecar."""

from __future__ import annotations

import json
from collections.abc import Iterator

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark
from meshgen.order.engines import FLUX, KUBECTL, Engine
from meshgen.order.pods import claims
from meshgen.order.remarks import next_move, said_of
from meshgen.order.scene import NATIVE_SWITCH, Scene
from meshgen.order.selectors import picks
from meshgen.order.thing import SIDECARS, Source, Thing, named, space_of
from meshgen.order.unmet import is_injected
from meshgen.policy.injection import asks
from meshgen.policy.reading import Map, mapping, number, pod_template, text


def unready_remarks(scene: Scene, engine: Engine, places: Places) -> Iterator[Remark]:
    """What an engine takes for not healthy for longer than it may."""
    if engine is KUBECTL:
        return
    for stage, obj in scene.own:
        match obj["kind"]:
            # Argo CD takes a budget for healthy as soon as it is there.
            case "PodDisruptionBudget" if engine is FLUX:
                yield from _budget(scene, engine, stage, obj, places)
            case "PersistentVolumeClaim":
                yield from _claim(scene, engine, stage, obj, places)
            case "Job":
                yield from _job(scene, engine, stage, obj, places)


def _budget(scene: Scene, engine: Engine, stage: int, obj: KubernetesObject, places: Places) -> Iterator[Remark]:
    """A budget wants its number of pods, which no pod of its stage, or of those before, is."""
    least, selector = number(obj, "spec", "minAvailable"), mapping(obj, "spec", "selector")
    if not least or least < 1 or not selector:
        return
    found = [
        (there, pods)
        for there, pods, template in scene.pods_in(space_of(obj))
        if picks(selector, mapping(template, "metadata", "labels"))
    ]
    if found and found[0][0] > stage:
        later, pods = found[0]
        what = f"it is not healthy without {least} of the pods of {named(pods)}, which come in stage "
        what += f"{scene.stage(later)}: {engine.name} never gets past stage {scene.stage(stage)}"
        hint = next_move(scene, obj, stage, Source(later, pods))
        yield said_of(obj, what, hint, rule="MG441", places=places, at=("spec", "minAvailable"))
    elif not found and not scene.unseen and scene.labels_of(space_of(obj)) is not None:
        what = f"no pods of the tree are those that it selects, of which it wants {least}: {engine.name} never gets "
        what += f"past stage {scene.stage(stage)}, unless the cluster has them already"
        hint = "correct its selector, or say maxUnavailable in place of minAvailable"
        yield said_of(obj, what, hint, rule="MG445", places=places, severity="warning", at=("spec", "selector"))


def _claim(scene: Scene, engine: Engine, stage: int, obj: KubernetesObject, places: Places) -> Iterator[Remark]:
    """A claim that is bound only once a pod mounts it, whose pods come later."""
    name = obj["metadata"]["name"]
    users = [(there, pods) for there, pods, template in scene.pods_in(space_of(obj)) if name in claims(template)]
    if not users or users[0][0] <= stage or text(obj, "spec", "volumeName"):
        return
    sort = scene.source(Thing("StorageClass", text(obj, "spec", "storageClassName")))
    mode = text(sort.by, "volumeBindingMode") or "Immediate" if sort and sort.by else ""
    if mode == "Immediate":
        return
    later, pods = users[0]
    sure = mode == "WaitForFirstConsumer"
    when = "it is bound once a pod mounts it" if sure else "most StorageClasses bind it once a pod mounts it"
    what = f"{when}, and {named(pods)} comes in stage {scene.stage(later)}: {engine.name} never gets past "
    what += f"stage {scene.stage(stage)}" + ("" if sure else ", unless its class binds at once")
    hint = next_move(scene, obj, stage, Source(later, pods))
    if sure:
        yield said_of(obj, what, hint, rule="MG441", places=places)
    else:
        yield said_of(obj, what, hint, rule="MG445", places=places, severity="warning")


def _job(scene: Scene, engine: Engine, stage: int, obj: KubernetesObject, places: Places) -> Iterator[Remark]:
    """A Job whose pods get a sidecar that goes on when their work is done."""
    template = pod_template(obj) or {}
    istiod = scene.source(Thing(SIDECARS))
    said = asks(template, scene.reads_words)
    injected = is_injected(scene, space_of(obj)) if said is None else said
    if istiod is None or stage < istiod.stage or not injected or _ends(scene, template):
        return
    what = "its pods have a sidecar that goes on when their work is done: they never end, and "
    what += f"{engine.name} never gets past stage {scene.stage(stage)}"
    hint = 'label its template sidecar.istio.io/inject: "false", or say istio.values.pilot.env.'
    hint += f'{NATIVE_SWITCH}: "true"'
    yield said_of(obj, what, hint, rule="MG448", places=places, severity="warning")


def _ends(scene: Scene, template: Map) -> bool:
    """Whether pods end with their work: the sidecar is Kubernetes' own kind of one, or it is told to quit."""
    if mapping(template, "spec").get("hostNetwork") is True or "quitquitquit" in json.dumps(template):
        return True
    annotated = text(template, "metadata", "annotations", "sidecar.istio.io/nativeSidecar")
    if annotated in ("true", "false"):
        return annotated == "true"
    return scene.native_sidecars
