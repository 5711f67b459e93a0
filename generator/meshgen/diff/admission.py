"""What the API server no longer has checked, or has checked otherwise, before it stores an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.config.problems import plain
from meshgen.diff.reach import Verdict
from meshgen.policy.reading import Map, items, mapping, text, texts

_WEBHOOKS = {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
_POLICIES = {"ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"}
_BINDINGS = {"ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding"}
# What says which objects a webhook is asked of; selectors that are not said pick all.
_ASKED = ("rules", "namespaceSelector", "objectSelector", "matchConditions", "matchPolicy")


def admitted(kind: str, action: str, old: Map, new: Map) -> Iterator[Verdict]:
    """What goes through unchecked, or to another webhook."""
    if kind in _WEBHOOKS and action != "added":
        yield from _webhooks(action, old, new)
    elif kind in _POLICIES and action == "removed":
        yield "security", "what this policy refuses or changes goes through as it is"
    elif kind in _POLICIES and action != "added" and mapping(old, "spec") != mapping(new, "spec"):
        yield "security", "the policy judges other objects than before, or judges them otherwise"
    elif kind in _BINDINGS and action != "added":
        yield from _binding(action, old, new)


def _webhooks(action: str, old: Map, new: Map) -> Iterator[Verdict]:
    if action == "removed":
        yield "security", "what this webhook checks or injects goes through unchecked"
        return
    after = {text(one, "name"): one for one in items(new, "webhooks")}
    for was in items(old, "webhooks"):
        name = text(was, "name")
        now = after.get(name)
        if now is None:
            yield "security", f"what webhook {plain(name)} checks or injects goes through unchecked"
            continue
        if any(_said(was, key) != _said(now, key) for key in _ASKED):
            yield "security", f"webhook {plain(name)} is asked of other objects: what it is not goes through unchecked"
        if _called(was) != _called(now):
            yield "security", f"objects go to another server that judges or changes them for webhook {plain(name)}"


def _said(hook: Map, key: str) -> Any:
    """What a webhook says of the objects that it is asked of; nothing where it says no more than the default."""
    return hook.get(key) or None


def _called(hook: Map) -> Map:
    """Whom the API server asks; that a certificate is renewed is no other one."""
    return {key: value for key, value in mapping(hook, "clientConfig").items() if key != "caBundle"}


def _binding(action: str, old: Map, new: Map) -> Iterator[Verdict]:
    denied = "Deny" in texts(old, "spec", "validationActions")
    if action == "removed" or (denied and "Deny" not in texts(new, "spec", "validationActions")):
        yield "security", "what the policy that it binds refuses or changes goes through as it is"
        return
    keys = ("policyName", "paramRef", "matchResources")
    if any(mapping(old, "spec").get(key) != mapping(new, "spec").get(key) for key in keys):
        yield "security", "it binds a policy to other objects, or another one"
