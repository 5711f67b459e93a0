"""Who reaches a Service: the Services of an object, and what a change of one opens."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshgen.build.clouds import cloud_annotations
from meshgen.build.ranges import Network, cover_everything, range_problem
from meshgen.diff.change import Risk
from meshgen.policy.reading import Map, items, mapping, text, texts

# (risk, reason)
Verdict = tuple[Risk, str]
_INTERNAL = {
    (key, value)
    for cloud in ("azure", "aws", "gcp")
    for key, value in cloud_annotations(cloud, "LoadBalancer", {"internal": True}).items()
} | {
    ("cloud.google.com/load-balancer-type", "Internal"),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", "0.0.0.0/0"),
}
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
# The profiles that have an ingress gateway, open to every address, without being asked.
_WITH_GATEWAY = (None, "default", "demo", "preview", "openshift")


@dataclass(frozen=True)
class Service:
    """What decides who reaches a Service; `name` is empty where the object itself is the Service."""

    name: str
    type: str
    internal: bool
    ranges: tuple[str, ...]
    ports: frozenset[str]
    addresses: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anyone outside of the cluster reaches it."""
        return self.type in ("LoadBalancer", "NodePort") or self.addresses

    @property
    def is_open_to_all(self) -> bool:
        """Whether nothing keeps addresses of the internet out."""
        if self.type == "NodePort" or self.addresses:
            return True
        return self.type == "LoadBalancer" and not self.internal and not self.is_narrow

    @property
    def is_narrow(self) -> bool:
        """Whether ranges keep some addresses out."""
        return bool(self.ranges) and not cover_everything(self.ranges)


def services(obj: Map) -> dict[str, Service]:
    """The Services that an object is or asks for, by name."""
    spec = mapping(obj, "spec")
    if obj.get("kind") == "Service" and obj.get("apiVersion") == "v1":
        return {"": _service("", spec, mapping(obj, "metadata", "annotations"), "ClusterIP")}
    if obj.get("kind") == "IstioOperator":
        return {one.name: one for one in _gateways(spec)}
    values = mapping(spec, "values")
    if obj.get("kind") in ("HelmRelease", "HelmChartRelease") and values:
        default = "LoadBalancer" if chart_of(spec) == "gateway" else "ClusterIP"
        return {one.name: one for one in _of_values(values, "", default)}
    return {}


def _service(name: str, spec: Map, annotations: Map, default: str) -> Service:
    said = [one.strip() for one in str(annotations.get(_RANGES) or "").split(",") if one.strip()]
    return Service(
        name,
        str(spec.get("type") or default),
        any((key, str(value)) in _INTERNAL for key, value in annotations.items()),
        tuple(texts(spec, "loadBalancerSourceRanges") or said),
        frozenset(_port(one) for one in items(spec, "ports")),
        bool(spec.get("externalIPs")),
    )


def _port(port: Map) -> str:
    return f"{port.get('port')}/{port.get('protocol') or 'TCP'}"


def _gateways(spec: Map) -> Iterator[Service]:
    components, values = mapping(spec, "components"), mapping(spec, "values", "gateways")
    listed = list(items(components, "ingressGateways"))
    profiled = spec.get("profile") in _WITH_GATEWAY
    named = {text(one, "name") or "istio-ingressgateway" for one in listed}
    if profiled and "istio-ingressgateway" not in named:
        listed.insert(0, {"name": "istio-ingressgateway", "enabled": True})
    for kind, default in (("ingress", "LoadBalancer"), ("egress", "ClusterIP")):
        for one in listed if kind == "ingress" else items(components, "egressGateways"):
            if one.get("enabled") is False:
                continue
            name = str(one.get("name") or f"istio-{kind}gateway")
            k8s, shared = mapping(one, "k8s"), mapping(values, f"istio-{kind}gateway")
            said = {**shared, **mapping(k8s, "service")}
            annotations = mapping(k8s, "serviceAnnotations") or mapping(shared, "serviceAnnotations")
            yield _service(name, said, annotations, default)


