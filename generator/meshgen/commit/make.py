"""Makes the commit by `git commit`: the user's hooks, signing and identity are in force, and all or nothing happens."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from meshgen.commit.start import Start
from meshgen.commit.state import signs, tip
from meshgen.commit.worktree import Entry, WorkTree
from meshgen.diff.written import printable
from meshgen.errors import EnvironmentFailure
from meshgen.git import Done, Refused, expect, run, run_as_user
from meshgen.redaction import redacted

_MOST_LINES = 20


def make_commit(tree: WorkTree, start: Start, entries: Sequence[Entry], message: str) -> str:
    """Commit what differs at these paths, in the user's work tree or in one apart; give the commit's digest.

    Where it fails the index is as it was, and no branch is left: Refused for a hook that says no, EnvironmentFailure
    else.
    """
    if not tree.is_apart or start.base is None:
        return _commit(tree, entries, message)
    with _branch(start.root, start.branch, start.base):
        # Hooks are told which branch it is.
        expect(run(tree.root, "symbolic-ref", "HEAD", f"refs/heads/{start.branch}"), "symbolic-ref")
        return _commit(tree, entries, message)


@contextmanager
def _branch(root: Path, branch: str, base: str) -> Iterator[None]:
    """Have a branch at a commit; one that is new goes again where the block fails."""
    name, is_new = f"refs/heads/{branch}", tip(root, branch) is None
    if is_new and run_as_user(root, "update-ref", "-m", "meshgen commit", name, base, "0" * len(base)).returncode:
        raise EnvironmentFailure(f"branch {branch} cannot be made; nothing was written", "run it again")
    try:
        yield
    except BaseException:
        if is_new:
            run(root, "update-ref", "-d", name, base)
        raise


def _commit(tree: WorkTree, entries: Sequence[Entry], message: str) -> str:
    """Commit what differs at these paths and nothing else, whatever is staged."""
    with TemporaryDirectory(prefix="meshgen-message-") as temporary:
        paths, new, text = (Path(temporary, name) for name in ("paths", "new", "message"))
        paths.write_bytes(_specs([entry.path for entry in entries]))
        text.write_text(message, encoding="utf-8")
        untracked = [entry.path for entry in entries if entry.is_untracked]
        new.write_bytes(_specs(untracked))
        try:
            if untracked:
                # `git commit` takes paths that Git knows; this makes them known, without their content.
                _run(tree, "add", "--intent-to-add", f"--pathspec-from-file={new}", "--pathspec-file-nul")
            only = ("--only", f"--pathspec-from-file={paths}", "--pathspec-file-nul")
            _run(tree, "commit", "--quiet", "--cleanup=whitespace", f"--file={text}", *only)
        except BaseException:
            _forget(tree, untracked)
            raise
    return expect(run(tree.root, "rev-parse", "--verify", "HEAD"), "rev-parse").decode().strip()


def _run(tree: WorkTree, *arguments: str) -> None:
    encoding = ("-c", "i18n.commitEncoding=UTF-8")
    _checked(tree, run_as_user(tree.root, *encoding, *tree.options, *arguments, variables=tree.variables))


def _specs(paths: Sequence[PurePosixPath]) -> bytes:
    return b"".join(b":(top,literal)" + os.fsencode(path) + b"\0" for path in paths)


def _forget(tree: WorkTree, paths: Sequence[PurePosixPath]) -> None:
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    run(tree.root, "update-index", "--force-remove", "-z", "--stdin", given=given)


def _checked(tree: WorkTree, done: Done) -> None:
    """Say why a commit failed, by what Git and the hooks printed."""
    if not done.returncode:
        return
    said = (done.stderr + done.stdout).decode(errors="replace")
    kept = "nothing was committed, and no branch was made" if tree.is_apart else _KEPT
    if "index.lock" in said or ".lock': File exists" in said:
        raise EnvironmentFailure(
            f"another Git holds a lock of the repository; {kept}", "run it again when it has ended"
        )
    if "failed to write commit object" in said and signs(tree.root):
        hint = f"`git commit -S` shows why; commit.gpgSign asks for it\n{_quoted(said)}"
        raise EnvironmentFailure(f"the commit cannot be signed; {kept}", hint)
    if "cannot lock ref" in said:
        raise EnvironmentFailure(f"another commit came in between; {kept}", "run it again")
    if "fatal: " in said:
        raise EnvironmentFailure(f"`git commit` failed; {kept}", f"it said:\n{_quoted(said)}")
    raise Refused(f"one of your hooks refused the commit; {kept}", f"it said:\n{_quoted(said)}")


_KEPT = "nothing was committed; the rendered tree stays written"


def _quoted(said: str) -> str:
    """The last lines of what was printed, without credentials."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return "\n".join(f"    {printable(redacted(line))}" for line in lines[-_MOST_LINES:]) or "    nothing"
