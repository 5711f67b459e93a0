"""What a reader has to say about a text: marks, problems, and the error that carries them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mark:
    """A place in a text; lines and columns (of characters, not bytes) count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """One reason why a text can't be read; the message never holds a value, for it may be a secret.

    `mark` is None for a problem of the whole file, `pointer` (RFC 6901) where no node is concerned.
    """

    message: str
    mark: Mark | None = None
    pointer: str | None = None
    hint: str | None = None


class ReadError(Exception):
    """A text can't be read; all problems that were found come along, in the text's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        place = f"{first.mark.line}:{first.mark.column}: " if first.mark else ""
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{place}{first.message}{more}")


def pointer(parts: Iterable[str | int]) -> str:
    """Give the JSON pointer (RFC 6901) of a path; the empty path is the whole document, `""`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


NOWHERE: Any = object()


def at_pointer(value: Any, pointer: str) -> Any:
    """Give what a JSON pointer leads to; NOWHERE where it leads to nothing."""
    for escaped in pointer.split("/")[1:]:
        part = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return NOWHERE
    return value
