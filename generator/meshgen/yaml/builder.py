"""From events to plain values: strict about everything that a text of JSON's types doesn't need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from meshgen.yaml.events import MAX_PROBLEMS, UNCARRIED, mark_of, uncarried
from meshgen.yaml.problem import Mark, Problem, ReadError, pointer
from meshgen.yaml.scalars import DisputedError, Scalar, resolve

MAX_DEPTH = 100
_DIGITS = re.compile(r"0|[1-9][0-9]{0,17}")
MAX_NODES = 1_000_000
# What kustomize prints of a longer key is no YAML.
LONGEST_KEY = 1000


@dataclass(frozen=True)
class Entry:
    """The events at which an entry of a map or list, or a document's root, begins; only a map's has a key."""

    key: Any
    value: Any


@dataclass(frozen=True)
class Document:
    """One document that is not empty, and where it begins: at its `---`, if it has one."""

    value: Any
    start: Mark
    root: Entry


@dataclass(frozen=True)
class _Anchored:
    value: Any
    nodes: int
    height: int


class _LimitError(Exception):
    """A limit was passed; the problem is noted."""


class Builder:
    """Builds the values of one stream; used once.

    With `entries`, the entries of every map and list are noted under its id, and aliases share their values instead of
    copying them: the ids hold as long as the documents do. With `notes`, what readers disagree on is what Kubernetes'
    take it for, as far as that is sure, and is noted there; so is a key that is a whole number.
    """

    def __init__(
        self,
        events: Iterator[Any],
        entries: dict[int, dict[str | int, Entry]] | None = None,
        *,
        notes: list[Problem] | None = None,
    ) -> None:
        self._events = events
        self._next = events.__next__
        self._entries = entries
        self._notes = notes
        self._problems: list[Problem] = []
        self._path: list[str | int] = []
        self._anchors: dict[str, _Anchored | None] = {}
        # A stream of Kubernetes objects says the same words again and again.
        self._resolved: dict[str, Scalar] = {}
        self._nodes = 0
        self._depth = 0
        self._deepest = 0

    def build(self) -> list[Document]:
        """Give the stream's documents that are not empty; raises ReadError with every problem."""
        documents: list[Document] = []
        try:
            for event in self._events:
                if type(event) is DocumentStartEvent:
                    self._document(event, documents)
        except _LimitError:
            pass
        except ReadError as error:
            self._problems.extend(error.problems)
        if self._problems:
            raise ReadError(self._problems)
        return documents

    def _document(self, start: Any, documents: list[Document]) -> None:
        if start.tags:
            self._problem("%TAG is not allowed", start, "leave the line out")
        self._anchors.clear()
        root = self._next()
        value = self._node(root)
        is_empty = type(root) is ScalarEvent and not (root.value or root.style or root.anchor or root.ctag)
        if not is_empty:
            documents.append(Document(value, mark_of(start.start_mark), Entry(None, root)))

    def _node(self, event: Any) -> Any:
        if type(event) is AliasEvent:
            return self._alias(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(f"more than {MAX_NODES:,} values, aliases counted as what they stand for", event)
        if event.ctag is not None:
            self._problem("tags are not allowed", event, "leave the tag out, and quote the value if it is a string")
        if event.anchor is not None:
            return self._anchored(event)
        return self._content(event)

    def _content(self, event: Any) -> Any:
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        return self._mapping(event) if kind is MappingStartEvent else self._sequence(event)

    def _scalar(self, event: Any) -> Scalar:
        text: str = event.value
        if event.style:
            # Only escapes bring such a character this far: the text itself was searched.
            if event.style == '"' and (found := UNCARRIED.search(text)):
                self._add(uncarried(found.group(), mark_of(event.start_mark), pointer(self._path)))
            return text
        if text in self._resolved:
            return self._resolved[text]
        try:
            value = self._resolved[text] = resolve(text)
        except DisputedError as disputed:
            if self._notes is None or disputed.kubernetes is None:
                self._problem(str(disputed), event, self._mode_hint(text, disputed) or disputed.hint)
                return None
            self._notes.append(Problem(str(disputed), mark_of(event.start_mark), pointer(self._path), disputed.hint))
            return disputed.kubernetes
        return value

    def _mode_hint(self, text: str, disputed: DisputedError) -> str | None:
        """How to write a file's mode; no other number is said, for it may be a secret."""
        number, key = disputed.kubernetes, self._path[-1] if self._path else ""
        if isinstance(number, bool) or number is None or not str(key).lower().endswith("mode"):
            return None
        return f"write {number} ({text} octal), or quote it if it is a string"

    def _sequence(self, event: Any) -> list[Any]:
        self._enter(event)
        result: list[Any] = []
        entries = self._note(result)
        path = self._path
        path.append(0)
        while type(item := self._next()) is not SequenceEndEvent:
            index = path[-1] = len(result)
            if entries is not None:
                entries[index] = Entry(None, item)
            result.append(self._node(item))
        self._leave()
        return result

    def _mapping(self, event: Any) -> dict[str, Any]:
        self._enter(event)
        result: dict[str, Any] = {}
        entries = self._note(result)
        firsts: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        path = self._path
        path.append("")
        while type(key_event := self._next()) is not MappingEndEvent:
            key = self._key(key_event)
            path[-1] = "" if key is None else key
            if key is not None and firsts.setdefault(key, key_event) is not key_event:
                self._duplicate(key_event, firsts[key])
            value_event = self._next()
            value = self._node(value_event)
            if key == "<<" and not key_event.style:
                merged += self._mergeable(value, value_event)
            elif key is not None:
                result[key] = value
                if entries is not None:
                    entries[key] = Entry(key_event, value_event)
        self._leave()
        for source in merged:
            self._merge(source, result, entries)
        return result

    def _key(self, event: Any) -> str | None:
        """Give a map's key, or None where it is a problem."""
        if type(event) is ScalarEvent and not (event.style or event.anchor or event.ctag):
            text: str = event.value
            self._nodes += 1
            if _is_string(text, self._resolved) or (self._notes is not None and _DIGITS.fullmatch(text)):
                return text
            self._add(Problem("a key must be a string", mark_of(event.start_mark), self._here(), f'write "{text}"'))
            return None
        key = self._node(event)
        if isinstance(key, str):
            if key == "<<" or len(key) > LONGEST_KEY:
                what = "<<" if key == "<<" else f"of more than {LONGEST_KEY} characters"
                self._problem(f"kustomize can't carry a key {what}", event, "take another key")
            return key
        self._add(Problem("a key must be a string", mark_of(event.start_mark), self._here(), "quote it"))
        return None

    def _duplicate(self, event: Any, first: Any) -> None:
        mark = mark_of(first.start_mark)
        self._problem(f"this key stands twice, first at {mark.line}:{mark.column}", event, "remove one of them")

    def _mergeable(self, value: Any, event: Any) -> list[dict[str, Any]]:
        sources = value if isinstance(value, list) else [value]
        if all(isinstance(source, dict) for source in sources):
            return sources
        self._problem('"<<" merges a map or a list of maps', event, "give it one, or take the line out")
        return []

    def _merge(self, source: dict[str, Any], result: dict[str, Any], entries: dict[str | int, Entry] | None) -> None:
        """Add what the result lacks: its own keys win, then the earlier of two sources."""
        for key, value in source.items():
            if key not in result:
                result[key] = value
                if entries is not None and self._entries is not None:
                    entries[key] = self._entries[id(source)][key]

    def _anchored(self, event: Any) -> Any:
        nodes, deepest = self._nodes, self._deepest
        self._deepest = self._depth
        # An alias inside refers to what is not finished yet.
        self._anchors[event.anchor] = None
        value = self._content(event)
        self._anchors[event.anchor] = _Anchored(value, self._nodes - nodes + 1, self._deepest - self._depth)
        self._deepest = max(deepest, self._deepest)
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            self._problem("this alias has no anchor before it", event, 'quote a value that begins with "*"')
            return None
        anchored = self._anchors[event.anchor]
        if anchored is None:
            self._problem("this alias stands inside of what it refers to", event)
            return None
        self._nodes += anchored.nodes
        if self._nodes > MAX_NODES:
            self._stop(f"more than {MAX_NODES:,} values, aliases counted as what they stand for", event)
        self._reach(self._depth + anchored.height, event)
        return anchored.value if self._entries is not None else _copy(anchored.value)

    def _enter(self, event: Any) -> None:
        self._depth += 1
        if self._depth > self._deepest:
            self._reach(self._depth, event)

    def _leave(self) -> None:
        self._depth -= 1
        self._path.pop()

    def _reach(self, depth: int, event: Any) -> None:
        if depth > MAX_DEPTH:
            self._stop(f"more than {MAX_DEPTH} maps and lists inside of each other", event)
        self._deepest = max(self._deepest, depth)

    def _note(self, container: Any) -> dict[str | int, Entry] | None:
        if self._entries is None:
            return None
        entries: dict[str | int, Entry] = {}
        self._entries[id(container)] = entries
        return entries

    def _here(self) -> str:
        """Give the pointer of the map whose key is being read."""
        return pointer(self._path[:-1])

    def _problem(self, message: str, event: Any, hint: str | None = None) -> None:
        self._add(Problem(message, mark_of(event.start_mark), pointer(self._path), hint))

    def _add(self, problem: Problem) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MAX_PROBLEMS:
            raise _LimitError

    def _stop(self, message: str, event: Any) -> NoReturn:
        self._problem(message, event)
        raise _LimitError


def _is_string(text: str, resolved: dict[str, Scalar]) -> bool:
    if text not in resolved:
        try:
            resolved[text] = resolve(text)
        except DisputedError:
            return False
    return isinstance(resolved[text], str)


def _copy(value: Any) -> Any:
    """Give a value of its own, so that a change in one place never shows in another."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
