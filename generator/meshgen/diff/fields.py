"""The fields in which two objects differ: exactly those, and none where they are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from meshgen.diff.lists import aligned, key_of, label, ordered
from meshgen.layout.keyed import Keyed, Shape, shape_of
from meshgen.layout.values import same

Action = Literal["added", "removed", "changed", "order"]


class Item(str):
    """A step of a path that names an item of a list: `[name=x]`, or `[3]`."""

    __slots__ = ()


class Field(NamedTuple):
    """One field that differs. `order` is a list whose items are the same and stand otherwise: it holds their names."""

    path: tuple[str, ...]
    action: Action
    old: Any
    new: Any


def differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[Field, ...]:
    """Every difference of two objects, in the order in which they are written."""
    return tuple(_map(old, new, shape_of(new) or shape_of(old), ()))


def leaves(fields: tuple[Field, ...]) -> Iterator[Field]:
    """The same differences, with maps and lists of maps that came or went taken apart."""
    for one in fields:
        if one.action == "added":
            yield from (Field(path, "added", None, value) for path, value in _leaves(one.new, one.path))
        elif one.action == "removed":
            yield from (Field(path, "removed", value, None) for path, value in _leaves(one.old, one.path))
        else:
            yield one


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        keys = key_of(value, []) or ()
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, Item(f"[{label(item, keys) or index}]")))
    else:
        yield path, value


def _map(old: dict[str, Any], new: dict[str, Any], shape: Shape, path: tuple[str, ...]) -> Iterator[Field]:
    for key, value in old.items():
        here = (*path, key)
        if key not in new:
            yield Field(here, "removed", value, None)
        elif value is not new[key]:
            yield from _value(value, new[key], shape.get(key), here)
    for key, value in new.items():
        if key not in old:
            yield Field((*path, key), "added", None, value)


def _value(old: Any, new: Any, shape: Shape | Keyed | None, path: tuple[str, ...]) -> Iterator[Field]:
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _map(old, new, shape if isinstance(shape, dict) else {}, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list(old, new, shape if isinstance(shape, Keyed) else None, path)
    else:
        yield Field(path, "changed", old, new)


def _list(old: list[Any], new: list[Any], keyed: Keyed | None, path: tuple[str, ...]) -> Iterator[Field]:
    if not any(isinstance(item, dict | list) for item in (*old, *new)):
        yield Field(path, "order" if ordered(old) == ordered(new) else "changed", old, new)
    elif keys := key_of(old, new, keyed.keys if keyed else ()):
        yield from _by_key(old, new, keys, keyed, path)
    else:
        yield from _by_place(old, new, keyed, path)


def _by_key(
    old: list[Any], new: list[Any], keys: tuple[str, ...], keyed: Keyed | None, path: tuple[str, ...]
) -> Iterator[Field]:
    before = {label(item, keys): item for item in old}
    after = {label(item, keys): item for item in new}
    inner = keyed.items if keyed else {}
    for name, item in before.items():
        here = (*path, Item(f"[{name}]"))
        if name not in after:
            yield Field(here, "removed", item, None)
        else:
            yield from _value(item, after[name], inner, here)
    for name, item in after.items():
        if name not in before:
            yield Field((*path, Item(f"[{name}]")), "added", None, item)
    kept, there = [name for name in before if name in after], [name for name in after if name in before]
    if kept != there:
        yield Field(path, "order", kept, there)


def _by_place(old: list[Any], new: list[Any], keyed: Keyed | None, path: tuple[str, ...]) -> Iterator[Field]:
    for before, after in aligned(old, new):
        if before is None:
            assert after is not None
            yield Field((*path, Item(f"[{after}]")), "added", None, new[after])
        elif after is None:
            yield Field((*path, Item(f"[{before}]")), "removed", old[before], None)
        else:
            yield from _value(old[before], new[after], keyed.items if keyed else None, (*path, Item(f"[{after}]")))
