"""What an API server would refuse of a value by its type, with strict field validation."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from meshgen.catalog.kinds import Type
from meshgen.check.forms import GO_JSON, noun, reads

# The way to a place, from its end: (the way before, key), or None at the top.
Way = Any


class Fault(NamedTuple):
    """What is wrong at a place, and `more` of it; `sort` is unknown, missing, both, wrong, word, size or form."""

    sort: str
    way: Way
    type: Type
    more: Any


def faults(value: Any, type_: Type, way: Way, found: list[Fault]) -> None:
    """Collect what is wrong with a value, which is no null, and with all that is in it."""
    word = type_.word
    if word == "fields":
        if value.__class__ is dict:
            _fields(value, type_, way, found)
        else:
            found.append(Fault("wrong", way, type_, value))
    elif word == "list":
        _list(value, type_, way, found)
    elif word == "map":
        _map(value, type_, way, found)
    elif word != "any":
        _plain(value, type_, way, found)


def _fields(value: dict[str, Any], type_: Type, way: Way, found: list[Fault]) -> None:
    fields = type_.fields
    for key, inner in value.items():
        expected = fields[key]
        if expected is None:
            if not type_.open:
                found.append(Fault("unknown", (way, key), type_, inner))
        elif inner.__class__ is not expected.plain and inner is not None:
            faults(inner, expected, (way, key), found)
    for key in type_.required:
        if value.get(key) is None and not (key in value and _is_nullable(type_, key)):
            found.append(Fault("missing", way, type_, key))
    for names in type_.one:
        there = [name for name in names if value.get(name) is not None]
        if len(there) > 1:
            found.append(Fault("both", way, type_, there))
    if type_.limits:
        _limits(value, type_, way, found)


def _is_nullable(type_: Type, key: str) -> bool:
    expected = type_.fields[key]
    return expected is not None and expected.nullable


def _list(value: Any, type_: Type, way: Way, found: list[Fault]) -> None:
    if value.__class__ is not list:
        found.append(Fault("wrong", way, type_, value))
        return
    item = type_.item
    assert item is not None
    plain = item.plain
    for index, inner in enumerate(value):
        if inner.__class__ is plain:
            continue
        if inner is not None:
            faults(inner, item, (way, index), found)
        elif item.native and item.word == "fields":
            _fields({}, item, (way, index), found)
        elif not (item.native or item.nullable or item.word == "any"):
            found.append(Fault("wrong", (way, index), item, None))
    if type_.limits:
        _limits(value, type_, way, found)


def _map(value: Any, type_: Type, way: Way, found: list[Fault]) -> None:
    if value.__class__ is not dict:
        found.append(Fault("wrong", way, type_, value))
        return
    item = type_.item
    assert item is not None
    plain = item.plain
    for key, inner in value.items():
        if inner.__class__ is not plain and inner is not None:
            faults(inner, item, (way, key), found)
    if type_.limits:
        _limits({key: inner for key, inner in value.items() if inner is not None}, type_, way, found)


def _plain(value: Any, type_: Type, way: Way, found: list[Fault]) -> None:
    if reads(value, type_.word, GO_JSON) or (type_.word == "bytes" and not _is_base64(value)):
        found.append(Fault("wrong", way, type_, value))
    elif type_.limits:
        _limits(value, type_, way, found)


def _is_base64(text: str) -> bool:
    # Go's reader passes over line breaks.
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _limits(value: Any, type_: Type, way: Way, found: list[Fault]) -> None:
    limits = type_.limits
    if "enum" in limits and value not in limits["enum"]:
        found.append(Fault("word", way, type_, value))
        return
    for name, broken in _BROKEN.items():
        if name in limits and (text := broken(value, limits)):
            found.append(Fault("form" if name == "pattern" else "size", way, type_, text))
            return


def _lowest(value: Any, limits: dict[str, Any]) -> str | None:
    lowest = limits["minimum"]
    if limits.get("exclusiveMinimum") and value <= lowest:
        return f"it has to be more than {lowest}"
    return f"it has to be at least {lowest}" if value < lowest else None


def _highest(value: Any, limits: dict[str, Any]) -> str | None:
    highest = limits["maximum"]
    if limits.get("exclusiveMaximum") and value >= highest:
        return f"it has to be less than {highest}"
    return f"it has to be at most {highest}" if value > highest else None


def _multiple(value: Any, limits: dict[str, Any]) -> str | None:
    step = limits["multipleOf"]
    return f"it has to be a multiple of {step}" if step and value % step else None


def _matching(value: Any, limits: dict[str, Any]) -> str | None:
    # A text that is too long is said as that, and not searched.
    compiled = _compiled(limits["pattern"])
    if compiled is None or not isinstance(value, str) or compiled.search(value):
        return None
    return f"it has to match {limits['pattern']}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of Go's; None for one that Python has in no such words. `$` is the end of the text."""
    try:
        return re.compile(re.sub(r"(?<!\\)\$(?=$|\))", r"\\Z", pattern), re.ASCII)
    except re.error:
        return None


def _size(unit: str, fewest: bool) -> Callable[[Any, dict[str, Any]], str | None]:
    key = {"characters": "Length", "items": "Items", "entries": "Properties"}[unit]
    name = f"{'min' if fewest else 'max'}{key}"

    def broken(value: Any, limits: dict[str, Any]) -> str | None:
        limit = limits[name]
        if (len(value) < limit) if fewest else (len(value) > limit):
            return f"it has to have at {'least' if fewest else 'most'} {limit} {unit if limit != 1 else _ONE[unit]}"
        return None

    return broken


_ONE = {"characters": "character", "items": "item", "entries": "entry"}
_BROKEN: dict[str, Callable[[Any, dict[str, Any]], str | None]] = {
    "maxLength": _size("characters", fewest=False),
    "minLength": _size("characters", fewest=True),
    "maxItems": _size("items", fewest=False),
    "minItems": _size("items", fewest=True),
    "maxProperties": _size("entries", fewest=False),
    "minProperties": _size("entries", fewest=True),
    "minimum": _lowest,
    "maximum": _highest,
    "multipleOf": _multiple,
    "pattern": _matching,
}


def noun_of(type_: Type) -> str:
    """What a value of a type is called."""
    if type_.word in ("fields", "map"):
        return "a map"
    if type_.word == "bytes":
        return "a text in base64"
    return "a list" if type_.word == "list" else noun(type_.word)


def is_unquoted(text: str, type_: Type) -> bool:
    """Whether a text would be a value of a type without its quotes."""
    if type_.word == "bool":
        return text in ("true", "false")
    return type_.word in ("int32", "int64", "double") and _NUMBER.fullmatch(text) is not None


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
