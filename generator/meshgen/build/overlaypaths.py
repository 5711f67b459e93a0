"""Paths of IstioOperator's overlays, such as `spec.template.spec.containers.[name:discovery].args.[0]`, as patches."""

from __future__ import annotations

import re
from typing import Any

from meshgen.layout.keyed import Keyed, Shape, shape_of

Change = dict[str, Any]
Operations = list[dict[str, Any]]

_SEGMENT = re.compile(r"\[((?:\\.|[^\]\\])*)\]|((?:\\.|[^.\[\\])+)|\.")
# The API versions in which Istio's charts write these kinds.
_VERSIONS = {
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
}


class Unsayable(ValueError):
    """A path that neither a strategic merge nor a JSON patch can say without the object; the message says why."""


def change_at(kind: str, path: str, value: Any) -> Change | Operations:
    """The patch that sets a path of an object to a value, or takes it away where the value is None.

    A step `[key:value]` picks an item of a list that merges by that key, a step `[N]` picks it by its place. Raises
    Unsayable for other steps. Steps: operator/pkg/tpath in istio/istio.
    """
    steps = _steps(path)
    if any(isinstance(step, int) for step in steps):
        return _operations(steps, value)
    shape = shape_of({"kind": kind, "apiVersion": _VERSIONS.get(kind, "v1")})
    change = _merge(steps, value, shape, path)
    assert isinstance(change, dict)
    return change


def _steps(path: str) -> list[str | int | tuple[str, str]]:
    """Field names, places in a list, and (key, value) pairs."""
    steps: list[str | int | tuple[str, str]] = []
    end = 0
    for match in _SEGMENT.finditer(path):
        if match.start() != end:
            break
        end = match.end()
        bracket, name = match.groups()
        if bracket is not None:
            steps.append(_bracket(bracket, path))
        elif name is not None:
            steps.append(re.sub(r"\\(.)", r"\1", name))
    if end != len(path) or not steps or not isinstance(steps[0], str):
        raise Unsayable(f'"{path}" is no path such as spec.template.spec.containers.[name:discovery].image')
    return steps


def _bracket(text: str, path: str) -> int | tuple[str, str]:
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    key, colon, value = text.partition(":")
    if not colon or not key:
        raise Unsayable(f'"[{text}]" in "{path}" picks an item by its text, which no patch can')
    return key, re.sub(r"\\(.)", r"\1", value)


def _operations(steps: list[str | int | tuple[str, str]], value: Any) -> Operations:
    if any(isinstance(step, tuple) for step in steps):
        raise Unsayable("it picks one item by a key and another by its place")
    parts = ["-" if step == -1 else str(step).replace("~", "~0").replace("/", "~1") for step in steps]
    operation: dict[str, Any] = {"op": "remove" if value is None else "add" if parts[-1] == "-" else "replace"}
    operation["path"] = "/" + "/".join(parts)
    return [operation if value is None else {**operation, "value": value}]


def _merge(steps: list[Any], value: Any, shape: Shape | Keyed, path: str) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(step, tuple):
        return [_item(step, rest, value, shape, path)]
    below: Shape | Keyed = {} if isinstance(shape, Keyed) else shape.get(step, {})
    return {step: _merge(rest, value, below, path) if rest else _leaf(value, below)}


def _item(step: tuple[str, str], rest: list[Any], value: Any, shape: Shape | Keyed, path: str) -> Change:
    key, name = step
    if not isinstance(shape, Keyed) or shape.keys[:1] != (key,):
        raise Unsayable(f'"{path}" picks by "{key}" from a list that patches do not merge by it')
    chosen: Change = {key: int(name) if name.isdigit() and key in ("port", "containerPort") else name}
    if "protocol" in shape.keys:
        # kustomize tells ports apart by their protocol too, which the charts always write.
        chosen["protocol"] = "TCP"
    if rest:
        return {**chosen, **_merge(rest, value, shape.items, path)}
    return {**chosen, "$patch": "delete"} if value is None else {"$patch": "replace", **chosen, **value}


def _leaf(value: Any, shape: Shape | Keyed) -> Any:
    if isinstance(value, dict):
        return {"$patch": "replace", **value}
    if isinstance(value, list) and isinstance(shape, Keyed) and shape.keys:
        return [*value, {"$patch": "replace"}]
    return value
