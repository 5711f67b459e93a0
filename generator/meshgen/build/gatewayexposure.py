"""Opens gateways: what `expose` asks of one becomes its `k8s.service`, the field that every install method reads."""

from __future__ import annotations

from typing import Any

from meshgen.build.exposure import Asked, home_first, same_service
from meshgen.build.istiooperator import installed_gateways, namespace, with_name
from meshgen.build.stage import KubernetesObject, Remark
from meshgen.catalog import release_of

# What Istio's charts give a gateway's Service.
SERVICE_TYPES = {"ingressGateways": "LoadBalancer", "egressGateways": "ClusterIP"}
_PORTS = {
    "ingressGateways": [("status-port", 15021, 15021), ("http2", 80, 8080), ("https", 443, 8443)],
    "egressGateways": [("http2", 80, 8080), ("https", 443, 8443)],
}
# Fields that IstioOperator's `k8s.service` knows at every version; an older operator gets others as an overlay.
_OLD_FIELDS = frozenset({"type", "ports", "externalTrafficPolicy", "loadBalancerIP", "loadBalancerSourceRanges"})


def open_gateways(
    istio: dict[str, Any], expose: dict[str, Any], clouds: tuple[str, ...]
) -> tuple[dict[str, Any], frozenset[str], tuple[Remark, ...]]:
    """Give `istio` with its gateways opened, the keys of `expose` that meant one, and what is wrong with them.

    With several clouds, a gateway that would differ from cloud to cloud stays as it is, as with `open_services`.
    """
    services = {id(service): (service, kind) for service, kind in _services(istio)}
    meant: dict[str, str] = {}
    remarks: list[Remark] = []
    for key, exposure in expose.items():
        service = home_first([one for one, _ in services.values()], key, namespace(istio))
        if service is None:
            continue
        name = service["metadata"]["name"]
        if name in meant.values():
            first = next(before for before, gateway in meant.items() if gateway == name)
            remarks.append(same_service(key, first))
            meant[key] = name
            continue
        meant[key] = name
        asked = Asked(key, exposure or {}, service, ())
        found = asked.problems(clouds)
        remarks += found
        outcomes = [asked.opened(cloud) for cloud in clouds]
        broken = any(remark.severity == "error" for remark in found)
        if not broken and outcomes and all(outcome == outcomes[0] for outcome in outcomes[1:]):
            istio = _opened(istio, services[id(service)][1], service, outcomes[0])
    return istio, frozenset(meant), tuple(remarks)


def _services(istio: dict[str, Any]) -> list[tuple[KubernetesObject, str]]:
    """The Service of each gateway as its chart will make it, with the gateway's kind."""
    return [
        (_service(kind, gateway, gateway.get("namespace") or namespace(istio)), kind)
        for kind, gateway in installed_gateways(istio)
    ]


def _service(kind: str, gateway: dict[str, Any], home: str) -> KubernetesObject:
    k8s = gateway.get("k8s") or {}
    ports = [{"name": name, "port": port, "targetPort": target} for name, port, target in _PORTS[kind]]
    metadata: dict[str, Any] = {"name": gateway["name"], "namespace": home}
    if k8s.get("serviceAnnotations"):
        metadata["annotations"] = k8s["serviceAnnotations"]
    spec = {"type": SERVICE_TYPES[kind], "ports": ports, **(k8s.get("service") or {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _opened(istio: dict[str, Any], kind: str, before: KubernetesObject, after: KubernetesObject) -> dict[str, Any]:
    """The settings with one gateway's Service as it is to be."""
    name = before["metadata"]["name"]
    changed = {key: value for key, value in after["spec"].items() if before["spec"].get(key) != value}
    # Stated even where it is the chart's default: the reviewer sees what was asked for.
    changed["type"] = after["spec"]["type"]
    gone = {key: None for key in before["spec"] if key not in after["spec"]}
    components = istio.get("components") or {}
    entries = components.get(kind)
    if isinstance(entries, list):
        names = [with_name(one, kind)["name"] for one in entries]
        both = zip(entries, names, strict=True)
        listed = [_gateway(istio, one, changed, gone, after) if own == name else one for one, own in both]
        if name not in names:
            listed.append(_gateway(istio, {"name": name}, changed, gone, after))
        opened: Any = listed
    else:
        by_name = entries or {}
        opened = {**by_name, name: _gateway(istio, by_name.get(name) or {}, changed, gone, after)}
    return {**istio, "components": {**components, kind: opened}}


def _gateway(
    istio: dict[str, Any],
    gateway: dict[str, Any],
    changed: dict[str, Any],
    gone: dict[str, Any],
    after: KubernetesObject,
) -> dict[str, Any]:
    k8s = dict(gateway.get("k8s") or {})
    known = changed
    if release_of(istio).operator:
        known = {key: value for key, value in changed.items() if key in _OLD_FIELDS}
        patches = [{"path": f"spec.{key}", "value": value} for key, value in changed.items() if key not in known]
        if patches:
            overlay = {"apiVersion": "v1", "kind": "Service", "name": after["metadata"]["name"], "patches": patches}
            k8s["overlays"] = [*(k8s.get("overlays") or []), overlay]
    own = {key: value for key, value in (k8s.get("service") or {}).items() if key not in gone}
    k8s["service"] = {**own, **known}
    if annotations := after["metadata"].get("annotations"):
        k8s["serviceAnnotations"] = annotations
    return {**gateway, "k8s": k8s}
