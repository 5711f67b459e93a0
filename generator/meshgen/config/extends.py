"""Follows `extends` from overlay to overlay."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.config.document import Document
from meshgen.config.problems import guess
from meshgen.finding import Finding

Overlays = dict[str, tuple[Document, ...]]


def extends_problems(overlays: Overlays) -> Iterator[Finding]:
    """`extends` that names no overlay, or leads round in a circle."""
    below = {name: _targets(documents) for name, documents in overlays.items()}
    for name, documents in overlays.items():
        for document in documents:
            target = document.value.get("extends")
            if target is None:
                continue
            if target not in overlays:
                message = f'extends: there is no overlay "{target}"'
                hint = guess(target, [other for other in overlays if other != name])
                hint = hint or f"write overlays/{target}.yaml, or take `extends` out"
                yield document.finding("MG201", message, "/extends", hint=hint)
            elif way := _way(target, name, below):
                message = f"extends: {' → '.join([name, *way])} is a circle"
                yield document.finding("MG201", message, "/extends", hint="take one `extends` out")


def extended(name: str, overlays: Overlays) -> list[str]:
    """An environment and all that it stands on, each once, the lowest first."""
    order: dict[str, None] = {}
    waiting = [(name, iter(_targets(overlays[name])))]
    # A loop rather than a recursion: a chain may be longer than Python's stack.
    while waiting:
        current, targets = waiting[-1]
        following = next((target for target in targets if target not in order), None)
        if following is None:
            order.setdefault(current)
            waiting.pop()
        else:
            waiting.append((following, iter(_targets(overlays[following]))))
    return list(order)


def _targets(documents: tuple[Document, ...]) -> list[str]:
    """What the files of an environment extend, in their order."""
    targets = (document.value.get("extends") for document in documents)
    return list(dict.fromkeys(target for target in targets if target is not None))


def _way(start: str, end: str, below: dict[str, list[str]]) -> list[str] | None:
    """A shortest way from one overlay to another."""
    came_from: dict[str, str | None] = {start: None}
    waiting = [start]
    for current in waiting:
        if current == end:
            way: list[str] = []
            step: str | None = current
            while step is not None:
                way.insert(0, step)
                step = came_from[step]
            return way
        for target in below.get(current, []):
            if target not in came_from:
                came_from[target] = current
                waiting.append(target)
    return None
