"""Finds out of many edits those that change a field: many at once, and halves where that changes something.

So a field that two of sixty settings decide costs some forty rebuilds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshgen.provenance.edits import Edit, path_of
from meshgen.provenance.field import Match, Path
from meshgen.provenance.probe import CLOUD, Probe, Refusal, Seen
from meshgen.yaml import NOWHERE


@dataclass(frozen=True)
class Hit:
    """An edit that changes the field, and what the field is then."""

    edit: Edit
    seen: Seen


def search(probe: Probe, edits: Iterable[Edit]) -> list[Hit]:
    """The edits that change the field, each made alone."""
    possible = _likely_first(probe, [edit for edit in edits if probe.may_be([edit])])
    wide = [hit for edit in possible if edit.path in _WIDE and (hit := _alone(probe, edit)) is not None]
    return [*wide, *_search(probe, [edit for edit in possible if edit.path not in _WIDE])]


# What the meaning of all other settings may depend on, so that together with another one it could change nothing.
_WIDE = (("istio", "version"), ("istio", "profile"), CLOUD)


def _search(probe: Probe, edits: list[Edit]) -> list[Hit]:
    if len(edits) < 2:
        return [hit for edit in edits if (hit := _alone(probe, edit)) is not None]
    seen = probe.ask(edits)
    if probe.budget.short or (isinstance(seen, Seen) and not seen.differs(probe.now)):
        return []
    first, second = _parted(probe, edits, seen)
    return [*_search(probe, first), *_search(probe, second)]


def _parted(probe: Probe, edits: list[Edit], seen: Seen | Refusal) -> tuple[list[Edit], list[Edit]]:
    """Two parts of edits: those that what was refused stands beside and the others, or else halves."""
    refused = {path_of(probe.tree, pointer)[:2] for pointer in seen.pointers} if isinstance(seen, Refusal) else set()
    beside = [edit for edit in edits if edit.path[:2] in refused]
    if 0 < len(beside) < len(edits):
        return beside, [edit for edit in edits if edit not in beside]
    half = len(edits) // 2
    return edits[:half], edits[half:]


def _alone(probe: Probe, edit: Edit) -> Hit | None:
    seen = probe.ask([edit])
    if isinstance(seen, Refusal):
        return _without_obstacles(probe, edit, seen)
    return Hit(edit, seen) if seen.differs(probe.now) else None


def _without_obstacles(probe: Probe, edit: Edit, refusal: Refusal) -> Hit | None:
    """What an edit changes where the settings that it does not go together with are away.

    They say whom they exclude: `sourceRanges` a type other than LoadBalancer, `expose` the end of what it opens. It
    tells of the field only if that is the same without them, and of its object if that is there.
    """
    paths = {path_of(probe.tree, pointer) for pointer in refusal.pointers}
    away = [Edit(path, NOWHERE) for path in sorted(paths, key=str) if len(path) > 1 and not _touch(path, edit.path)]
    before = probe.ask(away) if away else Refusal()
    if isinstance(before, Refusal) or before.object is None:
        return None
    after = probe.ask([*away, edit])
    if isinstance(after, Refusal):
        return None
    is_gone = after.object is None
    return Hit(edit, after) if is_gone or (after.differs(before) and not before.differs(probe.now)) else None


def _touch(one: Path, other: Path) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def _likely_first(probe: Probe, edits: Iterable[Edit]) -> list[Edit]:
    """Those first that share a name with the object or the field: a budget that is spent was spent on them."""
    last = next((step for step in reversed(probe.steps) if not isinstance(step, int)), "")
    words = {probe.target.object["metadata"]["name"], last.key if isinstance(last, Match) else last}
    return sorted(edits, key=lambda edit: not words & {*edit.path})
