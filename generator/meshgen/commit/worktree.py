"""The work tree that a commit is made in: the user's own, or one apart that leaves the user's as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from meshgen.commit.scope import Scope
from meshgen.commit.state import git_folder
from meshgen.errors import EnvironmentFailure
from meshgen.git import expect, run, run_as_user

# A file of Git's large file storage stays its pointer: nothing is downloaded.
_VARIABLES = {"GIT_LFS_SKIP_SMUDGE": "1"}


@dataclass(frozen=True)
class Entry:
    """A path that differs from HEAD, by the two letters that `git status` has for it."""

    path: PurePosixPath
    index: str
    tree: str

    @property
    def is_untracked(self) -> bool:
        """Whether Git does not know it yet."""
        return self.index == "?"

    @property
    def is_ignored(self) -> bool:
        """Whether a .gitignore leaves it out."""
        return self.index == "!"

    @property
    def action(self) -> str:
        """What becomes of it: `added`, `deleted` or `changed`."""
        if "D" in (self.index, self.tree):
            return "deleted"
        return "added" if self.index in "?A" or self.tree == "A" else "changed"


@dataclass(frozen=True)
class WorkTree:
    """A work tree by its root; `options` go before each command of Git's that commits there."""

    root: Path
    is_apart: bool = False
    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def status(self, places: Iterable[PurePosixPath]) -> list[Entry]:
        """What differs from HEAD in some places, and what is ignored there."""
        there = [f":(top,literal){place}" for place in places]
        arguments = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
        # A filter of the user's says what a file is to Git.
        done = run_as_user(self.root, *arguments, "--ignore-submodules=all", "--", *there, variables=_QUIET)
        said = expect(done, "status").decode(errors="surrogateescape").split("\0")
        return [Entry(PurePosixPath(line[3:]), line[0], line[1]) for line in said if line]


_QUIET = {"GIT_OPTIONAL_LOCKS": "0"}


@contextmanager
def apart(scope: Scope, branch: str, base: str | None) -> Iterator[WorkTree]:
    """A work tree with a HEAD and an index of its own, with the files of `base` and the user's sources.

    Its HEAD is `base`, or `branch` where that will have its first commit.
    It is what `git worktree add` makes, but in a temporary folder and listed nowhere, so that nothing is left of it.
    """
    own = scope.repository.root
    with TemporaryDirectory(prefix="meshgen-commit-") as temporary:
        folder = Path(temporary).resolve()
        private, root = folder / "git", folder / "work"
        private.mkdir()
        root.mkdir()
        (private / "HEAD").write_text(f"{base or f'ref: refs/heads/{branch}'}\n", encoding="utf-8")
        (private / "commondir").write_bytes(os.fsencode(git_folder(own)) + b"\n")
        (private / "gitdir").write_bytes(os.fsencode(root / ".git") + b"\n")
        (root / ".git").write_bytes(b"gitdir: " + os.fsencode(private) + b"\n")
        made = WorkTree(root, is_apart=True, options=_hooks(own), variables=_VARIABLES)
        if base:
            expect(run(root, "read-tree", base), "read-tree")
            expect(run_as_user(root, "checkout-index", "--all", "--quiet", variables=_VARIABLES), "checkout-index")
        _bring_sources(scope, WorkTree(own), root)
        yield made


def _hooks(root: Path) -> tuple[str, ...]:
    """A relative core.hooksPath is relative to the work tree, and files there need not be Git's: the user's own."""
    said = run(root, "config", "--type=path", "--get", "core.hooksPath").stdout.decode(errors="surrogateescape")
    path = said.removesuffix("\n")
    return ("-c", f"core.hooksPath={root / path}") if path and not os.path.isabs(path) else ()


def _bring_sources(scope: Scope, own: WorkTree, root: Path) -> None:
    """Make what the tree is rendered from as it is in the user's work tree."""
    try:
        for entry in own.status([source.path for source in scope.sources]):
            if not entry.is_ignored and scope.is_source(entry.path):
                _copy(own.root / entry.path, root / entry.path)
    except OSError as error:
        hint = "make room or permission there, and run it again"
        raise EnvironmentFailure(
            f"cannot copy {error.filename}: {error.strerror}; nothing was written", hint
        ) from error


def _copy(source: Path, target: Path) -> None:
    if target.is_symlink() or target.exists():
        target.unlink()
    if source.is_symlink() or source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target, follow_symlinks=False)
