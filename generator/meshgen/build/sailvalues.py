"""What the typed values of the Sail operator's resources can't hold, by the shapes that its CRDs give them.

The API server refuses a field that the CRD does not have, or of another type, and with it the whole resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.catalog.sail import Shape
from meshgen.config.problems import guess

Path = tuple[str | int, ...]
_QUANTITY = re.compile(
    r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))?"
)
# The charts compare it with true, which the string that the operator hands them fails to compare with.
BOOLEAN_ENV = "ENABLE_CLUSTER_TRUST_BUNDLE_API"
# Helm reads larger numbers as floats, and prints them with an exponent.
_PRINTED_WHOLE = 1_000_000


@dataclass(frozen=True)
class Misfit:
    """A part of some values that their CRD refuses: where it is, what is wrong, what to do, and if its key is wrong."""

    path: Path
    message: str
    hint: str
    at_key: bool = False


def misfits(value: Any, shape: Shape, path: Path = ()) -> Iterator[Misfit]:
    """All of a value that does not fit its shape."""
    if shape == "any":
        return
    if value is None:
        yield Misfit(path, "the Sail operator can't take a default away, as null does", "say the value that is meant")
    elif isinstance(shape, list):
        if value not in shape:
            yield Misfit(path, "the Sail operator takes no such value", f"one of {', '.join(shape)}")
    elif isinstance(shape, str) or "minimum" in shape:
        yield from _mistyped(value, shape, path)
    elif "list" in shape:
        yield from _list(value, shape["list"], path)
    elif not isinstance(value, dict):
        yield _wrong(path, "a map")
    elif "map" in shape:
        for key, inner in value.items():
            yield from misfits(inner, shape["map"], (*path, key))
    else:
        yield from _fields(value, shape, path)


def _list(value: Any, shape: Shape, path: Path) -> Iterator[Misfit]:
    if not isinstance(value, list):
        yield _wrong(path, "a list")
        return
    for index, item in enumerate(value):
        yield from misfits(item, shape, (*path, index))


def _fields(value: dict[str, Any], shape: Shape, path: Path) -> Iterator[Misfit]:
    known = shape["fields"]
    for key, inner in value.items():
        if key in known:
            yield from misfits(inner, known[key], (*path, key))
        else:
            # Up to 1.30 ZTunnel has Labels and Annotations, which its chart does not read.
            hint = guess(key, [name for name in known if name[0].islower()]) or "take it out, or say install: helm"
            yield Misfit((*path, key), "the Sail operator has no such field", hint, at_key=True)
    for key in shape.get("required", ()):
        if value.get(key) is None:
            yield Misfit(path, f'the Sail operator needs "{key}" here', "add it")
    together = [key for key in shape.get("one", ()) if value.get(key) is not None]
    if len(together) > 1:
        yield Misfit(path, "the Sail operator takes one of these at most", f"keep one of {', '.join(together)}")


def _mistyped(value: Any, shape: Shape, path: Path) -> Iterator[Misfit]:
    if isinstance(shape, dict):
        if not _whole(value) or value < shape["minimum"]:
            yield _wrong(path, f"a whole number, {shape['minimum']} or more")
        return
    fits, wanted = _WORDS[shape]
    if not fits(value):
        yield _wrong(path, wanted)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _quantity(value: Any) -> bool:
    return _whole(value) or (isinstance(value, str) and _QUANTITY.fullmatch(value) is not None)


_WORDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "boolean": (lambda value: isinstance(value, bool), "true or false, without quotes"),
    "bytes": (_string, "a string in quotes"),
    "int-or-string": (lambda value: _whole(value) or _string(value), "a whole number, or a string in quotes"),
    "integer": (_whole, "a whole number, without quotes"),
    "number": (_number, "a number, without quotes"),
    "quantity": (_quantity, 'a whole number, or a quantity in quotes such as "500m"'),
    "string": (_string, "a string in quotes"),
}


def _wrong(path: Path, wanted: str) -> Misfit:
    return Misfit(path, f"the Sail operator takes {wanted}", f"write {wanted}")


def env_as_text(values: Any) -> Any:
    """Values with their `env` as strings, which the charts' templates make of it anyway; all but `BOOLEAN_ENV`."""
    if not isinstance(values, dict) or not isinstance(values.get("env"), dict):
        return values
    return {**values, "env": {key: _text(value) for key, value in values["env"].items() if key != BOOLEAN_ENV}}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) and abs(value) < _PRINTED_WHOLE else value
