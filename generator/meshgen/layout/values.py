"""JSON values as patches see them: when two are the same, how long they are to read, copies that share nothing."""

from __future__ import annotations

from typing import Any


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal as JSON: `1` equals `1.0`, `True` does not equal `1`, keys have no order."""
    if left is right:
        return True
    if isinstance(left, dict):
        if not isinstance(right, dict) or len(left) != len(right):
            return False
        for key, value in left.items():
            # Scalars of one type are most of every object: this line saves their call.
            other = right.get(key, _ABSENT)
            if value is not other and (other is _ABSENT or not same(value, other)):
                return False
        return True
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(same(one, other) for one, other in zip(left, right, strict=True))
        )
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


_ABSENT = object()


def sort_of(value: Any) -> str:
    """Give the JSON type's name: `null`, `boolean`, `number`, `string`, `list` or `map`."""
    if value is None:
        return "null"
    # A bool is an int to Python, so it is asked for first.
    for name, types in _SORTS:
        if isinstance(value, types):
            return name
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_SORTS: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("boolean", bool),
    ("string", str),
    ("number", (int, float)),
    ("map", dict),
    ("list", list),
)


def lines(value: Any) -> int:
    """Count the lines that a value takes as block-style YAML, with texts of several lines as literal blocks."""
    if isinstance(value, dict):
        return sum(lines(item) + _header(item) for item in value.values()) or 1
    if isinstance(value, list):
        return sum(lines(item) for item in value) or 1
    if isinstance(value, str) and "\n" in value:
        return 1 + value.rstrip("\n").count("\n") + 1
    return 1


def _header(value: Any) -> int:
    """Count the line of a key that has its value below it."""
    return 1 if isinstance(value, dict | list) and value else 0


def copy(value: Any) -> Any:
    """Copy a JSON value deeply; faster than `copy.deepcopy`, which looks for cycles."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(item) for item in value]
    return value
