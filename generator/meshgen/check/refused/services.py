"""Services.

Source: ValidateService in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.addresses import is_address, range_of, special_of
from meshgen.check.refused.names import LABEL, SUBDOMAIN, bad_labels, is_qualified, misnamed, repeated
from meshgen.check.refused.ports import bad_number, bad_number_or_name
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, strings, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

_NODE_PORTS = (30000, 32767)
# Before, a gate that is off drops the field.
_TWO_FAMILIES = (1, 21)
_CLIENT_IP = ("sessionAffinityConfig", "clientIP")
_LONGEST_AFFINITY = 86400
# What only a load balancer has.
_OF_BALANCERS = ("loadBalancerClass", "allocateLoadBalancerNodePorts", "loadBalancerSourceRanges")


def service(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a Service."""
    spec, at = mapping(obj, "spec"), ("spec",)
    type_ = text(spec, "type") or "ClusterIP"
    yield from _addresses(spec, at, type_)
    yield from _ports(spec, at, type_)
    yield from bad_labels(mapping(spec, "selector"), (*at, "selector"))
    yield from _of_types(spec, at, type_)
    yield from _affinity(spec, at)
    families = [family for _, family in strings(spec, "ipFamilies")]
    if minor >= _TWO_FAMILIES and len(families) > 1:
        if len(set(families)) != len(families):
            yield Refusal((*at, "ipFamilies"), "a family is there twice", "say each once", at_key=True)
        elif text(spec, "ipFamilyPolicy") == "SingleStack":
            hint = "say PreferDualStack, or one family"
            yield Refusal((*at, "ipFamilyPolicy"), "a Service of a single stack has one family", hint)


def is_headless(spec: Map) -> bool:
    """Whether a Service has no address of its own."""
    return "None" in (spec.get("clusterIP"), *(ip for _, ip in strings(spec, "clusterIPs")))


def _addresses(spec: Map, at: Path, type_: str) -> Refusals:
    ip, where = text(spec, "clusterIP"), (*at, "clusterIP")
    if type_ == "ExternalName":
        if ip:
            yield Refusal(where, "an ExternalName has no address", "take it out", at_key=True)
        name = text(spec, "externalName").removesuffix(".")
        if not name:
            yield Refusal(at, "it says no externalName", "add the domain that it stands for", at_key=True)
        elif not SUBDOMAIN.takes(name):
            yield Refusal((*at, "externalName"), f"it is no {SUBDOMAIN.noun}", SUBDOMAIN.words)
    elif is_headless(spec) and type_ != "ClusterIP":
        yield Refusal(where, f"a {plain(type_)} has an address", "take None out, or say type: ClusterIP")
    elif ip and ip != "None" and not is_address(ip):
        yield Refusal(where, "it is no IP address", "say None, an address, or nothing, which lets the cluster choose")
    for index, one in strings(spec, "externalIPs"):
        if not is_address(one):
            yield Refusal((*at, "externalIPs", index), "it is no IP address", "say one such as 192.0.2.7")
        elif special := special_of(one):
            yield Refusal((*at, "externalIPs", index), f"the address is {special}", "say one such as 192.0.2.7")


def _ports(spec: Map, at: Path, type_: str) -> Refusals:
    ports = list(placed(spec, "ports"))
    if not ports and type_ != "ExternalName" and not is_headless(spec):
        yield Refusal((*at, "ports") if "ports" in spec else at, "it has no port", "add one to ports", at_key=True)
    yield from repeated(spec, at, "ports", "name", "ports")
    seen: set[tuple[str, str, int]] = set()
    for index, port in ports:
        here = (*at, "ports", index)
        yield from _port(port, here)
        if len(ports) > 1 and not port.get("name"):
            yield Refusal(here, "of several ports each has a name", "add name, as http-web")
        protocol = text(port, "protocol") or "TCP"
        for key in ("port", "nodePort"):
            number = whole(port, key)
            if number and (key, protocol, number) in seen:
                what = f"{protocol} {number} is there twice"
                yield Refusal((*here, key), what, "take another number, or one of the two out")
            seen.add((key, protocol, number or 0))
        if type_ == "ClusterIP" and whole(port, "nodePort"):
            hint = "take it out, or say type: NodePort"
            yield Refusal((*here, "nodePort"), "a ClusterIP has no port of nodes", hint, at_key=True)


def _port(port: Map, at: Path) -> Refusals:
    yield from misnamed(port, at, "name", LABEL)
    yield from bad_number(port, at, "port")
    yield from bad_number_or_name({**port, "targetPort": port.get("targetPort") or None}, at, "targetPort")
    protocol = text(port, "appProtocol")
    if protocol and not is_qualified(protocol):
        yield Refusal((*at, "appProtocol"), "it is no name of a protocol", "say one such as http or example.com/own")
    number, (first, last) = whole(port, "nodePort"), _NODE_PORTS
    if number and not 1 <= number <= 65535:
        yield from bad_number(port, at, "nodePort")
    elif number and not first <= number <= last:
        # A flag of the server changes the range, which managed ones do not let anyone set.
        hint = f"take one of {first} to {last}, or suppress this where the server has another range"
        yield Refusal((*at, "nodePort"), f"{number} is none that API servers give out", hint, severity="warning")


def _of_types(spec: Map, at: Path, type_: str) -> Refusals:
    if type_ != "LoadBalancer":
        for key in given(spec, *_OF_BALANCERS):
            if spec[key] != []:
                yield Refusal((*at, key), "only a LoadBalancer has it", "take it out, or say type: LoadBalancer", True)
    for index, one in strings(spec, "loadBalancerSourceRanges"):
        if range_of(one.strip()) is None:
            yield Refusal((*at, "loadBalancerSourceRanges", index), "it is no range", "say one such as 10.0.0.0/8")
    outside = type_ in ("NodePort", "LoadBalancer") or spec.get("externalIPs")
    if spec.get("externalTrafficPolicy") and not outside:
        hint = "take it out, or say type: LoadBalancer"
        yield Refusal((*at, "externalTrafficPolicy"), "nothing from outside reaches the Service", hint, at_key=True)
    local = type_ == "LoadBalancer" and text(spec, "externalTrafficPolicy") == "Local"
    if whole(spec, "healthCheckNodePort") and not local:
        hint = "take it out, or say externalTrafficPolicy: Local"
        yield Refusal((*at, "healthCheckNodePort"), "only a LoadBalancer with Local is checked so", hint, at_key=True)


def _affinity(spec: Map, at: Path) -> Refusals:
    if text(spec, "sessionAffinity") == "ClientIP":
        by_ip, where = mapping(spec, *_CLIENT_IP), (*at, *_CLIENT_IP)
        yield from bounded(by_ip, where, ("timeoutSeconds",), least=1, most=_LONGEST_AFFINITY)
