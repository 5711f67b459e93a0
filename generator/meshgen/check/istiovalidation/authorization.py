"""What Istio's webhook refuses of an AuthorizationPolicy.

Sources in istio/istio: ValidateAuthorizationPolicy in pkg/config/validation, and what it calls in pkg/config/security.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.attributes import (
    account_problems,
    address_problems,
    condition_problems,
    domain_problems,
    empty_problems,
    number_problems,
)
from meshgen.check.istiovalidation.pathtemplates import path_problems
from meshgen.check.istiovalidation.resource import Resource
from meshgen.check.istiovalidation.targets import target_problems
from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_EMPTY_LISTS = (1, 14, 0)
_ACTIONS = ("ALLOW", "DENY", "AUDIT", "CUSTOM")
_IDENTITIES = ("namespaces", "serviceAccounts", "trustDomains", "principals", "requestPrincipals")
_ADDRESSES = ("ipBlocks", "remoteIpBlocks")
_OPERATIONS = ("ports", "methods", "paths", "hosts")
_NOT_WITH_CUSTOM = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")


def authorization_problems(policy: Resource) -> Iterator[Problem]:
    """What is wrong with an AuthorizationPolicy."""
    spec = policy.spec
    action = spec.at("action").choice(_ACTIONS)
    yield from target_problems(policy)
    yield from _action(spec, action, policy.istio)
    for rule in spec.at("rules").maps():
        if action == "CUSTOM":
            yield from _custom(rule)
        yield from _rule(rule, policy.istio)


def _both(names: tuple[str, ...]) -> list[str]:
    """Names with what says the opposite of each."""
    return [one for name in names for one in (name, f"not{name[0].upper()}{name[1:]}")]


def _action(spec: Setting, action: str, istio: Numbers) -> Iterator[Problem]:
    provider, rules = spec.at("provider"), spec.at("rules")
    none = rules.value is None or (rules.value == [] and istio >= _EMPTY_LISTS)
    if none and action in ("CUSTOM", "DENY"):
        yield spec.problem(f"without rules action {action} does nothing", "add rules: [{}] for every request")
    elif action == "CUSTOM" and provider.at("name").is_blank:
        hint = "say provider: {name: NAME}, one of meshConfig.extensionProviders"
        yield spec.problem("action CUSTOM asks a provider, and names none", hint)
    if action != "CUSTOM" and provider.value is not None:
        yield provider.problem(f"action {action} asks no provider", "say action: CUSTOM, or take it out")


def _custom(rule: Setting) -> Iterator[Problem]:
    hint = "let the provider decide by it, or say it in a policy of action ALLOW or DENY"
    for source in rule.at("from").maps():
        for name in _both(_IDENTITIES):
            if not source.at("source", name).is_blank:
                yield source.at("source", name).problem("action CUSTOM can't go by it", hint)
    for condition in rule.at("when").maps():
        key = condition.at("key")
        if key.text in _NOT_WITH_CUSTOM or (key.text or "").startswith("request.auth."):
            yield key.problem("action CUSTOM can't go by it", hint)


def _rule(rule: Setting, istio: Numbers) -> Iterator[Problem]:
    for one in rule.at("from").maps():
        yield from _source(one, istio)
    for one in rule.at("to").maps():
        yield from _operation(one, istio)
    for condition in rule.at("when").maps():
        yield from condition_problems(condition, istio)


def _source(entry: Setting, istio: Numbers) -> Iterator[Problem]:
    source = entry.at("source")
    if source.value is None:
        yield entry.problem("from names no source", "say source, or take from out for any")
        return
    if not isinstance(source.value, dict):
        return
    if all(source.at(key).is_blank for key in _both(_IDENTITIES + _ADDRESSES)):
        yield source.problem("the source says nothing", f"say one of {', '.join(_IDENTITIES + _ADDRESSES)}")
    accounts = [source.at(key) for key in _both(("serviceAccounts",)) if not source.at(key).is_blank]
    if accounts and any(not source.at(key).is_blank for key in _both(("principals", "namespaces"))):
        text = "serviceAccounts exclude principals and namespaces"
        yield accounts[0].problem(text, "say the accounts alone, as NAMESPACE/NAME")
    for key in _both(_ADDRESSES):
        yield from address_problems(source.at(key), istio)
    for key in _both(("principals", "requestPrincipals", "namespaces")):
        yield from empty_problems(source.at(key))
    for key in _both(("serviceAccounts",)):
        yield from account_problems(source.at(key))
    for key in _both(("trustDomains",)):
        yield from domain_problems(source.at(key), slashes=False)


def _operation(entry: Setting, istio: Numbers) -> Iterator[Problem]:
    operation = entry.at("operation")
    if operation.value is None:
        yield entry.problem("to names no operation", "say operation, or take to out for any")
        return
    if not isinstance(operation.value, dict):
        return
    if all(operation.at(key).is_blank for key in _both(_OPERATIONS)):
        yield operation.problem("the operation says nothing", f"say one of {', '.join(_OPERATIONS)}")
    for key in _both(_OPERATIONS):
        if key in ("ports", "notPorts"):
            yield from number_problems(operation.at(key))
        else:
            yield from empty_problems(operation.at(key))
        if key in ("paths", "notPaths"):
            yield from path_problems(operation.at(key), istio)
