"""The files that a path of the config means: itself, or the manifests of a folder; no link leads out of its home."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZE_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class LeadsOutError(Exception):
    """A link leads out of what a revision of the config holds."""

    def __init__(self, link: Path) -> None:
        self.link = link
        super().__init__(str(link))


@dataclass(frozen=True)
class Home:
    """Where a config lies, without links, and what its files stay in: its repository, or its folder without one."""

    folder: Path
    root: Path
    is_repository: bool

    @classmethod
    def of(cls, folder: Path) -> Home:
        """The home of the config in a folder."""
        real = Path(os.path.realpath(folder))
        # In a worktree or a submodule it is a file.
        root = next((above for above in (real, *real.parents) if (above / ".git").exists()), None)
        return cls(real, root or real, root is not None)

    def files(self, path: str, *, deep: bool) -> list[Path]:
        """A file, or the manifests of a folder: those of the folders in it only where they are asked for.

        Without them it is as `kubectl apply -f` takes a folder. What is hidden stays out. What can't be read is among
        them, so that it is missed. Raises LeadsOutError, and OSError for what is no file and no folder of manifests.
        """
        named = self.folder / path
        real = Path(os.path.realpath(named))
        inside = Path(os.path.normpath(named)).is_relative_to(self.root)
        if inside and not real.is_relative_to(self.root) and real.exists():
            raise LeadsOutError(named)
        return _files(named, (self.root, real), deep=deep)


def _files(path: Path, roots: tuple[Path, ...], *, deep: bool) -> list[Path]:
    if not path.is_dir():
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is neither a file nor a folder")
        return [path]
    if (path / ".meshgen").exists():
        raise OSError(errno.EINVAL, "it is a tree that meshgen writes")
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    # Kustomize's own folder means what `kustomize build` makes of it, not the files that lie in it.
    if built := [entry for entry in entries if entry.name in KUSTOMIZE_FILES]:
        return built
    folders = [entry for entry in entries if entry.is_dir()]
    files = [entry for entry in entries if entry not in folders and _is_manifest(entry, deep=deep)]
    for entry in (*files, *(folders if deep else ())):
        _stay_inside(entry, roots)
    for folder in folders if deep else ():
        if path.resolve().is_relative_to(folder.resolve()):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        files += _files(folder, roots, deep=True)
    return files


def _is_manifest(entry: Path, *, deep: bool) -> bool:
    # A link to nothing may have been one to a folder.
    return entry.suffix in SUFFIXES or (deep and not entry.suffix and is_dangling(entry))


def is_dangling(entry: Path) -> bool:
    """Whether something is a link to what is not there."""
    return entry.is_symlink() and not entry.exists()


def _stay_inside(entry: Path, roots: tuple[Path, ...]) -> None:
    if entry.is_symlink() and entry.exists():
        real = Path(os.path.realpath(entry))
        if not any(real.is_relative_to(root) for root in roots):
            raise LeadsOutError(entry)
