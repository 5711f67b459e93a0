"""Objects to ask a server about: real ones with something changed, and ones made up by what their kind allows."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from meshgen.catalog.kinds import Type

Object = dict[str, Any]
Path = tuple[Any, ...]
HEAD = ("apiVersion", "kind", "metadata")
_VALUES: tuple[Any, ...] = (
    True,
    7,
    7.5,
    -1,
    "text",
    "12",
    "",
    None,
    {},
    [],
    {"a": "b"},
    {"a": None},
    ["x"],
    [None],
    2**31,
    2**63,
)
_TEXTS = ("x", "a.b", "10s", "5m", "example.com", "*", "https://example.com/x", "", "1Gi", "2020-01-01", "None", "main")
_OF_WORD: dict[str, tuple[Any, ...]] = {
    "bool": (True, False),
    "bytes": ("eA==",),
    "double": (0, 1.5, 50),
    "int32": (0, 1, 80, 443, -1, 65535, 70000, 2**31),
    "int64": (0, 1, 80, 443, -1, 65535, 70000, 2**31),
    "int-or-string": (1, "x", "50%"),
    "object": ({"k": 1}, {}),
    "any": (1, "x", {}, []),
    "quantity": ("1Gi", 1, "500m"),
    "string": _TEXTS,
    "timestamp": ("2020-01-01T00:00:00Z",),
}


def mutant(obj: Object, random: Random) -> tuple[str, Object]:
    """(what was done, a copy of an object) with one thing renamed, taken out, added, or of another value."""
    made = copy.deepcopy(obj)
    places = [(holder, key, way) for holder, key, way in _places(made, ()) if way not in (("metadata",), *_NAMES)]
    holder, key, way = random.choice(places)
    action = random.choice(("rename", "drop", "add", "change", "change"))
    if action == "rename" and isinstance(holder, dict):
        holder[f"{key[:-1]}x"] = holder.pop(key)
    elif action == "drop":
        del holder[key]
    elif action == "add" and isinstance(holder, dict):
        holder["bogusField"] = random.choice(_VALUES)
    else:
        holder[key] = random.choice(_VALUES)
    return f"{action} {'.'.join(str(part) for part in way)}", made


_NAMES = (("apiVersion",), ("kind",), ("metadata", "name"))


def _places(value: Any, way: Path) -> Iterator[tuple[Any, Any, Path]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key, (*way, key)
        yield from _places(value[key], (*way, key))


def made_up(made: Type, random: Random, depth: int = 0) -> Any:
    """A value of a type, mostly as it has to be."""
    if random.random() < 0.03:
        return random.choice(_VALUES)
    if "enum" in made.limits:
        return random.choice(made.limits["enum"])
    if made.word == "fields":
        return _map_of(made, random, depth) if depth < 9 else {}
    if made.item is not None:
        items = [made_up(made.item, random, depth + 1) for _ in range(random.choice((0, 1, 1, 2)))]
        return items if made.word == "list" else dict(zip("ab", items, strict=False))
    return random.choice(_OF_WORD[made.word])


def _map_of(made: Type, random: Random, depth: int) -> Object:
    names = made.fields.names()
    chance = min(0.6, (3 if depth < 4 else 1) / max(1, len(names)))
    kept = {*made.required, *(name for name in names if random.random() < chance)}
    if kept and random.random() < 0.05:
        kept.discard(random.choice(sorted(kept)))
    value = {name: made_up(one, random, depth + 1) for name in sorted(kept) if (one := made.fields[name])}
    return value | ({"bogusField": 1} if random.random() < 0.02 else {})


def least(made: Type, depth: int = 0) -> Any:
    """The smallest value of a type."""
    if "enum" in made.limits:
        return made.limits["enum"][0]
    if made.word == "fields":
        required = {name: made.fields[name] for name in made.required}
        return {name: least(one, depth + 1) for name, one in required.items() if one} if depth < 6 else {}
    if made.item is not None:
        one = least(made.item, depth + 1)
        return [one] if made.word == "list" else {"a": one}
    return next(value for value in _OF_WORD[made.word] if value != 0)


def with_at(made: Type, path: Path, leaf: Any) -> Any:
    """The smallest value of a type that has `leaf` at a path."""
    if not path:
        return leaf
    key, *rest = path
    if made.item is not None:
        inner = with_at(made.item, tuple(rest), leaf)
        return [inner] if made.word == "list" else {key: inner}
    field = made.fields[key]
    assert field is not None
    return {**least(made), key: with_at(field, tuple(rest), leaf)}


def reached(made: Type, seen: set[int]) -> Iterator[tuple[Path, Type]]:
    """(path, type) of every type inside of one that was not seen yet, the nearest first."""
    waiting: list[tuple[Path, Type]] = [((), made)]
    for path, one in waiting:
        if id(one) in seen or len(path) > 12:
            continue
        seen.add(id(one))
        yield path, one
        if one.item is not None:
            waiting.append(((*path, 0 if one.word == "list" else "a"), one.item))
        elif one.word == "fields":
            names = [name for name in one.fields.names() if path or name not in (*HEAD, "status")]
            waiting += [((*path, name), field) for name in names if (field := one.fields[name])]
