"""Rules about Services and ServiceEntries: what they tell Istio of the traffic to a port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING, Leading
from meshgen.policy.injection import injects, is_injected, is_istios
from meshgen.policy.reading import Map, items, mapping, number, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads

# What the name of a port may begin with, and appProtocol be: istio/istio pkg/config/protocol/instance.go.
_PROTOCOLS = (
    *("tcp", "udp", "tls", "http", "http2", "https", "http_proxy", "grpc", "grpc-web"),
    *("mongo", "redis", "mysql", "hbone", "double-hbone"),
)
_BY_KUBERNETES = {"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}
# Where the server speaks first, Istio never guesses: SMTP, DNS, MySQL and MongoDB.
_WELL_KNOWN = (25, 53, 3306, 27017)
_HTTP = ("http", "http2", "grpc", "grpc-web", "http_proxy")
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")


def protocol_of(port: Map) -> str | None:
    """The protocol that Istio takes the traffic of a Service's port for; None where it has to guess."""
    if text(port, "protocol") == "UDP":
        return "udp"
    said = (text(port, "appProtocol") or text(port, "name")).lower()
    if said in _BY_KUBERNETES:
        return _BY_KUBERNETES[said]
    first = "grpc-web" if said.startswith("grpc-web") else said.partition("-")[0]
    if first in _PROTOCOLS or said in _PROTOCOLS:
        return first if first in _PROTOCOLS else said
    return "tcp" if number(port, "port") in _WELL_KNOWN else None


def _unnamed(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("Service"):
        space = space_of(service)
        # Addons beside the control plane have no sidecar.
        apart = space in (subject.home, *_SYSTEM) or injects(subject, space) is False
        if apart or is_istios(service):
            continue
        for index, port in enumerate(items(service, "spec", "ports")):
            what, hint = _fault(service, port)
            if what:
                called = f'is called "{plain(port["name"])}"' if port.get("name") else "has no name"
                whole = f"port {plain(port.get('port'))} {called}: {what}"
                yield of_object(subject, service, whole, hint, ("spec", "ports", index, "port"))


def _fault(service: KubernetesObject, port: Map) -> tuple[str, str]:
    if protocol_of(port) is None:
        hint = f"begin its name with {', '.join(_SUGGESTED)} or another protocol, or say appProtocol"
        return "Istio has to guess its protocol from the traffic", hint
    if text(service, "spec", "type") == "ExternalName" and port.get("name") == "tcp":
        return "without an address of its own it takes all TCP traffic of that port", "name it https or tls, or http"
    return "", ""


_SUGGESTED = ("http-", "grpc-", "tcp-")


def _at_odds(subject: Subject) -> Iterator[Breach]:
    services = Leading(subject)
    for obj, template in workloads(subject):
        space = space_of(obj)
        leading = services.to(space, mapping(template, "metadata", "labels"))
        if len(leading) < 2 or is_injected(subject, space, template) is False:
            continue
        for port, said in _by_target(leading).items():
            if len(said) > 1:
                named = " and ".join(f"{protocol} ({plain(name)})" for protocol, name in sorted(said.items()))
                what = f"its Services call port {plain(port)} {named}: its sidecar goes by one of them"
                yield of_object(subject, obj, what, "make them agree: the name of a port says its protocol")


def _by_target(services: list[KubernetesObject]) -> dict[str, dict[str, str]]:
    """For each port of the pods the protocols that Services give it, each with the name of one that does."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for service in services:
        for port in items(service, "spec", "ports"):
            protocol = protocol_of(port)
            if protocol and protocol != "udp":
                target = str(port.get("targetPort") or port.get("port"))
                said[target].setdefault("http" if protocol in _HTTP else protocol, service["metadata"]["name"])
    return said


def _without_address(subject: Subject) -> Iterator[Breach]:
    if _gives_addresses(subject):
        return
    for entry in subject.of("ServiceEntry", NETWORKING):
        for index, port in enumerate(items(entry, "spec", "ports")):
            protocol = text(port, "protocol").upper()
            if protocol in ("", "TCP") and not _has_address(entry):
                said = "TCP" if protocol else "no protocol"
                what = f"port {plain(port.get('number'))} has {said}, and the entry no addresses"
                hint = "say addresses, or the protocol by which hosts can be told: HTTP, TLS, …"
                what += ": it takes all that goes to that port, whatever the host"
                yield of_object(subject, entry, what, hint, ("spec", "ports", index, "name"))


def _has_address(entry: KubernetesObject) -> bool:
    return any(mapping(entry, part).get("addresses") for part in ("spec", "status"))


def _gives_addresses(subject: Subject) -> bool:
    """Whether the mesh gives every ServiceEntry an address: by its DNS proxy, which ambient always has."""
    if subject.setting("profile") == "ambient":
        return True
    said = mapping(subject.mesh_config("defaultConfig", "proxyMetadata"))
    captures, allocates = (str(said.get(key)).lower() == "true" for key in (_CAPTURE, _ALLOCATE))
    return captures and (allocates or subject.version.numbers >= _ALWAYS)


_CAPTURE, _ALLOCATE = "ISTIO_META_DNS_CAPTURE", "ISTIO_META_DNS_AUTO_ALLOCATE"
# Since then istiod allocates them itself: PILOT_ENABLE_IP_AUTOALLOCATE.
_ALWAYS = (1, 25, 0)

RULES = (
    Rule("MG580", "info", "A port whose protocol Istio has to guess", _unnamed, of_objects=True),
    Rule("MG583", "warning", "Services that disagree about a port", _at_odds, of_objects=True),
    Rule("MG587", "warning", "A ServiceEntry that takes all traffic of a port", _without_address),
)
