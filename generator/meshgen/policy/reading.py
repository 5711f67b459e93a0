"""Reads objects of any shape: what is not of the type that is asked for counts as not said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.check.setting import duration, integer
from meshgen.config.problems import plain
from meshgen.values import value_at

Map = dict[str, Any]


def mapping(value: Any, *path: str) -> Map:
    """The map at a path; an empty one where there is none."""
    found = value_at(value, path)
    return found if isinstance(found, dict) else {}


def items(value: Any, *path: str) -> Iterator[Map]:
    """The maps in the list at a path."""
    found = value_at(value, path)
    return (item for item in found if isinstance(item, dict)) if isinstance(found, list) else iter(())


def placed(value: Any, *path: str) -> Iterator[tuple[int, Map]]:
    """The same with their indexes."""
    found = value_at(value, path)
    listed = enumerate(found) if isinstance(found, list) else ()
    return ((index, item) for index, item in listed if isinstance(item, dict))


def texts(value: Any, *path: str) -> list[str]:
    """The texts in the list at a path."""
    found = value_at(value, path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def text(value: Any, *path: str) -> str:
    """The text at a path; an empty one where there is none."""
    found = value_at(value, path)
    return found if isinstance(found, str) else ""


def number(value: Any, *path: str) -> int | None:
    """The whole number at a path, quoted or not; None where there is none."""
    found = value_at(value, path)
    if isinstance(found, str):
        return integer(found)
    whole = isinstance(found, int) or (isinstance(found, float) and found.is_integer())
    return int(found) if whole and not isinstance(found, bool) else None


def nanoseconds(value: Any, *path: str) -> int | None:
    """The duration at a path; None where there is none that Istio could read."""
    found = value_at(value, path)
    return duration(found) if isinstance(found, str) else None


# Where each kind keeps its pod's template.
_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}


def template_path(obj: Map) -> tuple[str, ...]:
    """Where an object that makes pods keeps their template; a Pod is its own."""
    return _TEMPLATES.get(obj["kind"], ())


def pod_template(obj: Map) -> Map | None:
    """The template of the pods that an object makes (metadata, spec); None where it makes none."""
    path = _TEMPLATES.get(obj["kind"])
    return None if path is None else mapping(obj, *path)


_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


def containers(template: Map) -> Iterator[Map]:
    """The containers of a pod's template, those that only start it among them."""
    for key in _CONTAINERS:
        yield from items(template, "spec", key)


def placed_containers(obj: Map) -> Iterator[tuple[tuple[str | int, ...], Map]]:
    """The same of an object that makes pods, each with its path."""
    path = (*_TEMPLATES.get(obj["kind"], ()), "spec")
    for key in _CONTAINERS:
        for index, item in placed(obj, *path, key):
            yield (*path, key, index), item


def placed_images(obj: Map) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """(path, image, whose) of every container and every volume that has one, of an object that makes pods."""
    for path, container in placed_containers(obj):
        yield (*path, "image"), text(container, "image"), f"container {plain(container.get('name'))}"
    at = (*_TEMPLATES.get(obj["kind"], ()), "spec", "volumes")
    for index, volume in placed(obj, *at):
        where: tuple[str | int, ...] = (*at, index, "image", "reference")
        yield where, text(volume, "image", "reference"), f"volume {plain(volume.get('name'))}"


def selects(selector: Map, labels: Map) -> bool:
    """Whether an equality selector picks these labels; an empty one picks none, as a Service's does."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())
