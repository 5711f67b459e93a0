"""Webhooks by which pods get their sidecars: two that take the same pod inject it twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from meshgen.build.stage import KubernetesObject
from meshgen.policy.reading import Map, items, mapping, text, texts
from meshgen.policy.subject import Subject

_REVISION = "istio.io/rev"
_GROUP = "admissionregistration.k8s.io"


def overlapping(subject: Subject) -> Iterator[tuple[KubernetesObject, str]]:
    """The own injectors that take a pod which another one takes too, each with the other's name."""
    hooks = [
        (obj, hook)
        for obj in subject.of("MutatingWebhookConfiguration", _GROUP)
        for hook in items(obj, "webhooks")
        if text(hook, "name").endswith("istio.io")
    ]
    taken = {index: _taken(hook, _revisions(hooks)) for index, (_, hook) in enumerate(hooks)} if hooks[1:] else {}
    for index, (obj, _) in enumerate(hooks):
        other = next((at for at in taken if at != index and taken[at] & taken[index]), None)
        if other is not None:
            yield obj, f"{hooks[other][0]['metadata']['name']}/{text(hooks[other][1], 'name')}"


def _revisions(hooks: list[tuple[KubernetesObject, Map]]) -> list[str | None]:
    """None, and every revision that a selector names."""
    found: dict[str | None, None] = {None: None}
    for _, hook in hooks:
        for selector in ("namespaceSelector", "objectSelector"):
            found[mapping(hook, selector, "matchLabels").get(_REVISION)] = None
            for one in items(hook, selector, "matchExpressions"):
                if one.get("key") == _REVISION:
                    found.update(dict.fromkeys(texts(one, "values")))
    return list(found)


def _taken(hook: Map, revisions: list[str | None]) -> set[tuple[str | None, ...]]:
    """What a webhook takes of the labels that namespaces and pods may have."""
    named = product(("enabled", "disabled", None), revisions, ("true", "false", None), revisions)
    return {
        one
        for one in named
        if _picks(mapping(hook, "namespaceSelector"), {"istio-injection": one[0], _REVISION: one[1]})
        and _picks(mapping(hook, "objectSelector"), {"sidecar.istio.io/inject": one[2], _REVISION: one[3]})
    }


def _picks(selector: Map, labels: dict[str, str | None]) -> bool:
    if any(labels.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_agrees(one, labels.get(text(one, "key"))) for one in items(selector, "matchExpressions"))


def _agrees(expression: Map, value: str | None) -> bool:
    operator, values = expression.get("operator"), texts(expression, "values")
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    return value in values if operator == "In" else value not in values
