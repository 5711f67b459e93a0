"""What `components.X.k8s` asks for beyond a chart's values: changes of rendered objects, as istioctl makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.chart import ObjectPatch
from meshgen.build.overlaypaths import Unsayable, change_at
from meshgen.build.stage import Remark
from meshgen.build.translate import Component

Change = dict[str, Any]

# The kind that a component runs as, its name, and the container that its settings mean.
_WORKLOADS = {
    "pilot": ("Deployment", "istiod", "discovery"),
    "cni": ("DaemonSet", "istio-cni-node", "install-cni"),
    "ztunnel": ("DaemonSet", "ztunnel", "istio-proxy"),
}
_OF_POD = ("affinity", "nodeSelector", "priorityClassName", "securityContext", "tolerations")
_OF_CONTAINER = ("env", "imagePullPolicy", "readinessProbe", "resources")
# Accepted, and rendered by no version of istioctl.
WITHOUT_EFFECT = ("volumes", "volumeMounts")


def object_patches(component: Component) -> tuple[tuple[ObjectPatch, ...], tuple[Remark, ...]]:
    """The patches of a component that is no gateway, and what no patch can say.

    One patch for each setting, in the order in which they are written; `overlays` come last, as with istioctl.
    """
    patches: list[ObjectPatch] = []
    remarks: list[Remark] = []
    for key, value in component.k8s.items():
        at = f"{component.pointer}/k8s/{key}"
        target = _target(component, key)
        if key == "overlays":
            continue
        if target is None:
            remarks.append(_without_effect(component, key, at))
        else:
            patches.append(ObjectPatch(*target, change_of(_WORKLOADS[component.kind][2], key, value), at, (key, value)))
    for index, overlay in enumerate(component.k8s.get("overlays") or []):
        at = f"{component.pointer}/k8s/overlays/{index}"
        made, found = overlay_patches(overlay, at)
        patches += made
        remarks += (*found, *_astray(component, overlay, made, at))
    return tuple(patches), tuple(remarks)


def _astray(component: Component, overlay: dict[str, Any], patches: list[ObjectPatch], at: str) -> Iterator[Remark]:
    """An overlay of the component's own workload that misses it, or that would add a container to it."""
    if component.kind not in _WORKLOADS:
        return
    kind, name = _target(component, "replicaCount") or ("", "")
    container = _WORKLOADS[component.kind][2]
    if overlay.get("kind") == kind and overlay.get("name") not in (None, name):
        message = f"istio.components.{component.kind}: there is no {kind} {overlay['name']} here, but {name}"
        yield Remark("MG215", message, at, f"say name: {name}", "warning")
    for patch in patches:
        for one in _containers(patch.change):
            if patch.kind == kind and one.get("name") != container and "$patch" not in one:
                message = f"istio.components.{component.kind}: {name} has no container {one.get('name')} to change"
                yield Remark("MG215", message, patch.pointer, f"say [name:{container}]")


def _containers(change: Any) -> list[dict[str, Any]]:
    """The containers that a strategic merge of a workload picks by their names."""
    for key in ("spec", "template", "spec", "containers"):
        change = change.get(key) if isinstance(change, dict) else None
    return [one for one in change if isinstance(one, dict)] if isinstance(change, list) else []


def _target(component: Component, key: str) -> tuple[str, str] | None:
    """(kind, name) of the object that a setting changes; None where istioctl changes none."""
    if component.kind not in _WORKLOADS or key in WITHOUT_EFFECT:
        return None
    kind, name, _ = _WORKLOADS[component.kind]
    revision = component.values.get("revision")
    if component.kind == "pilot" and revision and revision != "default":
        name = f"{name}-{revision}"
    kinds = {
        "hpaSpec": "HorizontalPodAutoscaler",
        "podDisruptionBudget": "PodDisruptionBudget",
        "service": "Service",
        "serviceAnnotations": "Service",
    }
    return kinds.get(key, kind), name


