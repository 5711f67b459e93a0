"""Rules about what VirtualServices and Sidecars are bound to, and whether two of them are bound to the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.hosts import NETWORKING, full_host, gateways_of, overlap, scopes
from meshgen.policy.ingress import INSTALLERS
from meshgen.policy.reading import Map, items, mapping, selects, text, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.selectors import pods
from meshgen.policy.subject import Subject, space_of


def _without_gateway(subject: Subject) -> Iterator[Breach]:
    there = {f"{space_of(one)}/{one['metadata']['name']}": one for one in subject.of("Gateway", NETWORKING)}
    for service in subject.of("VirtualService", NETWORKING):
        hosts = texts(service, "spec", "hosts")
        for gateway in gateways_of(service):
            if gateway in there and hosts and not _takes_any(there[gateway], hosts, space_of(service)):
                what = f"no server of Gateway {plain(gateway)} takes {' or '.join(plain(host) for host in hosts[:3])}"
                hint = "add the host to the Gateway's server, or correct it"
                yield of_object(subject, service, what, hint, ("spec", "hosts", 0))
            elif gateway != "mesh" and gateway not in there and _would_be_there(subject, service, gateway):
                what = f"there is no Gateway {plain(gateway)} in the tree"
                hint = guess(gateway, sorted(there)) or "add the Gateway, or name one as NAMESPACE/NAME"
                yield of_object(subject, service, what, hint)


def _would_be_there(subject: Subject, service: KubernetesObject, gateway: str) -> bool:
    """Whether the tree has more of the gateway's namespace, if only a VirtualService that says no namespace."""
    space = gateway.partition("/")[0]
    return space in subject.spaces or (space == "default" and "namespace" not in service["metadata"])


def _takes_any(gateway: KubernetesObject, hosts: list[str], namespace: str) -> bool:
    """Whether a server takes one of the hosts from a namespace; its hosts may name the namespaces that they are for."""
    for server in items(gateway, "spec", "servers"):
        for one in texts(server, "hosts"):
            space, slash, name = one.rpartition("/")
            here = {"*": namespace, ".": space_of(gateway)}.get(space, space)
            if (not slash or here == namespace) and any(overlap(name, host) for host in hosts):
                return True
    return False


def _without_delegate(subject: Subject) -> Iterator[Breach]:
    # What a chart or another tree brings may be the delegate.
    if any(True for kind, group in INSTALLERS for _ in subject.of(kind, group)):
        return
    services = subject.of("VirtualService", NETWORKING)
    there = {(space_of(one), one["metadata"]["name"]) for one in services}
    for service in services:
        for index, route in enumerate(items(service, "spec", "http")):
            name, space = text(route, "delegate", "name"), text(route, "delegate", "namespace") or space_of(service)
            others = [other for home, other in sorted(there) if home == space]
            if name and others and (space, name) not in there:
                what = f"delegates to VirtualService {plain(space)}/{plain(name)}, which is not in the tree"
                homes = [home for home, other in sorted(there) if other == name]
                hint = f"{plain(name)} is in namespace {plain(homes[0])}: say delegate.namespace" if homes else None
                near = guess(name, others) or ""
                hint = hint or (near if near.startswith("did you mean") else "correct the name, or add it")
                yield of_object(subject, service, what, hint, ("spec", "http", index, "delegate", "name"))


def _same_host(subject: Subject) -> Iterator[Breach]:
    by_place: dict[tuple[str, str], list[KubernetesObject]] = defaultdict(list)
    for service in subject.of("VirtualService", NETWORKING):
        for key in _places(service):
            by_place[key].append(service)
    for service in subject.of("VirtualService", NETWORKING):
        for key in _places(service):
            other = next((one for one in by_place[key] if one is not service and _share(subject, one, service)), None)
            if other is not None:
                host, gateway = key
                named = f"{plain(space_of(other))}/{plain(other['metadata']['name'])}"
                what = f"VirtualService {named} has host {plain(host)} on {plain(gateway)} too"
                hint = "make one of them: on a gateway their routes have no order, and in the mesh one of them is lost"
                yield of_object(subject, service, what, hint)
                break


def _places(service: Map) -> Iterator[tuple[str, str]]:
    for host in texts(service, "spec", "hosts"):
        for gateway in gateways_of(service):
            yield full_host(host, space_of(service)), gateway


def _share(subject: Subject, one: KubernetesObject, other: KubernetesObject) -> bool:
    """Whether two VirtualServices are for the same namespaces.

    One for some beside one for all may be meant to go before it there; istioctl takes them for a conflict since 1.15
    (istio/istio#39729).
    """
    seen = [scopes(texts(each, "spec", "exportTo"), space_of(each)) for each in (one, other)]
    if None in seen:
        return seen[0] == seen[1] or subject.version.numbers >= (1, 15, 0)
    return bool(frozenset.intersection(*(each for each in seen if each is not None)))


def _two_sidecars(subject: Subject) -> Iterator[Breach]:
    running, by_target = pods(subject), defaultdict(list)
    picked = {id(one): _picked(one, running) for one in subject.of("Sidecar", NETWORKING)}
    for sidecar in subject.of("Sidecar", NETWORKING):
        for target in picked[id(sidecar)]:
            by_target[space_of(sidecar), target].append(sidecar)
    for sidecar in subject.of("Sidecar", NETWORKING):
        for target in picked[id(sidecar)]:
            other = next((one for one in by_target[space_of(sidecar), target] if one is not sidecar), None)
            if other is not None:
                what = f"Sidecar {plain(other['metadata']['name'])} is for {target} too"
                yield of_object(subject, sidecar, what, "make one of them, or give it a workloadSelector of its own")
                break


def _picked(sidecar: KubernetesObject, running: dict[str, list[tuple[KubernetesObject, Map]]]) -> list[str]:
    """What a Sidecar is for, as a message names it: all of its namespace, or the workloads that it selects."""
    selector = mapping(sidecar, "spec", "workloadSelector", "labels")
    if not selector:
        return ["every workload of the namespace"]
    there = running.get(space_of(sidecar), [])
    return [f"{obj['kind']} {plain(obj['metadata']['name'])}" for obj, labels in there if selects(selector, labels)]


RULES = (
    Rule("MG545", "warning", "A VirtualService that reaches no gateway", _without_gateway),
    Rule("MG546", "warning", "Two VirtualServices of one host and gateway", _same_host),
    Rule("MG596", "warning", "A route that delegates to what is not there", _without_delegate, of_objects=True),
    Rule("MG549", "warning", "Two Sidecars for one workload", _two_sidecars, of_objects=True),
)
