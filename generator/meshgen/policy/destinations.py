"""Rules about where routes lead: hosts and ports that are not there, and TLS that trusts anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.hosts import (
    NETWORKING,
    covers,
    destinations,
    full_host,
    gateways_of,
    knows_services,
    policies,
    scopes,
    service_of,
)
from meshgen.policy.reading import Map, items, mapping, number, text, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of

_EXPORT_TO = "networking.istio.io/exportTo"


@dataclass(frozen=True)
class Target:
    """What a host stands for: a Service or a ServiceEntry, and the namespaces that see it (None: all)."""

    object: KubernetesObject
    seen_by: frozenset[str] | None

    def is_seen_by(self, spaces: frozenset[str]) -> bool:
        """Whether one of some namespaces may route to it."""
        return self.seen_by is None or bool(spaces & self.seen_by)


_Targets = dict[str, list[Target]]


def _targets(subject: Subject) -> _Targets:
    """What the tree has for each host, wildcards among them."""
    found: _Targets = defaultdict(list)
    for one in subject.of("ServiceEntry", NETWORKING):
        for host in texts(one, "spec", "hosts"):
            found[host].append(Target(one, scopes(texts(one, "spec", "exportTo"), space_of(one))))
    for one in subject.of("Service"):
        exported = [part.strip() for part in text(one, "metadata", "annotations", _EXPORT_TO).split(",")]
        seen_by = scopes([part for part in exported if part], space_of(one))
        found[full_host(one["metadata"]["name"], space_of(one))].append(Target(one, seen_by))
    return found


def _not_there(subject: Subject) -> Iterator[Breach]:
    services = subject.of("VirtualService", NETWORKING)
    targets = _targets(subject) if services else {}
    wild = [(host, target) for host, found in targets.items() if host.startswith("*") for target in found]
    for service in services:
        space, told = space_of(service), set()
        clients = scopes(texts(service, "spec", "exportTo"), space) or frozenset({space})
        for at, destination in destinations(service):
            host = full_host(text(destination, "host"), space)
            what, hint = _fault(clients, host, targets.get(host, []), number(destination, "port", "number"))
            if host not in targets and not any(one.is_seen_by(clients) and covers(each, host) for each, one in wild):
                what, hint = _unknown(subject, space, host)
            if what and what not in told:
                told.add(what)
                yield of_object(subject, service, what, hint, (*at, "host"))


def _fault(clients: frozenset[str], host: str, there: list[Target], port: int | None) -> tuple[str, str]:
    """What is wrong with a destination as some namespaces see it, and the next move; empty where nothing is known."""
    visible = [one.object for one in there if one.is_seen_by(clients)]
    if there and not visible:
        one = there[0].object
        what = f"routes to {plain(host)}, which {one['kind']} {plain(one['metadata']['name'])} does not export"
        where = plain(" and ".join(sorted(clients)))
        return f"{what} to namespace {where}", "widen its exportTo, or route from a namespace that it names"
    return _port_fault(visible, host, port)


def _unknown(subject: Subject, space: str, host: str) -> tuple[str, str]:
    """A Service that the tree would have, if it were there."""
    named = service_of(host, space)
    if named is None or not knows_services(subject, named[1]):
        return "", ""
    there = [one["metadata"]["name"] for one in subject.of("Service") if space_of(one) == named[1]]
    homes = sorted({space_of(one) for one in subject.of("Service") if one["metadata"]["name"] == named[0]})
    hint = guess(named[0], there) or "correct the host, or add the Service"
    if homes:
        # What Helm renders often names no namespace, which is `default`.
        hint = (
            f"{plain(named[0])} is in namespace {plain(', '.join(homes))}: say its namespace there, or the whole host"
        )
    return f"routes to {plain(host)}, and no Service or ServiceEntry is called so", hint


def _port_fault(visible: list[KubernetesObject], host: str, port: int | None) -> tuple[str, str]:
    open_ = [number(one, "port") or number(one, "number") for obj in visible for one in items(obj, "spec", "ports")]
    listed = ", ".join(dict.fromkeys(str(one) for one in open_))
    if port is not None and open_ and port not in open_:
        return f"routes to port {port} of {plain(host)}, which has {plain(listed)}", f"say one of {plain(listed)}"
    if port is None and len(open_) > 1 and len(visible) == 1:
        hint = f"say destination.port.number: one of {plain(listed)}"
        return f"routes to {plain(host)} without a port, and it has several: {plain(listed)}", hint
    return "", ""


def _trusts_anybody(subject: Subject) -> Iterator[Breach]:
    if subject.version.numbers >= _VERIFIES or _asks_to_verify(subject):
        return
    for rule in subject.of("DestinationRule", NETWORKING):
        for where, policy in policies(rule):
            tls = mapping(policy, "tls")
            mode = text(tls, "mode")
            decided = tls.get("caCertificates") or tls.get("credentialName") or tls.get("insecureSkipVerify")
            if mode in ("SIMPLE", "MUTUAL") and not decided:
                what = f"TLS is {mode}{where} without caCertificates: the server may be anybody"
                hint = "name the CAs: caCertificates: /etc/ssl/certs/ca-certificates.crt for those of the system"
                yield of_object(subject, rule, what, hint)


# Since then a proxy verifies by the system's CAs where none are named: VERIFY_CERTIFICATE_AT_CLIENT.
_VERIFIES = (1, 21, 0)


def _asks_to_verify(subject: Subject) -> bool:
    name = "VERIFY_CERTIFICATE_AT_CLIENT"
    said = [mapping(subject.setting("values", "pilot", "env")).get(name)]
    listed = items(subject.setting("components", "pilot", "k8s"), "env")
    said += [one.get("value") for one in listed if one.get("name") == name]
    return any(str(one).lower() == "true" for one in said)


def _past_the_split(subject: Subject) -> Iterator[Breach]:
    split: dict[str, str] = {}
    for service in subject.of("VirtualService", NETWORKING):
        own = {full_host(one, space_of(service)) for one in texts(service, "spec", "hosts")}
        if "mesh" in gateways_of(service):
            for destination in _http(service):
                host = full_host(text(destination, "host"), space_of(service))
                if destination.get("subset") and host in own:
                    split.setdefault(host, service["metadata"]["name"])
    for service in subject.of("VirtualService", NETWORKING):
        if all(gateway == "mesh" for gateway in gateways_of(service)):
            continue
        whole = [one for one in _http(service) if not one.get("subset")]
        hosts = [full_host(text(one, "host"), space_of(service)) for one in whole]
        for host in dict.fromkeys(host for host in hosts if host in split):
            what = f"a gateway's requests to {plain(host)} pass by the subsets of VirtualService {plain(split[host])}"
            hint = "repeat its routes here, or join the two: list both hosts, and mesh beside the gateway"
            yield of_object(subject, service, what, hint)


def _http(service: KubernetesObject) -> Iterator[Map]:
    for route in items(service, "spec", "http"):
        for one in items(route, "route"):
            yield mapping(one, "destination")


RULES = (
    Rule("MG582", "warning", "A route to a host or a port that is not there", _not_there),
    Rule("MG585", "warning", "TLS that trusts any server", _trusts_anybody),
    Rule("MG588", "warning", "A gateway's route past the subsets of the mesh", _past_the_split),
)
