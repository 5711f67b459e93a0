"""The IstioOperator: how people say what they want of Istio, for the operator or as istioctl's input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import KubernetesObject
from meshgen.catalog import DEFAULT_GATEWAYS, Release, release_of

API_VERSION = "install.istio.io/v1alpha1"
# Keys of `istio` that are meshgen's own; every other one is a field of IstioOperator's spec.
OWN_KEYS = frozenset({"version", "assumeMinor", "install", "charts", "sail", "metadata", "revisions", "revisionTags"})
GATEWAY_KINDS = tuple(DEFAULT_GATEWAYS)
# The order in which people write the fields of a spec.
_FIRST = ("profile", "installPackagePath", "hub", "tag", "namespace", "revision")


def istio_operator(mesh: str, istio: dict[str, Any]) -> KubernetesObject:
    """The IstioOperator of a mesh; what the config does not say is not in it, for then the profile decides."""
    metadata = istio.get("metadata") or {}
    head: dict[str, Any] = {
        "name": metadata.get("name") or mesh,
        "namespace": metadata.get("namespace") or namespace(istio),
    }
    head.update({key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)})
    return {
        "apiVersion": API_VERSION,
        "kind": "IstioOperator",
        "metadata": head,
        "spec": spec_of(istio),
    }


def spec_of(istio: dict[str, Any]) -> dict[str, Any]:
    """The IstioOperator's spec: the fields that the config names, gateways as the list that they are there."""
    spec = {key: istio[key] for key in _FIRST if key in istio}
    spec.update({key: value for key, value in istio.items() if key not in OWN_KEYS and key not in spec})
    if spec.get("components"):
        spec["components"] = _components(istio)
    return spec


def namespace(istio: dict[str, Any]) -> str:
    """The namespace of the control plane, and of the built-in addons."""
    name: str = istio.get("namespace") or "istio-system"
    return name


def at_home(istio: dict[str, Any]) -> dict[str, Any]:
    """The settings with their namespace where the charts look for it: istioctl itself goes by this value alone."""
    values = istio.get("values") or {}
    shared = values.get("global") or {}
    if namespace(istio) == "istio-system" or shared.get("istioNamespace"):
        return istio
    home = {"global": {**shared, "istioNamespace": namespace(istio)}}
    return {**istio, "values": {**values, **home}}


def _components(istio: dict[str, Any]) -> dict[str, Any]:
    """Components as IstioOperator spells them: gateways are a list there."""
    spelled = dict(istio["components"])
    for kind in GATEWAY_KINDS:
        named = spelled.get(kind)
        if isinstance(named, dict):
            spelled[kind] = [{"name": name, **(gateway or {})} for name, gateway in _with_default(istio, kind, named)]
    return spelled


def _with_default(istio: dict[str, Any], kind: str, named: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A map merges with the profile's gateways: istioctl replaces their list by ours, the operator merged them."""
    default = DEFAULT_GATEWAYS[kind]
    by_profile = enabled_by_profile(istio, release_of(istio))
    if not _merges_lists(istio) and default not in named and default in by_profile:
        yield default, {"enabled": True}
    yield from named.items()


def install_method(istio: dict[str, Any]) -> str:
    """What applies Istio: `install`, else `operator` up to 1.23 and `helm` from 1.24 on."""
    method: str = istio.get("install") or ("operator" if release_of(istio).operator else "helm")
    return method


def _merges_lists(istio: dict[str, Any]) -> bool:
    """Whether the profile's gateways stay beside a list of others: up to 1.23, where a chart is not asked instead."""
    return release_of(istio).operator and install_method(istio) not in ("helm", "sail")


def enabled_by_profile(istio: dict[str, Any], known: Release) -> tuple[str, ...]:
    """The components that the profile enables, and its gateways by their names."""
    profiles = known.components_by_profile
    return profiles.get(istio.get("profile") or "default", profiles["default"])


def gateways(istio: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The gateways of one kind (`ingressGateways` or `egressGateways`) that the config has, each with its name."""
    spelled = _components({"components": {}, **istio}).get(kind) if istio.get("components") else None
    return [with_name(gateway, kind) for gateway in spelled or [] if isinstance(gateway, dict)]


def with_name(gateway: dict[str, Any], kind: str) -> dict[str, Any]:
    """A gateway with its name: without one, it is Istio's own of its kind."""
    return gateway if gateway.get("name") else {**gateway, "name": DEFAULT_GATEWAYS[kind]}


def installed_gateways(istio: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, settings) of every gateway that will be there, those of the profile among them; each has its name."""
    known = release_of(istio)
    enabled = enabled_by_profile(istio, known)
    for kind, default in DEFAULT_GATEWAYS.items():
        by_name = {one["name"]: one for one in gateways(istio, kind)}
        by_profile = default in enabled
        # The operator's profile merges with a list by name; for istioctl our list takes its place.
        if _merges_lists(istio) or (istio.get("components") or {}).get(kind) is None:
            by_name.setdefault(default, {"name": default, "enabled": by_profile})
        for name, gateway in by_name.items():
            unsaid = name == default and by_profile if _merges_lists(istio) else True
            if unsaid if gateway.get("enabled") is None else gateway["enabled"]:
                yield kind, gateway
