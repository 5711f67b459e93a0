"""Pods and their templates, whatever makes them.

Source: ValidatePodSpec in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.addresses import is_address
from meshgen.check.refused.containers import container_refusals
from meshgen.check.refused.metadata import marks_refusals
from meshgen.check.refused.names import LABEL, SUBDOMAIN, misnamed
from meshgen.check.refused.placement import placement_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, strings
from meshgen.check.refused.security import pod_context_refusals
from meshgen.check.refused.volumes import volume_refusals
from meshgen.policy.reading import Map, mapping, placed, text

_MOST_SERVERS = 3
_NAMES = ("serviceAccountName", "priorityClassName", "runtimeClassName", "nodeName")


def template_refusals(
    template: Map, at: Path, minor: tuple[int, int], claims: frozenset[str] = frozenset()
) -> Refusals:
    """What is wrong with the template of pods; `claims` are volumes that a StatefulSet adds."""
    yield from marks_refusals(mapping(template, "metadata"), (*at, "metadata"))
    if template and template.get("spec") is None:
        yield Refusal(at, "the template has no spec", "add spec, with its containers", at_key=True)
    yield from pod_refusals(mapping(template, "spec"), (*at, "spec"), minor, claims)


def pod_refusals(pod: Map, at: Path, minor: tuple[int, int], claims: frozenset[str] = frozenset()) -> Refusals:
    """What is wrong with the spec of a pod."""
    yield from container_refusals(pod, at, minor, claims)
    yield from volume_refusals(pod, at, minor)
    yield from placement_refusals(pod, at)
    yield from pod_context_refusals(pod, at, minor)
    yield from bounded(pod, at, ("activeDeadlineSeconds",), least=1)
    for key in _NAMES:
        yield from misnamed(pod, at, key, SUBDOMAIN)
    for key in ("hostname", "subdomain"):
        yield from misnamed(pod, at, key, LABEL)
    yield from _names_of_others(pod, at)
    yield from _dns(pod, at)
    if pod.get("hostPID") is True and pod.get("shareProcessNamespace") is True:
        where = (*at, "shareProcessNamespace")
        yield Refusal(where, "with hostPID all processes are shared already", "take one of the two out", at_key=True)


def _names_of_others(pod: Map, at: Path) -> Refusals:
    for index, one in placed(pod, "hostAliases"):
        if not is_address(text(one, "ip")):
            yield Refusal((*at, "hostAliases", index, "ip"), "it is no IP address", "say one such as 10.0.0.7")
        for number, name in strings(one, "hostnames"):
            if not SUBDOMAIN.takes(name):
                where = (*at, "hostAliases", index, "hostnames", number)
                yield Refusal(where, f"it is no {SUBDOMAIN.noun}", SUBDOMAIN.words)


def _dns(pod: Map, at: Path) -> Refusals:
    servers = list(strings(pod, "dnsConfig", "nameservers"))
    if text(pod, "dnsPolicy") == "None" and not servers:
        yield Refusal((*at, "dnsPolicy"), "a pod without DNS of the cluster needs its own", "add dnsConfig.nameservers")
    if len(servers) > _MOST_SERVERS:
        where = (*at, "dnsConfig", "nameservers")
        yield Refusal(where, f"there are {len(servers)}", f"a pod has at most {_MOST_SERVERS}", at_key=True)
    for index, one in servers:
        if not is_address(one):
            yield Refusal((*at, "dnsConfig", "nameservers", index), "it is no IP address", "say one such as 10.0.0.7")
