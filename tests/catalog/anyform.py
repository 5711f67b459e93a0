"""Makes of several forms the one that takes what any of them takes: what a kind is at a version that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from meshgen.catalog.openapi import Form

_LOWEST = ("minimum", "minLength", "minItems", "minProperties")
_HIGHEST = ("maximum", "maxLength", "maxItems", "maxProperties")
# They hold where all forms say the same.
_SAME = ("pattern", "multipleOf", "exclusiveMinimum", "exclusiveMaximum")
_WHOLE = {"int32", "int64"}
_MAPS = {"fields", "map", "object"}


def any_of(forms: Iterable[Form]) -> Form:
    """The form of all values that one of the forms takes, and perhaps of more."""
    return reduce(_either, forms)


def _either(one: Form, other: Form) -> Form:
    if one == other:
        return one
    first, second = _spelled(one), _spelled(other)
    made = _typed(first, second)
    if made == {"type": "any"}:
        return "any"
    made |= _limits(first, second)
    return made["type"] if set(made) == {"type"} else made


def _spelled(form: Form) -> dict[str, Any]:
    return form if isinstance(form, dict) else {"type": form}


def _word(form: dict[str, Any]) -> str:
    return next((word for word in ("fields", "list", "map") if word in form), form.get("type", "any"))


def _typed(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    words = {_word(one), _word(other)}
    if words == {"fields"}:
        return _fields(one, other)
    for word in ("list", "map"):
        if words == {word}:
            return {word: _either(one[word], other[word])}
    if len(words) == 1:
        return {"type": words.pop()}
    if words == _WHOLE:
        return {"type": "int64"}
    return {"type": "object" if words <= _MAPS else "any"}


def _fields(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    names = sorted({*one["fields"], *other["fields"]})
    having = {name: [form["fields"][name] for form in (one, other) if name in form["fields"]] for name in names}
    made: dict[str, Any] = {"fields": {name: any_of(forms) for name, forms in having.items()}}
    for key in ("required", "one"):
        if both := [item for item in one.get(key, []) if item in other.get(key, [])]:
            made[key] = both
    return made | ({"open": True} if one.get("open") or other.get("open") else {})


def _limits(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = [key for key in one if key in other]
    made: dict[str, Any] = {key: min(one[key], other[key]) for key in _LOWEST if key in both}
    made |= {key: max(one[key], other[key]) for key in _HIGHEST if key in both}
    made |= {key: one[key] for key in _SAME if key in both and one[key] == other[key]}
    if "enum" in both:
        made["enum"] = list(dict.fromkeys([*one["enum"], *other["enum"]]))
    return made | ({"nullable": True} if one.get("nullable") or other.get("nullable") else {})
