"""Helm values: maps laid over maps, and paths into them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Values = dict[str, Any]


def merged(base: Values, changes: Values) -> Values:
    """Lay values over values as Helm and istioctl do: maps by key, everything else replaced, null stays null."""
    result = dict(base)
    for key, change in changes.items():
        below = result.get(key)
        result[key] = merged(below, change) if isinstance(change, dict) and isinstance(below, dict) else change
    return result


def nested(path: Sequence[str], value: Any) -> Values:
    """A value below a path of keys, one at least."""
    below: Values = {path[-1]: value}
    for key in reversed(path[:-1]):
        below = {key: below}
    return below


def value_at(values: Any, path: Iterable[str]) -> Any:
    """What stands at a path of keys; None where nothing does."""
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values
