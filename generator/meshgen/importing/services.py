"""How a Service is reached from outside: in the words of `expose`, and what these can't say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.config.document import Document
from meshgen.finding import Finding
from meshgen.importing.operators import own_metadata
from meshgen.importing.read import name_of

Service = dict[str, Any]

# What Google's controllers write into Services by themselves.
_WRITTEN_BY_CLOUDS = ("cloud.google.com/neg", "cloud.google.com/neg-status")
# What else a Service may say of how it is reached, each with what the API server writes by itself.
_ALLOCATED = {
    "externalIPs": None,
    "sessionAffinity": "None",
    "ipFamilyPolicy": "SingleStack",
    "publishNotReadyAddresses": False,
    "internalTrafficPolicy": "Cluster",
    "externalName": None,
}
# The ports that the charts' gateways listen on, as profiles have them.
GATEWAY_PORTS = {
    "ingressGateways": frozenset({15021, 80, 443, 31400, 15443}),
    "egressGateways": frozenset({80, 443, 15443}),
}


def opened(service: Service) -> dict[str, Any]:
    """How a Service is reached from outside, in the words of `expose`; without what the API server allocates."""
    spec = service.get("spec") or {}
    asked: dict[str, Any] = {"type": spec.get("type") or "ClusterIP"}
    for key, own in (("loadBalancerSourceRanges", "sourceRanges"), ("loadBalancerIP", "loadBalancerIP")):
        if spec.get(key):
            asked[own] = spec[key]
    if spec.get("loadBalancerClass"):
        asked["loadBalancerClass"] = spec["loadBalancerClass"]
    # Cluster is what the API server writes where nobody says anything.
    if spec.get("externalTrafficPolicy") not in (None, "Cluster"):
        asked["externalTrafficPolicy"] = spec["externalTrafficPolicy"]
    annotations = own_metadata(service).get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if key not in _WRITTEN_BY_CLOUDS}
    return {**asked, "annotations": kept} if kept else asked


def port_numbers(ports: Any) -> frozenset[Any]:
    """The numbers of the ports in a list."""
    listed = ports if isinstance(ports, list) else []
    return frozenset(port.get("port") for port in listed if isinstance(port, dict))


def not_carried(part: Document, ports: frozenset[Any] | None) -> Iterator[Finding]:
    """What a Service says beyond `expose`, that someone may have written by hand; `ports` are those it has anyway."""
    spec = part.value.get("spec") or {}
    said = [key for key, usual in _ALLOCATED.items() if key in spec and spec[key] != usual]
    if spec.get("clusterIP") == "None":
        said.append("clusterIP: None")
    listed = [port for port in spec.get("ports") or [] if isinstance(port, dict)]
    if spec.get("type") == "NodePort":
        said += [f"nodePort {port['nodePort']}" for port in listed if port.get("nodePort")]
    if ports is not None:
        said += [f"port {port.get('port')}" for port in listed if port.get("port") not in ports]
    if said:
        message = f"{name_of(part.value)}: {', '.join(said)} is not carried over"
        hint = "say it under istio.components.…k8s.service for a gateway, or by manifests of your own (`source`)"
        yield part.finding("MG804", message, "/spec", hint=hint, severity="warning", at_key=True)


def open_metrics(part: Document, name: str, ports: list[Any]) -> Finding:
    """A port of metrics that stays open with the others."""
    metrics = next(port for port in ports if str(port).endswith("metrics"))
    message = f"Service {name} is opened with its port {metrics}, which serves metrics to anyone"
    hint = f"leave {metrics} out of expose.{name}.ports"
    return part.finding("MG502", message, "/spec/ports", hint=hint, severity="warning")
