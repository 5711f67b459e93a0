"""Translates an IstioOperator spec into what installs it without an operator: components with their chart values.

This is what `istioctl` does from 1.24 on before it renders its charts (operator/pkg/render in istio/istio): the
profile, the user's spec over it, `hub`, `tag`, `revision` and `meshConfig` moved into the values, and for each
component its own view of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS, spec_of
from meshgen.build.quantity import cpu
from meshgen.catalog import Version, profile_spec
from meshgen.values import merged, nested, value_at

Values = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Component:
    """A part of Istio to be installed: its key in `components`, the chart values that it gets, and its own settings.

    `kind` is base, pilot, cni, ztunnel, ingressGateways or egressGateways; `settings` is the component's entry, with
    `k8s`; `pointer` leads to it. `name` is a gateway's name, else the kind.
    """

    kind: str
    name: str
    namespace: str
    values: Values
    settings: dict[str, Any]
    pointer: str

    @property
    def is_gateway(self) -> bool:
        """Whether it is a gateway, of which a mesh may have many."""
        return self.kind in GATEWAY_KINDS

    @property
    def k8s(self) -> dict[str, Any]:
        """What the component asks of its Kubernetes objects."""
        return self.settings.get("k8s") or {}


# Where a component's own values stand, and the gateway that each kind of gateway takes its chart's values from.
_ROOTS = {
    "base": ("global",),
    "pilot": ("pilot",),
    "cni": ("cni",),
    "ztunnel": ("ztunnel",),
    "ingressGateways": ("gateways", "istio-ingressgateway"),
    "egressGateways": ("gateways", "istio-egressgateway"),
}
_ALWAYS = ("base", "pilot")
_DEPLOYMENTS = ("pilot", *GATEWAY_KINDS)


def translate(istio: dict[str, Any], *, hub: str) -> tuple[Component, ...]:
    """The enabled components of resolved `istio` settings, each with its values, in the order of their installation.

    `hub` is the one of the release, where the settings name none. Known for Istio 1.22 and newer.
    """
    spec = _whole_spec(istio, hub)
    home = spec["values"]["global"]["istioNamespace"]
    components = [
        Component(kind, name, settings.get("namespace") or home, _view(kind, name, settings, spec), settings, pointer)
        for kind in _ROOTS
        for name, settings, pointer in _enabled(kind, spec, istio)
    ]
    return tuple(sorted(components, key=lambda component: _ORDER.index(component.kind)))


# Ambient's order serves without ambient too: the CNI plugin has to be on the nodes before the pods that it serves.
_ORDER = ("base", "cni", "pilot", "ztunnel", *GATEWAY_KINDS)


def _whole_spec(istio: dict[str, Any], hub: str) -> dict[str, Any]:
    """The profile with the user's spec over it, and everything that charts read moved into `values`."""
    profile = profile_spec(Version.parse(istio["version"]), istio.get("profile") or "default")
    own = spec_of(istio)
    spec = merged({**profile, "hub": hub, "tag": istio["version"]}, own)
    values = spec["values"] = dict(spec.get("values") or {})
    for key in ("hub", "tag"):
        values["global"] = {**(values.get("global") or {}), key: spec[key]}
    values.update({key: spec[key] for key in ("revision", "compatibilityVersion") if spec.get(key)})
    if spec.get("meshConfig"):
        values["meshConfig"] = merged(values.get("meshConfig") or {}, spec["meshConfig"])
    # What charts of one component need to know of another.
    pilot = dict(values.get("pilot") or {})
    pilot["enabled"] = _flag(spec, "pilot")
    pilot["cni"] = {**(pilot.get("cni") or {}), "enabled": _flag(spec, "cni")}
    values["pilot"] = pilot
    for more in (_last_word(own.get("values") or {}, profile.get("values") or {}), own.get("unvalidatedValues")):
        spec["values"] = merged(spec["values"], more or {})
    return spec


def _last_word(values: Values, profile: Values) -> Values:
    """The user's values that win over what is moved into the values: those whose map the profile has too.

    istioctl lays all of them over it once more, but a map that the profile lacks is the very one that it moved things
    into (values.Map.MergeFrom takes it as it is): there `meshConfig` and the components' `enabled` have won already.
    """
    result: Values = {}
    for key, value in values.items():
        below = profile.get(key)
        if not isinstance(value, dict):
            result[key] = value
        elif isinstance(below, dict):
            result[key] = _last_word(value, below)
    return result


def _flag(spec: dict[str, Any], component: str) -> bool:
    return ((spec.get("components") or {}).get(component) or {}).get("enabled") is True


def _enabled(kind: str, spec: dict[str, Any], istio: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(name, settings, pointer) of the components of a kind that are to be installed."""
    components = spec.get("components") or {}
    if kind not in GATEWAY_KINDS:
        settings = components.get(kind)
        if settings is None and kind in _ALWAYS:
            settings = {}
        if settings is not None and settings.get("enabled") is not False:
            yield kind, settings, f"/istio/components/{kind}"
        return
    named = isinstance(((istio.get("components") or {}).get(kind)), dict)
    forced = value_at(spec["values"], (*_ROOTS[kind], "enabled")) is True
    for index, settings in enumerate(components.get(kind) or []):
        if settings.get("enabled") is not False or forced:
            name = settings.get("name") or _ROOTS[kind][1]
            yield name, settings, f"/istio/components/{kind}/{name if named else index}"


def _view(kind: str, name: str, settings: dict[str, Any], spec: dict[str, Any]) -> Values:
    """The values as the chart of one component gets them."""
    root, k8s = _ROOTS[kind], settings.get("k8s") or {}
    own: Values = {}
    if kind in GATEWAY_KINDS:
        own |= {"name": name, "labels": settings.get("label") or {}}
        if ports := (k8s.get("service") or {}).get("ports"):
            own["ports"] = ports
    if kind in _DEPLOYMENTS:
        own |= _sizes(k8s)
    if resources := _cpu_only(k8s.get("resources") or {}):
        own["resources"] = resources
    own |= {key: settings[key] for key in ("hub", "tag") if settings.get(key)}
    values = merged(spec["values"], nested(root, own)) if own else spec["values"]
    return _flattened(values, root[0]) if kind == "ztunnel" else values


def _sizes(k8s: dict[str, Any]) -> Values:
    """What the charts' own conditions ask for, such as whether there are replicas enough for a disruption budget."""
    autoscaler = k8s.get("hpaSpec") or {}
    sizes = {
        "autoscaleMin": autoscaler.get("minReplicas"),
        "autoscaleMax": autoscaler.get("maxReplicas") or None,
        "replicaCount": k8s.get("replicaCount") or None,
    }
    return {key: value for key, value in sizes.items() if value is not None}


def _cpu_only(resources: dict[str, Any]) -> Values:
    """CPU quantities, which charts turn into environment variables; all else is patched into the objects."""
    found: Values = {}
    for key in ("limits", "requests"):
        quantity = (resources.get(key) or {}).get("cpu")
        if quantity is not None and (spelled := cpu(quantity)) != "0":
            found[key] = {"cpu": spelled}
    return found


def _flattened(values: Values, root: str) -> Values:
    """The values of a chart that reads its own at the top: they, `global` and everything that is no map."""
    if not isinstance(values.get(root), dict):
        return values
    kept = {key: value for key, value in values.items() if not isinstance(value, dict)}
    return {"global": values.get("global"), **kept, **values[root]}
