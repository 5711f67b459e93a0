"""NetworkPolicies, Ingresses and their classes.

Source: k8s.io/kubernetes pkg/apis/networking/validation.
"""

from __future__ import annotations

from meshgen.check.refused.addresses import is_address, range_of
from meshgen.check.refused.names import LABEL, PORT, SERVICE, SUBDOMAIN, WILDCARD, bad_selector, misnamed
from meshgen.check.refused.ports import bad_number, bad_number_or_name
from meshgen.check.refused.refusal import Path, Refusal, Refusals, given, strings, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

Minor = tuple[int, int]
_INGRESS = "networking.k8s.io/v1"
_PEERS = ("podSelector", "namespaceSelector", "ipBlock")
_IN_PATHS, _AT_END = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
_SERVICES_AS_LABELS = (1, 36)
# Before, a gate that is off drops the field.
_PARAMETERS_SPACED = (1, 22)


def network_policy(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a NetworkPolicy."""
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from bad_selector(mapping(spec, "podSelector"), (*at, "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in placed(spec, direction):
            here = (*at, direction, index)
            for number, port in placed(rule, "ports"):
                yield from _policy_port(port, (*here, "ports", number))
            for number, peer in placed(rule, peers):
                yield from _peer(peer, (*here, peers, number))


def _policy_port(port: Map, at: Path) -> Refusals:
    yield from bad_number_or_name(port, at, "port")
    last, first = whole(port, "endPort"), whole(port, "port")
    if last is None:
        return
    if first is None:
        yield Refusal((*at, "endPort"), "a range begins with a number", "say the first port as a number", at_key=True)
    elif last < first:
        yield Refusal((*at, "endPort"), f"the range ends before it begins, at {first}", f"say {first} or more")
    yield from bad_number(port, at, "endPort")


def _peer(peer: Map, at: Path) -> Refusals:
    said = given(peer, *_PEERS)
    if not said:
        yield Refusal(at, "it names nobody", f"say one of {', '.join(_PEERS)}; {{}} as a selector is everybody")
    if "ipBlock" in said and len(said) > 1:
        hint = "make it an entry of its own in the list"
        yield Refusal((*at, "ipBlock"), f"it and {said[0]} exclude each other", hint, at_key=True)
    for key in said:
        if key != "ipBlock":
            yield from bad_selector(mapping(peer, key), (*at, key))
    if "ipBlock" in said:
        yield from _block(mapping(peer, "ipBlock"), (*at, "ipBlock"))


def _block(block: Map, at: Path) -> Refusals:
    whole_range = range_of(text(block, "cidr"))
    if whole_range is None:
        if isinstance(block.get("cidr"), str):
            yield Refusal((*at, "cidr"), "it is no range", "say one such as 10.0.0.0/8")
        return
    for index, one in strings(block, "except"):
        part, where = range_of(one), (*at, "except", index)
        if part is None:
            yield Refusal(where, "it is no range", "say one such as 10.1.0.0/16")
        elif part.version != whole_range.version or part == whole_range or not _is_in(part, whole_range):
            yield Refusal(where, f"{part} is no part of {whole_range}", "except what is in cidr, and less than all")


def _is_in(part: object, whole_range: object) -> bool:
    return bool(part.subnet_of(whole_range))  # type: ignore[attr-defined]


def ingress(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with an Ingress; older versions of the kind name their backends otherwise."""
    if obj["apiVersion"] != _INGRESS:
        return
    spec, at = mapping(obj, "spec"), ("spec",)
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield Refusal(at, "it leads nowhere", "add rules or defaultBackend", at_key=True)
    yield from misnamed(spec, at, "ingressClassName", SUBDOMAIN)
    if isinstance(spec.get("defaultBackend"), dict):
        yield from _backend(spec["defaultBackend"], (*at, "defaultBackend"), minor)
    for index, rule in placed(spec, "rules"):
        yield from _rule(rule, (*at, "rules", index), minor)
    for index, tls in placed(spec, "tls"):
        yield from misnamed(tls, (*at, "tls", index), "secretName", SUBDOMAIN)
        for number, host in strings(tls, "hosts"):
            yield from _host(host, (*at, "tls", index, "hosts", number))


def _host(host: str, at: Path) -> Refusals:
    form = WILDCARD if "*" in host else SUBDOMAIN
    if not form.takes(host):
        yield Refusal(at, f'"{plain(host)}" is no {form.noun}', form.words)


def _rule(rule: Map, at: Path, minor: Minor) -> Refusals:
    host = text(rule, "host")
    if host and is_address(host):
        yield Refusal((*at, "host"), "a host is a name, and no address", "say a domain, or take it out")
    elif host:
        yield from _host(host, (*at, "host"))
    http = rule.get("http")
    if isinstance(http, dict) and http.get("paths") == []:
        yield Refusal((*at, "http", "paths"), "it has no path", "add one", at_key=True)
    for index, path in placed(rule, "http", "paths"):
        here = (*at, "http", "paths", index)
        yield from _path(path, here)
        if isinstance(path.get("backend"), dict):
            yield from _backend(path["backend"], (*here, "backend"), minor)


def _path(path: Map, at: Path) -> Refusals:
    said, kind, where = text(path, "path"), text(path, "pathType"), (*at, "path")
    strict = kind in ("Exact", "Prefix")
    if not said.startswith("/"):
        if said:
            yield Refusal(where, "the path does not begin at the root", "begin it with /")
        elif strict:
            yield Refusal(at, f"pathType {kind} needs a path", "add path: /")
    for part in _IN_PATHS if strict else ():
        if part in said:
            yield Refusal(where, f"the path has {part} in it", "write it as requests have it")
    if strict and said.endswith(_AT_END):
        yield Refusal(where, "the path leads up", "write it as requests have it")


def _backend(backend: Map, at: Path, minor: Minor) -> Refusals:
    said = given(backend, "service", "resource")
    if len(said) != 1:
        what = "it has a service and a resource" if said else "it is nothing"
        yield Refusal(at, what, "say service, with its name and port", at_key=True)
    if said != ["service"]:
        return
    service, here = mapping(backend, "service"), (*at, "service")
    yield from misnamed(service, here, "name", LABEL if minor >= _SERVICES_AS_LABELS else SERVICE)
    port, there = mapping(service, "port"), (*here, "port")
    if bool(port.get("name")) == bool(port.get("number")):
        what = "it has a name and a number" if port.get("name") else "it says no port"
        yield Refusal(there if "port" in service else here, what, "say port.number or port.name", at_key=True)
    yield from misnamed(port, there, "name", PORT)
    yield from bad_number(port, there, "number", least=0)


def ingress_class(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with an IngressClass."""
    controller, at = text(obj, "spec", "controller"), ("spec", "controller")
    domain, slash, path = controller.partition("/")
    if not (slash and path and SUBDOMAIN.takes(domain)):
        where = at if controller else ("spec",)
        yield Refusal(where, "a controller is a domain and a path", "say one such as example.com/ingress-controller")
    parameters, here = mapping(obj, "spec", "parameters"), ("spec", "parameters")
    if minor >= _PARAMETERS_SPACED and text(parameters, "scope") == "Namespace" and not parameters.get("namespace"):
        yield Refusal((*here, "scope"), "it does not say in which namespace", "add namespace")
