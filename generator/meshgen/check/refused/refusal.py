"""What an API server refuses of an object by rules of its own, in Go, that no schema has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from meshgen.finding import Severity
from meshgen.policy.reading import Map
from meshgen.values import value_at

Path = tuple[str | int, ...]


class Refusal(NamedTuple):
    """What is wrong at a path of an object, and what would be right; no text holds a value that may be a secret."""

    path: Path
    text: str
    hint: str
    at_key: bool = False
    severity: Severity = "error"


Refusals = Iterator[Refusal]


def strings(holder: Any, *path: str) -> Iterator[tuple[int, str]]:
    """The texts in the list at a path, each with its index."""
    found = value_at(holder, path)
    return ((index, one) for index, one in enumerate(found) if isinstance(one, str)) if isinstance(found, list) else _NO


_NO: Iterator[Any] = iter(())


def whole(holder: Any, *path: str) -> int | None:
    """The whole number at a path; None for everything else, a quoted number too."""
    found = value_at(holder, path)
    is_whole = isinstance(found, int) or (isinstance(found, float) and found.is_integer())
    return int(found) if is_whole and not isinstance(found, bool) else None


def bounded(holder: Map, at: Path, keys: tuple[str, ...], least: int = 0, most: int | None = None) -> Refusals:
    """Whole numbers that are out of bounds."""
    for key in keys:
        number = whole(holder, key)
        if number is None or (number >= least and (most is None or number <= most)):
            continue
        bounds = f"it has to be at least {least}" if most is None else f"it has to be between {least} and {most}"
        yield Refusal((*at, key), f"{number} is out of bounds", bounds)


def given(holder: Map, *keys: str) -> list[str]:
    """Those of the keys that have a value."""
    return [key for key in keys if holder.get(key) is not None]
