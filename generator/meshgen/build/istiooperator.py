"""The IstioOperator: how people say what they want of Istio, for the operator or as istioctl's input."""

from __future__ import annotations

from typing import Any

from meshgen.build.stage import KubernetesObject

# Keys of `istio` that are meshgen's own; every other one is a field of IstioOperator's spec.
OWN_KEYS = frozenset({"version", "install", "metadata", "revisions", "revisionTags"})
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
    spec = {key: istio[key] for key in _FIRST if key in istio}
    spec.update({key: value for key, value in istio.items() if key not in OWN_KEYS and key not in spec})
    if spec.get("components"):
        spec["components"] = _components(spec["components"])
    return {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "metadata": head, "spec": spec}


def namespace(istio: dict[str, Any]) -> str:
    """The namespace of the control plane, and of the built-in addons."""
    name: str = istio.get("namespace") or "istio-system"
    return name


def _components(components: dict[str, Any]) -> dict[str, Any]:
    """Components as IstioOperator spells them: gateways are a list there."""
    spelled = dict(components)
    for key in ("ingressGateways", "egressGateways"):
        gateways = spelled.get(key)
        if isinstance(gateways, dict):
            spelled[key] = [{"name": name, **(gateway or {})} for name, gateway in gateways.items()]
    return spelled


def gateways(istio: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The gateways of one kind (`ingressGateways` or `egressGateways`) that the config names."""
    spelled = _components(istio.get("components") or {}).get(kind)
    return [gateway for gateway in spelled or [] if isinstance(gateway, dict)]
