"""The hosts that Istio's resources name, and what in the tree they stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.policy.reading import Map, items, mapping, placed, selects, text, texts
from meshgen.policy.subject import Subject, space_of

NETWORKING = "networking.istio.io"
_SUFFIX = ".svc.cluster.local"


def full_host(host: str, namespace: str) -> str:
    """A host as Istio reads it: a name without a dot is a Service of the resource's own namespace."""
    return host if "." in host or "*" in host else f"{host}.{namespace}{_SUFFIX}"


def service_of(host: str, namespace: str) -> tuple[str, str] | None:
    """(name, namespace) of the Service that a host means; None where it means something else, or several."""
    full = full_host(host, namespace)
    name, _, space = full.removesuffix(_SUFFIX).partition(".")
    return (name, space) if full.endswith(_SUFFIX) and name and space and "*" not in full and "." not in space else None


def has_service(subject: Subject, service: tuple[str, str]) -> bool:
    """Whether an own Service is called so."""
    return service in {(one["metadata"]["name"], space_of(one)) for one in subject.of("Service")}


def entry_hosts(subject: Subject) -> list[str]:
    """The hosts of every ServiceEntry."""
    return [host for entry in subject.of("ServiceEntry", NETWORKING) for host in texts(entry, "spec", "hosts")]


def covers(pattern: str, host: str) -> bool:
    """Whether a host, or a wildcard such as `*.example.com`, takes in another."""
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def knows_services(subject: Subject, namespace: str) -> bool:
    """Whether the tree has the Services of a namespace: it has one there, and nobody else installs any."""
    theirs = {subject.home, "kube-system", *(space for space in gateway_spaces(subject))}
    return namespace not in theirs and any(space_of(one) == namespace for one in subject.of("Service"))


def gateway_spaces(subject: Subject) -> Iterator[str]:
    """The namespaces that the settings of Istio name for gateways."""
    for kind in ("ingressGateways", "egressGateways"):
        listed = subject.setting("components", kind)
        entries = listed.values() if isinstance(listed, dict) else listed if isinstance(listed, list) else ()
        yield from (text(one, "namespace") for one in entries)


_PROTOCOLS = ("http", "tls", "tcp")


def routes(service: Map) -> Iterator[tuple[str, Map]]:
    """Each route of a VirtualService, with the protocol that it stands under."""
    for protocol in _PROTOCOLS:
        for route in items(service, "spec", protocol):
            yield protocol, route


def destinations(service: Map) -> Iterator[tuple[tuple[str | int, ...], Map]]:
    """Every destination that a VirtualService names, mirrors among them, with its path."""
    for protocol in _PROTOCOLS:
        for number, route in placed(service, "spec", protocol):
            at = ("spec", protocol, number)
            for index, one in placed(route, "route"):
                yield (*at, "route", index, "destination"), mapping(one, "destination")
            if route.get("mirror"):
                yield (*at, "mirror"), mapping(route, "mirror")
            for index, one in placed(route, "mirrors"):
                yield (*at, "mirrors", index, "destination"), mapping(one, "destination")


def policies(rule: Map) -> Iterator[tuple[str, Map]]:
    """Each traffic policy of a DestinationRule, with the words that say where it stands."""
    tops = [("", mapping(rule, "spec", "trafficPolicy"))]
    for subset in items(rule, "spec", "subsets"):
        tops.append((f" of subset {text(subset, 'name')[:60]}", mapping(subset, "trafficPolicy")))
    for where, policy in tops:
        yield where, policy
        for port in items(policy, "portLevelSettings"):
            yield f"{where} at port {mapping(port, 'port').get('number', '?')}", port


def gateways_of(service: Map) -> list[str]:
    """The gateways of a VirtualService as `namespace/name`, or `mesh` for the sidecars."""
    named = texts(service, "spec", "gateways") or ["mesh"]
    return [one if one == "mesh" else _gateway(one, space_of(service)) for one in named]


def _gateway(named: str, namespace: str) -> str:
    space, slash, name = named.rpartition("/")
    if slash:
        return f"{namespace}/{name}" if space == "." else named
    # The old way: NAME.NAMESPACE, with or without the rest of a Service's host.
    name, dot, rest = named.partition(".")
    return f"{rest.partition('.')[0]}/{name}" if dot else f"{namespace}/{name}"


def overlap(one: str, other: str) -> bool:
    """Whether two hosts, each perhaps a wildcard, have a host in common."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    return one == other or any(
        wide.startswith("*") and name.endswith(wide[1:]) for wide, name in ((one, other), (other, one))
    )


def scopes(exported: list[str], namespace: str) -> frozenset[str] | None:
    """The namespaces that an `exportTo` names; None where it is every namespace."""
    if not exported or "*" in exported:
        return None
    return frozenset(namespace if one == "." else one for one in exported)


class Leading:
    """The own Services by what they select: which of them lead to a pod."""

    def __init__(self, subject: Subject) -> None:
        self._by_space: dict[str, list[tuple[Map, KubernetesObject]]] = defaultdict(list)
        for service in subject.of("Service"):
            if selector := mapping(service, "spec", "selector"):
                self._by_space[space_of(service)].append((selector, service))

    def to(self, space: str, labels: Map) -> list[KubernetesObject]:
        """The Services that lead to pods with these labels in a namespace."""
        return [service for selector, service in self._by_space.get(space, ()) if selects(selector, labels)]
