"""Tells what a commit will hold before it is made, and that it is still what was rendered: others work there too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from meshgen.commit.outcome import Asked
from meshgen.commit.scope import Scope
from meshgen.commit.state import head
from meshgen.commit.worktree import WorkTree
from meshgen.errors import EnvironmentFailure
from meshgen.git import expect, output_of, run, run_as_user
from meshgen.tree.update import compare

Listing = dict[str, tuple[str, str]]
"""The files of a commit: (mode, digest) by path."""
_SHARED = ("core.splitIndex", "core.untrackedCache", "core.fsmonitor", "core.sparseCheckout")
ALONE = (
    *(word for name in _SHARED for word in ("-c", f"{name}=false")),
    *("-c", f"core.hooksPath={os.devnull}"),
)
"""Options for an index that is a file of our own for a moment: it shares nothing with the user's, and no hook hears."""


def listed(root: Path, commit: str | None) -> Listing:
    """The files of a commit; of none, none."""
    lines = output_of(root, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0") if commit else []
    return dict(_entries(lines))


def staged_files(root: Path) -> Listing:
    """The files of the index."""
    return dict(_entries(output_of(root, "ls-files", "--stage", "-z").split(b"\0")))


def ready(tree: WorkTree, base: str | None, paths: Iterable[PurePosixPath]) -> Listing:
    """The files of a commit on `base` that has these paths as they are on the disk; nothing is stored for it."""
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    take = ("update-index", "--info-only", "--add", "--remove", "--replace", "-z", "--stdin")
    with TemporaryDirectory(prefix="meshgen-index-") as folder:
        index = {**tree.variables, "GIT_INDEX_FILE": str(Path(folder, "index"))}
        if base:
            expect(run(tree.root, *ALONE, "read-tree", base, variables=index), "read-tree")
        # A filter of the user's says what a file is to Git.
        expect(run_as_user(tree.root, *ALONE, *take, given=given, variables=index), "update-index")
        return dict(_entries(output_of(tree.root, *ALONE, "ls-files", "--stage", "-z", variables=index).split(b"\0")))


def _entries(lines: Iterable[bytes]) -> Iterator[tuple[str, tuple[str, str]]]:
    """What `ls-tree` and `ls-files --stage` list: mode, for one of them the type, digest, for the other the stage."""
    for line in filter(None, lines):
        facts, _, path = line.partition(b"\t")
        words = facts.decode().split()
        yield path.decode(errors="surrogateescape"), (words[0], max(words[1:], key=len))


def sources_of(scope: Scope) -> Mapping[Path, str]:
    """The digest of each file that the tree is rendered from, as it is in the user's work tree."""
    return {path: _digest(path) for path in _source_files(scope)}


def _source_files(scope: Scope) -> Iterator[Path]:
    root = scope.repository.root
    for source in scope.sources:
        place = root / source.path
        inside = place.rglob("*") if source.deep else place.glob("*")
        for path in [place] if place.is_file() else sorted(inside):
            if path.is_file() and source.holds(PurePosixPath(path.relative_to(root).as_posix())):
                yield path


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def check_unchanged(
    scope: Scope,
    asked: Asked,
    tree: WorkTree,
    base: str | None,
    files: Mapping[str, bytes],
    read: Mapping[Path, str],
) -> None:
    """Refuse to commit a tree together with sources that it was not rendered from.

    Raises InputError for a rendered file that a person has edited since.
    """
    now = sources_of(scope)
    changed = sorted(path for path in read.keys() | now.keys() if read.get(path) != now.get(path))
    stays = "nothing was committed" if tree.is_apart else "nothing was committed; the rendered tree stays written"
    if changed:
        name = changed[0].relative_to(scope.repository.root)
        raise EnvironmentFailure(f"{name} has changed while the tree was rendered from it; {stays}", "run it again")
    # What to bring there was told by what differs from HEAD.
    if tree.is_apart and head(scope.repository.root) != base:
        raise EnvironmentFailure(f"another commit came in between; {stays}", "run it again")
    if not tree.is_apart and not compare(asked.output, files).is_clean:
        hint = "run it again when it has ended"
        raise EnvironmentFailure(f"something else writes {asked.output} as well; nothing was committed", hint)
