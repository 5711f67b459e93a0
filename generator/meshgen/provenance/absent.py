"""Says of a field that is not there what is there instead, and what would bring it."""

from __future__ import annotations

from typing import Any

from meshgen.config.problems import guess
from meshgen.finding import Finding
from meshgen.provenance.answer import Answer
from meshgen.provenance.field import Match, Missing, Step, find, written
from meshgen.provenance.target import Target

_MOST = 20


def no_field(target: Target, steps: tuple[Step, ...], answer: Answer) -> Finding:
    """What is wrong with a field that an object does not have; names keys only, never a value."""
    found = find(target.object, steps)
    assert isinstance(found, Missing)
    place = written(found.path) or "the object"
    message = f"{target.name} has no {written(steps)}: {place} {_has(found.value)}"
    hints = [f"{', '.join(answer.unset)} would set it"] if answer.unset else []
    known = _names(found.value)
    near = guess(_word(found.step), known) if known else None
    if near and near.startswith("did you mean"):
        hints.append(near.partition("? One of")[0].rstrip("?") + "?")
    return Finding("MG701", "error", message, hint="; ".join(hints) or None)


def _word(step: Step) -> str:
    return step.value if isinstance(step, Match) else str(step)


def _has(value: Any) -> str:
    names = _names(value)
    if isinstance(value, list):
        return f"is a list of {len(value)}" + (f": {_listed(names)}" if names else "")
    if isinstance(value, dict):
        return f"has {_listed(names)}" if names else "is empty"
    return "is one value"


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [str(key) for key in value]
    items = value if isinstance(value, list) else []
    return [str(item["name"]) for item in items if isinstance(item, dict) and item.get("name") is not None]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
