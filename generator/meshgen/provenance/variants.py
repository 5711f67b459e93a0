"""Other values that a setting could have: what a trace puts in its place to see what depends on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.catalog import UnknownMinor, Version, minors, release
from meshgen.config.schema import field
from meshgen.layout.values import same
from meshgen.provenance.edits import Tree
from meshgen.provenance.field import Path

# More would cost more than they tell: a setting of five other values that changes nothing decides nothing here.
MOST = 6
_NUMBER = re.compile(r"[0-9]+")


def variants(path: Path, value: Any, tree: Tree) -> list[Any]:
    """Values of the setting's own type, the most telling first; whether they are valid is the schema's to say."""
    found: list[Any] = []
    for variant in _all(path, value, tree):
        if not any(same(variant, known) for known in (value, *found)):
            found.append(variant)
    return found[:MOST]


def _all(path: Path, value: Any, tree: Tree) -> Iterator[Any]:
    if path == ("cloud",):
        yield from ("azure", "aws", "gcp", "generic")
    elif path == ("istio", "version"):
        yield from _versions(value)
    elif path == ("istio", "profile"):
        yield from _profiles(tree)
    elif value is None or value in ({}, []):
        # What is Istio's own has no schema here; elsewhere the schema refuses it.
        yield "x" if value is None else {"x": "x"} if value == {} else ["x"]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from _texts(path, value)


def _versions(value: str) -> Iterator[str]:
    """Another patch first, then the minors around: what differs between them is a fact of Istio's."""
    minor = Version.parse(value).minor
    yield _moved(value, last=True)
    known = minors()
    index = known.index(minor) if minor in known else len(known)
    for near in (index + 1, index - 1, index + 3, index - 3):
        if 0 <= near < len(known):
            yield f"{known[near]}.{release(known[near]).latest_patch.rpartition('.')[2]}"


def _profiles(tree: Tree) -> Iterator[str]:
    try:
        yield from release(Version.parse(tree["istio"]["version"]).minor).profiles
    except UnknownMinor:
        return


def _texts(path: Path, value: str) -> Iterator[str]:
    node = schema_of(path)
    yield from (one for one in node.get("enum", ()) if isinstance(one, str))
    if "enum" not in node:
        yield from (f"{value}x", _moved(value, last=True), _moved(value, last=False))
        yield from (one for one in node.get("examples", ()) if isinstance(one, str))


def _moved(text: str, *, last: bool) -> str:
    """A text with its last or first number one higher: an address, a size or a version stays what it is."""
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return text
    number = numbers[-1 if last else 0]
    return f"{text[: number.start()]}{int(number[0]) + 1}{text[number.end() :]}"


def schema_of(path: Path) -> dict[str, Any]:
    """What the schema says of a setting; nothing where it leaves it to Istio."""
    # A name with dots is any word to the schema, which parts keys at them.
    return field(".".join(str(part).replace(".", "_") or "_" for part in path)) or {}
