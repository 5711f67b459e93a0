"""What charts and patches read of `istio` must have the shape that IstioOperator gives it.

The operator and istioctl look for themselves, when they run; a translation has to look before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS
from meshgen.build.stage import Remark
from meshgen.config.problems import dotted, guess
from meshgen.yaml import pointer

# A type, a map with the shapes of some of its keys, or a list with the shape of its items.
Shape = type | dict[str, Any] | list[Any]

# The fields of KubernetesResources, operator/pkg/apis/types.go in istio/istio; the same from 1.22 on.
_K8S: dict[str, Shape] = {
    "affinity": dict,
    "env": [{"name": str, "value": str, "valueFrom": dict}],
    "hpaSpec": {"minReplicas": int, "maxReplicas": int, "metrics": list, "behavior": dict},
    "imagePullPolicy": str,
    "nodeSelector": dict,
    "overlays": [{"kind": str, "name": str, "apiVersion": str, "patches": [{"path": str}]}],
    "podAnnotations": dict,
    "podDisruptionBudget": dict,
    "priorityClassName": str,
    "readinessProbe": dict,
    "replicaCount": int,
    "resources": {"limits": dict, "requests": dict},
    "securityContext": dict,
    "service": {"ports": [{"name": str, "port": int}]},
    "serviceAnnotations": dict,
    "strategy": dict,
    "tolerations": [dict],
    "volumeMounts": [dict],
    "volumes": [dict],
}
_GATEWAY = {"cpu": dict, "memory": dict, "secretVolumes": [dict], "configVolumes": [dict]}
_VALUES: dict[str, Shape] = {
    "global": {"istioNamespace": str, "defaultPodDisruptionBudget": dict},
    "pilot": {"cni": dict},
    "cni": dict,
    "ztunnel": dict,
    "meshConfig": dict,
    "revision": str,
    "profile": str,
    "gateways": {"istio-ingressgateway": _GATEWAY, "istio-egressgateway": _GATEWAY},
}
_NOUNS = {dict: "a map", list: "a list", str: "a text", int: "a whole number"}


def shape_remarks(istio: dict[str, Any]) -> Iterator[Remark]:
    """Values and `k8s` settings that no chart could be given. No message holds a value: it may be a secret."""
    for key in ("values", "unvalidatedValues"):
        values = istio.get(key) or {}
        yield from _misshaped(values, _VALUES, ["istio", key])
        if "global" in values and values["global"] is None:
            yield _remark("a map", ["istio", key, "global"])
    for path, component in _components(istio.get("components") or {}):
        k8s = (component or {}).get("k8s") or {}
        yield from _misshaped(k8s, _K8S, [*path, "k8s"])
        yield from _nameless(k8s, [*path, "k8s"])
        for field in k8s:
            if field not in _K8S:
                here = [*path, "k8s", field]
                message = f"{dotted(here)}: IstioOperator has no such field"
                yield Remark("MG205", message, pointer(here), guess(field, _K8S) or "take it out", at_key=True)


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
    wanted: type = shape if isinstance(shape, type) else type(shape)
    if value is None:
        return
    fits = isinstance(value, wanted) and not isinstance(value, bool)
    if not fits:
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
