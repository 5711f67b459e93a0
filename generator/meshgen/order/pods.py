"""What pods need before they run: all that the kubelet or the API server looks up for them."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.order.thing import SIDECARS, Need, Purpose, Thing, space_of
from meshgen.policy.reading import Map, items, mapping, number, pod_template, text

Path = tuple[str | int, ...]
# Kinds that are healthy only once their pods are, or have ended: engines wait for these.
_WAITED_FOR = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod"})
_PATHS: dict[str, Path] = {"Pod": ()}
# A volume's or a variable's sources, and where in them the name is.
_VOLUMES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))
_PROJECTED = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "name"))
_VARIABLES = (("configMapKeyRef", "ConfigMap", "name"), ("secretKeyRef", "Secret", "name"))
_ALL_VARIABLES = (("configMapRef", "ConfigMap", "name"), ("secretRef", "Secret", "name"))
_CLASSES = (
    ("serviceAccountName", "ServiceAccount"),
    ("priorityClassName", "PriorityClass"),
    ("runtimeClassName", "RuntimeClass"),
)


def waits_for_pods(obj: KubernetesObject) -> bool:
    """Whether an object is healthy only once its pods are."""
    return obj["kind"] in _WAITED_FOR and number(obj, "spec", "replicas") != 0


def runs_pods(obj: KubernetesObject) -> Map | None:
    """The template of pods that an object keeps running; None where it keeps none."""
    template = pod_template(obj)
    return template if template and obj["kind"] not in ("Job", "CronJob") and waits_for_pods(obj) else None


def pod_needs(obj: KubernetesObject) -> Iterator[Need]:
    """What an object's pods need, where an engine would wait for them."""
    template = pod_template(obj) if waits_for_pods(obj) else None
    if not template:
        return
    path = _PATHS.get(obj["kind"], ("spec", "template"))
    spec, at, space = mapping(template, "spec"), (*path, "spec"), space_of(obj)
    # The API server looks these up for a pod; that of a template is made, and refused, later.
    purpose: Purpose = "taken" if obj["kind"] == "Pod" else "ready"
    for key, kind in _CLASSES:
        name = text(spec, key)
        if name and name != "default" and not name.startswith("system-"):
            where = space if kind == "ServiceAccount" else ""
            yield Need(Thing(kind, name, where), purpose, (*at, key))
    for thing, where_ in (*_volumes(spec, space), *_variables(spec, space), *_images(spec)):
        yield Need(thing, "ready", (*at, *where_))


def claims(template: Map) -> Iterator[str]:
    """The names of the PersistentVolumeClaims that a pod mounts."""
    for volume in items(template, "spec", "volumes"):
        if name := text(volume, "persistentVolumeClaim", "claimName"):
            yield name


def _volumes(spec: Map, space: str) -> Iterator[tuple[Thing, Path]]:
    for index, volume in enumerate(items(spec, "volumes")):
        at: Path = ("volumes", index)
        for found in _named(volume, _VOLUMES):
            yield Thing(*found, space), at
        if claim := text(volume, "persistentVolumeClaim", "claimName"):
            yield Thing("PersistentVolumeClaim", claim, space), at
        for source in items(volume, "projected", "sources"):
            for found in _named(source, _PROJECTED):
                yield Thing(*found, space), at


def _variables(spec: Map, space: str) -> Iterator[tuple[Thing, Path]]:
    for key in ("initContainers", "containers"):
        for index, container in enumerate(items(spec, key)):
            for variable in items(container, "env"):
                for found in _named(mapping(variable, "valueFrom"), _VARIABLES):
                    yield Thing(*found, space), (key, index, "env")
            for source in items(container, "envFrom"):
                for found in _named(source, _ALL_VARIABLES):
                    yield Thing(*found, space), (key, index, "envFrom")


def _images(spec: Map) -> Iterator[tuple[Thing, Path]]:
    """An image that only injection fills in: until then there is none."""
    for index, container in enumerate(items(spec, "containers")):
        if text(container, "image") == "auto":
            yield Thing(SIDECARS), ("containers", index, "image")


def _named(source: Map, keys: tuple[tuple[str, str, str], ...]) -> Iterator[tuple[str, str]]:
    """(kind, name) of what a source takes and can't do without."""
    for key, kind, field in keys:
        name = text(source, key, field)
        if name and mapping(source, key).get("optional") is not True:
            yield kind, name
