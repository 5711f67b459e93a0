"""YAML in: JSON's types only, the values that Kubernetes, Flux and Argo CD read, or all problems with their positions.

The first pass is fast and knows positions only of problems; `locate` is the second one, for findings about what was
read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshgen.yaml.problem import Mark, Problem, ReadError, pointer

if TYPE_CHECKING:
    from meshgen.yaml.builder import Document, Entry

_Entries = dict[int, dict[str | int, "Entry"]]


@dataclass(frozen=True)
class Location:
    """Where a value stands, and the key that leads to it; a list's item and a document's root have no key.

    `raw` is the source of a plain or quoted scalar as it was written, None for anything else and for an alias.
    """

    key: Mark | None
    value: Mark
    raw: str | None


def read_documents(data: bytes, *, notes: list[Problem] | None = None) -> list[Any]:
    """Give the value of every document of a stream that is not empty; no two values share a part.

    With `notes`, what readers disagree on is what Kubernetes' readers take it for, as far as that is sure, and is noted
    there: `yes`, a mode such as 0644; a key that is a whole number is its digits. Each is a problem otherwise. Raises
    ReadError with all problems. A syntax error, a passed limit and bytes that are no text end the reading.
    """
    return [document.value for document in _build(data, notes=notes)]


def read_document(data: bytes) -> Any:
    """Give the value of the only document; raises ReadError with all problems, also for none and for a second one."""
    documents = _build(data)
    if not documents:
        raise ReadError([Problem("the file is empty", Mark(1, 1))])
    if len(documents) > 1:
        hint = "move it into a file of its own"
        raise ReadError([Problem("a second document begins here; one is expected", documents[1].start, hint=hint)])
    return documents[0].value


def locate(data: bytes) -> list[dict[str, Location]]:
    """Map, for each document that is not empty, the JSON pointer of every value to its place.

    A second, slower pass over what `read_documents` accepts; raises ReadError where that does. An alias is where it is
    written, what lies within it, or came through a merge key, where the anchor's value stands.
    """
    from meshgen.yaml.events import decode

    text = decode(data)
    entries: _Entries = {}
    located = []
    for document in _build(data, entries, notes=[]):
        places: dict[str, Location] = {}
        _place("", document.root, document.value, _Source(text, entries), places)
        located.append(places)
    return located


def scalar_spans(text: str) -> list[tuple[int, int]]:
    """(begin, end) of every scalar that is written out, in the order of a text that `read_documents` accepts."""
    from ruamel.yaml.events import ScalarEvent

    from meshgen.yaml.events import EarlyStopError, parse

    try:
        events = list(parse(text))
    except EarlyStopError:
        events = list(parse(text, disguise=True))
    scalars = (event for event in events if isinstance(event, ScalarEvent))
    return [(event.start_mark.index, event.end_mark.index) for event in scalars]


@dataclass(frozen=True)
class _Source:
    text: str
    entries: Mapping[int, Mapping[str | int, Entry]]


def _build(data: bytes, entries: _Entries | None = None, *, notes: list[Problem] | None = None) -> list[Document]:
    # ruamel.yaml takes 23 ms to import: a command that reads nothing doesn't pay for it.
    from meshgen.yaml.builder import Builder
    from meshgen.yaml.events import EarlyStopError, decode, parse

    text = decode(data)
    try:
        return Builder(parse(text), entries, notes=notes).build()
    except EarlyStopError:
        return Builder(parse(text, disguise=True), entries, notes=notes).build()


def _place(path: str, entry: Entry, value: Any, source: _Source, places: dict[str, Location]) -> None:
    places[path] = _location(entry, source.text)
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        entries = source.entries[id(value)]
        for key, item in items:
            _place(path + pointer([key]), entries[key], item, source, places)


def _location(entry: Entry, text: str) -> Location:
    from ruamel.yaml.events import ScalarEvent

    from meshgen.yaml.events import mark_of

    event = entry.value
    raw = None
    if isinstance(event, ScalarEvent) and event.style not in ("|", ">"):
        raw = text[event.start_mark.index : event.end_mark.index]
    key = None if entry.key is None else mark_of(entry.key.start_mark)
    return Location(key, mark_of(event.start_mark), raw)
