"""Carries comments from one YAML text to another: each stays with the field that it stood at."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from meshgen.config.document import Document
from meshgen.yaml import Location, locate, scalar_spans

Place = Literal["above", "beside", "below"]
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(?:#|\n)")


@dataclass(frozen=True)
class Comment:
    """A comment's text with its "#", the field that it belongs to (a JSON pointer), and where it stands there."""

    text: str
    pointer: str
    where: Place


@dataclass(frozen=True)
class _Anchor:
    """Where a field begins: at its key, or at the dash of an item; lines and columns count from 1."""

    line: int
    column: int
    pointer: str


def comments_of(part: Document) -> list[Comment]:
    """The comments of an object, in their order, by the pointers of its own fields.

    What stands before the first field of a document belongs to that field.
    """
    text = part.data.decode("utf-8-sig")
    lines = _LINE.findall(text)
    documents = [_anchors(lines, places) for places in locate(part.data)]
    everything = sorted((anchor for anchors in documents for anchor in anchors), key=_position)
    mine = {id(anchor) for anchor in documents[part.number] if _within(anchor.pointer, part.prefix)}
    numbers = [anchor.line for anchor in everything]
    found = []
    for line, column, comment, alone in _found(text):
        anchor, where = (_over if alone else _along)(everything, numbers, line, column)
        if id(anchor) in mine:
            found.append(Comment(comment, anchor.pointer.removeprefix(part.prefix), where))
    return found


def _within(pointer: str, prefix: str) -> bool:
    return pointer == prefix or pointer.startswith(prefix + "/")


def commented(text: str, comments: Iterable[Comment]) -> str:
    """A text with comments at the fields that they belong to; a field that it lacks is taken to be its parent."""
    lines = text.splitlines()
    anchors = sorted(_anchors(lines, locate(text.encode())[0]), key=_position)
    known = {anchor.pointer: index for index, anchor in enumerate(anchors)}
    above: dict[int, list[str]] = {}
    beside: dict[int, list[str]] = {}
    for comment in comments:
        at, where = comment.pointer, comment.where
        while at and at not in known:
            at, where = at.rpartition("/")[0], "above"
        index = known.get(at, 0)
        anchor = anchors[index]
        if where == "beside":
            beside.setdefault(anchor.line, []).append(comment.text)
        elif where == "above":
            above.setdefault(anchor.line, []).append(_indent(lines[anchor.line - 1]) + comment.text)
        else:
            after = _end(anchors, index, len(lines))
            above.setdefault(after, []).append(" " * (anchor.column - 1) + comment.text)
    return "".join(f"{line}\n" for line in _woven(lines, above, beside))


def _woven(lines: list[str], above: Mapping[int, list[str]], beside: Mapping[int, list[str]]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        yield from above.get(number, [])
        yield " ".join([line, *beside.get(number, [])])
    yield from above.get(len(lines) + 1, [])


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _end(anchors: list[_Anchor], index: int, lines: int) -> int:
    """The line after a field with all that it holds."""
    inside = anchors[index].pointer + "/"
    return next((one.line for one in anchors[index + 1 :] if not one.pointer.startswith(inside)), lines + 1)


def _position(anchor: _Anchor) -> tuple[int, int, int]:
    return anchor.line, anchor.column, len(anchor.pointer)


def _anchors(lines: Sequence[str], places: Mapping[str, Location]) -> list[_Anchor]:
    marks = ((place.key or place.value, place.key is None, pointer) for pointer, place in places.items() if pointer)
    return [
        _Anchor(mark.line, _dash(lines[mark.line - 1], mark.column) if item else mark.column, pointer)
        for mark, item, pointer in marks
    ]


def _dash(line: str, column: int) -> int:
    """The column of the dash before an item; the item's own where it has none, or not on its line."""
    before = line[: column - 1].rstrip(" ")
    return len(before) if before.endswith("-") else column


def _along(anchors: list[_Anchor], lines: list[int], line: int, _: int) -> tuple[_Anchor, Place]:
    """The field that a comment at the end of a line belongs to: the first on that line, or what goes on there."""
    first = bisect_left(lines, line)
    on_line = first < len(lines) and lines[first] == line
    return anchors[first if on_line else max(first - 1, 0)], "beside"


def _over(anchors: list[_Anchor], lines: list[int], line: int, column: int) -> tuple[_Anchor, Place]:
    """The field that a comment on a line of its own belongs to: what follows, or the block that it ends."""
    following = bisect_right(lines, line)
    if following < len(anchors) and (column <= anchors[following].column or not following):
        return anchors[following], "above"
    level = (anchor for anchor in reversed(anchors[:following]) if anchor.column <= column)
    return next(level, anchors[following - 1]), "below"


def _found(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """(line, column, text, whether it has its line to itself) of each comment: a "#" that is in no scalar."""
    masked = _masked(text)
    for number, (line, shown) in enumerate(zip(_LINE.findall(masked), _LINE.findall(text), strict=True), 1):
        if found := _COMMENT.search(line):
            yield number, found.start() + 1, shown[found.start() :].rstrip(), not line[: found.start()].strip()


def _masked(text: str) -> str:
    """The text with every scalar blotted out but for line breaks, so that each "#" left begins a comment."""
    pieces, end = [], 0
    for begin, stop in scalar_spans(text):
        header = _BLOCK_HEADER.match(text, begin, stop)
        # The line that opens a block may end in a comment.
        blotted = text.find("\n", begin, stop) if header else begin
        pieces += [text[end:begin], text[begin:blotted], re.sub(r"[^\n\r]", "x", text[blotted:stop])]
        end = stop
    return "".join([*pieces, text[end:]])
