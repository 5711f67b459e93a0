"""Admission webhooks of the user's own: what the API server asks them about before they can answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from meshgen.build.manifests import Places
from meshgen.build.stage import ISTIO, KubernetesObject, Remark
from meshgen.config.problems import plain
from meshgen.order.engines import ARGOCD, KUBECTL, Engine, argocd_step
from meshgen.order.remarks import Path, next_move, said_of
from meshgen.order.scene import Running, Scene
from meshgen.order.selectors import NAME_LABEL, Asked, is_asked, plural
from meshgen.order.thing import KIND, Source, Thing, group_of, named, space_of
from meshgen.policy.reading import Map, items, mapping, text

_KINDS = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
# What makes istiod's pods where no chart of the tree does.
_ISTIOD = frozenset({"IstioOperator", "Istio"})


class _Hook(NamedTuple):
    """A webhook that must answer, where it is written, and what answers."""

    obj: KubernetesObject
    stage: int
    webhook: Map
    at: Path
    running: Running

    def __str__(self) -> str:
        return f"webhook {plain(self.webhook.get('name'))}"


def webhook_remarks(scene: Scene, engine: Engine, places: Places) -> Iterator[Remark]:
    """Webhooks that stand in the way of what has to come before they run."""
    for hook in _hooks(scene):
        if hook.running.stage > hook.stage:
            yield from _in_the_way(scene, engine, hook, places)
        elif engine is ARGOCD and hook.running.stage == hook.stage:
            yield from _asked_at_once(scene, hook, places)


def self_blocking_remarks(scene: Scene, places: Places) -> Iterator[Remark]:
    """Webhooks that are asked about the very pods that answer."""
    for hook in _hooks(scene):
        pods = hook.running.pods
        if pods is None or hook.running.stage > hook.stage:
            continue
        if is_asked(hook.webhook, _pod(scene, pods)):
            what = (
                f"{hook} is asked about the pods of {named(pods)}, which answer it: once none of them runs, none can "
            )
            what += "start"
            space = plain(space_of(pods))
            hint = f"exclude them: a namespaceSelector with {NAME_LABEL} NotIn [{space}], or failurePolicy: Ignore"
            yield said_of(hook.obj, what, hint, rule="MG447", places=places, severity="warning", at=hook.at)


def _hooks(scene: Scene) -> Iterator[_Hook]:
    for stage, obj in scene.own:
        if obj["kind"] not in _KINDS:
            continue
        for index, webhook in enumerate(items(obj, "webhooks")):
            service = mapping(webhook, "clientConfig", "service")
            running = scene.behind(text(service, "namespace"), text(service, "name"))
            if running is not None and webhook.get("failurePolicy") != "Ignore":
                yield _Hook(obj, stage, webhook, ("webhooks", index, "name"), running)


def _in_the_way(scene: Scene, engine: Engine, hook: _Hook, places: Places) -> Iterator[Remark]:
    """Objects of the stages in between, which nobody may make until a later stage has come."""
    own = next(_asked(hook, _answering(scene, hook.running)), None)
    between = (
        f"{who} in stage {scene.stage(number)}"
        for number in range(hook.stage + 1, hook.running.stage + 1)
        for who in _asked(hook, _asked_in(scene, number))
    )
    settles = engine is KUBECTL and own is None
    first = own if own and engine is KUBECTL else next(between, None)
    if first is None:
        return
    what = f"{hook} is asked about {first}, but {named(hook.running.service)}, which answers it, "
    what += f"runs from stage {scene.stage(hook.running.stage)} on: "
    what += "kubectl has to apply the stages a second time" if settles else f"{engine.name} never gets there"
    hint = next_move(scene, hook.obj, hook.stage, Source(hook.running.stage, hook.running.service))
    if settles:
        yield said_of(hook.obj, what, hint, rule="MG445", places=places, severity="warning", at=hook.at)
    else:
        yield said_of(hook.obj, what, hint, rule="MG442", places=places, at=hook.at)


def _asked(hook: _Hook, some: Iterable[tuple[str, Asked]]) -> Iterator[str]:
    """Those that the webhook is asked about, by name."""
    return (who for who, asked in some if is_asked(hook.webhook, asked))


def _answering(scene: Scene, running: Running) -> Iterator[tuple[str, Asked]]:
    """What has to be made before a webhook can answer."""
    yield named(running.service), as_asked(scene, running.service)
    if running.pods is not None:
        yield named(running.pods), as_asked(scene, running.pods)
        yield f"the pods of {named(running.pods)}", _pod(scene, running.pods)


def _asked_in(scene: Scene, number: int) -> Iterator[tuple[str, Asked]]:
    """Everything in a stage that webhooks may be asked about: objects, their pods, and the pods of charts."""
    part = scene.parts[number]
    for obj in part.stage.objects:
        yield named(obj), as_asked(scene, obj)
    for obj, _ in part.pods:
        yield f"the pods of {named(obj)}", _pod(scene, obj)
    for release in part.stage.releases:
        if release.chart.name != "base":
            yield f"the pods of chart {plain(release.chart.name)}", _unseen_pod(scene, release.namespace)
    if part.stage.name == ISTIO and any(obj["kind"] in _ISTIOD for obj in part.stage.objects):
        yield "the pods of istiod", _unseen_pod(scene, scene.home)


def as_asked(scene: Scene, obj: KubernetesObject) -> Asked:
    """An object as webhooks see it."""
    group, kind = group_of(obj), obj["kind"]
    brought = scene.source(Thing(KIND, kind, group)) if "." in group else None
    crd = mapping(brought.by, "spec") if brought else {}
    space = "" if text(crd, "scope") == "Cluster" else space_of(obj)
    if kind == "Namespace":
        space = obj["metadata"]["name"]
    resource = text(crd, "names", "plural") or plural(kind)
    version, labels = obj["apiVersion"].rpartition("/")[2], mapping(obj, "metadata", "labels")
    return Asked(group, version, kind, resource, space, labels, scene.labels_of(space))


def _pod(scene: Scene, obj: KubernetesObject) -> Asked:
    template = mapping(obj) if obj["kind"] == "Pod" else mapping(obj, "spec", "template")
    labels, space = mapping(template, "metadata", "labels"), space_of(obj)
    return Asked("", "v1", "Pod", "pods", space, labels, scene.labels_of(space))


def _unseen_pod(scene: Scene, space: str) -> Asked:
    return Asked("", "v1", "Pod", "pods", space, None, scene.labels_of(space))


def _asked_at_once(scene: Scene, hook: _Hook, places: Places) -> Iterator[Remark]:
    """Custom resources that Argo CD applies with the webhook or after it, while what answers is starting."""
    for obj in scene.parts[hook.stage].stage.objects:
        # Kinds that Argo CD has no order for come last, by name; a later wave waits until all is healthy.
        if "." not in group_of(obj) or group_of(obj).endswith(".k8s.io") or argocd_step(obj) != argocd_step(hook.obj):
            continue
        if obj["metadata"]["name"] > hook.obj["metadata"]["name"] and is_asked(hook.webhook, as_asked(scene, obj)):
            what = f"{hook} is asked about {named(obj)} in the same wave, while "
            what += f"{named(hook.running.service)}, which answers it, may still be starting: "
            what += "Argo CD fails, and tries again until it does"
            hint = f"give {named(obj)} a higher argocd.argoproj.io/sync-wave"
            yield said_of(hook.obj, what, hint, rule="MG445", places=places, severity="warning", at=hook.at)
            return
