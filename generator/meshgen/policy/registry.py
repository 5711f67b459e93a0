"""Every rule of the policy: those of this package, and those that other modules find while they build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from meshgen.build.stage import Remark
from meshgen.policy import (
    annotated,
    binding,
    credentials,
    dashboards,
    delivery,
    destinations,
    exposure,
    gatewaypairs,
    images,
    ingress,
    injection,
    matches,
    routes,
    security,
    selectors,
    services,
    telemetry,
    traffic,
    versions,
    workloads,
)
from meshgen.policy.rule import Rule
from meshgen.policy.subject import Subject

_THEMES = (
    dashboards,
    exposure,
    security,
    workloads,
    credentials,
    traffic,
    binding,
    routes,
    telemetry,
    images,
    versions,
    delivery,
    annotated,
    ingress,
    gatewaypairs,
    injection,
    services,
    selectors,
    destinations,
    matches,
)
RULES: tuple[Rule, ...] = tuple(sorted((rule for theme in _THEMES for rule in theme.RULES), key=lambda rule: rule.id))

_OF_OBJECTS = tuple(rule for rule in RULES if rule.of_objects)
_OF_SETTINGS = tuple(rule for rule in RULES if not rule.of_objects)

# Rules that are checked where what they are about is built: a mesh may change their severity all the same. The other
# rules say that the config has no meaning or can't be applied; no mesh may wish that away.
BUILT_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "MG401": "An Istio that is not supported on that Kubernetes",
        "MG407": "No webhook checks Istio's unlabelled resources",
        "MG408": "A development build of istioctl",
        "MG410": "Something that istioctl warns of",
        "MG431": "Waves that don't wait",
        "MG432": "Clusters of one Argo CD without a server",
        "MG433": "A newer Flux than the cluster's Kubernetes takes",
        "MG420": "A field that is not there",
        "MG421": "A value that its field does not take",
        "MG422": "A field that is missing",
        "MG423": "A kind that is not served",
        "MG440": "Something that is applied before it can be",
        "MG441": "Something that is waited for and can't be ready",
        "MG442": "A webhook that is asked before it can answer",
        "MG443": "A circle of waiting",
        "MG444": "A Namespace that nothing in the tree makes",
        "MG445": "A race, or a deadlock unless the cluster has more than the tree brings",
        "MG446": "Pods that start before what injects their sidecars",
        "MG447": "A webhook that is asked about its own pods",
        "MG448": "A Job that its sidecar keeps from ending",
        "MG449": "Something that an object needs and nothing in the tree brings",
        "MG454": "An encrypted object, and Argo CD",
        "MG455": "An encrypted object, and no engine that decrypts",
        "MG458": "A Secret that nothing makes",
        "MG501": "A load balancer that is open to every address",
        "MG502": "A load balancer that opens a metrics port",
        "MG503": "A Secret in the clear",
    }
)
_BY_ID = {rule.id: rule for rule in RULES}


def titles() -> dict[str, str]:
    """The title of each rule that a mesh may change, by its id."""
    return dict(sorted({**BUILT_ELSEWHERE, **{rule.id: rule.title for rule in RULES}}.items()))


def is_changeable(rule: str) -> bool:
    """Whether a mesh may change a rule's severity or suppress it: it is the policy's, or a rule of the user's own."""
    return rule in _BY_ID or rule in BUILT_ELSEWHERE or rule.startswith("OWN-")


def policy_remarks(subject: Subject) -> Iterator[Remark]:
    """Everything that the rules have against one cluster, with the severities that they have of themselves."""
    yield from setting_remarks(subject)
    yield from object_remarks(subject.of_objects())


def setting_remarks(subject: Subject) -> Iterator[Remark]:
    """What the rules that look at settings too have against one cluster."""
    for rule in _OF_SETTINGS:
        yield from rule.remarks(subject)


def object_remarks(subject: Subject) -> Iterator[Remark]:
    """What the rules about objects alone have against a subject that `Subject.of_objects` gave."""
    for rule in _OF_OBJECTS:
        yield from rule.remarks(subject)
