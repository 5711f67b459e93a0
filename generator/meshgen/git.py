"""Reads files of a revision from Git's object store: no checkout, no program that a repository's config names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meshgen.errors import EnvironmentFailure

FILE, LINK = "file", "link"
_SORTS = {"100644": FILE, "100755": FILE, "100664": FILE, "120000": LINK}
# A hook's own variables name a repository relative to where the hook runs, which need not be the config's folder.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
# No remote is asked for what a partial clone lacks, and no monitor is started.
_CLOSED = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "--no-pager", "--literal-pathspecs")


class UnknownRevision(Exception):
    """No commit is called so."""


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
        done = _git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode:
            raise UnknownRevision(revision)
        return done.stdout.decode().strip()

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that two commits both stand on. Raises UnknownRevision where they share none."""
        done = _git(self.root, "merge-base", one, other)
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
        done = _succeeding(self.root, "ls-tree", "-z", "--full-tree", *options, commit, "--", *map(str, paths))
        return [_entry(line) for line in done.split(b"\0") if line]

    def contents(self, entries: Sequence[Entry]) -> list[bytes]:
        """The content of each entry."""
        asked = "".join(f"{entry.digest}\n" for entry in entries).encode()
        data, at, contents = _succeeding(self.root, "cat-file", "--batch", input=asked), 0, []
        for entry in entries:
            head, _, _ = data[at:].partition(b"\n")
            if not head.startswith(entry.digest.encode() + b" blob "):
                hint = "a partial clone lacks objects: `git fetch --refetch`, or clone without --filter"
                raise EnvironmentFailure(f"{self.root}: Git cannot read {entry.path}", hint)
            start = at + len(head) + 1
            at = start + int(head.rsplit(b" ", 1)[1]) + 1
            contents.append(data[start : at - 1])
        return contents


def repository(folder: Path) -> Repository:
    """The repository that a folder lies in. Raises EnvironmentFailure where there is none, or no Git."""
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode:
        hint = "run it in a clone; `meshgen diff DIR` compares with a folder and needs no Git"
        raise EnvironmentFailure(f"{folder}: {_reason(done.stderr)}", hint)
    return Repository(Path(os.fsdecode(done.stdout.removesuffix(b"\n"))))


def _entry(line: bytes) -> Entry:
    head, _, path = line.partition(b"\t")
    mode, sort, digest = head.decode().split()
    return Entry(PurePosixPath(os.fsdecode(path)), _SORTS.get(mode, sort), digest)


def _succeeding(folder: Path, *arguments: str, input: bytes = b"") -> bytes:  # noqa: A002
    done = _git(folder, *arguments, input=input)
    if done.returncode:
        raise EnvironmentFailure(f"git {arguments[0]}: {_reason(done.stderr)}", "`git fsck` says whether it is whole")
    return done.stdout


def _git(folder: Path, *arguments: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:  # noqa: A002
    environment = {key: value for key, value in os.environ.items() if key not in _OF_A_HOOK}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", *_CLOSED, *arguments], cwd=folder, env=environment, input=input, capture_output=True, check=False
        )
    except FileNotFoundError:
        if not folder.is_dir():
            raise EnvironmentFailure(f"{folder}: there is no such folder") from None
        hint = "install Git; `meshgen diff DIR` compares with a folder and needs none"
        raise EnvironmentFailure("git is not on the PATH", hint) from None
    except OSError as error:
        raise EnvironmentFailure(f"git cannot be run: {error.strerror}", "look at the permissions of git") from None


def _reason(stderr: bytes) -> str:
    """The first line of what Git said."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else "Git failed and did not say why"
