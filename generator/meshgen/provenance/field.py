"""A field of an object as messages write it: `spec.ports[0].port`, `spec.containers[name=kiali].image`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from meshgen.errors import InputError
from meshgen.finding import Finding

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Match:
    """The first item of a list that has this value at this key."""

    key: str
    value: str


Step = str | int | Match

_STEP = re.compile(
    r"""\.?(?P<key>[^.\[\]"]+)
    |\.?\[(?P<index>[0-9]{1,9})\]
    |\.?\[(?P<quoted>"(?:[^"\\]|\\.)*")\]
    |\.?\[(?P<by>[A-Za-z0-9_-]+)=(?P<value>[^\]]*)\]""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Missing:
    """How far a field leads into an object: the path that is there, what stands there, and the step that is not."""

    path: Path
    value: Any
    step: Step


def parse(text: str) -> tuple[Step, ...]:
    """Read a field. Raises InputError for a text that is none."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        step = _step(match) if match else None
        if match is None or step is None:
            raise InputError([_unreadable(text, position)])
        steps.append(step)
        position = match.end()
    if not steps:
        raise InputError([_unreadable(text, 0)])
    return tuple(steps)


def _step(match: re.Match[str]) -> Step | None:
    if match["key"] is not None:
        return match["key"]
    if match["index"] is not None:
        return int(match["index"])
    if match["by"] is not None:
        return Match(match["by"], match["value"].strip("\"'"))
    try:
        return str(json.loads(match["quoted"]))
    except ValueError:
        return None


def _unreadable(text: str, position: int) -> Finding:
    message = f"this is not a field, from character {position + 1} on: {text[:60]}"
    hint = 'write it as messages do: spec.ports[0].port, containers[name=kiali].image or metadata.annotations["a.b/c"]'
    return Finding("MG701", "error", message, hint=hint)


def find(value: Any, steps: tuple[Step, ...]) -> Path | Missing:
    """The path that a field means in a value, with each item of a list by its index.

    Messages write a key with dots without quotes, so `data.config.yaml` finds `config.yaml` where there is no `config`.
    """
    path: Path = ()
    while steps:
        taken, part = _enter(value, steps)
        if part is None:
            return Missing(path, value, steps[0])
        value, path, steps = value[part], (*path, part), steps[taken:]
    return path


def _enter(value: Any, steps: tuple[Step, ...]) -> tuple[int, str | int | None]:
    """How many steps lead one level down, and where to; none where nothing is there."""
    step = steps[0]
    if isinstance(value, dict) and isinstance(step, str):
        return _key(value, steps)
    if isinstance(value, list) and isinstance(step, int):
        return 1, step if step < len(value) else None
    if isinstance(value, list) and isinstance(step, Match):
        matching = (index for index, item in enumerate(value) if _matches(item, step))
        return 1, next(matching, None)
    return 1, None


def _key(value: dict[str, Any], steps: tuple[Step, ...]) -> tuple[int, str | None]:
    words: list[str] = []
    for step in steps:
        if not isinstance(step, str):
            break
        words.append(step)
        if (key := ".".join(words)) in value:
            return len(words), key
    return 1, None


def _matches(item: Any, match: Match) -> bool:
    found = item.get(match.key) if isinstance(item, dict) else None
    return found is not None and str(found) == match.value


def written(parts: Iterable[Step]) -> str:
    """A field as it can be said again: every key that is no plain word stands in quotes."""
    text = ""
    for part in parts:
        if isinstance(part, str) and _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        elif isinstance(part, Match):
            text += f"[{part.key}={part.value}]"
        else:
            text += f"[{part if isinstance(part, int) else json.dumps(part, ensure_ascii=False)}]"
    return text
