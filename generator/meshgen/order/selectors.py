"""Which objects a label selector picks, and what a webhook is asked about: only where that is certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from meshgen.policy.reading import Map, items, mapping, text, texts
from meshgen.values import value_at

# What Kubernetes itself puts on every namespace.
NAME_LABEL = "kubernetes.io/metadata.name"
# The API server asks no webhook about these.
_NEVER_ASKED = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})


class Asked(NamedTuple):
    """An object as webhooks see it; labels of a namespace that the tree does not make are `None`."""

    group: str
    version: str
    kind: str
    plural: str
    space: str
    labels: Mapping[str, Any] | None
    space_labels: Mapping[str, Any] | None


def picks(selector: Map, labels: Mapping[str, Any] | None) -> bool | None:
    """Whether a selector picks these labels, an empty one any; None where that depends on labels not known."""
    if not selector:
        return True
    if labels is None:
        return None
    wanted = mapping(selector, "matchLabels")
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(one, labels) for one in items(selector, "matchExpressions"))


def _holds(expression: Map, labels: Mapping[str, Any]) -> bool:
    value, among = labels.get(text(expression, "key")), texts(expression, "values")
    match text(expression, "operator"):
        case "In":
            return value in among
        case "NotIn":
            return value not in among
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def is_asked(webhook: Map, one: Asked) -> bool:
    """Whether a webhook is certain to be asked before an object is created."""
    if one.kind in _NEVER_ASKED or value_at(webhook, ("matchConditions",)):
        return False
    if not any(_matches(rule, one) for rule in items(webhook, "rules")):
        return False
    spaces = _space_picked(mapping(webhook, "namespaceSelector"), one)
    return bool(spaces) and picks(mapping(webhook, "objectSelector"), one.labels) is True


def _space_picked(selector: Map, one: Asked) -> bool | None:
    if one.kind == "Namespace":
        return picks(selector, {NAME_LABEL: one.space, **(one.labels or {})})
    if not one.space:
        # It says nothing of what stands in no namespace.
        return True
    if one.space_labels is None and _asks_name_only(selector):
        return picks(selector, {NAME_LABEL: one.space})
    return picks(selector, None if one.space_labels is None else {NAME_LABEL: one.space, **one.space_labels})


def _asks_name_only(selector: Map) -> bool:
    keys = {*mapping(selector, "matchLabels"), *(text(one, "key") for one in items(selector, "matchExpressions"))}
    return keys <= {NAME_LABEL}


def _matches(rule: Map, one: Asked) -> bool:
    scope = text(rule, "scope") or "*"
    if scope not in ("*", "Namespaced" if one.space and one.kind != "Namespace" else "Cluster"):
        return False
    wanted = (
        ("operations", "CREATE"),
        ("apiGroups", one.group),
        ("apiVersions", one.version),
        ("resources", one.plural),
    )
    return all(_among(texts(rule, key), value) for key, value in wanted)


def _among(listed: list[str], value: str) -> bool:
    # `*/*` are resources with their subresources.
    return any(word in ("*", "*/*", value) for word in listed)


def plural(kind: str) -> str:
    """The plural of a kind, as the API server has it for its own and nearly everyone for theirs."""
    lower = kind.lower()
    if lower == "endpoints":
        return lower
    if lower.endswith(("s", "x", "ch")):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") and lower[-2] not in "aeiou" else f"{lower}s"
