"""What stands behind load balancers, and which gateways the whole world reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.ranges import cover_everything
from meshgen.build.stage import KubernetesObject
from meshgen.policy.reading import Map, mapping, pod_template, selects, text, texts
from meshgen.policy.subject import Subject, space_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

_AZURE, _AWS = "service.beta.kubernetes.io/azure-", "service.beta.kubernetes.io/aws-load-balancer-"
# What annotations of the clouds say of a load balancer, by the providers' documentation: whether it is internal.
_SAYS_INTERNAL = {
    (f"{_AZURE}load-balancer-internal", "true"): True,
    (f"{_AZURE}load-balancer-internal", "false"): False,
    (f"{_AWS}internal", "true"): True,
    (f"{_AWS}internal", "0.0.0.0/0"): True,
    (f"{_AWS}internal", "false"): False,
    (f"{_AWS}scheme", "internal"): True,
    (f"{_AWS}scheme", "internet-facing"): False,
    ("networking.gke.io/load-balancer-type", "internal"): True,
    ("networking.gke.io/load-balancer-type", "external"): False,
    ("cloud.google.com/load-balancer-type", "internal"): True,
    ("cloud.google.com/load-balancer-type", "external"): False,
}
# Only a load balancer with a public address has these.
_OF_PUBLIC = (f"{_AZURE}pip-name", f"{_AZURE}pip-prefix-id", f"{_AZURE}dns-label-name", f"{_AWS}eip-allocations")


def verdicts(annotations: Map) -> dict[bool, str]:
    """Whether annotations call a load balancer internal, public or both, each with the annotation that says so."""
    said: dict[bool, str] = {}
    for key, value in annotations.items():
        internal = False if key in _OF_PUBLIC else _SAYS_INTERNAL.get((key, str(value).lower()))
        if internal is not None:
            said.setdefault(internal, key)
    return said


def is_public(kind: Any, annotations: Map, ranges: list[str]) -> bool:
    """Whether a Service of that type lets every address in."""
    narrow = bool(ranges) and not cover_everything(ranges)
    return kind == "LoadBalancer" and True not in verdicts(annotations) and not narrow


def balanced(subject: Subject) -> Iterator[tuple[KubernetesObject, KubernetesObject]]:
    """Each own workload that an own load balancer leads to: (Service, workload)."""
    open_ = [one for one in subject.of("Service") if text(one, "spec", "type") == "LoadBalancer"]
    if not open_:
        return
    workloads = [one for kind in WORKLOADS for one in subject.of(kind, "apps")]
    labelled = [(space_of(one), mapping(pod_template(one), "metadata", "labels"), one) for one in workloads]
    for service in open_:
        here, selector = space_of(service), mapping(service, "spec", "selector")
        yield from ((service, one) for space, labels, one in labelled if space == here and selects(selector, labels))


def ingress_services(subject: Subject) -> Iterator[tuple[str, str, Map]]:
    """Istio's own ingress gateways: kind and name of each, and its Service (type, annotations, ranges)."""
    for kind, gateway in subject.gateways:
        if kind != "ingressGateways":
            continue
        service = mapping(gateway, "k8s", "service")
        legacy = mapping(subject.setting("values", "gateways", "istio-ingressgateway"))
        marks = {**mapping(legacy, "serviceAnnotations"), **mapping(gateway, "k8s", "serviceAnnotations")}
        ranges = texts(service, "loadBalancerSourceRanges") or texts(legacy, "loadBalancerSourceRanges")
        type_ = service.get("type") or legacy.get("type") or "LoadBalancer"
        yield kind, gateway["name"], {"type": type_, "annotations": marks, "ranges": ranges, "gateway": gateway}


def gateway_path(subject: Subject, kind: str, name: str) -> tuple[str, ...]:
    """The path of the setting that says how a gateway's Service is: `expose` where it opens it."""
    home = next((text(one, "namespace") for _, one in subject.gateways if one["name"] == name), "")
    key = subject.exposed_as(name, home or subject.home)
    return ("expose", key) if key else ("istio", "components", kind, name)


def public_selectors(subject: Subject) -> list[Map]:
    """The labels of the pods that the whole world reaches: those of gateways and of own load balancers."""
    found = []
    for _, name, service in ingress_services(subject):
        if is_public(service["type"], service["annotations"], service["ranges"]):
            own = mapping(service["gateway"], "label")
            found += [{**labels, **own} for labels in _usual_labels(name)]
    for obj in subject.of("Service"):
        ranges = texts(obj, "spec", "loadBalancerSourceRanges")
        if is_public(text(obj, "spec", "type"), mapping(obj, "metadata", "annotations"), ranges):
            found.append(mapping(obj, "spec", "selector"))
    return found


def _usual_labels(name: str) -> tuple[Map, Map]:
    """What a gateway's pods are labelled: by its own chart, and by istioctl."""
    by_chart = {"app": name, "istio": name.removeprefix("istio-")}
    return by_chart, {"app": "istio-ingressgateway", "istio": "ingressgateway"}


def is_reached(subject: Subject, selector: Map) -> bool:
    """Whether an Istio Gateway of this selector stands on pods that the whole world reaches."""
    return any(selects(selector, labels) or selects(labels, selector) for labels in public_selectors(subject))
