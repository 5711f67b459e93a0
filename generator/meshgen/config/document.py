"""A file that a user wrote: its bytes, its value, and where each part of it stands."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from meshgen.finding import Finding, Severity
from meshgen.yaml import Location, ReadError, locate, read_document


@dataclass
class Document:
    """One YAML document and the name that findings call its file by (relative to the config's folder).

    Where a file holds several, `number` counts those that are not empty, and `prefix` leads to the part of one that is
    meant, such as an item of a List.
    """

    file: str
    data: bytes
    value: dict[str, Any]
    number: int = 0
    prefix: str = ""

    def origin(self, pointer: str) -> tuple[Document, str]:
        """The document that the part at `pointer` was written in, and its place there: this one, and that place."""
        return self, pointer

    def location(self, pointer: str) -> Location | None:
        """Where the value at `pointer` stands, or the nearest part around it.

        Parses the file a second time: only the path of an error pays for positions.
        """
        document, at = self.origin(pointer)
        return document.place(at)

    def where(self, pointer: str) -> str:
        """The file and line of a value, or of its key, as what is said about another one names them."""
        document, at = self.origin(pointer)
        place = document.place(at)
        return f"{document.file}:{(place.key or place.value).line}" if place else document.file

    def place(self, pointer: str) -> Location | None:
        """Where a value stands in this document's own text."""
        documents = _located(self.data)
        locations = documents[self.number] if documents else {}
        pointer = self.prefix + pointer
        while pointer and pointer not in locations:
            pointer = pointer.rpartition("/")[0]
        return locations.get(pointer)

    def finding(
        self,
        rule: str,
        message: str,
        pointer: str,
        *,
        hint: str | None = None,
        at_key: bool = False,
        severity: Severity = "error",
    ) -> Finding:
        """A finding at the value that `pointer` names, or at its key."""
        document, at = self.origin(pointer)
        place = document.place(at)
        mark = place and (place.key if at_key and place.key else place.value)
        return Finding(
            rule=rule,
            severity=severity,
            message=message,
            file=document.file,
            line=mark.line if mark else None,
            column=mark.column if mark else None,
            path=document.prefix + at,
            hint=hint,
        )


# A file of many documents is parsed once, whichever of them are asked for.
_located = lru_cache(maxsize=1024)(locate)


def read_regular(path: Path) -> bytes:
    """Read a regular file, or one that a link leads to. Raises OSError, for what is none of these too."""
    # Without O_NONBLOCK, to open a named pipe would wait for its writer.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, and no regular file", str(path))
        return file.read()


def unreadable(error: OSError, name: str) -> Finding:
    """The finding that a file of the user's can't be read."""
    hint = "it must be a regular file that you may read; move away what is none"
    return Finding("MG002", "error", f"cannot be read: {error.strerror}", file=name, hint=hint)


def read_file(path: Path, name: str) -> tuple[Document | None, list[Finding]]:
    """Read one YAML file that holds one map; what is wrong with it comes back as findings."""
    try:
        data = read_regular(path)
    except OSError as error:
        return None, [unreadable(error, name)]
    try:
        value = read_document(data)
    except ReadError as error:
        return None, list(reading_problems(error, name))
    if not isinstance(value, dict):
        hint = "begin with `apiVersion: meshgen.dev/v1`"
        return None, [Finding("MG001", "error", "the file does not hold a map", name, 1, 1, "", hint)]
    return Document(name, data, value), []


def reading_problems(error: ReadError, name: str) -> Iterator[Finding]:
    """What the YAML reader refused, as findings."""
    for problem in error.problems:
        mark = problem.mark
        yield Finding(
            rule="MG001",
            severity="error",
            message=problem.message,
            file=name,
            line=mark.line if mark else None,
            column=mark.column if mark else None,
            path=problem.pointer,
            hint=problem.hint or _next_move(problem.message),
        )


def _next_move(message: str) -> str | None:
    if message == "the file is empty":
        return "`meshgen init` in an empty folder shows what a config says; an overlay that says nothing can go"
    if message.startswith("more than"):
        return "write less in one file: no config of a mesh comes near this limit"
    return None
