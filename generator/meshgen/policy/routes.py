"""Rules about the Gateway API's routes: whether their Gateway takes them, and whether they reach what they name."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, items, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of

GATEWAY_API = "gateway.networking.k8s.io"
KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")


def parents(route: KubernetesObject) -> Iterator[tuple[tuple[str, str], Map]]:
    """The Gateways that a route names, as (namespace, name), each with its reference."""
    for one in items(route, "spec", "parentRefs"):
        if one.get("group", GATEWAY_API) == GATEWAY_API and one.get("kind", "Gateway") == "Gateway":
            yield (text(one, "namespace") or space_of(route), text(one, "name")), one


def attached(subject: Subject, gateway: KubernetesObject, listener: Map) -> Iterator[KubernetesObject]:
    """The HTTPRoutes that name a Gateway and this listener of it, or no listener at all."""
    key = (space_of(gateway), gateway["metadata"]["name"])
    for route in subject.of("HTTPRoute", GATEWAY_API):
        named = [text(one, "sectionName") for at, one in parents(route) if at == key]
        if any(name in ("", text(listener, "name")) for name in named):
            yield route


def _gateways(subject: Subject) -> dict[tuple[str, str], KubernetesObject]:
    return {(space_of(one), one["metadata"]["name"]): one for one in subject.of("Gateway", GATEWAY_API)}


def _routes(subject: Subject) -> Iterator[KubernetesObject]:
    return (route for kind in KINDS for route in subject.of(kind, GATEWAY_API))


def _without_gateway(subject: Subject) -> Iterator[Breach]:
    there = _gateways(subject)
    for route in _routes(subject):
        for (space, name), _ in parents(route):
            if (space, name) not in there and space in subject.spaces:
                what = f"there is no Gateway {plain(space)}/{plain(name)} in the tree"
                hint = guess(f"{space}/{name}", sorted("/".join(key) for key in there))
                yield of_object(subject, route, what, hint or "add the Gateway, or correct parentRefs")


def _not_admitted(subject: Subject) -> Iterator[Breach]:
    there = _gateways(subject)
    for route in _routes(subject):
        for key, reference in parents(route):
            gateway = there.get(key)
            if gateway is None or key[0] == space_of(route):
                continue
            wanted = text(reference, "sectionName")
            named = [one for one in items(gateway, "spec", "listeners") if wanted in ("", text(one, "name"))]
            if named and all(_only_its_own(one) for one in named):
                what = f"Gateway {plain('/'.join(key))} takes routes of its own namespace alone"
                hint = "say allowedRoutes.namespaces on its listener (from: Selector or All), or move the route"
                yield of_object(subject, route, what, hint)


def _only_its_own(listener: Map) -> bool:
    return (text(listener, "allowedRoutes", "namespaces", "from") or "Same") == "Same"


def _not_granted(subject: Subject) -> Iterator[Breach]:
    for route in _routes(subject):
        for reference in _backends(route):
            space = text(reference, "namespace") or space_of(route)
            foreign = space != space_of(route) and space in subject.spaces
            if foreign and not any(_grants(one, route, reference) for one in _grants_in(subject, space)):
                what = f"may not lead to {plain(text(reference, 'name'))} in {plain(space)}: it answers 500"
                hint = f"add a ReferenceGrant in {plain(space)}, from {route['kind']} of {space_of(route)} to Service"
                yield of_object(subject, route, what, hint)


def _backends(route: KubernetesObject) -> Iterator[Map]:
    for rule in items(route, "spec", "rules"):
        for one in items(rule, "backendRefs"):
            if one.get("group", "") == "" and one.get("kind", "Service") == "Service":
                yield one


def _grants_in(subject: Subject, space: str) -> Iterator[KubernetesObject]:
    return (one for one in subject.of("ReferenceGrant", GATEWAY_API) if space_of(one) == space)


def _grants(grant: KubernetesObject, route: KubernetesObject, reference: Map) -> bool:
    given = any(
        text(one, "kind") == route["kind"] and text(one, "namespace") == space_of(route)
        for one in items(grant, "spec", "from")
    )
    return given and any(
        text(one, "kind") == "Service" and text(one, "name") in ("", text(reference, "name"))
        for one in items(grant, "spec", "to")
    )


RULES = (
    Rule("MG556", "warning", "A route of a Gateway that is not there", _without_gateway),
    Rule("MG557", "warning", "A route that its Gateway does not take", _not_admitted),
    Rule("MG558", "warning", "A route that may not reach its backend", _not_granted),
)
