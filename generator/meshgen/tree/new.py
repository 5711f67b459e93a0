"""Writes files that must not be there yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.finding import Finding


def write_new(files: Mapping[Path, str]) -> None:
    """Write all files or none; a file that exists is never touched.

    Raises InputError where one exists, EnvironmentFailure where the disk refuses.
    """
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        hint = "it is left as it is; write elsewhere with -c FILE"
        raise InputError(
            [Finding("MG605", "error", "the file exists already", file=str(path), hint=hint) for path in there]
        )
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        message = f"cannot write {error.filename or path}: {error.strerror}"
        raise EnvironmentFailure(message, "make room or permission, and run it again") from error
