"""How a finding of the order check is said: who needs what, where that comes, what comes of it, and the next move."""

from __future__ import annotations

from meshgen.build.manifests import Places
from meshgen.build.stage import ADDONS, NAMESPACES, RESOURCES, KubernetesObject, Remark
from meshgen.config.problems import plain
from meshgen.finding import Severity
from meshgen.order.engines import ARGOCD, KUBECTL, Engine, Verdict, argocd_step
from meshgen.order.scene import Scene
from meshgen.order.thing import KIND, Need, Source, Thing, named, thing_of
from meshgen.yaml import pointer

Path = tuple[str | int, ...]
NAME: Path = ("metadata", "name")


def said_of(
    obj: KubernetesObject,
    what: str,
    hint: str,
    *,
    rule: str,
    places: Places,
    severity: Severity = "error",
    at: Path = NAME,
) -> Remark:
    """A remark on an object of the user's own, at a path of it."""
    about = f"{plain(obj['kind'])}/{plain(obj['metadata']['name'])}"
    message = f"{named(obj)}: {what}"
    space = obj["metadata"].get("namespace")
    return Remark(rule, message, pointer(at), hint, severity, False, places.of(obj), about, space)


def unmet(
    scene: Scene,
    engine: Engine,
    obj: KubernetesObject,
    stage: int,
    need: Need,
    source: Source,
    verdict: Verdict,
    places: Places,
) -> Remark:
    """A remark on a need that is met too late."""
    lack = "the API server refuses it" if need.purpose == "taken" else "it can't be ready"
    what = f"{lack} without {_thing(need.thing)}, which {_arrival(scene, engine, obj, stage, need, source)}: "
    what += _outcome(scene, engine, stage, source, verdict)
    hint = next_move(scene, obj, stage, source)
    if verdict != "never":
        return said_of(obj, what, hint, rule="MG445", places=places, severity="warning", at=need.at)
    if need.purpose == "taken":
        return said_of(obj, what, hint, rule="MG440", places=places, at=need.at)
    return said_of(obj, what, hint, rule="MG441", places=places, at=need.at)


def _thing(thing: Thing) -> str:
    return {KIND: "its kind", "Namespace": "its Namespace"}.get(thing.kind, str(thing))


def _arrival(scene: Scene, engine: Engine, obj: KubernetesObject, stage: int, need: Need, source: Source) -> str:
    itself = source.by is not None and thing_of(source.by) == need.thing
    brought = "comes" if itself else f"{source} brings"
    if source.stage != stage:
        return f"{brought} in stage {scene.stage(source.stage)}"
    if source.runs:
        return f"{brought} once it runs, in this same stage"
    if engine is ARGOCD and source.by is not None and argocd_step(source.by) != argocd_step(obj):
        return f"{brought} in a later phase or wave of the same stage"
    return f"{brought} in this same stage"


def _outcome(scene: Scene, engine: Engine, stage: int, source: Source, verdict: Verdict) -> str:
    if verdict == "late":
        again = "has to apply the stage a second time" if engine is KUBECTL else "fails, and tries again until it does"
        return f"{engine.name} {again}"
    never = f"{engine.name} never gets past stage {scene.stage(stage)}"
    if source.stage == stage and engine is not ARGOCD:
        never = f"{engine.name} tries all of a stage before it applies any of it, and never gets further"
    return f"{never}, unless the cluster has it already" if verdict == "perhaps" else never


def next_move(scene: Scene, obj: KubernetesObject, stage: int, source: Source) -> str:
    """What to do where something comes too late."""
    name = scene.stage(stage)
    if source.stage == stage:
        if source.by is not None and not source.runs and argocd_step(source.by) != argocd_step(obj):
            return f"give {source} a lower wave (argocd.argoproj.io/sync-wave), or no hook to what needs it"
        if name == RESOURCES:
            what = f"{source}, and what it runs by," if source.runs else str(source)
            return f"put {what} into a resource with stage: namespaces: that is waited for"
        return "put it into a resource without a stage: that comes last"
    if scene.stage(source.stage) == RESOURCES and source.by is not None:
        later = "leave out its stage: namespaces" if name == NAMESPACES else "put it into `resources`"
        return f"{later}, or put {source} into a resource with stage: namespaces"
    if name == ADDONS:
        return "put it into `resources`: they come last"
    return "leave out its stage: namespaces: then it comes last"
