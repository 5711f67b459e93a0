"""Which item of a list became which: by the key that Kubernetes or Istio merges by, else by its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

# What tells items apart where no schema says: containers, gateways, env and HTTP routes by name, ports by what they
# listen on, mounts and Kustomize-like patches by their path. Istio's servers are named by their port.
_KEYS = (
    ("name",),
    ("port", "protocol"),
    ("containerPort", "protocol"),
    ("mountPath",),
    ("path",),
    ("key",),
    ("port.name",),
    ("port.number", "port.protocol"),
    ("type",),
    ("uid",),
)
_DEFAULTS = {"protocol": "TCP"}


def key_of(old: list[Any], new: list[Any], known: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """The keys by which the items of both lists are told apart; None where nothing does."""
    for keys in (known, *_KEYS) if known else _KEYS:
        if _tells_apart(old, keys) and _tells_apart(new, keys):
            return keys
    return None


def _tells_apart(items: list[Any], keys: tuple[str, ...]) -> bool:
    labels = [label(item, keys) for item in items]
    return None not in labels and len(set(labels)) == len(labels)


def label(item: Any, keys: tuple[str, ...]) -> str | None:
    """What an item is called by these keys, such as `port=80,protocol=TCP`; None where the first is not there."""
    values = [(key, _at(item, key)) for key in keys]
    if not values or not _is_name(values[0][1]):
        return None
    return ",".join(f"{key}={value}" for key, value in values if _is_name(value))


def _is_name(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _at(item: Any, key: str) -> Any:
    for part in key.split("."):
        item = item.get(part, _DEFAULTS.get(part)) if isinstance(item, dict) else None
    return item


def ordered(items: list[Any]) -> list[str]:
    """The items in an order of their own, to tell whether two lists hold the same."""
    return sorted(map(_text, items))


def aligned(old: list[Any], new: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of places that hold the same item, changed perhaps; None where an item came or went."""
    matcher = SequenceMatcher(None, [*map(_text, old)], [*map(_text, new)], autojunk=False)
    for _, first, last, start, end in matcher.get_opcodes():
        shared = min(last - first, end - start)
        yield from ((first + index, start + index) for index in range(shared))
        yield from ((index, None) for index in range(first + shared, last))
        yield from ((None, index) for index in range(start + shared, end))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
