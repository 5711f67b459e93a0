"""Rules about what AuthorizationPolicies ask of requests and no request has, so that they never match."""

from __future__ import annotations

import json
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING, gateway_spaces
from meshgen.policy.ingress import INSTALLERS
from meshgen.policy.reading import Map, items, mapping, selects, text, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.security import SECURITY
from meshgen.policy.selectors import pods
from meshgen.policy.subject import Subject, space_of

_Path = tuple[str | int, ...]
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


def _small_methods(subject: Subject) -> Iterator[Breach]:
    for policy in subject.of("AuthorizationPolicy", SECURITY):
        for at, method in _methods(policy):
            word = method.strip("*")
            if word.upper() in _METHODS and word not in _METHODS:
                what = f"method {plain(method)} matches no request: methods are in capitals"
                yield of_object(subject, policy, what, f"write {method.upper()}", at)


def _methods(policy: KubernetesObject) -> Iterator[tuple[_Path, str]]:
    for index, rule in enumerate(items(policy, "spec", "rules")):
        for number, one in enumerate(items(rule, "to")):
            for key in ("methods", "notMethods"):
                for place, method in enumerate(texts(one, "operation", key)):
                    yield ("spec", "rules", index, "to", number, "operation", key, place), method


def _unread_tokens(subject: Subject) -> Iterator[Breach]:
    asking = [(one, at) for one in subject.of("AuthorizationPolicy", SECURITY) if (at := _asks_for_token(one))]
    # What a chart or another tree brings may hold what is missed here.
    if not asking or any(True for kind, group in INSTALLERS for _ in subject.of(kind, group)):
        return
    readers, running = subject.of("RequestAuthentication", SECURITY), pods(subject)
    by_filter = {space_of(one) for one in subject.of("EnvoyFilter", NETWORKING) if "jwt_authn" in json.dumps(one)}
    for policy, at in asking:
        selector = _selector(policy)
        there = [labels for _, labels in running.get(space_of(policy), [])]
        is_whole = space_of(policy) in (subject.home, subject.root_namespace, *gateway_spaces(subject))
        if not is_whole and not any(not selector or selects(selector, labels) for labels in there):
            continue
        if by_filter & {space_of(policy), subject.root_namespace}:
            continue
        if not any(_may_serve(subject, one, policy) for one in readers):
            what = "asks for the claims of a token, and no RequestAuthentication reads one for its workloads"
            hint = "add a RequestAuthentication with the issuer, or let the one that is there select these workloads"
            yield of_object(subject, policy, what, hint, at)


def _asks_for_token(policy: KubernetesObject) -> _Path:
    """The first place at which a policy asks for what only a token that was read has; empty where it does not."""
    for index, rule in enumerate(items(policy, "spec", "rules")):
        for number, one in enumerate(items(rule, "from")):
            for key in ("requestPrincipals", "notRequestPrincipals"):
                if texts(one, "source", key):
                    return ("spec", "rules", index, "from", number, "source", key, 0)
        for number, one in enumerate(items(rule, "when")):
            if text(one, "key").startswith("request.auth."):
                return ("spec", "rules", index, "when", number, "key")
    return ()


def _may_serve(subject: Subject, reader: KubernetesObject, policy: KubernetesObject) -> bool:
    """Whether a RequestAuthentication may be for workloads that a policy is for; in doubt it is."""
    spaces = (space_of(policy), subject.root_namespace)
    if space_of(policy) != subject.root_namespace and space_of(reader) not in spaces:
        return False
    if _targets(reader) and _targets(policy):
        return bool(_targets(reader) & _targets(policy))
    one, other = _selector(reader), _selector(policy)
    return all(other.get(key, value) == value for key, value in one.items())


def _selector(obj: KubernetesObject) -> Map:
    return mapping(obj, "spec", "selector", "matchLabels")


def _targets(obj: KubernetesObject) -> frozenset[tuple[str, str]]:
    refs = [*items(obj, "spec", "targetRefs"), mapping(obj, "spec", "targetRef")]
    return frozenset((text(one, "kind"), text(one, "name")) for one in refs if one)


RULES = (
    Rule("MG598", "warning", "A method that no request has", _small_methods, of_objects=True),
    Rule("MG599", "warning", "Claims of tokens that nothing reads", _unread_tokens),
)