def chart_of(spec: Map) -> str | None:
    """The chart of a release: Argo CD's by name, Flux's in a template or by the source of an artifact."""
    named = text(spec, "chart") or text(spec, "chart", "spec", "chart")
    return named or text(spec, "chartRef", "name").rpartition("-")[2] or None


def _of_values(values: Map, path: str, default: str) -> Iterator[Service]:
    """Services by the keys under which charts have them."""
    service = values.get("service")
    if isinstance(service, dict) and (path or "type" in service or default != "ClusterIP"):
        yield _service(path, service, mapping(service, "annotations"), default)
    elif not path and default != "ClusterIP":
        yield _service("", {}, {}, default)
    if isinstance(values.get("service_type"), str):
        spec = {"type": values["service_type"], "loadBalancerSourceRanges": values.get("service_source_ranges")}
        yield _service(f"{path}.service_type", spec, mapping(values, "service_annotations"), "ClusterIP")
    for key, value in values.items():
        if isinstance(value, dict) and key != "service":
            yield from _of_values(value, f"{path}.{key}".lstrip("."), "ClusterIP")


def opened(old: Map, new: Map) -> Iterator[Verdict]:
    """What a change opens and closes."""
    before, after = services(old), services(new)
    for name, service in after.items():
        yield from _verdicts(before.get(name), service)
    for name, service in before.items():
        if name not in after and service.is_open:
            yield "traffic", f"{_called(service)} goes, and with it its address"


def _verdicts(old: Service | None, new: Service) -> Iterator[Verdict]:
    called = _called(new)
    if old is not None and old.type == "LoadBalancer" and new.type != "LoadBalancer":
        yield "traffic", f"{called} is no load balancer any more, and loses its address"
    if not new.is_open:
        return
    if new.is_open_to_all and (old is None or not old.is_open_to_all):
        yield "exposure", f"{called} opens to every address: {_why(old, new)}"
    elif old is None or not old.is_open:
        yield "traffic", f"{called} opens, to {'an internal network' if new.internal else 'the ranges named'} only"
    if old is None or not old.is_open:
        return
    if old.internal and not new.internal and not new.is_open_to_all:
        yield "exposure", f"{called} is not internal any more"
    if wider := _wider(old, new):
        yield "exposure", f"{called} opens to more addresses: {', '.join(wider)}"
    elif old.internal and new.internal and old.is_narrow and not new.is_narrow:
        yield "exposure", f"{called} opens to more addresses: no range keeps any of the internal network out"
    if more := sorted(new.ports - old.ports):
        yield "exposure", f"{called} is open, and gets more ports: {', '.join(more)}"


def _called(service: Service) -> str:
    return f"the Service of {service.name}" if service.name else "the Service"


def _why(old: Service | None, new: Service) -> str:
    if new.addresses:
        return "it has externalIPs"
    if new.type == "NodePort":
        return "every node listens on its port"
    if old is not None and old.internal and not new.internal:
        return "it is not internal any more, and has no sourceRanges"
    if old is not None and old.type == "LoadBalancer":
        return "its sourceRanges leave no address out"
    return "a LoadBalancer that is neither internal nor has sourceRanges"


def _wider(old: Service, new: Service) -> list[str]:
    """The ranges that reach further than the old ones."""
    if old.type != "LoadBalancer" or not old.is_narrow or not new.is_narrow:
        return []
    return wider(old.ranges, new.ranges)


def wider(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """The ranges of addresses that are not within others."""
    networks = [ipaddress.ip_network(one) for one in old if range_problem(one) == (None, None)]
    four = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))
    within: list[Network] = [*four, *six]
    return [one for one in new if not _is_within(one, within)]


def _is_within(text: str, networks: list[Network]) -> bool:
    if range_problem(text) != (None, None):
        return False
    network = ipaddress.ip_network(text)
    return any(
        network.version == one.version and network.subnet_of(one)  # type: ignore[arg-type]
        for one in networks
    )
