"""Finds the settings that a field depends on, by changing them and looking: no table says what becomes of a setting."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from meshgen.layout.values import same
from meshgen.provenance.additions import additions
from meshgen.provenance.edits import Edit, at_path, branches, leaves
from meshgen.provenance.field import Path
from meshgen.provenance.probe import MESH, Probe, Refusal, Seen
from meshgen.provenance.role import ORDER, Role, role_of
from meshgen.provenance.search import Hit, search
from meshgen.provenance.variants import MOST, variants
from meshgen.yaml import NOWHERE


@dataclass(frozen=True)
class Influence:
    """A setting that a field depends on."""

    path: Path
    role: Role


@dataclass(frozen=True)
class Trace:
    """What a field depends on: settings that are there, and keys that are not set and would change it.

    `own` is what the field is without any of those settings; None where no valid config says so. `restored` is what it
    is with what a null took away; None where no null matters.
    """

    influences: tuple[Influence, ...]
    unset: tuple[Path, ...]
    own: Seen | None
    restored: Seen | None


def trace(probe: Probe, taken: Iterable[Edit], among: Collection[Path] | None = None) -> Trace:
    """Find what the field depends on. `taken` gives back what nulls of the layers took away.

    With `among` no other settings are asked for than these, where another cluster was asked for all.
    """
    values = _values(probe, among)
    removed = _removed(probe, {hit.edit.path for hit in values}, among)
    given_back = [hit for hit in search(probe, taken) if hit.seen.object is not None]
    influences = _influences(probe, [*values, *removed])
    influences += [Influence(hit.edit.path, "takes away") for hit in given_back]
    found = [one.path for one in influences]
    return Trace(
        influences=tuple(sorted(influences, key=lambda one: ORDER.index(one.role))),
        unset=tuple(additions(probe, found, among)),
        own=_own(probe, influences, removed),
        restored=given_back[0].seen if given_back else None,
    )


def _values(probe: Probe, among: Collection[Path] | None) -> list[Hit]:
    """Settings of which another value changes the field."""
    waiting = {path: _valid(probe, path, value) for path, value in leaves(probe.tree) if _meant(path, among)}
    found: list[Hit] = []
    for turn in range(MOST):
        edits = [Edit(path, values[turn]) for path, values in waiting.items() if turn < len(values)]
        hits = [hit for hit in search(probe, edits) if _role(probe, hit) is not None]
        found += hits
        for hit in hits:
            del waiting[hit.edit.path]
    return found


def _valid(probe: Probe, path: Path, value: Any) -> list[Any]:
    return [other for other in variants(path, value, probe.tree) if probe.may_be([Edit(path, other)])]


def _removed(probe: Probe, known: set[Path], among: Collection[Path] | None) -> list[Hit]:
    """Settings, and maps and lists of settings, without which the field is another one or its object is gone."""
    paths = [path for path, _ in leaves(probe.tree) if _may_go(path) and _meant(path, among)]
    single = [Edit(path, NOWHERE) for path in paths if path not in known]
    hits = search(probe, single)
    known = known | {hit.edit.path for hit in hits}
    around = [path for path in branches(probe.tree) if _may_go(path) and _meant(path, among)]
    whole = [path for path in around if _says_more(probe, path, known)]
    return [*hits, *search(probe, [Edit(path, NOWHERE) for path in whole])]


def _says_more(probe: Probe, path: Path, known: set[Path]) -> bool:
    """Whether something around a setting may tell what the setting does not.

    An entry such as `addons.kiali` may bring the object, a list is laid over others as a whole, and the field may be a
    map that a setting says as it is.
    """
    is_around = any(one[: len(path)] == path for one in known)
    value = at_path(probe.tree, path)
    return len(path) == 2 or not is_around or isinstance(value, list) or same(value, probe.now.value)


def _meant(path: Path, among: Collection[Path] | None) -> bool:
    """Whether a setting is among those to ask for, stands around one, or in it."""
    return among is None or any(path[: len(one)] == one[: len(path)] for one in among)


def _may_go(path: Path) -> bool:
    """Whether a setting can be left out; an item of a list can't: those behind it would take its place."""
    return len(path) > 1 and path not in (MESH, _VERSION) and isinstance(path[-1], str)


_VERSION: Path = ("istio", "version")


def _influences(probe: Probe, hits: list[Hit]) -> list[Influence]:
    found: dict[Path, Role] = {}
    for hit in hits:
        if (role := _role(probe, hit)) is not None:
            found.setdefault(hit.edit.path, role)
    wholes = {path for path, role in found.items() if role == "sets"}
    kept = {path: role for path, role in found.items() if not _is_within(path, wholes)}
    return [Influence(path, role) for path, role in sorted(kept.items(), key=str) if not _says_less(path, role, kept)]


def _role(probe: Probe, hit: Hit) -> Role | None:
    return role_of(at_path(probe.tree, hit.edit.path), probe.now, hit)


def _is_within(path: Path, wholes: set[Path]) -> bool:
    return any(len(whole) < len(path) and path[: len(whole)] == whole for whole in wholes)


def _says_less(path: Path, role: Role, found: dict[Path, Role]) -> bool:
    """Whether this is a map or list that matters only as a setting within does, which was found too."""
    size = len(path)
    inner = [other for one, other in found.items() if len(one) > size and one[:size] == path]
    return role != "sets" and any((other == "brings") == (role == "brings") for other in inner)


def _own(probe: Probe, influences: list[Influence], removed: list[Hit]) -> Seen | None:
    """What the field is where none of the settings found is set, nor an entry around them."""
    paths = {one.path for one in influences if one.role in ("sets", "is part of", "decides")}
    paths |= {hit.edit.path for hit in removed if len(hit.edit.path) == 2 and hit.seen.object is not None}
    edits = [Edit(path, NOWHERE) for path in paths if _may_go(path)]
    if not edits:
        if probe.budget.short:
            return None
        told = [one for one in influences if one.role != "brings" and one != Influence(_VERSION, "decides")]
        return None if told else probe.now
    seen = probe.ask(edits)
    return None if isinstance(seen, Refusal) or seen.object is None else seen
