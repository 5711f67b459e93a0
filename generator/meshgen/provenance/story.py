"""An answer as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshgen.config.problems import shown
from meshgen.provenance.answer import Answer, Setting, tidied
from meshgen.provenance.builtin import BuiltIn
from meshgen.provenance.layers import Statement
from meshgen.provenance.secrecy import HIDDEN
from meshgen.yaml import NOWHERE

_ROLES = {
    "sets": "sets it",
    "is part of": "is part of it",
    "decides": "decides it",
    "takes away": "was taken away",
    "brings": "brings the object",
}


def lines(answers: Sequence[Answer], clusters: int) -> Iterator[str]:
    """The answers, a paragraph each; `clusters` is how many were asked for."""
    first = answers[0]
    yield f"{first.object} {first.field}"
    for one in answers:
        yield ""
        yield from _paragraph(one, clusters)


def _paragraph(one: Answer, clusters: int) -> Iterator[str]:
    yield f"{_named(one.clusters, clusters)}: {_value(one)}"
    for file in dict.fromkeys(_file(one, cluster, file) for cluster, files in one.files.items() for file in files):
        yield f"  {'in' if one.value is not NOWHERE else 'taken away in'} {file}"
    if one.built_in is not None:
        yield f"  {_built_in(one.built_in)}"
    for setting in one.settings:
        yield from _setting(setting, len(one.clusters))
    if one.is_complete and not any(
        setting.role in ("sets", "is part of", "decides", "takes away") for setting in one.settings
    ):
        yield "  no setting changes it"
    if one.unset:
        yield f"  not set, and would change it: {', '.join(one.unset)}"
    if not one.is_complete:
        alone = "" if clusters == 1 else ": ask for one cluster alone"
        yield f"  not all settings were tried{alone}"


def _named(names: Sequence[str], clusters: int) -> str:
    if len(names) == 1:
        return names[0]
    listed = f" ({', '.join(names)})" if len(names) <= 3 else ""
    return f"{len(names)} of {clusters} clusters{listed}"


def _value(one: Answer) -> str:
    if one.value is NOWHERE:
        return "the field is not there" if one.has_object else "the object is not there"
    return _said(one.value)


def _file(one: Answer, cluster: str, file: str) -> str:
    return file if len(one.clusters) == 1 else tidied(file, cluster)


def _built_in(one: BuiltIn) -> str:
    return f"built in: {_said(one.value)} ({one.source})"


def _setting(setting: Setting, clusters: int) -> Iterator[str]:
    yield f"  {setting.name} {_ROLES[setting.role]}"
    places = [_place(said, clusters) for said in setting.layers]
    width = max((len(place) for place in places), default=0)
    for place, said in zip(places, setting.layers, strict=True):
        yield f"    {place:<{width}}  {_said(said.value)}" + ("  <- wins" if said.wins and len(places) > 1 else "")


def _place(said: Statement, clusters: int) -> str:
    place = ":".join(str(part) for part in (said.file, said.line, said.column) if part is not None)
    return place + (" and the others' own" if said.own and clusters > 1 else "")


def _said(value: Any) -> str:
    if value is NOWHERE:
        return "not there"
    return HIDDEN if value == HIDDEN else shown(value)
