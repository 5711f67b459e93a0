"""What `expose` asks of an addon's Service, in its chart's values; a patch says what these can't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshgen.build.addonparts import Values
from meshgen.build.addonvalues import put
from meshgen.build.chart import ObjectPatch
from meshgen.build.stage import Remark
from meshgen.values import value_at
from meshgen.yaml import pointer

_SPEC = ("type", "loadBalancerIP", "loadBalancerClass", "externalTrafficPolicy", "loadBalancerSourceRanges")
_FIELDS = (*_SPEC, "annotations")


def open_service(
    service: str, fields: Mapping[str, Any], values: Values, shape: Mapping[str, Any]
) -> tuple[list[ObjectPatch], list[Remark]]:
    """Lay these fields into the chart's values, and give what only a patch can say; another's Service changes nothing.

    `fields` are as for `addon_release`; `values` are changed.
    """
    if own := own_object(service, values, shape):
        _open_object(own, fields)
        return [], []
    facts = shape["services"].get(service)
    if facts is None:
        return [], []
    paths = facts.get("fields") or {}
    for field in _FIELDS:
        if field in paths and fields.get(field) is not None:
            put(values, paths[field], fields[field])
    rest = {field: fields[field] for field in _FIELDS if field not in paths and fields.get(field) is not None}
    closed, remarks = _close(service, fields, facts["ports"], values)
    return service_patch(service, rest, closed, asked_at(service, fields)), remarks


def service_patch(service: str, fields: Mapping[str, Any], closed: list[int], at: str) -> list[ObjectPatch]:
    """A strategic merge of these fields, and without these ports; none where there is nothing to change."""
    spec: Values = {field: fields[field] for field in _SPEC if fields.get(field) is not None}
    if closed:
        spec["ports"] = [{"port": port, "$patch": "delete"} for port in closed]
    change: Values = {"metadata": {"annotations": dict(fields["annotations"])}} if fields.get("annotations") else {}
    if spec:
        change["spec"] = spec
    return [ObjectPatch("Service", service, change, at)] if change else []


def asked_at(service: str, fields: Mapping[str, Any]) -> str:
    """The pointer to the setting that asks for these fields."""
    return str(fields.get("pointer") or pointer(["expose", service]))


def own_object(service: str, values: Values, shape: Mapping[str, Any]) -> Values | None:
    """The Service that stands in the values itself, among the chart's further objects."""
    objects = values.get(shape["from"].get("objects", "")) or []
    # The user's own may be among them, of any shape.
    services = (item for item in objects if isinstance(item, dict) and item.get("kind") == "Service")
    return next((item for item in services if value_at(item, ("metadata", "name")) == service), None)


def _open_object(service: Values, fields: Mapping[str, Any]) -> None:
    spec = {**service["spec"], **{field: fields[field] for field in _SPEC if fields.get(field) is not None}}
    if keep := fields.get("ports"):
        spec["ports"] = [port for port in spec["ports"] if _kept(port, keep)]
    service["spec"] = spec
    if annotations := fields.get("annotations"):
        service["metadata"] = {**service["metadata"], "annotations": dict(annotations)}


def _close(
    service: str, fields: Mapping[str, Any], ports: list[Values], values: Values
) -> tuple[list[int], list[Remark]]:
    """Ports that a patch has to take away, and those that go with what stands behind them."""
    keep, closed, remarks = fields.get("ports"), [], []
    for port in ports:
        if not keep or _kept(port, keep):
            continue
        if switch := port.get("closes"):
            put(values, switch[0], False)
            message = f"expose.{service}: the chart closes {port['name']} by switching off what it serves"
            hint = f"set {switch[0].replace('/', '.')} in the addon's values to keep both"
            remarks.append(Remark("MG308", message, asked_at(service, fields), hint, "info", at_key=True))
        else:
            closed.append(port["port"])
    return closed, remarks


def _kept(port: Values, keep: list[str | int]) -> bool:
    return any(wanted in (port["name"], port["port"]) or wanted == str(port["port"]) for wanted in keep)
