"""Schemas of CRDs, which have to be structural: the type of every field is said outside of combinations.

Sources: ValidateStructural in k8s.io/apiextensions-apiserver pkg/apiserver/schema, and
ValidateCustomResourceDefinitionOpenAPISchema in its pkg/apis/apiextensions/validation. Not looked at are defaults,
patterns and rules in CEL, and whether a combination speaks of fields that there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meshgen.check.refused.refusal import Path, Refusal, Refusals, given, strings
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping, placed, text

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_ANYTHING, _NUMBER_OR_TEXT = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"
_LIST_TYPE, _KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_COMBINATIONS = ("allOf", "anyOf", "oneOf")
_UNREAD = ("$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
# What only the schema itself may say, and no combination in it.
_OUTSIDE = (
    *("type", "additionalProperties", "default", "description", "nullable", "title", _ANYTHING, _NUMBER_OR_TEXT),
    *(_LIST_TYPE, _KEYS, _MAP_TYPE, "x-kubernetes-embedded-resource"),
)
_EITHER = [{"type": "integer"}, {"type": "string"}]
_WORDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    _LIST_TYPE: ("array", ("atomic", "map", "set")),
    _MAP_TYPE: ("object", ("atomic", "granular")),
}


def schema_refusals(schema: Map, at: Path) -> Refusals:
    """What is wrong with the whole schema of a version."""
    if schema.get("type") not in (None, "", "object"):
        yield Refusal((*at, "type"), "an object is one at its root", "say type: object")
    if "additionalProperties" in schema:
        where = (*at, "additionalProperties")
        yield Refusal(where, "an object has known fields at its root", "say properties", at_key=True)
    if schema.get("nullable") is True:
        yield Refusal((*at, "nullable"), "an object is never null", "take it out", at_key=True)
    yield from _level(schema, at)


def _level(schema: Map, at: Path) -> Refusals:
    """What is wrong with a schema and all inside of it."""
    type_ = text(schema, "type")
    if not type_ and not any(schema.get(key) is True for key in (_ANYTHING, _NUMBER_OR_TEXT)):
        hint = f"add type, or {_ANYTHING}: true where anything may stand"
        yield Refusal(at, "the schema says no type", hint, at_key=True)
    if type_ == "array" and not isinstance(schema.get("items"), dict | list):
        yield Refusal(at, "the list has no items", "add items, with their type", at_key=True)
    yield from _everywhere(schema, at)
    yield from _marks(schema, at, type_)
    for where, inner in _inside(schema, at):
        yield from _level(inner, where)
    for where, inner in _combined(schema, at):
        yield from _combination(inner, where)


def _everywhere(schema: Map, at: Path) -> Refusals:
    """What is wrong in a schema and in combinations alike."""
    type_ = text(schema, "type")
    if type_ and type_ not in _TYPES:
        hint = guess(type_, _TYPES) or f"say one of {', '.join(_TYPES)}"
        yield Refusal((*at, "type"), f'"{plain(type_)}" is no type of a schema', hint)
    for key in given(schema, *_UNREAD):
        yield Refusal((*at, key), "CRDs have no such keyword", "take it out, or write what it stands for", at_key=True)
    if schema.get("uniqueItems") is True:
        hint = f"take it out, or say {_LIST_TYPE}: set"
        yield Refusal((*at, "uniqueItems"), "it would take too long to check", hint, at_key=True)
    if isinstance(schema.get("items"), list):
        yield Refusal((*at, "items"), "all items have one schema", "write a schema, and no list of them", at_key=True)
    if schema.get("properties") and isinstance(schema.get("additionalProperties"), dict):
        hint = "keep properties for known fields, or additionalProperties for a map"
        yield Refusal((*at, "additionalProperties"), "it and properties exclude each other", hint, at_key=True)


def _marks(schema: Map, at: Path, type_: str) -> Refusals:
    """What is wrong with how lists and maps are merged."""
    for key, (due, words) in _WORDS.items():
        said = text(schema, key)
        if said and type_ and type_ != due:
            yield Refusal((*at, key), f"only a schema of type {due} has it", "take it out", at_key=True)
        if said and said not in words:
            yield Refusal((*at, key), "there is no such way", f"say one of {', '.join(words)}")
    if text(schema, _LIST_TYPE) != "map":
        for key in given(schema, _KEYS):
            if schema[key] != []:
                yield Refusal((*at, key), "only a list that is a map has keys", f"say {_LIST_TYPE}: map", at_key=True)
        return
    items, where = mapping(schema, "items"), (*at, _KEYS)
    if not schema.get(_KEYS):
        yield Refusal((*at, _LIST_TYPE), "the list says no keys", f"add {_KEYS}: [...]")
    elif items.get("type") != "object":
        yield Refusal((*at, _LIST_TYPE), "its items are no objects, and have no keys", "take it out, or say set")
    else:
        yield from _keys(schema, items, where)


def _keys(schema: Map, items: Map, at: Path) -> Refusals:
    properties, required = mapping(items, "properties"), {key for _, key in strings(items, "required")}
    for index, key in strings(schema, _KEYS):
        if key not in properties:
            yield Refusal((*at, index), "the items have no such field", guess(key, properties) or "name one of theirs")
        elif key not in required and "default" not in mapping(properties, key):
            hint = "add it to the items' required, or give it a default"
            yield Refusal((*at, index), "an item could be without its key", hint)


def _inside(schema: Map, at: Path) -> Iterator[tuple[Path, Map]]:
    for name, inner in mapping(schema, "properties").items():
        if isinstance(inner, dict):
            yield (*at, "properties", name), inner
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield (*at, key), schema[key]


def _combined(schema: Map, at: Path) -> Iterator[tuple[Path, Map]]:
    """The combinations in a schema, but for that of a number or a text."""
    for key in _COMBINATIONS:
        if key == "anyOf" and schema.get(key) == _EITHER:
            continue
        yield from (((*at, key, index), one) for index, one in placed(schema, key))
    if isinstance(schema.get("not"), dict):
        yield (*at, "not"), schema["not"]


def _combination(schema: Map, at: Path) -> Refusals:
    """What is wrong with a part of a combination, which may only narrow what is there."""
    for key in _OUTSIDE:
        if _is_said(schema.get(key)):
            hint = "say it outside of the combination"
            yield Refusal((*at, key), "a combination may only narrow what the schema says outside", hint, at_key=True)
    yield from _everywhere(schema, at)
    for where, inner in (*_inside(schema, at), *_combined(schema, at)):
        yield from _combination(inner, where)


def _is_said(value: Any) -> bool:
    return value not in (None, "", [], False)
