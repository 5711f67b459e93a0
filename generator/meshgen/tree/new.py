"""Writes files that must not be there yet, or that someone insists on replacing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.finding import Finding

_ELSEWHERE = "it is left as it is; write elsewhere with -c FILE"


def write_new(files: Mapping[Path, str], *, overwrite: bool = False, hint: str = _ELSEWHERE) -> None:
    """Write all files or none; a file that exists is touched only to `overwrite` it.

    Raises InputError where one exists, EnvironmentFailure where the disk refuses.
    """
    there = [path for path in files if path.exists() or path.is_symlink()]
    odd = [path for path in there if path.is_symlink() or not path.is_file()]
    if overwrite and odd:
        message, move = "this is a link, a folder or a special file", "move it away, or write elsewhere with -c FILE"
        raise InputError([Finding("MG603", "error", message, file=str(path), hint=move) for path in odd])
    refused = there if not overwrite else []
    if refused:
        raise InputError(
            [Finding("MG605", "error", "the file exists already", file=str(path), hint=hint) for path in refused]
        )
    before = {path: path.read_bytes() for path in there}
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path in before:
                written.append(path)
                _replace(path, text.encode())
                continue
            with path.open("xb") as file:
                written.append(path)
                file.write(text.encode())
    except OSError as error:
        _restore(written, before)
        message = f"cannot write {error.filename or path}: {error.strerror}"
        raise EnvironmentFailure(message, "make room or permission, and run it again") from error


def _replace(path: Path, data: bytes) -> None:
    """Replace a file at once: the old one is there until the new one is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            part.write(data)
            part.flush()
            Path(part.name).chmod(path.stat().st_mode & 0o7777)
            Path(part.name).replace(path)
        except OSError:
            Path(part.name).unlink(missing_ok=True)
            raise


def _restore(written: list[Path], before: Mapping[Path, bytes]) -> None:
    for path in written:
        with suppress(OSError):
            if path in before:
                path.write_bytes(before[path])
            else:
                path.unlink(missing_ok=True)
