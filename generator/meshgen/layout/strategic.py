"""Strategic merge patches as kustomize applies them: which lists it merges by key, and what such a patch can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.layout.keyed import Keyed, Shape, shape_of
from meshgen.layout.values import lines, same, sort_of


class Unsayable(Exception):
    """No strategic merge says the difference."""


def merge(base: dict[str, Any], effective: dict[str, Any]) -> dict[str, Any]:
    """Compute the patch that makes `base` into `effective`, without the head that names the object.

    Both must be `mergeable`, and of one kind. The patch shares no mutable value with either.
    Raises `Unsayable` where a null is added, changed or removed, a value changes its JSON type, a merged list is
    emptied or holds plain strings, or a new text begins with a tab.
    """
    return _merge_map(base, effective, shape_of(base))


def mergeable(obj: dict[str, Any]) -> bool:
    """Tell whether a strategic merge leaves alone what it does not name.

    It does not where a list that kustomize merges by key names an item twice, patched or not: the Grafana Deployment of
    Istio 1.11.3 names port 3000/TCP twice, and a patch of its annotations alone drops one of them.
    """
    return _is_safe(obj, shape_of(obj))


def _is_safe(value: dict[str, Any], shape: Shape) -> bool:
    for key, child in value.items():
        # An empty key is lost, and `$patch` is a directive even where it was meant as data.
        if not key or key == "$patch":
            return False
        inner = shape.get(key)
        if isinstance(inner, Keyed):
            if child is not None and not (isinstance(child, list) and _is_well_formed(child, inner)):
                return False
        elif isinstance(child, dict):
            if _is_typed(child) or not _is_safe(child, inner or {}):
                return False
        elif isinstance(child, list) and not all(_is_safe(item, {}) for item in _maps(child)):
            return False
    return True


def _maps(items: list[Any]) -> Iterator[dict[str, Any]]:
    """Walk the maps in a list that stands whole, lists within lists included."""
    for item in items:
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            yield from _maps(item)


def _is_typed(value: dict[str, Any]) -> bool:
    """Tell whether kustomize would take an inner map for an object of its own, with that kind's keyed lists.

    It looks for a schema by `apiVersion` and `kind` wherever it has none: an autoscaler's `scaleTargetRef` is a
    Deployment to it, which does no harm, but a Deployment in a custom resource would have its containers merged.
    """
    if "kind" not in value or "apiVersion" not in value:
        return False
    return any(isinstance(value.get(key), dict | list) for key in shape_of(value))


def _is_well_formed(items: list[Any], keyed: Keyed) -> bool:
    if not keyed.keys:
        return all(isinstance(item, str) and item for item in items) and len(set(items)) == len(items)
    first = []
    for item in items:
        if not isinstance(item, dict) or not _is_key(item.get(keyed.keys[0])) or not _is_safe(item, keyed.items):
            return False
        first.append(str(item[keyed.keys[0]]))
    if any(not _is_key(item[key]) for item in items for key in keyed.keys[1:] if key in item):
        return False
    if len(set(first)) == len(first):
        return True
    if len(keyed.keys) == 1 or any(key not in item for item in items for key in keyed.keys):
        return False
    return len({tuple(str(item[key]) for key in keyed.keys) for item in items}) == len(items)


def _is_key(value: Any) -> bool:
    # kustomize compares keys as text, so "80" and 80 are one key; an empty one counts as absent.
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _merge_map(base: dict[str, Any], effective: dict[str, Any], shape: Shape) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key, value in effective.items():
        inner = shape.get(key)
        if key not in base:
            patch[key] = _added(value, inner)
        elif not same(base[key], value):
            patch[key] = _changed(base[key], value, inner)
    for key, value in base.items():
        if key not in effective:
            if value is None:
                raise Unsayable(f"{key}: a null that goes")
            patch[key] = None
    return patch


def _changed(base: Any, effective: Any, shape: Shape | Keyed | None) -> Any:
    sort = sort_of(effective)
    # The base's style and tag stay with the value: a "1" that becomes 2 would be built as "2".
    if sort != sort_of(base) or sort == "null":
        raise Unsayable(f"{sort_of(base)} that becomes {sort}")
    # Where the base is a literal block, so is the new text, and kustomize can't read its own block with a tab in front.
    if sort == "string" and effective.startswith("\t"):
        raise Unsayable("a text that begins with a tab")
    if isinstance(shape, Keyed):
        return _merge_keyed(base, effective, shape)
    if sort == "map":
        return _merge_map(base, effective, shape or {})
    return _added(effective, shape)


def _added(value: Any, shape: Shape | Keyed | None) -> Any:
    """Give a copy of a value that a patch may hold whole: kustomize loses its nulls and its empty keyed lists."""
    if value is None:
        raise Unsayable("a null")
    if isinstance(value, dict):
        fields = shape if isinstance(shape, dict) else {}
        return {key: _added(item, fields.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        if isinstance(shape, Keyed) and not (value and shape.keys):
            raise Unsayable("an empty keyed list or a merged list of strings")
        items = shape.items if isinstance(shape, Keyed) else None
        return [_added(item, items) for item in value]
    return value


def _merge_keyed(base: list[Any], effective: list[Any], keyed: Keyed) -> list[Any]:
    if not effective or not keyed.keys:
        raise Unsayable("a keyed list that is emptied or a merged list of strings")
    if not base:
        return [_added(item, keyed.items) for item in effective]
    # Items are found by both keys, which the base may lack, so only the whole list is safe to say.
    if len(keyed.keys) == 1:
        patch = _merge_items(base, effective, keyed)
        if lines(patch) <= lines(effective):
            return patch
    return [{"$patch": "replace"}, *(_added(item, keyed.items) for item in effective)]


def _merge_items(base: list[Any], effective: list[Any], keyed: Keyed) -> list[Any]:
    """Say a list item by item.

    kustomize puts the patch's items first, in the patch's order, then the base's other items in theirs: so all items up
    to the last one that is new, changed or moved are named.
    """
    key = keyed.keys[0]
    old = {str(item[key]): item for item in base}
    kept = {str(item[key]) for item in effective}
    rest = [name for name in old if name in kept]
    named = list(effective)
    while named and rest and rest[-1] == str(named[-1][key]) and same(old[rest[-1]], named[-1]):
        rest.pop()
        named.pop()
    patch = []
    for item in named:
        before = old.get(str(item[key]))
        if before is None:
            patch.append(_added(item, keyed.items))
        else:
            patch.append({key: item[key]} | _merge_map(before, item, keyed.items))
    patch += [{key: item[key], "$patch": "delete"} for name, item in old.items() if name not in kept]
    return patch
