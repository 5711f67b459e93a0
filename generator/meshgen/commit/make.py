"""Makes the commit by `git commit`: the user's hooks, signing and identity are in force, and all or nothing happens.

Others may work in the repository meanwhile. `git commit --only` takes the commit that HEAD is at and these paths, and
moves the branch only if it is still there: what others commit is never undone. The tree's lock is not held: a hook that
renders would wait for it, and the file that holds it would be swept into what others commit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from meshgen.commit.ready import listed, ready
from meshgen.commit.start import Start
from meshgen.commit.state import current_branch, has_hook, head, parents, signs, tip
from meshgen.commit.worktree import Entry, WorkTree
from meshgen.diff.written import printable
from meshgen.errors import EnvironmentFailure
from meshgen.git import Done, Refused, expect, output_of, reason, run, run_as_user
from meshgen.redaction import redacted

_MOST_LINES = 20
HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg")
"""The hooks that may refuse or change a commit."""
# What `git commit` says of a commit: [BRANCH DIGEST] SUBJECT.
_MADE = re.compile(r"^\[(?P<branch>\S+)(?: \(root-commit\))? (?P<commit>[0-9a-f]{4,64})\] ", re.MULTILINE)


@dataclass(frozen=True)
class Made:
    """A commit; `problem` is what others did just before it, which somebody should look at."""

    commit: str
    problem: EnvironmentFailure | None = None


class _Overtaken(Exception):
    """HEAD is no longer where the commit would begin."""


def make_commit(tree: WorkTree, start: Start, entries: Sequence[Entry], message: str) -> Made | None:
    """Commit what differs at these paths, in the user's work tree or in one apart.

    None where another commit has come in between that has all of it. Where it fails, nothing of what others staged or
    committed is undone, and no branch is left: Refused for a hook that says no, EnvironmentFailure else.
    """
    try:
        if not tree.is_apart or start.base is None:
            return _commit(tree, start, entries, message)
        with _branch(start.root, start.branch, start.base):
            # Hooks are told which branch it is.
            expect(run(tree.root, "symbolic-ref", "HEAD", f"refs/heads/{start.branch}"), "symbolic-ref")
            return _commit(tree, start, entries, message)
    except _Overtaken:
        _check_overtaken(tree, start, entries)
        return None


@contextmanager
def _branch(root: Path, branch: str, base: str) -> Iterator[None]:
    """Have a branch at a commit; one that is new goes again where the block fails."""
    name, is_new = f"refs/heads/{branch}", tip(root, branch) is None
    if is_new:
        done = run_as_user(root, "update-ref", "-m", "meshgen commit", name, base, "0" * len(base))
        if done.returncode:
            why = redacted(reason(done.stderr))
            hint = "another run may make it just now, or a hook of yours refuses it: look at that, and run it again"
            raise EnvironmentFailure(f"branch {branch} cannot be made: {why}; nothing was written", hint)
    try:
        yield
    except BaseException:
        if is_new:
            run(root, "update-ref", "-d", name, base)
        raise


def _commit(tree: WorkTree, start: Start, entries: Sequence[Entry], message: str) -> Made:
    """Commit what differs at these paths and nothing else, whatever is staged."""
    if _is_elsewhere(tree, start):
        raise _Overtaken
    with TemporaryDirectory(prefix="meshgen-message-") as temporary:
        paths, new, text = (Path(temporary, name) for name in ("paths", "new", "message"))
        paths.write_bytes(_specs([entry.path for entry in entries]))
        text.write_text(message, encoding="utf-8")
        untracked = [entry.path for entry in entries if entry.is_untracked]
        new.write_bytes(_specs(untracked))
        try:
            if untracked:
                # `git commit` takes paths that Git knows; this makes them known, without their content.
                _run(tree, start, "add", "--intent-to-add", f"--pathspec-from-file={new}", "--pathspec-file-nul")
            only = ("--only", f"--pathspec-from-file={paths}", "--pathspec-file-nul")
            said = _run(tree, start, "commit", "--cleanup=whitespace", f"--file={text}", *only)
        except BaseException:
            _forget(tree, untracked)
            raise
    return _made(tree, start, said)


def _is_elsewhere(tree: WorkTree, start: Start) -> bool:
    return head(tree.root) != start.base or current_branch(tree.root) != start.branch


def _run(tree: WorkTree, start: Start, *arguments: str) -> str:
    options = ("-c", "i18n.commitEncoding=UTF-8", *tree.options)
    done = run_as_user(tree.root, *options, *arguments, variables=tree.variables)
    if done.returncode:
        if _is_elsewhere(tree, start):
            raise _Overtaken
        raise _explained(tree, done)
    return done.stdout.decode(errors="replace")


def _specs(paths: Sequence[PurePosixPath]) -> bytes:
    return b"".join(b":(top,literal)" + os.fsencode(path) + b"\0" for path in paths)


def _forget(tree: WorkTree, paths: Sequence[PurePosixPath]) -> None:
    """Take out of the index what this run made known to Git; what others staged or committed since stays."""
    for _ in range(_TRIES):
        at = head(tree.root)
        known = run(tree.root, "diff-files", "--no-ext-diff", "--name-only", "--diff-filter=A", "-z").stdout.split(
            b"\0"
        )
        given = b"".join(name + b"\0" for name in {os.fsencode(path) for path in paths}.intersection(known))
        if given:
            # To what HEAD has, which for most is nothing: to remove an entry would delete a file that HEAD has by now.
            _reset(tree, given)
        if head(tree.root) == at:
            return


_TRIES = 5


def unstage(tree: WorkTree, paths: Iterable[PurePosixPath]) -> None:
    """Have the index as HEAD at some paths, so that no other commit takes what it has there."""
    if given := b"".join(os.fsencode(path) + b"\0" for path in paths):
        expect(_reset(tree, given), "reset")


def _reset(tree: WorkTree, given: bytes) -> Done:
    return run(tree.root, "reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul", given=given)


def _made(tree: WorkTree, start: Start, said: str) -> Made:
    """The commit that was made, and whether it is where it was meant to be."""
    found = _MADE.search(said)
    branch = found["branch"] if found else start.branch
    commit = output_of(tree.root, "rev-parse", "--verify", "HEAD").decode().strip()
    # Another commit may stand on it already; one that is not below is what a hook has amended.
    if found and not run(tree.root, "merge-base", "--is-ancestor", found["commit"], commit).returncode:
        commit = output_of(tree.root, "rev-parse", "--verify", found["commit"]).decode().strip()
    if branch != start.branch:
        message = f"branch {branch} was checked out just before the commit, and has it now"
        return Made(commit, EnvironmentFailure(message, f"git branch -f {start.branch} {commit[:12]} moves it"))
    if parents(tree.root, commit) != ([start.base] if start.base else []):
        message = f"another commit came in just before {commit[:12]}, which stands on it; its message does not know it"
        return Made(commit, EnvironmentFailure(message, "look at `git log -p -2`; `git commit --amend` words it anew"))
    return Made(commit)


def _check_overtaken(tree: WorkTree, start: Start, entries: Sequence[Entry]) -> None:
    """Refuse to go on where the commit that came in between has not all of it."""
    kept, branch, now = _kept(tree), current_branch(tree.root), head(tree.root)
    if branch != start.branch:
        where = f"branch {branch} was" if branch else "a commit was"
        raise EnvironmentFailure(f"{where} checked out in between; {kept}", "run it again where it is to be")
    if ready(tree, now, [entry.path for entry in entries]) != listed(tree.root, now):
        raise EnvironmentFailure(f"another commit came in between; {kept}", "run it again")


def _explained(tree: WorkTree, done: Done) -> EnvironmentFailure:
    """Why a commit failed, by what Git and the hooks printed."""
    said, kept = (done.stderr + done.stdout).decode(errors="replace"), _kept(tree)
    if "index.lock" in said or ".lock': File exists" in said:
        message = f"another Git holds a lock of the repository; {kept}"
        return EnvironmentFailure(message, "run it again when it has ended")
    if "failed to write commit object" in said and signs(tree.root):
        hint = f"`git commit -S` shows why; commit.gpgSign asks for it\n{_quoted(said)}"
        return EnvironmentFailure(f"the commit cannot be signed; {kept}", hint)
    if "cannot lock ref" in said:
        return EnvironmentFailure(f"another commit came in between; {kept}", "run it again")
    if "fatal: " in said or not has_hook(tree.root, tree.options, HOOKS):
        return EnvironmentFailure(f"`git commit` failed; {kept}", f"it said:\n{_quoted(said)}")
    return Refused(f"one of your hooks refused the commit; {kept}", f"it said:\n{_quoted(said)}")


def _kept(tree: WorkTree) -> str:
    if tree.is_apart:
        return "nothing was committed, and no branch was made"
    return "nothing was committed; the rendered tree stays written"


def _quoted(said: str) -> str:
    """The last lines of what was printed, without credentials."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return "\n".join(f"    {printable(redacted(line))}" for line in lines[-_MOST_LINES:]) or "    nothing"
