"""Roles and who has them.

Source: k8s.io/kubernetes pkg/apis/rbac/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import SEGMENT, SUBDOMAIN, misnamed
from meshgen.check.refused.refusal import Path, Refusal, Refusals
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

Minor = tuple[int, int]
_GROUP = "rbac.authorization.k8s.io"


def role(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a Role or a ClusterRole."""
    for index, rule in placed(obj, "rules"):
        yield from _rule(rule, ("rules", index), obj["kind"])
    selectors = mapping(obj, "aggregationRule").get("clusterRoleSelectors")
    if isinstance(obj.get("aggregationRule"), dict) and not selectors:
        where = ("aggregationRule",)
        yield Refusal(where, "it has no selector", "add clusterRoleSelectors, or take it out", at_key=True)


def _rule(rule: Map, at: Path, kind: str) -> Refusals:
    if rule.get("verbs") == []:
        yield Refusal((*at, "verbs"), "the rule allows nothing", "add a verb, as get", at_key=True)
    if rule.get("nonResourceURLs"):
        where = (*at, "nonResourceURLs")
        if kind == "Role":
            yield Refusal(where, "a Role is for its namespace's resources", "put it into a ClusterRole", at_key=True)
        elif any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
            yield Refusal(where, "it and resources exclude each other", "make it a rule of its own", at_key=True)
        return
    for key, example in (("apiGroups", '""'), ("resources", "pods")):
        if not rule.get(key):
            yield Refusal((*at, key) if key in rule else at, f"the rule says no {key}", f"add {key}: [{example}]")


def binding(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a RoleBinding or a ClusterRoleBinding."""
    reference, at = mapping(obj, "roleRef"), ("roleRef",)
    allowed = ("ClusterRole",) if obj["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if reference.get("apiGroup") not in (None, "", _GROUP):
        yield Refusal((*at, "apiGroup"), "roles are of another group", f"say {_GROUP}")
    if text(reference, "kind") not in ("", *allowed):
        what = f"a {obj['kind']} gives no {plain(reference['kind'])}"
        yield Refusal((*at, "kind"), what, f"say {' or '.join(allowed)}")
    if reference.get("name") == "":
        yield Refusal((*at, "name"), "it names no role", "say its name")
    yield from misnamed(reference, at, "name", SEGMENT)
    for index, subject in placed(obj, "subjects"):
        yield from _subject(subject, ("subjects", index), obj["kind"])


def _subject(subject: Map, at: Path, kind: str) -> Refusals:
    group = text(subject, "apiGroup")
    match text(subject, "kind"):
        case "ServiceAccount":
            yield from misnamed(subject, at, "name", SUBDOMAIN)
            if group:
                yield Refusal((*at, "apiGroup"), "a ServiceAccount is of no group", "take it out", at_key=True)
            if kind == "ClusterRoleBinding" and not subject.get("namespace"):
                yield Refusal(at, "it does not say the ServiceAccount's namespace", "add namespace")
        case "User" | "Group":
            if group not in ("", _GROUP):
                yield Refusal((*at, "apiGroup"), "users and groups are of another group", f"say {_GROUP}")
        case other if other:
            yield Refusal((*at, "kind"), f"{plain(other)} is no subject", "say ServiceAccount, User or Group")
