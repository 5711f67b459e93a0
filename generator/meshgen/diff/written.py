"""Values and changes as lines that people read: no control character, nothing longer than a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from meshgen.diff.change import Change, FieldChange, FleetChange, Group
from meshgen.diff.objects import Key, own

_LONGEST = 100
_PLAIN = re.compile(r"[\w./:@%+,()*\[\]=-]+( [\w./:@%+,()*\[\]=-]+)*")
SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": "~", "order": "~"}


def value_text(value: Any) -> str:
    """A value in one line: as JSON, a plain word without quotes; cut where it is long."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.isprintable():
        return _cut(value)
    return _cut(printable(json.dumps(value, ensure_ascii=False)))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def printable(text: str) -> str:
    """The text with what a terminal would act on, or show in another order, as escapes."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def object_text(key: Key, cluster: str | None = None) -> str:
    """An object as `Kind namespace/name`; with a cluster, as that cluster names it."""
    name = f"{key.namespace}/{key.name}" if key.namespace else key.name
    return printable(f"{key.kind} {own(name, cluster) if cluster and key.space else name}")


def heading(group: Group) -> str:
    """The object of a group."""
    return object_text(group.change.key, group.clusters[0] if len(group.clusters) == 1 else None)


def stage_text(change: Change) -> str:
    """The stage of a change, both where it moves."""
    if change.action == "moved":
        return f"{change.old_stage} -> {change.new_stage}"
    return change.stage or "istioctl's input"


def fleet_text(one: FleetChange) -> str:
    """An environment or a cluster that came or went, with its clusters where it has several."""
    inside = ""
    if one.kind == "environment":
        few = ", ".join(one.clusters[:3]) + ", …" * (len(one.clusters) > 3)
        inside = f" ({len(one.clusters)} cluster{'s' * (len(one.clusters) != 1)}: {few})"
    return f"{one.kind} {one.name}{inside}"


def field_lines(one: FieldChange) -> Iterator[str]:
    """The lines of a field, each with its sign in front."""
    sign, path = SIGNS[one.action], printable(one.path)
    if one.lines:
        yield f"{sign} {path}:"
        yield from (f"    {printable(line)}" for line in one.lines)
    elif one.action == "order":
        yield f"{sign} {path}: order {value_text(one.old)} -> {value_text(one.new)}"
    elif one.action in ("added", "removed"):
        yield f"{sign} {path}: {value_text(one.new if one.action == 'added' else one.old)}"
    else:
        yield f"{sign} {path}: {_pair(one)}"


def _pair(one: FieldChange) -> str:
    if one.old == one.new == "(checksum)":
        return "follows what it is the checksum of"
    if isinstance(one.old, list) and isinstance(one.new, list):
        return _items(one.old, one.new)
    if one.old == one.new and type(one.old) is type(one.new):
        return f"{value_text(one.old)}, another one"
    return f"{value_text(one.old)} -> {value_text(one.new)}"


def _items(old: list[Any], new: list[Any]) -> str:
    """Two lists whole where both are short, else the items that came and went."""
    whole = f"{value_text(old)} -> {value_text(new)}"
    if "…" not in whole:
        return whole
    gone = [f"- {value_text(item)}" for item in old if item not in new]
    come = [f"+ {value_text(item)}" for item in new if item not in old]
    return ", ".join((gone + come)[:6]) + ", …" * (len(gone + come) > 6) if gone or come else "in another order"
