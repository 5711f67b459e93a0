"""The files of `DIR/.meshgen` as values: the inventory of what meshgen owns, and the journal of a run that writes.

The inventory, `lock.json`, goes to Git with the tree. The rest is there only while a run lasts, or after it was killed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.finding import Finding

FOLDER = ".meshgen"
LOCK = "lock.json"
RUN = "run"
JOURNAL = "journal.json"
VERSION = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
CONFLICT = re.compile(r"^<{7}( |\r?$)", re.MULTILINE)
# What a mark of Git leads to, from which sections; `base` comes with merge.conflictStyle=diff3.
_MARKS = {
    "<<<<<<<": (("common",), "ours"),
    "|||||||": (("ours",), "base"),
    "=======": (("ours", "base"), "theirs"),
    ">>>>>>>": (("theirs",), "common"),
}
_FRAME = frozenset(("", "{", "}", f'"version": {VERSION}', '"files": {'))
_HINTS = {
    errno.ENOSPC: "free some space and run it again",
    errno.EDQUOT: "free some of your quota and run it again",
    errno.EACCES: "check the owner and the permissions, or choose another folder with -O",
    errno.EPERM: "check the owner and the permissions, or choose another folder with -O",
    errno.EROFS: "the file system is read-only: choose another folder with -O",
    errno.ENOTDIR: "move that file away, or choose another folder with -O",
    errno.EEXIST: "it was made just now, by a person or another program: move it away and run it again",
    errno.EXDEV: "a folder inside the tree is a mount of its own: unmount it, or choose another folder with -O",
}


@dataclass(frozen=True)
class Inventory:
    """The files that meshgen owns, as `lock.json` lists them.

    A path has two hashes where Git's conflict marks left both sides of a merge; either is meshgen's own content.
    `text` is the file as it stands, None where there is none.
    """

    files: Mapping[str, tuple[str, ...]]
    text: bytes | None


class Move(NamedTuple):
    """A file that a run replaces: `old` tells whether there is one, `new` is the sha256 of what comes, if anything."""

    path: str
    old: bool
    new: str | None


class Journal(NamedTuple):
    """All that a run changes in a tree, in order; `remove` has each folder's mode, to make it again."""

    moves: Sequence[Move]
    make: Sequence[str]
    remove: Sequence[tuple[str, int]]

    def dump(self) -> bytes:
        """Give the journal as a file; `load_journal` reads it."""
        return json.dumps(self._asdict()).encode()


def load(root: Path) -> Inventory:
    """Read the inventory of a tree; a tree without one owns nothing. InputError (MG604) if it is damaged."""
    return parse(root, read_text(root))


def parse(root: Path, text: bytes | None) -> Inventory:
    """Understand the text of a tree's `lock.json`; see `load`."""
    if text is None:
        return Inventory({}, None)
    try:
        return Inventory(_parse(text.decode()), text)
    except (ValueError, RecursionError) as error:
        raise InputError([_damaged(root, str(error))]) from error


def read_text(root: Path) -> bytes | None:
    """Give the bytes of `lock.json` with Unix line ends, whatever a checkout made of them; None where there is none."""
    path = root / FOLDER / LOCK
    try:
        return path.read_bytes().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed("read", path, error) from error


def dump(files: Mapping[str, str]) -> bytes:
    """Give `lock.json` for path → sha256: the same bytes for the same files, and one file a line for Git to merge."""
    # json's own `indent` leaves the encoder written in C, which is ten times as fast.
    entries = json.dumps(files, sort_keys=True, separators=(",\n    ", ": "))[1:-1]
    body = f"    {entries}\n" if entries else ""
    return f'{{\n  "version": {VERSION},\n  "files": {{\n{body}  }}\n}}\n'.encode()


def load_journal(root: Path) -> Journal:
    """Read the journal of an interrupted run.

    EnvironmentFailure if it is damaged or reaches out of the tree: it may have come from Git, with links in the tree.
    """
    try:
        document = json.loads((root / FOLDER / RUN / JOURNAL).read_bytes())
        moves = [Move(str(path), bool(old), new) for path, old, new in document["moves"]]
        remove = [(str(folder), int(mode)) for folder, mode in document["remove"]]
        journal = Journal(moves, [str(folder) for folder in document["make"]], remove)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _unusable(root) from error
    removed = [folder for folder, _ in remove]
    paths = [*(move.path for move in moves), *journal.make, *removed]
    folders = {parent for path in paths for parent in Path(path).parents}
    folders |= {Path(folder) for folder in removed} | {Path(FOLDER, RUN, name) for name in ("", "new", "old")}
    if not all(map(is_tree_path, paths)) or any(_is_link(root / folder) for folder in folders - {Path()}):
        raise _unusable(root)
    return journal