def change_of(container: str, key: str, value: Any) -> Change:
    """What a setting of `k8s` changes in its object; `container` is the one that settings of containers mean."""
    if key in _OF_POD:
        template: Change = {"spec": {key: value}}
    elif key in _OF_CONTAINER:
        template = {"spec": {"containers": [{"name": container, key: value}]}}
    elif key == "podAnnotations":
        template = {"metadata": {"annotations": value}}
    elif key == "serviceAnnotations":
        return {"metadata": {"annotations": value}}
    else:
        return {"spec": _spec(key, value)}
    return {"spec": {"template": template}}


def environment_values(variables: list[dict[str, Any]]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """A container's variables as charts want them: a map of the plain ones, and those that are taken from elsewhere."""
    plain = {one["name"]: one.get("value") or "" for one in variables if not one.get("valueFrom")}
    return plain, [one for one in variables if one.get("valueFrom")]


def _spec(key: str, value: Any) -> Change | None:
    fields = {"replicaCount": "replicas", "strategy": "strategy"}
    if key in fields:
        return {fields[key]: value}
    if value is None:
        return None
    if key == "podDisruptionBudget" and value.get("maxUnavailable") is not None:
        # The chart sets minAvailable, and Kubernetes takes one of both.
        return {"minAvailable": None, **value}
    if key == "service" and value.get("ports"):
        # kustomize tells ports apart by their protocol too, which the chart always writes.
        return {**value, "ports": [{"protocol": "TCP", **port} for port in value["ports"]]}
    return dict(value)


def _without_effect(component: Component, key: str, at: str) -> Remark:
    message = f"istio.components.{component.kind}.k8s.{key}: istioctl makes nothing of it, and neither do the charts"
    return Remark("MG215", message, at, "take it out, or say it under istio.values", "warning", at_key=True)


def overlay_patches(overlay: dict[str, Any], at: str) -> tuple[list[ObjectPatch], list[Remark]]:
    """The patches of one entry of `k8s.overlays`, each path by itself, and the paths that no patch can say."""
    kind, name = overlay.get("kind"), overlay.get("name")
    if not kind or not name:
        hint = "say which object it means: kind and name"
        return [], [Remark("MG104", 'istio.components: an overlay needs "kind" and "name"', at, hint)]
    patches, remarks = [], []
    for index, patch in enumerate(overlay.get("patches") or []):
        here = f"{at}/patches/{index}"
        try:
            change = change_at(kind, str(patch.get("path") or ""), patch.get("value"))
        except Unsayable as error:
            message = f"istio.components: the overlay of {kind} {name} can't become a patch: {error}"
            remarks.append(Remark("MG215", message, here, "say it by the chart's values, or use install: manifests"))
        else:
            patches.append(ObjectPatch(kind, name, change, here))
    return patches, remarks


def joined(patches: tuple[ObjectPatch, ...]) -> Iterator[ObjectPatch]:
    """The same patches, strategic merges of one object that say different things made one."""
    pending: dict[tuple[str, str], ObjectPatch] = {}
    for patch in patches:
        key = (patch.kind, patch.name)
        before = pending.pop(key, None)
        both = _both(before.change, patch.change) if before else patch.change
        if both is None:
            assert before is not None
            yield before
            both = patch.change
        pending[key] = ObjectPatch(patch.kind, patch.name, both, patch.pointer)
    yield from pending.values()


def _both(first: Any, second: Any) -> Any:
    """Two changes as one; None where their order matters or one is no strategic merge."""
    if not isinstance(first, dict) or not isinstance(second, dict) or "$patch" in {*first, *second}:
        return None
    result = dict(first)
    for key, change in second.items():
        if key not in result:
            result[key] = change
            continue
        below = result[key]
        joint = _same_container(below, change) if isinstance(change, list) else _both(below, change)
        if joint is None:
            return None
        result[key] = joint
    return result


def _same_container(first: Any, second: Any) -> Any:
    """Two lists of one container each, of the same name, as one."""
    if not isinstance(first, list) or len(first) != 1 or len(second) != 1:
        return None
    one, other = first[0], second[0]
    if not isinstance(one, dict) or not isinstance(other, dict) or one.get("name") != other.get("name"):
        return None
    rest = _both({k: v for k, v in one.items() if k != "name"}, {k: v for k, v in other.items() if k != "name"})
    return None if rest is None else [{"name": one.get("name"), **rest}]
