"""Writes a commit's message: what changes where, riskiest first, as `meshgen diff` says it; no value is a secret."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshgen.diff.change import RISKS, Difference, FleetChange, Group
from meshgen.diff.written import field_lines, fleet_text, heading, printable, stage_text
from meshgen.imagemoves import ImageMove

WIDTH = 72
# A message is read in a terminal: what is longer is for `meshgen diff`.
_MOST_CHANGES = 40
_MOST_FIELDS = 6
_VERBS = {"added": "add", "removed": "remove", "changed": "change", "moved": "move"}


def message_of(
    mesh: str,
    difference: Difference | None,
    *,
    given: str | None,
    clusters: Sequence[str],
    moves: Sequence[ImageMove] = (),
) -> str:
    """The whole message: a subject of at most 72 characters, or the user's own text, and what changes below it.

    Without a difference there is nothing to compare with: a first commit, or a config that was refused. `moves` are
    images that change although no object of the config does, or to another tag than that says.
    """
    subject = given.strip("\n") if given else _subject(mesh, difference, clusters, moves)
    body = "\n".join([*_body(difference, clusters, moves), *_images(moves)]).strip("\n")
    return f"{subject}\n\n{body}\n"


def _subject(mesh: str, difference: Difference | None, clusters: Sequence[str], moves: Sequence[ImageMove]) -> str:
    if difference is None:
        return _cut(f"Render {mesh} for {_count(len(clusters), 'cluster')}")
    changes: list[FleetChange | Group] = sorted((*difference.fleet, *difference.groups), key=_risk)
    if not changes and moves:
        end = f" and {len(moves) - 1} more" if len(moves) > 1 else ""
        return f"{_cut(f'{mesh}: {moves[0].title}', WIDTH - len(end))}{end}"
    if not changes:
        return _cut(f"Render {mesh}: no object changes")
    first, more = changes[0], len(changes) - 1
    end = f" and {more} more" if more else ""
    # What is most at risk has the place; how much else there is stays readable.
    head = f"{mesh}: {_deed(first)}"
    return f"{_cut(head, WIDTH - len(end))}{end}"


def _risk(one: FleetChange | Group) -> int:
    return RISKS.index(one.risk if isinstance(one, FleetChange) else one.change.risk)


def _deed(one: FleetChange | Group) -> str:
    if isinstance(one, FleetChange):
        return f"{_VERBS[one.action]} {one.kind} {one.name} ({one.risk})"
    return f"{_VERBS[one.change.action]} {heading(one)} ({one.change.risk})"


def _images(moves: Sequence[ImageMove]) -> Iterator[str]:
    if moves:
        yield from ("", "images that Flux moves:")
        yield from (f"- {move.text} ({move.directory})" for move in moves[:_MOST_CHANGES])
    if len(moves) > _MOST_CHANGES:
        yield f"- … {len(moves) - _MOST_CHANGES} more"


def _body(difference: Difference | None, clusters: Sequence[str], moves: Sequence[ImageMove]) -> Iterator[str]:
    if difference is None:
        few = ", ".join(clusters[:10]) + ", …" * (len(clusters) > 10)
        yield f"{_count(len(clusters), 'cluster')}: {few}"
        return
    if difference.is_empty:
        if not moves:
            yield f"The objects of {_count(difference.total, 'cluster')} stay as they are."
        return
    counts = ", ".join(f"{count} {risk}" for risk, count in difference.risks.items() if count)
    yield f"In {_count(difference.total, 'cluster')}: {counts}"
    room = _MOST_CHANGES
    for risk in RISKS:
        here: list[FleetChange | Group] = [one for one in difference.fleet if one.risk == risk]
        here += [one for one in difference.groups if one.change.risk == risk]
        if here:
            yield from ("", f"{risk}:")
        for one in here[: max(room, 0)]:
            yield from _fleet(one) if isinstance(one, FleetChange) else _group(one)
        if len(here) > room:
            yield f"- … {len(here) - max(room, 0)} more"
        room -= len(here)


def _fleet(one: FleetChange) -> Iterator[str]:
    yield printable(f"- {one.action} {fleet_text(one)}: {one.reason}")


def _group(group: Group) -> Iterator[str]:
    change = group.change
    yield f"- {change.action} {heading(group)} ({stage_text(change)}), {printable(group.where)}"
    yield from (f"  {printable(reason)}" for reason in change.reasons[:3])
    lines = [line for one in change.fields for line in field_lines(one)]
    yield from (f"  {line}" for line in lines[:_MOST_FIELDS])
    if len(lines) > _MOST_FIELDS:
        yield f"  … {len(lines) - _MOST_FIELDS} more"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _cut(text: str, width: int = WIDTH) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
