"""JSON 6902 patches as kustomize applies them: for the differences that a strategic merge can't say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.layout.identity import Identity
from meshgen.layout.values import copy, lines, same
from meshgen.yaml import pointer

Operation = dict[str, Any]
Path = tuple[str | int, ...]

# kustomize reads numbers into float64 on the way, which hold every integer up to here.
_EXACT = 2**53


def operations(base: dict[str, Any], effective: dict[str, Any]) -> list[Operation]:
    """Give the operations that make `base` into `effective`; they share no mutable value with either.

    A list is entered by index only where its length stays, and then a `test` on the item comes first, so that a base
    whose items moved fails the build instead of being patched at the wrong place.
    """
    return list(_map(base, effective, ()))


def target(who: Identity) -> dict[str, str]:
    """Select one object in a kustomization's `patches`: the values are regular expressions that kustomize anchors."""
    selector = {
        # An empty pattern would match every group.
        "group": _escape(who.group) or "^$",
        "version": _escape(who.version),
        "kind": _escape(who.kind),
        "name": _escape(who.name),
    }
    if not who.cluster_scoped:
        selector["namespace"] = _escape(who.namespace or "default")
    return selector


def obstacle(base: dict[str, Any], effective: dict[str, Any], who: Identity) -> str | None:
    """Say why kustomize would not carry the object through a JSON patch, or None if it does."""
    if any("," in text for text in (who.name, who.namespace, who.kind)):
        # It keeps the former name, namespace and kind in annotations, parted by commas, and panics.
        return "its kind, name or namespace has a comma"
    if who.kind == "ServiceAccount" and not who.group:
        # With its former name known, it counts as the referent of every binding's subject of that name: a Group's
        # subject without a namespace gets the account's.
        return "a JSON patch of a ServiceAccount changes bindings that name it"
    scalars = [*_scalars(base), *_scalars(effective)]
    if any(isinstance(value, int) and abs(value) > _EXACT for value in scalars):
        return "it holds an integer beyond 2^53"
    if any(isinstance(value, str) and value.startswith("\t") and "\n" in value for value in scalars):
        # It writes the whole object anew, this text as a literal block, which it then can't read.
        return "it holds a text of several lines that begins with a tab"
    return None


def _scalars(value: Any) -> Iterator[Any]:
    """Walk all keys and all values that are neither map nor list."""
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    else:
        yield value


def _escape(text: str) -> str:
    """Escape what has a meaning in Go's regular expressions, and nothing else: names should stay readable."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def _map(base: dict[str, Any], effective: dict[str, Any], path: Path) -> Iterator[Operation]:
    for key, value in effective.items():
        if key not in base:
            yield _operation("add", (*path, key), value)
        else:
            yield from _value(base[key], value, (*path, key))
    for key in base:
        if key not in effective:
            yield {"op": "remove", "path": pointer((*path, key))}


def _value(base: Any, effective: Any, path: Path) -> Iterator[Operation]:
    if same(base, effective):
        return
    if isinstance(base, dict) and isinstance(effective, dict):
        yield from _map(base, effective, path)
    elif isinstance(base, list) and isinstance(effective, list):
        yield from _list(base, effective, path)
    else:
        yield _operation("replace", path, effective)


def _list(base: list[Any], effective: list[Any], path: Path) -> Iterator[Operation]:
    whole = _operation("replace", path, effective)
    if len(base) == len(effective):
        by_index = list(_items(base, effective, path))
        yield from by_index if lines(by_index) < lines(whole) else [whole]
    elif base and same(base, effective[: len(base)]):
        for item in effective[len(base) :]:
            yield _operation("add", (*path, "-"), item)
    else:
        yield whole


def _items(base: list[Any], effective: list[Any], path: Path) -> Iterator[Operation]:
    for index, (before, after) in enumerate(zip(base, effective, strict=True)):
        if not same(before, after):
            yield from _guard(before, (*path, index))
            yield from _value(before, after, (*path, index))


def _guard(item: Any, path: Path) -> Iterator[Operation]:
    """Test that the item is still the one meant: by its name or port, a plain string or number by itself."""
    if isinstance(item, dict):
        for key in ("name", "port"):
            if isinstance(item.get(key), str | int):
                yield _operation("test", (*path, key), item[key])
                return
    elif isinstance(item, str | int):
        yield _operation("test", path, item)


def _operation(op: str, path: Path, value: Any) -> Operation:
    return {"op": op, "path": pointer(path), "value": copy(value)}
