"""Runs Git: what reads and what writes objects starts no program that a repository's config names.

Only `run_as_user` lets the user's own hooks, signing and helpers run, as a commit and a push of theirs would.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meshgen.errors import EnvironmentFailure

FILE, LINK = "file", "link"
_SORTS = {"100644": FILE, "100755": FILE, "100664": FILE, "120000": LINK}
# A hook's own variables name a repository relative to where the hook runs, which need not be the config's folder.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
# No remote is asked for what a partial clone lacks, and no monitor is started.
_CLOSED = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "--no-pager", "--literal-pathspecs")
_NONE: Mapping[str, str] = {}
Done = subprocess.CompletedProcess[bytes]


class UnknownRevision(Exception):
    """No commit is called so."""


class Refused(EnvironmentFailure):
    """What the repository has stands in the way, and it is the user's to say what becomes of it."""

    exit_code = 1


@dataclass(frozen=True)
class Entry:
    """A file or a symbolic link of a commit: its path from the repository's root, and the digest of its content.

    `sort` is `file`, `link`, or what else Git calls it, such as a submodule's `commit`.
    """

    path: PurePosixPath
    sort: str
    digest: str


@dataclass(frozen=True)
class Repository:
    """A repository with a work tree, by the work tree's root."""

    root: Path

    def commit(self, revision: str) -> str:
        """The digest of the commit that a revision names. Raises UnknownRevision."""
        if not revision or revision.startswith("-") or "\0" in revision:
            raise UnknownRevision(revision)
        done = run(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode:
            raise UnknownRevision(revision)
        return done.stdout.decode().strip()

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that two commits both stand on. Raises UnknownRevision where they share none."""
        done = run(self.root, "merge-base", one, other)
        if done.returncode:
            raise UnknownRevision(f"{one}...{other}")
        return done.stdout.decode().strip()

    def entries(self, commit: str, paths: Iterable[PurePosixPath]) -> tuple[Entry, ...]:
        """What a commit has at some paths and below them, and the links on the way to them."""
        wanted = sorted({path for path in paths if path.parts})
        if not wanted:
            return ()
        above = sorted({parent for path in wanted for parent in path.parents if parent.parts})
        found = self._listed(commit, ("-r",), wanted)
        on_the_way = [entry for entry in self._listed(commit, (), above) if entry.sort == LINK] if above else []
        return tuple({entry.path: entry for entry in (*on_the_way, *found)}.values())

    def _listed(self, commit: str, options: Sequence[str], paths: Sequence[PurePosixPath]) -> list[Entry]:
        done = output_of(self.root, "ls-tree", "-z", "--full-tree", *options, commit, "--", *map(str, paths))
        return [_entry(line) for line in done.split(b"\0") if line]

    def contents(self, entries: Sequence[Entry]) -> list[bytes]:
        """The content of each entry."""
        asked = "".join(f"{entry.digest}\n" for entry in entries).encode()
        data, at, contents = output_of(self.root, "cat-file", "--batch", given=asked), 0, []
        for entry in entries:
            head, _, _ = data[at:].partition(b"\n")
            if not head.startswith(entry.digest.encode() + b" blob "):
                hint = "a partial clone lacks objects: `git fetch --refetch`, or clone without --filter"
                raise EnvironmentFailure(f"{self.root}: Git cannot read {entry.path}", hint)
            start = at + len(head) + 1
            at = start + int(head.rsplit(b" ", 1)[1]) + 1
            contents.append(data[start : at - 1])
        return contents


# What Git advises where a repository is another user's.
_TRUST = re.compile(r"git config --global --add safe\.directory .+")
_CLONE = "run it in a clone; `meshgen diff DIR` compares with a folder and needs no Git"


def repository(folder: Path, *, hint: str = _CLONE) -> Repository:
    """The repository that a folder lies in. Raises EnvironmentFailure where there is none, or no Git."""
    done = run(folder, "rev-parse", "--show-toplevel")
    if done.returncode:
        trust = _TRUST.search(done.stderr.decode(errors="replace"))
        raise EnvironmentFailure(f"{folder}: {reason(done.stderr)}", f"if you trust it: {trust[0]}" if trust else hint)
    return Repository(Path(os.fsdecode(done.stdout.removesuffix(b"\n"))))


def _entry(line: bytes) -> Entry:
    head, _, path = line.partition(b"\t")
    mode, sort, digest = head.decode().split()
    return Entry(PurePosixPath(os.fsdecode(path)), _SORTS.get(mode, sort), digest)


def output_of(folder: Path, *arguments: str, given: bytes = b"", variables: Mapping[str, str] = _NONE) -> bytes:
    """What a command of Git prints. Raises EnvironmentFailure where it fails."""
    return expect(run(folder, *arguments, given=given, variables=variables), arguments[0])


def run(folder: Path, *arguments: str, given: bytes = b"", variables: Mapping[str, str] = _NONE) -> Done:
    """Run a command of Git that asks nobody, locks nothing by the way and starts no other program."""
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C", **variables}
    return _git(folder, (*_CLOSED, *arguments), given, quiet)


def run_as_user(folder: Path, *arguments: str, given: bytes = b"", variables: Mapping[str, str] = _NONE) -> Done:
    """Run a command of Git as the user would: hooks, signing, filters and helpers for credentials are theirs.

    Hooks see no option and no locale of ours. Git itself asks nothing on the terminal.
    """
    # Its messages are read, and a locale is the hooks' as well.
    return _git(folder, ("--no-pager", *arguments), given, {"LANGUAGE": "C", **variables})


def expect(done: Done, command: str) -> bytes:
    """What a command printed. Raises EnvironmentFailure where it failed."""
    if done.returncode:
        raise EnvironmentFailure(f"git {command}: {reason(done.stderr)}", "`git fsck` says whether it is whole")
    return done.stdout


def _git(folder: Path, arguments: Sequence[str], given: bytes, variables: Mapping[str, str]) -> Done:
    environment = {key: value for key, value in os.environ.items() if key not in _OF_A_HOOK}
    environment |= {"GIT_TERMINAL_PROMPT": "0", **variables}
    try:
        return subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, input=given, capture_output=True, check=False
        )
    except FileNotFoundError:
        if not folder.is_dir():
            raise EnvironmentFailure(f"{folder}: there is no such folder") from None
        hint = "install Git; `meshgen diff DIR` compares with a folder and needs none"
        raise EnvironmentFailure("git is not on the PATH", hint) from None
    except OSError as error:
        raise EnvironmentFailure(f"git cannot be run: {error.strerror}", "look at the permissions of git") from None


def reason(stderr: bytes) -> str:
    """The first line of what Git said that is its own."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    telling = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines
    return telling[0].removeprefix("fatal: ").removeprefix("error: ") if telling else "Git failed and did not say why"
