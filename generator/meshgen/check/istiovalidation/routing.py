"""What Istio's webhook refuses of a VirtualService, as a whole and in its TLS and TCP routes.

Source in istio/istio: ValidateVirtualService in pkg/config/validation, and what it calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.addresses import is_ip, is_wildcard_host
from meshgen.check.istiovalidation.headers import is_claim
from meshgen.check.istiovalidation.httproutes import http_route_problems
from meshgen.check.istiovalidation.names import (
    destination_problems,
    export_problems,
    gateway_name_problems,
    host_problems,
    label_problems,
    subnet_problems,
)
from meshgen.check.istiovalidation.resource import Resource
from meshgen.check.istiovalidation.weights import weight_problems
from meshgen.check.proxyconfig import port_problems
from meshgen.check.setting import Problem, Setting

# The first version that has the check, at each of its patches.
_CLAIMS = (1, 12, 0)
_MESH_DECIDES = (1, 24, 0)
_ADDRESS_AS_SNI = (1, 14, 0)


def virtual_service_problems(service: Resource) -> Iterator[Problem]:
    """What is wrong with a VirtualService."""
    # Istio makes such ones itself, of the Gateway API's routes.
    if service.annotation("internal.istio.io/route-semantics") is not None:
        return
    spec = service.spec
    delegate = spec.at("hosts").is_blank
    if delegate:
        yield from _delegate(spec)
    yield from gateway_name_problems(spec.at("gateways"))
    yield from _claims(service)
    yield from _hosts(service)
    if all(spec.at(key).is_blank for key in ("http", "tcp", "tls")):
        yield spec.problem("a VirtualService has one route at least", "add http, tls or tcp")
    for route in spec.at("http").maps():
        yield from http_route_problems(route, delegate, service.istio)
    for route in spec.at("tls").maps():
        yield from _tls(route, service)
    for route in spec.at("tcp").maps():
        for match in route.at("match").maps():
            yield from _match(match, service)
        yield from _destinations(route, service)
    yield from export_problems(service)


def _delegate(spec: Setting) -> Iterator[Problem]:
    for key in ("gateways", "tls", "tcp"):
        if not spec.at(key).is_blank:
            text = f"a VirtualService without hosts is a delegate, and has no {key}"
            yield spec.at(key).problem(text, "say hosts, or take it out")


def _gateways(service: Resource) -> list[str]:
    return [name for name, _ in service.spec.at("gateways").texts()]


def _claims(service: Resource) -> Iterator[Problem]:
    """Routes by a token's claims, which only a gateway reads."""
    named = _gateways(service)
    only_mesh = not [name for name in named if name != "mesh"]
    if service.istio < _CLAIMS or not (only_mesh or ("mesh" in named and service.istio >= _MESH_DECIDES)):
        return
    for route in service.spec.at("http").maps():
        for match in route.at("match").maps():
            for key in ("headers", "withoutHeaders"):
                for name, header in match.at(key).entries():
                    if is_claim(name):
                        hint = "name the gateway under gateways, without mesh"
                        yield header.problem("only a gateway can route by the claims of a token", hint)


def _hosts(service: Resource) -> Iterator[Problem]:
    hosts, in_mesh = service.spec.at("hosts"), _in_mesh(service)
    found: list[Problem] = []
    for name, host in hosts.texts():
        if name == "*" and in_mesh:
            hint = "name the hosts, or the gateways under gateways, without mesh"
            found.append(host.problem("within the mesh no VirtualService is for every host", hint))
        elif not is_ip(name, service.istio) and not _is_generated(name, service):
            found += host_problems(host)
    yield from found
    if not found:
        named = hosts.texts()
        for index, (name, host) in enumerate(named):
            if any(_overlap(name, other) for other, _ in named[:index]):
                yield host.problem("another host here is the same, or covers it", "keep one of them")


def _in_mesh(service: Resource) -> bool:
    named = _gateways(service)
    return not named or "mesh" in named


def _is_generated(name: str, service: Resource) -> bool:
    """Whether a host is one that istiod makes for clusters, such as outbound_.80_._.cart.shop.global."""
    return name.startswith("outbound_") and not _in_mesh(service)


def _overlap(one: str, other: str) -> bool:
    wide, narrow = sorted((one, other), key=lambda name: (not name.startswith("*"), len(name)))
    return narrow.removeprefix("*").endswith(wide[1:]) if wide.startswith("*") else wide == narrow


def _tls(route: Setting, service: Resource) -> Iterator[Problem]:
    if route.at("match").is_blank:
        yield route.problem("a TLS route has a match", "say match: [{sniHosts: [HOST]}]")
    for match in route.at("match").maps():
        if match.at("sniHosts").is_blank:
            yield match.problem("the match names no host of the handshake", "say sniHosts")
        for name, host in match.at("sniHosts").texts():
            yield from _sni(name, host, service)
        yield from _match(match, service)
    yield from _destinations(route, service)


def _sni(name: str, host: Setting, service: Resource) -> Iterator[Problem]:
    if _is_generated(name, service) or (is_ip(name, service.istio) and service.istio >= _ADDRESS_AS_SNI):
        return
    if not is_wildcard_host(name):
        yield from host_problems(host)
    elif not any(_covers(whole, name) for whole, _ in service.spec.at("hosts").texts()):
        yield host.problem("none of the VirtualService's hosts covers this one", "say it under hosts too")


def _covers(whole: str, name: str) -> bool:
    """Whether a host is another, or is covered by its wildcard."""
    if not whole.startswith("*"):
        return whole == name
    if name.startswith("*"):
        return len(name) >= len(whole) and name.endswith(whole[1:])
    return name.endswith(whole[1:])


def _match(match: Setting, service: Resource) -> Iterator[Problem]:
    yield from subnet_problems(match.at("destinationSubnets"), service.istio)
    if match.at("port").number:
        yield from port_problems(match.at("port"))
    yield from label_problems(match.at("sourceLabels"))
    yield from gateway_name_problems(match.at("gateways"))


def _destinations(route: Setting, service: Resource) -> Iterator[Problem]:
    if route.at("route").is_blank:
        yield route.problem("the route leads nowhere", "say route: [{destination: {host: HOST}}]")
    for one in route.at("route").maps():
        if one.at("destination").value is None:
            yield one.problem("the destination is missing", "say destination: {host: HOST}")
        yield from destination_problems(one.at("destination"))
    yield from weight_problems(route.at("route"), service.istio)
