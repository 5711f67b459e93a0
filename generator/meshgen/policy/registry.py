"""Every rule of the policy: those of this package, and those that other modules find while they build."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from meshgen.build.stage import Remark
from meshgen.finding import Severity
from meshgen.policy import (
    annotated,
    authorization,
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
    plaintext,
    providers,
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
    plaintext,
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
    providers,
    authorization,
)
RULES: tuple[Rule, ...] = tuple(sorted((rule for theme in _THEMES for rule in theme.RULES), key=lambda rule: rule.id))

_OF_OBJECTS = tuple(rule for rule in RULES if rule.of_objects)
_OF_SETTINGS = tuple(rule for rule in RULES if not rule.of_objects)


class Elsewhere(NamedTuple):
    """A rule that is checked where what it is about is built: the most that it counts for, and its title."""

    severity: Severity
    title: str


# A mesh may change these all the same. Among them are errors about what a cluster takes and has: the catalogue may be
# behind a cluster, and a cluster may have more than its tree brings.
BUILT_ELSEWHERE: Mapping[str, Elsewhere] = MappingProxyType(
    {
        "MG401": Elsewhere("warning", "An Istio that is not supported on that Kubernetes"),
        "MG407": Elsewhere("warning", "No webhook checks Istio's unlabelled resources"),
        "MG408": Elsewhere("warning", "A development build of istioctl"),
        "MG410": Elsewhere("warning", "Something that istioctl warns of"),
        "MG420": Elsewhere("error", "A field that is not there"),
        "MG421": Elsewhere("error", "A value that its field does not take"),
        "MG422": Elsewhere("error", "A field that is missing"),
        "MG423": Elsewhere("error", "A kind that is not served"),
        "MG424": Elsewhere("error", "Something that Istio's webhook refuses"),
        "MG425": Elsewhere("error", "Something that the API server refuses"),
        "MG426": Elsewhere("warning", "A reference inside the tree that leads nowhere"),
        "MG431": Elsewhere("warning", "Waves that don't wait"),
        "MG432": Elsewhere("error", "Clusters of one Argo CD without a server"),
        "MG433": Elsewhere("warning", "A newer Flux than the cluster's Kubernetes takes"),
        "MG440": Elsewhere("error", "Something that is applied before it can be"),
        "MG441": Elsewhere("error", "Something that is waited for and can't be ready"),
        "MG442": Elsewhere("error", "A webhook that is asked before it can answer"),
        "MG443": Elsewhere("error", "A circle of waiting"),
        "MG444": Elsewhere("warning", "A Namespace that nothing in the tree makes"),
        "MG445": Elsewhere("warning", "A race, or a deadlock unless the cluster has more than the tree brings"),
        "MG446": Elsewhere("warning", "Pods that start before what injects their sidecars"),
        "MG447": Elsewhere("warning", "A webhook that is asked about its own pods"),
        "MG448": Elsewhere("warning", "A Job that its sidecar keeps from ending"),
        "MG449": Elsewhere("info", "Something that an object needs and nothing in the tree brings"),
        "MG454": Elsewhere("warning", "An encrypted object, and Argo CD"),
        "MG455": Elsewhere("warning", "An encrypted object, and no engine that decrypts"),
        "MG458": Elsewhere("info", "A Secret that nothing makes"),
        "MG501": Elsewhere("warning", "A load balancer that is open to every address"),
        "MG502": Elsewhere("warning", "A load balancer that opens a metrics port"),
        "MG503": Elsewhere("warning", "A Secret in the clear"),
    }
)
# Why no mesh may wish away what the other rules say, by the digit of their group.
_FIXED = {
    "0": "it says that a file can't be read",
    "1": "it says that the config means nothing",
    "2": "it says that the config means nothing, or can't be applied",
    "3": "it says that a Service can't be opened so",
    "4": "it says that the tree can't be applied, or not as it is meant",
    "6": "it keeps files that are not meshgen's, or that were edited",
    "7": "it is about a command, and not about the mesh",
    "8": "it is about what `import` reads, before there is a policy",
}
# Nor what is said of the policy itself.
_OF_POLICY = {
    "MG590": "it says that the policy names no rule that it may change",
    "MG591": "it says that a suppression is not whole",
    "MG592": "it says that a suppression has ended, which would hold for ever without it",
    "MG593": "it says that a suppression serves nothing",
    "MG594": "it says that a rule of your own does not check what it should",
}
_BY_ID = {rule.id: rule for rule in RULES}


def titles() -> dict[str, str]:
    """The title of each rule that a mesh may change, by its id."""
    elsewhere = {rule: one.title for rule, one in BUILT_ELSEWHERE.items()}
    return dict(sorted({**elsewhere, **{rule.id: rule.title for rule in RULES}}.items()))


def is_changeable(rule: str) -> bool:
    """Whether a mesh may change a rule's severity or suppress it: it is the policy's, or a rule of the user's own."""
    return rule in _BY_ID or rule in BUILT_ELSEWHERE or rule.startswith("OWN-")


def why_fixed(rule: str) -> str | None:
    """Why no mesh may change a rule; None where it may, and where no rule is called so."""
    if is_changeable(rule):
        return None
    return _OF_POLICY.get(rule) or (_FIXED.get(rule[2]) if re.fullmatch(r"MG[0-9]{3}", rule) else None)


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
