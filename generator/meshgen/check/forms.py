"""How plain values must be written for Istio's readers of JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple


class Dialect(Enum):
    """A reader: of Protocol Buffers, Go's own, Kubernetes' YAML, or meshgen's, the strictest of all."""

    PROTO = "proto"
    GO = "go"
    YAML = "yaml"
    OWN = "own"


PROTO, GO_JSON, YAML, OWN = Dialect
_BITS = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32), "int64": (-(2**63), 2**63), "uint64": (0, 2**64)}
_NOUNS = {
    "string": "a text",
    "bytes": "a text",
    "timestamp": "a time such as 2006-01-02T15:04:05Z",
    "bool": "true or false",
    "double": "a number",
    "object": "a map",
    "int-or-string": "a whole number or a text",
    "quantity": "a quantity such as 500m or 1Gi",
    "duration": "a duration such as 10s",
    **dict.fromkeys(_BITS, "a whole number"),
}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|-?Infinity", re.ASCII)
# What Go's time.ParseDuration reads.
_DURATION = re.compile(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)", re.ASCII)
_QUANTITY = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?", re.ASCII)


class Problem(NamedTuple):
    """Why a value can't be read, and the next move."""

    rule: str
    text: str
    hint: str


def noun(kind: str) -> str:
    """What a value of a type is called."""
    if kind[0] == "@" or kind[:2] == "{}":
        return "a map"
    return "a list" if kind[:2] == "[]" else _NOUNS.get(kind, "a value")


def reads(value: Any, kind: str, dialect: Dialect) -> Problem | None:
    """Why a reader refuses a value of a type that is no message, list or enum; None where it takes it."""
    if kind == "any" or _READERS[kind](value, dialect):
        return None
    written = noun(kind)
    if kind in ("duration", "quantity", "timestamp") and isinstance(value, str):
        return Problem("MG101", f"the value is not {written}", f"write {written}")
    if kind == "string" and isinstance(value, bool | int | float):
        return Problem("MG103", f"the value is not {written}", "quote it")
    return Problem("MG103", f"the value is not {written}", f"write {written}")


def _bool(value: Any, dialect: Dialect) -> bool:
    return isinstance(value, bool)


def _string(value: Any, dialect: Dialect) -> bool:
    return isinstance(value, str) or (dialect is YAML and isinstance(value, bool | int | float))


def _object(value: Any, dialect: Dialect) -> bool:
    return isinstance(value, dict)


def _double(value: Any, dialect: Dialect) -> bool:
    if isinstance(value, str):
        return dialect is PROTO and _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(kind: str) -> Callable[[Any, Dialect], bool]:
    lowest, end = _BITS[kind]

    def fits(value: Any, dialect: Dialect) -> bool:
        if isinstance(value, str) and dialect is PROTO and _WHOLE.fullmatch(value):
            return lowest <= int(value[:30]) < end
        # YAML and JSON have no other number than 5.0 for 5.
        if isinstance(value, float) and dialect is not OWN and value.is_integer():
            return lowest <= value < end
        return isinstance(value, int) and not isinstance(value, bool) and lowest <= value < end

    return fits


def _int_or_string(value: Any, dialect: Dialect) -> bool:
    return isinstance(value, str) or _READERS["int32"](value, GO_JSON)


def _time(value: Any, dialect: Dialect) -> bool:
    # To Protocol Buffers Kubernetes' times and quantities are messages, of which nobody knows what they take.
    return dialect is PROTO or (isinstance(value, str) and _TIME.fullmatch(value) is not None)


def _quantity(value: Any, dialect: Dialect) -> bool:
    if dialect is PROTO:
        return True
    if isinstance(value, str):
        return _QUANTITY.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _duration(value: Any, dialect: Dialect) -> bool:
    return isinstance(value, str) and _DURATION.fullmatch(value) is not None


_READERS: dict[str, Callable[[Any, Dialect], bool]] = {
    "bool": _bool,
    "string": _string,
    "bytes": _string,
    "timestamp": _time,
    "object": _object,
    "double": _double,
    "int-or-string": _int_or_string,
    "quantity": _quantity,
    "duration": _duration,
    **{kind: _whole(kind) for kind in _BITS},
}
