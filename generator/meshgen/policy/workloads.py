"""Rules about what pods may do on a node, and about how many of them there are."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, containers, items, mapping, number, pod_template, text
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject, space_of

_KINDS = (
    ("Deployment", "apps"),
    ("StatefulSet", "apps"),
    ("DaemonSet", "apps"),
    ("ReplicaSet", "apps"),
    ("Job", "batch"),
    ("CronJob", "batch"),
    ("Pod", ""),
)


def workloads(subject: Subject) -> Iterator[tuple[KubernetesObject, Map]]:
    """Every own object that makes pods, with their template."""
    for kind, group in _KINDS:
        for obj in subject.of(kind, group):
            yield obj, pod_template(obj) or {}


def _privileged(subject: Subject) -> Iterator[Breach]:
    for obj, template in workloads(subject):
        for container in containers(template):
            if mapping(container, "securityContext").get("privileged") is True:
                what = f"container {plain(container.get('name'))} is privileged: it is root on its node"
                yield of_object(subject, obj, what, "take privileged out, and name the capabilities that it needs")


def _host_paths(subject: Subject) -> Iterator[Breach]:
    for obj, template in workloads(subject):
        for volume in items(template, "spec", "volumes"):
            if "hostPath" in volume:
                path = plain(text(volume, "hostPath", "path") or "a path")
                what = f"volume {plain(volume.get('name'))} is {path} of the node"
                hint = "use an emptyDir or a PersistentVolumeClaim; suppress this for an agent of the node itself"
                yield of_object(subject, obj, what, hint)


def _injected_into_host_network(subject: Subject) -> Iterator[Breach]:
    for obj, template in workloads(subject):
        if mapping(template, "spec").get("hostNetwork") is not True:
            continue
        marks = {**mapping(template, "metadata", "annotations"), **mapping(template, "metadata", "labels")}
        said = marks.get("sidecar.istio.io/inject")
        if said is not None:
            what = f"sidecar.istio.io/inject: {plain(said)!r} means nothing: a pod with hostNetwork gets no sidecar"
            yield of_object(subject, obj, what, "take it out, or hostNetwork if the pod is to be in the mesh")


def _undrainable(subject: Subject) -> Iterator[Breach]:
    for budget in subject.of("PodDisruptionBudget", "policy"):
        selector = mapping(budget, "spec", "selector", "matchLabels")
        if mapping(budget, "spec", "selector").get("matchExpressions") or not selector:
            continue
        scaled = _autoscaled(subject)
        for kind in ("Deployment", "StatefulSet"):
            for obj in subject.of(kind, "apps"):
                labels = mapping(pod_template(obj), "metadata", "labels")
                picked = all(labels.get(key) == value for key, value in selector.items())
                where = (space_of(obj), kind, obj["metadata"]["name"])
                if space_of(obj) == space_of(budget) and picked and where not in scaled:
                    yield from _stuck(subject, budget, obj)


def _stuck(subject: Subject, budget: KubernetesObject, obj: KubernetesObject) -> Iterator[Breach]:
    least, most = mapping(budget, "spec").get("minAvailable"), mapping(budget, "spec").get("maxUnavailable")
    said = number(obj, "spec", "replicas")
    replicas = 1 if said is None else said
    wanted = number({"least": least}, "least")
    everyone = least == "100%" or (wanted is not None and wanted >= replicas)
    if replicas > 0 and (everyone or most in (0, "0", "0%")):
        asked = f"maxUnavailable {plain(most)}" if least is None else f"minAvailable {plain(least)}"
        what = f"{asked} of {replicas} replica(s) of {obj['kind']} {obj['metadata']['name']}: no node can be drained"
        yield of_object(subject, budget, what, "run more replicas, or say maxUnavailable: 1")


def _autoscaled(subject: Subject) -> set[tuple[str, str, str]]:
    targets = ((space_of(one), mapping(one, "spec", "scaleTargetRef")) for one in subject.of(*_HPA))
    return {(space, text(target, "kind"), text(target, "name")) for space, target in targets}


_HPA = ("HorizontalPodAutoscaler", "autoscaling")


def _lone_istiod(subject: Subject) -> Iterator[Breach]:
    k8s = mapping(subject.setting("components", "pilot", "k8s"))
    values = mapping(subject.setting("values", "pilot"))
    most = number(k8s, "hpaSpec", "maxReplicas") or number(values, "autoscaleMax")
    fixed = values.get("autoscaleEnabled") is False
    replicas = number(k8s, "replicaCount") or number(values, "replicaCount") or 1
    enabled = subject.setting("components", "pilot", "enabled") is not False
    if subject.production and enabled and ((fixed and replicas == 1) or (not fixed and most == 1)):
        path = ("istio", "values", "pilot", "autoscaleEnabled") if fixed else ("istio", "components", "pilot", "k8s")
        what = "istiod has one replica in production, and nothing adds one"
        hint = "say istio.components.pilot.k8s.hpaSpec with minReplicas: 2, or leave autoscaling on"
        yield of_setting(subject, path, what, hint)


def _unlimited(subject: Subject) -> Iterator[Breach]:
    # Gateways have a limit of their charts' own, which requests of the user's leave as it is; istiod has none.
    paths = (("components", "pilot", "k8s"), ("values", "pilot"))
    said = {path: mapping(subject.setting(*path), "resources") for path in paths}
    if subject.production and not any(mapping(one, "limits").get("memory") for one in said.values()):
        for path in (path for path, resources in said.items() if resources):
            what = "istiod has requests and no memory limit: a leak takes the node with it"
            yield of_setting(subject, ("istio", *path, "resources"), what, "say limits.memory beside the requests")


def _demo(subject: Subject) -> Iterator[Breach]:
    if subject.production and subject.setting("profile") in ("demo", "preview"):
        profile = subject.setting("profile")
        what = f"is {profile} in production: it traces every request and runs single, small replicas"
        if profile == "preview":
            what = "is preview in production: it turns on what is not stable yet"
        yield of_setting(
            subject, ("istio", "profile"), what, "say profile: default, and what you need of it under components"
        )


RULES = (
    Rule("MG532", "warning", "A privileged container", _privileged, of_objects=True),
    Rule("MG533", "warning", "A volume that is the node's own disk", _host_paths, of_objects=True),
    Rule("MG534", "info", "Injection of a pod in its node's network", _injected_into_host_network, of_objects=True),
    Rule("MG550", "warning", "A budget that no drain can keep", _undrainable),
    Rule("MG551", "warning", "A single istiod in production", _lone_istiod),
    Rule("MG552", "warning", "istiod without a memory limit in production", _unlimited),
    Rule("MG553", "warning", "A profile for trying out in production", _demo),
)
