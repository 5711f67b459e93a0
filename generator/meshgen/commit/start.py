"""Where a commit goes: the branch that the user is on, or a new one at the same commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from meshgen.commit.scope import Scope, display, few
from meshgen.commit.state import (
    check_branch_name,
    check_identity,
    check_idle,
    current_branch,
    head,
    parents,
    staged,
    tip,
    unmerged,
)
from meshgen.commit.worktree import Entry, WorkTree
from meshgen.git import Refused


@dataclass(frozen=True)
class Start:
    """The branch, and the commit that the new one stands on; None where it will be the first.

    `root` is the user's work tree, `is_own` where the user is on that branch.
    `there` is a commit that the branch has on `base` already: left alone, unless it is the one that would be made.
    """

    root: Path
    branch: str
    base: str | None
    is_own: bool
    there: str | None = None

    def taken(self) -> Refused:
        """The error that the branch has another commit."""
        # What others did on it since would be undone by files that never saw it.
        hint = f"`git switch {self.branch}` takes your changes along: commit there; or name a new branch"
        return Refused(f"branch {self.branch} is there already, at another commit; nothing was written", hint)


def start_of(scope: Scope, branch: str | None) -> Start:
    """Where the commit goes, `branch` being what was asked for.

    Raises Refused for what the repository is in the middle of and for what is staged besides, EnvironmentFailure where
    Git does not know who commits.
    """
    root = scope.repository.root
    check_idle(root)
    check_identity(root)
    here, base = current_branch(root), head(root)
    if branch is not None and branch != here:
        return _beside(Start(root, branch, base, is_own=False))
    if here is None:
        hint = "git switch BRANCH, or have the commit on a branch of its own with --branch NAME"
        raise Refused(f"{root}: HEAD is detached, so no branch would have the commit; nothing was written", hint)
    _check_index(scope)
    return Start(root, here, base, is_own=True)


def _beside(start: Start) -> Start:
    """The start of a commit to another branch. Raises Refused where that can't be."""
    check_branch_name(start.root, start.branch)
    at = tip(start.root, start.branch)
    if at is None or at == start.base:
        return start
    if parents(start.root, at) != ([start.base] if start.base else []):
        raise start.taken()
    return replace(start, there=at)


def _check_index(scope: Scope) -> None:
    """Refuse to commit where a part of somebody's work stands ready that is not the commit's."""
    root = scope.repository.root
    if paths := unmerged(root):
        hint = "resolve it and `git add` it, or take a side with `git checkout --ours` or --theirs"
        raise Refused(f"a merge left several sides of {few(paths)}; nothing was written", hint)
    if paths := [path for path in staged(root) if not scope.holds(path)]:
        hint = "commit it first, take it out with `git restore --staged`, or commit to a new branch with --branch NAME"
        raise Refused(f"other changes are staged: {few(paths)}; nothing was written", hint)
    if found := _staged_apart(scope):
        name = display(found[0].path)
        theirs = f"rm {name}" if found[0].index == "D" else f"git restore {name}"
        hint = (
            f"git add {name} takes what is on the disk, {theirs} what is staged; "
            "or commit what is on the disk to a new branch with --branch NAME"
        )
        paths = [one.path for one in found]
        raise Refused(f"{few(paths)}: on the disk it is not what is staged; nothing was written", hint)


def _staged_apart(scope: Scope) -> list[Entry]:
    """Files of which the index has what neither HEAD nor the disk has: a commit of the disk's would lose it."""
    entries = [one for one in WorkTree(scope.repository.root).status(scope.places) if scope.holds(one.path)]
    # What is staged as deleted and there again is kept by the user, where no render has written it.
    kept = {one.path for one in entries if one.is_untracked and scope.is_source(one.path)}
    ready_ones = [one for one in entries if one.index not in " ?!"]
    return [one for one in ready_ones if one.tree != " " or one.path in kept]
