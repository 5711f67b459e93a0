"""A rule about Istio's Gateways of the same pods: which of two takes a request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.exposure import server_port
from meshgen.policy.hosts import NETWORKING
from meshgen.policy.ingress import Pods, gateway_pods
from meshgen.policy.reading import Map, items, mapping, number, text, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of

# A host on a port: the port, the address and the host.
_Place = tuple[int | None, str, str]
_Certificate = tuple[str, ...]


def _in_the_way(subject: Subject) -> Iterator[Breach]:
    gateways, pods = subject.of("Gateway", NETWORKING), gateway_pods(subject)
    by_place: dict[_Place, list[KubernetesObject]] = defaultdict(list)
    by_certificate: dict[_Certificate, list[KubernetesObject]] = defaultdict(list)
    for gateway in gateways:
        for place in _places(gateway):
            by_place[place].append(gateway)
        for certificate in _certificates(gateway):
            by_certificate[certificate].append(gateway)
    for gateway in gateways:
        what, hint = _same_host(gateway, by_place, pods)
        if not what:
            what, hint = _same_certificate(gateway, by_certificate)
        if what:
            yield of_object(subject, gateway, what, hint)


def _places(gateway: KubernetesObject) -> dict[_Place, str]:
    """Every place that a Gateway takes, with its port in words."""
    return {
        (number(server, "port", "number"), text(server, "bind"), host): server_port(server)
        for server in items(gateway, "spec", "servers")
        for host in _hosts(server, gateway)
    }


def _hosts(server: Map, gateway: KubernetesObject) -> Iterator[str]:
    """The hosts of a server, each for the namespaces that it is for."""
    for host in texts(server, "hosts"):
        space, slash, name = host.rpartition("/")
        yield name if not slash or space == "*" else f"{space_of(gateway) if space == '.' else space}/{name}"


def _same_host(
    gateway: KubernetesObject, by_place: dict[_Place, list[KubernetesObject]], pods: list[Pods]
) -> tuple[str, str]:
    """What says that another Gateway has a host on a port of the same pods."""
    for place, port in _places(gateway).items():
        for other in by_place[place]:
            if other is not gateway and _share(_selector(gateway), _selector(other), pods):
                what = f"Gateway {_name(other)} has host {plain(place[-1])} on port {port} too"
                return what, "make one of them: which of the two Istio goes by is not defined"
    return "", ""


def _share(one: Map, other: Map, pods: list[Pods]) -> bool:
    """Whether two selectors mean the same pods: the same labels, or one more than the other where pods have both."""
    return one == other or (
        (_is_wider(one, other) or _is_wider(other, one))
        and any(each.are_of(one) and each.are_of(other) for each in pods)
    )


def _is_wider(one: Map, other: Map) -> bool:
    """Whether whatever has the other's labels has these."""
    return all(other.get(key) == value for key, value in one.items())


def _selector(gateway: KubernetesObject) -> Map:
    return mapping(gateway, "spec", "selector")


def _same_certificate(
    gateway: KubernetesObject, by_certificate: dict[_Certificate, list[KubernetesObject]]
) -> tuple[str, str]:
    """What says that another Gateway serves by the same certificate on pods that this one selects."""
    for certificate in _certificates(gateway):
        for other in by_certificate[certificate]:
            if other is not gateway and _is_wider(_selector(gateway), _selector(other)):
                what = f"Gateway {_name(other)} has the same certificate: browsers that reuse a connection get 404"
                return what, "serve the hosts by one Gateway, or give each a certificate of its own"
    return "", ""


def _certificates(gateway: KubernetesObject) -> Iterator[_Certificate]:
    for server in items(gateway, "spec", "servers"):
        tls = mapping(server, "tls")
        if name := text(tls, "credentialName"):
            yield (name,)
        elif text(tls, "serverCertificate") and text(tls, "privateKey"):
            yield text(tls, "serverCertificate"), text(tls, "privateKey")


def _name(gateway: KubernetesObject) -> str:
    return f"{plain(space_of(gateway))}/{plain(gateway['metadata']['name'])}"


RULES = (Rule("MG578", "warning", "Two Gateways in each other's way", _in_the_way),)
