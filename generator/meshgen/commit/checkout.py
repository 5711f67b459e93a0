"""Finds the files that Git does not see as the disk has them: left out of a sparse checkout, marked, behind a link."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from meshgen.commit.ready import listed, ready
from meshgen.commit.scope import display, few
from meshgen.commit.worktree import WorkTree
from meshgen.git import Refused, output_of

Holds = Callable[[PurePosixPath], bool]
_SKIPPED = "skip-worktree"


def check_checked_out(root: Path, places: Iterable[PurePosixPath], holds: Holds) -> None:
    """Refuse to go on without files that this checkout leaves out: to a render they are as good as deleted."""
    marks = _marks(root, places, holds)
    if absent := [path for path, mark in marks.items() if mark == _SKIPPED and not os.path.lexists(root / path)]:
        hint = (
            "`git sparse-checkout disable` brings all files; "
            f"a mark that was set by hand goes by git update-index --no-{_SKIPPED} {display(absent[0])}"
        )
        raise Refused(f"{few(absent)}: in the repository, and left out of this checkout; nothing was written", hint)


def check_links(tree: WorkTree, places: Iterable[PurePosixPath], holds: Holds) -> None:
    """Refuse where a link has taken the place of a folder whose files Git has: `git commit` would follow it to them."""
    for path in (entry.path for entry in tree.status(places) if holds(entry.path)):
        link = next((one for one in path.parents if (tree.root / one).is_symlink()), None)
        if link is not None:
            hint = f"commit that first: git add --all {display(link)}, with what it leads to, and git commit"
            what = f"{display(link)} is a link now, and Git has files below it, such as {display(path)}"
            raise Refused(f"{what}; nothing was written", hint)


def check_looked_at(tree: WorkTree, base: str | None, places: Iterable[PurePosixPath], holds: Holds, kept: str) -> None:
    """Refuse to leave out of a commit what differs from `base` and is marked; `kept` says what was done so far."""
    marks = _marks(tree.root, places, holds)
    if not marks:
        return
    now, there = ready(tree, base, marks), listed(tree.root, base)
    if differing := [path for path in marks if now.get(str(path)) != there.get(str(path))]:
        what = f"{few(differing)}: Git is told not to look at it, so the commit would have half of the change"
        hint = f"git update-index --no-{marks[differing[0]]} {display(differing[0])}"
        raise Refused(f"{what}; {kept}", hint)


def _marks(root: Path, places: Iterable[PurePosixPath], holds: Holds) -> dict[PurePosixPath, str]:
    """The mark of each file that has one: `assume-unchanged` is a small letter, `skip-worktree` an S."""
    said = output_of(root, "ls-files", "-v", "-z", "--", *map(str, places)).decode(errors="surrogateescape")
    lines = [line for line in said.split("\0") if line]
    marked = {PurePosixPath(line[2:]): line[0] for line in lines if line[0] == "S" or line[0].islower()}
    return {path: "assume-unchanged" if mark.islower() else _SKIPPED for path, mark in marked.items() if holds(path)}
