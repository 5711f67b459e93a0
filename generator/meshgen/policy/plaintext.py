"""The rule about clients that are told to send plain text, which is right where the server has no proxy."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING, covers, full_host, has_service, policies, service_of
from meshgen.policy.injection import is_captured
from meshgen.policy.reading import mapping, selects, text, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads


def _without_tls(subject: Subject) -> Iterator[Breach]:
    if not subject.production:
        return
    for rule in subject.of("DestinationRule", NETWORKING):
        host = text(rule, "spec", "host")
        modes = ((where, text(policy, "tls", "mode")) for where, policy in policies(rule))
        where = next((where for where, mode in modes if mode == "DISABLE"), None)
        if where is not None and _in_mesh(subject, host, space_of(rule)):
            what = f"clients of {plain(host)} send plain text{where} in production"
            yield of_object(subject, rule, what, "take tls out, which lets Istio use mTLS, or say ISTIO_MUTUAL")


def _in_mesh(subject: Subject, host: str, namespace: str) -> bool:
    """Whether a host is certainly a Service of the mesh; outside of it, plain text may be all that there is."""
    if host in ("*", "*.local", "*.svc.cluster.local"):
        return True
    service, full = service_of(host, namespace), full_host(host, namespace)
    # The API server is a Service without a sidecar.
    if service is None or service == ("kubernetes", "default") or _is_entered(subject, full):
        return False
    return (full == host or has_service(subject, service)) and not _is_without_proxy(subject, *service)


def _is_entered(subject: Subject, host: str) -> bool:
    """Whether a ServiceEntry says that a host is outside of the mesh, as it does unless it says otherwise."""
    return any(
        text(entry, "spec", "location") != "MESH_INTERNAL" and covers(named, host)
        for entry in subject.of("ServiceEntry", NETWORKING)
        for named in texts(entry, "spec", "hosts")
    )


def _is_without_proxy(subject: Subject, name: str, space: str) -> bool:
    """Whether what a Service leads to has no proxy that could speak mTLS, by all that the tree knows."""
    for service in subject.of("Service"):
        if (service["metadata"]["name"], space_of(service)) == (name, space):
            return _leads_outside(subject, service)
    return is_captured(subject, space, {}) is False


def _leads_outside(subject: Subject, service: KubernetesObject) -> bool:
    space, selector = space_of(service), mapping(service, "spec", "selector")
    # A Service without a selector leads to addresses that someone wrote down.
    if text(service, "spec", "type") == "ExternalName" or not selector:
        return True
    pods = [
        template
        for obj, template in workloads(subject)
        if space_of(obj) == space and selects(selector, mapping(template, "metadata", "labels"))
    ]
    return all(is_captured(subject, space, template) is False for template in pods or [{}])


RULES = (Rule("MG521", "warning", "Clients that send plain text in production", _without_tls),)
