"""Rules about routes, and about what Istio makes of them without a word."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.hosts import (
    NETWORKING,
    covers,
    destinations,
    entry_hosts,
    full_host,
    has_service,
    knows_services,
    policies,
    routes,
    service_of,
)
from meshgen.policy.matches import by_protocol, repeats
from meshgen.policy.reading import Map, items, mapping, nanoseconds, number, text
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject, space_of


def _retries_over_timeout(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for route in items(service, "spec", "http"):
            attempts, each = number(route, "retries", "attempts"), nanoseconds(route, "retries", "perTryTimeout")
            whole = nanoseconds(route, "timeout")
            if attempts and each and whole and attempts * each > whole:
                what = (
                    f"{attempts} retries of {text(route, 'retries', 'perTryTimeout')} "
                    f"don't fit into its timeout of {text(route, 'timeout')}: the last ones never happen"
                )
                hint = f"say fewer attempts, a shorter perTryTimeout, or a timeout of {_seconds((attempts + 1) * each)}"
                yield of_object(subject, service, what, hint)


def _seconds(nanos: int) -> str:
    return f"{nanos / 10**9:g}s"


def _ejects_everything(subject: Subject) -> Iterator[Breach]:
    hint = "say a maxEjectionPercent below 100, or a minHealthPercent such as 50"
    what = "its outlier detection may eject every endpoint: maxEjectionPercent is 100, and minHealthPercent is 0"
    for rule in subject.of("DestinationRule", NETWORKING):
        for where, policy in policies(rule):
            if _all_go(mapping(policy, "outlierDetection")):
                yield of_object(subject, rule, what + where, hint)
    if _all_go(mapping(subject.mesh_config("defaultTrafficPolicy"), "outlierDetection")):
        yield of_setting(subject, ("istio", "meshConfig", "defaultTrafficPolicy", "outlierDetection"), what, hint)


def _all_go(detection: Map) -> bool:
    return number(detection, "maxEjectionPercent") == 100 and not number(detection, "minHealthPercent")


def _unknown_subset(subject: Subject) -> Iterator[Breach]:
    subsets: dict[str, list[str]] = {}
    for rule in subject.of("DestinationRule", NETWORKING):
        host = full_host(text(rule, "spec", "host"), space_of(rule))
        subsets.setdefault(host, []).extend(text(one, "name") for one in items(rule, "spec", "subsets"))
    wild = [host for host in subsets if "*" in host]
    for service in subject.of("VirtualService", NETWORKING):
        for at, destination in destinations(service):
            host, subset = full_host(text(destination, "host"), space_of(service)), text(destination, "subset")
            by_wildcard = any(covers(one, host) for one in wild)
            if not subset or subset in subsets.get(host, ()) or by_wildcard:
                continue
            if host in subsets or _is_own(subject, host, space_of(service)):
                what = f"routes to subset {plain(subset)} of {plain(host)}, which no DestinationRule has"
                add = "add the subset to the host's DestinationRule, with its labels"
                meant = guess(subset, subsets[host]) if subsets.get(host) else None
                yield of_object(subject, service, what, f"{meant}; or {add}" if meant else add, (*at, "subset"))


def _is_own(subject: Subject, host: str, namespace: str) -> bool:
    service = service_of(host, namespace)
    return service is not None and has_service(subject, service)


def _rule_without_service(subject: Subject) -> Iterator[Breach]:
    for rule in subject.of("DestinationRule", NETWORKING):
        host = text(rule, "spec", "host")
        service = service_of(host, space_of(rule))
        if service is None or has_service(subject, service) or not knows_services(subject, service[1]):
            continue
        full = full_host(host, space_of(rule))
        if not any(covers(entry, one) for entry in entry_hosts(subject) for one in (host, full)):
            there = [one["metadata"]["name"] for one in subject.of("Service") if space_of(one) == service[1]]
            what = f"no Service or ServiceEntry is called {plain(full)}"
            yield of_object(subject, rule, what, guess(service[0], there) or "correct the host, or take the rule out")


def _weights(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for protocol, route in routes(service):
            weights = [number(one, "weight") or 0 for one in items(route, "route")]
            if len(weights) > 1 and _is_off(sum(weights), subject.version.numbers >= _RELATIVE):
                what = f"the weights of a route under {protocol} make {sum(weights)}"
                hint = "make them 100: up to 1.14 Istio refuses another sum, later it shares the traffic out by it"
                yield of_object(subject, service, what, hint)


# Since then weights are relative: istio/istio#39544.
_RELATIVE = (1, 15, 0)


def _is_off(total: int, relative: bool) -> bool:
    """Whether weights were meant to be percentages and are none: 2 and 1 may be meant, 90 and 5 is not."""
    return total != 100 and (not relative or total <= 0 or 80 <= total <= 120)


def _never_reached(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for protocol, listed in by_protocol(service):
            index = next((at for at, route in enumerate(listed) if _takes_all(route)), len(listed))
            repeated = next(repeats(listed[:index]), None)
            if index < len(listed) - 1:
                behind = len(listed) - 1 - index
                what = f"nothing reaches the {behind} {protocol} route(s) behind number {index + 1}, which takes all"
                yield of_object(subject, service, what, "put the route without a match last, or give it one")
            elif repeated is not None:
                what = (
                    f"nothing reaches {protocol} route number {repeated + 1}: those before it have all of its matches"
                )
                yield of_object(subject, service, what, "take it out, or change its matches")


def _takes_all(route: Map) -> bool:
    matches = route.get("match")
    if not matches:
        return matches is None or matches == []
    return any(one == {"uri": {"prefix": "/"}} for one in items(route, "match"))


def _two_policies(subject: Subject) -> Iterator[Breach]:
    first: dict[tuple[str, str], KubernetesObject] = {}
    for rule in subject.of("DestinationRule", NETWORKING):
        spec = mapping(rule, "spec")
        if not spec.get("trafficPolicy") or spec.get("workloadSelector") or spec.get("exportTo"):
            continue
        host = full_host(text(rule, "spec", "host"), space_of(rule))
        other = first.setdefault((space_of(rule), host), rule)
        if other is not rule:
            what = f"DestinationRule {other['metadata']['name']} has a trafficPolicy for {plain(host)} too"
            yield of_object(subject, rule, what, "make one of them: Istio takes the older one's and drops the other")


RULES = (
    Rule("MG540", "warning", "Retries that don't fit into the timeout", _retries_over_timeout),
    Rule("MG541", "warning", "Outlier detection that may eject everything", _ejects_everything),
    Rule("MG542", "warning", "A route to a subset that is not there", _unknown_subset),
    Rule("MG543", "warning", "A DestinationRule for a host that is not there", _rule_without_service),
    Rule("MG544", "warning", "Weights that don't make 100", _weights),
    Rule("MG547", "warning", "Routes that nothing reaches", _never_reached),
    Rule("MG548", "warning", "Two traffic policies of one host", _two_policies),
)
