"""What meshgen's own translation reads of `istio` without a schema, or needs beyond one; istioctl looks for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS
from meshgen.build.stage import Remark
from meshgen.config.problems import dotted
from meshgen.yaml import pointer

# A type, a map with the shapes of some of its keys, or a list with the shape of its items.
Shape = type | dict[str, Any] | list[Any]

_GATEWAY = {"cpu": dict, "memory": dict, "secretVolumes": [dict], "configVolumes": [dict]}
_UNVALIDATED: dict[str, Shape] = {
    "global": {"istioNamespace": str, "defaultPodDisruptionBudget": dict},
    "pilot": {"cni": dict},
    "cni": dict,
    "ztunnel": dict,
    "meshConfig": dict,
    "revision": str,
    "profile": str,
    "gateways": {"istio-ingressgateway": _GATEWAY, "istio-egressgateway": _GATEWAY},
}
# What may be anything to istioctl.
_ANY_VALUES: dict[str, Shape] = {"ztunnel": dict}
_NOUNS = {dict: "a map", list: "a list", str: "a text"}


def translated_remarks(istio: dict[str, Any]) -> Iterator[Remark]:
    """Values and `k8s` settings that no chart could be given. No message holds a value: it may be a secret."""
    for key, shape in (("values", _ANY_VALUES), ("unvalidatedValues", _UNVALIDATED)):
        values = istio.get(key) or {}
        yield from _misshaped(values, shape, ["istio", key])
        if "global" in values and values["global"] is None:
            yield _remark("a map", ["istio", key, "global"])
    for path, component in _components(istio.get("components") or {}):
        k8s = component.get("k8s") if isinstance(component, dict) else None
        if isinstance(k8s, dict):
            yield from _nameless(k8s, [*path, "k8s"])


def _nameless(k8s: dict[str, Any], path: list[str | int]) -> Iterator[Remark]:
    """Items of lists that are told apart by a key which they lack."""
    service = k8s.get("service")
    ports = service.get("ports") if isinstance(service, dict) else None
    for field, items, key in ((["env"], k8s.get("env"), "name"), (["service", "ports"], ports, "port")):
        for index, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, dict) and item.get(key) in (None, ""):
                here = [*path, *field, index]
                yield Remark("MG104", f'{dotted(here)}: "{key}" is missing', pointer(here), f"say {key}: ...")


def _components(components: dict[str, Any]) -> Iterator[tuple[list[str | int], Any]]:
    """(path, settings) of each component, every gateway by itself."""
    for kind, part in components.items():
        at: list[str | int] = ["istio", "components", kind]
        if kind not in GATEWAY_KINDS:
            yield at, part
        elif part:
            for key, gateway in part.items() if isinstance(part, dict) else enumerate(part):
                yield [*at, key], gateway


def _misshaped(value: Any, shape: Shape, path: list[str | int]) -> Iterator[Remark]:
    """What is not of its shape, however deep. Null is of any, for it takes a setting away, but no item of a list."""
    wanted: Any = shape if isinstance(shape, type) else type(shape)
    if value is None:
        return
    if not isinstance(value, wanted):
        yield _remark(_NOUNS[wanted], path)
    elif isinstance(shape, dict):
        for key in (key for key in shape if key in value):
            yield from _misshaped(value[key], shape[key], [*path, key])
    elif isinstance(shape, list):
        for index, item in enumerate(value):
            if item is None:
                yield _remark("a map", [*path, index])
            yield from _misshaped(item, shape[0], [*path, index])


def _remark(noun: str, path: list[str | int]) -> Remark:
    return Remark("MG103", f"{dotted(path)}: the value is not {noun}", pointer(path), f"write {noun}")
