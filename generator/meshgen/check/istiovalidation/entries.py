"""What Istio's webhook refuses of a ServiceEntry, a WorkloadEntry and a WorkloadGroup.

Sources in istio/istio: ValidateServiceEntry, validateWorkloadEntry and ValidateWorkloadGroup in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.addresses import is_host, is_ip, is_wildcard_host
from meshgen.check.istiovalidation.names import (
    HTTP,
    TLS,
    export_problems,
    host_problems,
    label_problems,
    port_name_problems,
    protocol_of,
    protocol_problems,
    selector_problems,
    subnet_problems,
)
from meshgen.check.istiovalidation.resource import Resource, required_port_problems, unix_problems
from meshgen.check.proxyconfig import port_problems
from meshgen.check.setting import Problem, Setting

# The first version that has the check, at each of its patches.
_TARGET_PORT = (1, 12, 0)
_ROUND_ROBIN = (1, 16, 0)
_BY_NETWORK = (1, 19, 0)
_WAYPOINTS = (1, 30, 0)
_RESOLUTIONS = ("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS")
_BY_NAME = ("DNS", "DNS_ROUND_ROBIN")
# Those of the newest version: the ones before had fewer.
_DYNAMIC = frozenset({"http", "http2", "grpc", "tls"})
_LOCATIONS = ("MESH_EXTERNAL", "MESH_INTERNAL")


def service_entry_problems(entry: Resource) -> Iterator[Problem]:
    """What is wrong with a ServiceEntry."""
    spec, resolution = entry.spec, entry.spec.at("resolution").choice(_RESOLUTIONS)
    yield from selector_problems(spec.at("workloadSelector", "labels"))
    if spec.at("workloadSelector").value is not None and not spec.at("endpoints").is_blank:
        yield spec.at("endpoints").problem("workloadSelector and endpoints exclude each other", "keep one of them")
    yield from _hosts(spec)
    yield from subnet_problems(spec.at("addresses"), entry.istio)
    for address, where in spec.at("addresses").texts():
        if "/" in address and resolution in (*_BY_NAME, "DYNAMIC_DNS"):
            hint = "name single addresses, or say resolution: STATIC or NONE"
            yield where.problem(f"resolution {resolution} takes no address range", hint)
    yield from _ports(entry)
    yield from _endpoints(entry, resolution)
    if resolution == "DYNAMIC_DNS":
        yield from _dynamic(entry)
    if resolution != "NONE" and len(spec.at("hosts").texts()) > 1:
        for port in spec.at("ports").maps():
            if protocol_of(port) not in HTTP | TLS:
                hint = "say the protocol, HTTP, HTTPS or TLS, or make a ServiceEntry for each host"
                yield port.problem("with several hosts Istio can't tell whose traffic this port has", hint)
                break
    yield from export_problems(entry, service=True)


def _hosts(spec: Setting) -> Iterator[Problem]:
    if spec.at("hosts").is_blank:
        yield spec.problem("a ServiceEntry has one host at least", "add hosts")
    for name, host in spec.at("hosts").texts():
        if name == "*":
            yield host.problem("a ServiceEntry can't be for every host", "say *.DOMAIN, or the hosts")
        else:
            yield from host_problems(host)


def _ports(entry: Resource) -> Iterator[Problem]:
    names: set[str] = set()
    numbers: set[int] = set()
    for port in entry.spec.at("ports").maps():
        name, number = port.at("name"), port.at("number")
        yield from port_name_problems(name, port)
        if name.text and name.text in names:
            yield name.problem("another port has this name", "give each port its own name")
        if number.number is not None and number.number in numbers:
            yield number.problem("another port has this number", "take one of them out")
        names.add(name.text or "")
        numbers.add(number.number or 0)
        yield from protocol_problems(port, entry.istio)
        yield from required_port_problems(number, port)
        if port.at("targetPort").number and entry.istio >= _TARGET_PORT:
            yield from port_problems(port.at("targetPort"))


def _endpoints(entry: Resource, resolution: str) -> Iterator[Problem]:
    endpoints = entry.spec.at("endpoints")
    if resolution in ("NONE", "DYNAMIC_DNS"):
        if not endpoints.is_blank:
            hint = "take them out, or say resolution: STATIC or DNS"
            yield endpoints.problem(f"resolution {resolution} takes no endpoints", hint)
        return
    names = {port.at("name").text or "" for port in entry.spec.at("ports").maps()}
    for endpoint in endpoints.maps():
        yield from _address(endpoint, entry, by_name=resolution != "STATIC", by_path=resolution == "STATIC")
        yield from _endpoint_ports(endpoint, names)
        if (endpoint.at("address").text or "").startswith("unix://") and resolution == "STATIC" and len(names) != 1:
            yield endpoint.problem("an endpoint on a Unix socket is for a service of one port", "say one port alone")
    if resolution in _BY_NAME and endpoints.is_blank:
        for name, host in entry.spec.at("hosts").texts():
            # What is no host at all has been said.
            if name != "*" and is_wildcard_host(name) and not is_host(name):
                hint = "name the hosts or the endpoints, or say resolution: NONE"
                yield host.problem(f"resolution {resolution} can't look up a wildcard", hint)
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints.maps()) > 1 and entry.istio >= _ROUND_ROBIN:
        yield endpoints.problem("resolution DNS_ROUND_ROBIN takes one endpoint", "say resolution: DNS")


def _endpoint_ports(endpoint: Setting, names: set[str] | None) -> Iterator[Problem]:
    for name, port in endpoint.at("ports").entries():
        if names is not None and name not in names:
            yield port.problem("the service has no port of this name", "take a name of its ports")
        else:
            yield from port_name_problems(Setting(name, port.path), port)
        yield from required_port_problems(port, port)
    yield from label_problems(endpoint.at("labels"))


def _dynamic(entry: Resource) -> Iterator[Problem]:
    spec = entry.spec
    for name, host in spec.at("hosts").texts():
        if not name.startswith("*"):
            yield host.problem("resolution DYNAMIC_DNS is for wildcards", "say *.DOMAIN, or resolution: DNS")
    if not spec.at("addresses").is_blank:
        yield spec.at("addresses").problem("resolution DYNAMIC_DNS takes no addresses", "take them out")
    for port in spec.at("ports").maps():
        if protocol_of(port) not in _DYNAMIC:
            yield port.problem("resolution DYNAMIC_DNS takes HTTP, HTTP2, GRPC and TLS alone", "say its protocol")
    inside = spec.at("location").choice(_LOCATIONS) == "MESH_INTERNAL"
    waypoint = entry.label("istio.io/use-waypoint").lower() not in ("", "none")
    if inside and (waypoint or entry.istio < _WAYPOINTS):
        yield spec.at("location").problem("resolution DYNAMIC_DNS is for hosts outside", "say MESH_EXTERNAL")


def workload_entry_problems(entry: Resource) -> Iterator[Problem]:
    """What is wrong with a WorkloadEntry."""
    yield from _address(entry.spec, entry, by_name=True, by_path=True)
    yield from _endpoint_ports(entry.spec, None)


def _address(endpoint: Setting, entry: Resource, *, by_name: bool, by_path: bool) -> Iterator[Problem]:
    """An endpoint's address that is none, or that is missing where no network says how to get there."""
    address = endpoint.at("address")
    if address.text is None:
        return
    if not address.text:
        elsewhere = not endpoint.at("network").is_blank and by_path and entry.istio >= _BY_NETWORK
        if not elsewhere:
            yield endpoint.problem("an endpoint has an address", "say address")
    elif by_path and address.text.startswith("unix://"):
        yield from unix_problems(address)
        if endpoint.at("ports").value:
            yield endpoint.at("ports").problem("an endpoint on a Unix socket has no ports", "take them out")
    elif not is_ip(address.text, entry.istio) and not (by_name and is_host(address.text)):
        what = "an IP address or a domain name" if by_name else "an IP address"
        yield address.problem(f"the address is not {what}", f"say {what} alone, without scheme and port")
