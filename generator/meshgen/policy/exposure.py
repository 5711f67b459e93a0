"""Rules about what can be reached from outside, and by whom."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.balancers import gateway_path, ingress_services, is_public, is_reached, verdicts
from meshgen.policy.reading import Map, items, mapping, placed, text, texts
from meshgen.policy.routes import GATEWAY_API, attached
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject

NETWORKING = "networking.istio.io"
_WITHOUT_HOSTS = ("TCP", "MONGO", "MYSQL", "REDIS")


def _at_odds(subject: Subject) -> Iterator[Breach]:
    for key, exposure in mapping(subject.settings.get("expose")).items():
        if mapping(exposure).get("internal") and mapping(exposure).get("public"):
            hint = "take out `public`, whose reason explains what is no longer so, or `internal`"
            yield of_setting(subject, ("expose", key), "is internal and public at once", hint)
    for service in subject.of("Service"):
        if text(service, "spec", "type") == "LoadBalancer":
            said = verdicts(mapping(service, "metadata", "annotations"))
            if len(said) > 1:
                yield of_object(subject, service, _odds(said), "keep the one that is meant")
    for kind, name, gateway in ingress_services(subject):
        said = verdicts(gateway["annotations"])
        if len(said) > 1:
            path = gateway_path(subject, kind, name)
            hint = "keep the one that is meant"
            yield of_setting(subject, path, _odds(said), hint, f"Service/{name}", _home(subject, gateway))


def _odds(said: dict[bool, str]) -> str:
    return f"{said[True]} makes the load balancer internal, and {said[False]} makes it public"


def _wildcard_hosts(subject: Subject) -> Iterator[Breach]:
    hint = "name the hosts, such as shop.example.com, or a domain of yours: *.example.com"
    for gateway in subject.of("Gateway", NETWORKING):
        for index, server in placed(gateway, "spec", "servers"):
            wild = [host for host in texts(server, "hosts") if host.rpartition("/")[2] == "*"]
            if wild and _protocol(server) not in _WITHOUT_HOSTS and not _redirects(server):
                what = f"the server on port {server_port(server)} takes requests for every host ({wild[0]})"
                at = ("spec", "servers", index, "hosts", texts(server, "hosts").index(wild[0]))
                yield of_object(subject, gateway, what, hint, at)


def _without_tls(subject: Subject) -> Iterator[Breach]:
    hint = "say tls.httpsRedirect: true on it, and serve HTTPS with a certificate of credentialName"
    for gateway in subject.of("Gateway", NETWORKING):
        servers = placed(gateway, "spec", "servers")
        in_clear = [(at, one) for at, one in servers if _protocol(one) in _CLEAR and not _redirects(one)]
        if in_clear and is_reached(subject, mapping(gateway, "spec", "selector")):
            index, server = in_clear[0]
            what = f"the server on port {server_port(server)} speaks {_protocol(server)} without TLS to everyone"
            yield of_object(subject, gateway, what, hint, ("spec", "servers", index, "port", "protocol"))


_CLEAR = ("HTTP", "HTTP2", "GRPC")


def _protocol(server: Map) -> str:
    return text(server, "port", "protocol").upper()


def server_port(server: Map) -> str:
    """The port of an Istio Gateway's server as a message names it."""
    port = mapping(server, "port")
    return str(port.get("number") or port.get("name") or "?")[:60]


def _redirects(server: Map) -> bool:
    return mapping(server, "tls").get("httpsRedirect") is True


def _node_ports(subject: Subject) -> Iterator[Breach]:
    if not subject.production:
        return
    hint = "say type: LoadBalancer or ClusterIP: a NodePort is open on every node, past the load balancer's rules"
    for service in subject.of("Service"):
        if text(service, "spec", "type") == "NodePort":
            yield of_object(subject, service, "opens a port on every node of a production cluster", hint)
    for kind, name, gateway in ingress_services(subject):
        if gateway["type"] == "NodePort":
            path = gateway_path(subject, kind, name)
            what = "its Service opens ports on every node of a production cluster"
            yield of_setting(subject, path, what, hint, f"Service/{name}", _home(subject, gateway))


def _home(subject: Subject, service: Map) -> str:
    """The namespace of a Service that `ingress_services` gives."""
    return text(service, "gateway", "namespace") or subject.home


def _ranges_of_no_use(subject: Subject) -> Iterator[Breach]:
    hint = "take them out, or say type: LoadBalancer: only a load balancer keeps addresses out"
    for service in subject.of("Service"):
        kind = text(service, "spec", "type") or "ClusterIP"
        if kind != "LoadBalancer" and texts(service, "spec", "loadBalancerSourceRanges"):
            yield of_object(subject, service, f"loadBalancerSourceRanges mean nothing on a {kind} Service", hint)


def _listens_in_the_clear(subject: Subject) -> Iterator[Breach]:
    hint = "serve it on an HTTPS listener, and let the HTTP one's route redirect: a filter of type RequestRedirect"
    for gateway in subject.of("Gateway", GATEWAY_API):
        if not _makes_balancer(gateway):
            continue
        for listener in items(gateway, "spec", "listeners"):
            served = [one for one in attached(subject, gateway, listener) if _serves(one)]
            if text(listener, "protocol") == "HTTP" and served:
                what = f"listener {plain(listener.get('name'))} serves HTTPRoute {served[0]['metadata']['name']}"
                yield of_object(subject, gateway, f"{what} without TLS to everyone", hint)


def _makes_balancer(gateway: KubernetesObject) -> bool:
    """Whether Istio makes a load balancer for a Gateway that the whole world reaches."""
    spec, marks = mapping(gateway, "spec"), mapping(gateway, "metadata", "annotations")
    marks = {**marks, **mapping(spec, "infrastructure", "annotations")}
    kind = marks.get("networking.istio.io/service-type", "LoadBalancer")
    return spec.get("gatewayClassName") == "istio" and not spec.get("addresses") and is_public(kind, marks, [])


def _serves(route: KubernetesObject) -> bool:
    """Whether a rule of a route leads to a backend."""
    return any(next(items(rule, "backendRefs"), None) is not None for rule in items(route, "spec", "rules"))


RULES = (
    Rule("MG512", "warning", "A load balancer that is called internal and public", _at_odds),
    Rule("MG513", "warning", "A gateway that takes every host", _wildcard_hosts),
    Rule("MG514", "warning", "A public gateway without TLS", _without_tls),
    Rule("MG515", "warning", "A NodePort in production", _node_ports),
    Rule("MG516", "warning", "Source ranges on what is no load balancer", _ranges_of_no_use, of_objects=True),
    Rule("MG517", "warning", "A public listener without TLS", _listens_in_the_clear),
)
