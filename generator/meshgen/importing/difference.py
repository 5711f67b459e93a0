"""What an import changes: each field in which an object that was read differs from the one that is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from meshgen.config.problems import dotted
from meshgen.credentials import HIDDEN_IN_IMPORT, awaiting
from meshgen.redaction import holds_secret

_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One field of an object: what was read, what is rendered, and why they differ.

    Values are given as text for people; a map, a list, and what may be a secret by their type alone.
    """

    object: str
    path: str
    read: str
    rendered: str
    why: str = ""

    def to_json(self) -> dict[str, str]:
        """Give the object that `-o json` prints."""
        return asdict(self)


def differences(
    name: str, read: Any, rendered: Any, path: tuple[str | int, ...] = (), *, secret: bool = False
) -> Iterator[Difference]:
    """Every field in which two objects differ, as deep as both are maps, or lists of one length.

    `secret` says that what is beside the values names them a credential: a variable's name, an option.
    """
    if isinstance(read, dict) and isinstance(rendered, dict):
        named = _is_named(read) or _is_named(rendered)
        for key in dict.fromkeys((*read, *rendered)):
            secret_here = secret or (named and key == "value")
            yield from differences(
                name, read.get(key, _ABSENT), rendered.get(key, _ABSENT), (*path, key), secret=secret_here
            )
    elif isinstance(read, list) and isinstance(rendered, list) and len(read) == len(rendered):
        for index, (one, other) in enumerate(zip(read, rendered, strict=True)):
            after = index > 0 and any(
                HIDDEN_IN_IMPORT.search(awaiting(some[index - 1]) or "") for some in (read, rendered)
            )
            yield from differences(name, one, other, (*path, index), secret=secret or after)
    elif type(read) is not type(rendered) or read != rendered:
        secret = secret or _may_be_secret(path, read, rendered)
        yield Difference(name, dotted(path), _said(read, secret=secret), _said(rendered, secret=secret))


def _may_be_secret(path: tuple[str | int, ...], *values: Any) -> bool:
    if any(isinstance(key, str) and HIDDEN_IN_IMPORT.search(key) for key in path):
        return True
    return any(isinstance(value, str) and holds_secret(value) for value in values)


def _is_named(item: dict[str, Any]) -> bool:
    return HIDDEN_IN_IMPORT.search(str(item.get("name", ""))) is not None


def _said(value: Any, *, secret: bool) -> str:
    if value is _ABSENT:
        return "absent"
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if secret:
        return "a value that is not shown"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