def sha256(path: str) -> str | None:
    """Hash a regular file; None where `read` finds none."""
    content = read(path)
    return None if content is None else hashlib.sha256(content).hexdigest()


def read(path: str) -> bytes | None:
    """Read a regular file; None where there is none (a link or another kind of file is not one)."""
    try:
        # Without O_NONBLOCK, to open a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    with open(descriptor, "rb") as file:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return file.read() if regular else None


def is_tree_path(path: str) -> bool:
    """Tell whether a path stays inside a tree: relative, normal, POSIX, and not in meshgen's own folder."""
    around = f"/{path}/"
    if "//" in around or "/./" in around or "/../" in around or "\0" in path:
        return False
    # On a file system that folds case, .MeshGen is meshgen's own folder too.
    if path.partition("/")[0].casefold() == FOLDER:
        return False
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def failed(verb: str, path: Path | str, error: OSError) -> EnvironmentFailure:
    """Say that the system refused something, where, and what to do; only for a failure that left the tree as it was."""
    reason = error.strerror or str(error)
    return EnvironmentFailure(f"cannot {verb} {path}: {reason}; nothing was written", _HINTS.get(error.errno or 0))


def exists(path: Path | str) -> bool:
    """Tell whether anything has this name, a dangling link too; OSError where that can't be known."""
    # os.path.lexists answers False to any error, and a wrong answer about a journal would lose a tree.
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _is_link(path: Path) -> bool:
    return exists(path) and stat.S_ISLNK(os.lstat(path).st_mode)


def _unusable(root: Path) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"an interrupted run left {root / FOLDER / RUN}, whose journal does not fit the tree; nothing was written",
        f"restore {root} from Git, and remove {root / FOLDER / RUN}",
    )


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    if CONFLICT.search(text):
        return _checked(_both_sides(text))
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise ValueError('it has no map "files"')
    if document.get("version") != VERSION:
        raise ValueError(f"its version is not {VERSION}: a newer meshgen may have written it")
    return _checked(document["files"].items())


def _checked(entries: Iterable[tuple[str, object]]) -> dict[str, tuple[str, ...]]:
    files: dict[str, tuple[str, ...]] = {}
    for path, digest in entries:
        # The file comes from Git: a path that leads out of the tree would have meshgen delete what is there.
        if not is_tree_path(path):
            raise ValueError(f"{json.dumps(path)} is not a path inside the tree")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise ValueError(f"{json.dumps(path)} has no sha256")
        files[path] = (*files[path], digest) if path in files else (digest,)
    return files


def _both_sides(text: str) -> Iterator[tuple[str, object]]:
    """Give the entries outside conflict marks and those of both sides; the common ancestor's are nobody's."""
    section = "common"
    for number, line in enumerate(text.split("\n"), start=1):
        mark = _MARKS.get(line[:7]) if line[7:8] in ("", " ", "\r") else None
        if mark is not None:
            if section not in mark[0]:
                raise ValueError(f"line {number}: Git's conflict marks are out of order")
            section = mark[1]
            continue
        # Whether an entry has a comma depends on its place, which a merge changes.
        content = line.strip().removesuffix(",")
        if section == "base" or content in _FRAME:
            continue
        try:
            entry = json.loads(f"{{{content}}}")
        except ValueError:
            raise ValueError(f"line {number} is not an entry") from None
        yield from entry.items()
    if section != "common" or not text.rstrip().endswith("}"):
        raise ValueError("it ends too early")


def _damaged(root: Path, reason: str) -> Finding:
    return Finding(
        rule="MG604",
        severity="error",
        message=f"the list of files that meshgen owns cannot be read: {reason}",
        file=str(root / FOLDER / LOCK),
        hint="restore it from Git (git checkout), or run with --overwrite: meshgen then owns what it renders now, "
        "and leaves older files alone",
    )
