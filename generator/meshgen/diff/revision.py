"""Brings what a render reads out of a revision into a folder: config, overlays, own rules, the manifests it names."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from meshgen.config.manifests import addon_sources, resource_paths
from meshgen.config.resolve import Mesh
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.git import FILE, LINK, Entry, Repository
from meshgen.policy.ownrules import FOLDER as RULES


@dataclass(frozen=True)
class Revision:
    """A config at a commit; `name` is what the user called the commit, `config` its path from the repository's root."""

    repository: Repository
    commit: str
    name: str
    config: PurePosixPath

    def has_config(self) -> bool:
        """Whether the commit has a file of that name, or a link."""
        return any(one.path == self.config for one in self.repository.entries(self.commit, [self.config]))

    @contextmanager
    def materialised(self) -> Iterator[Materialised]:
        """A folder with the config, its overlays and its own rules, as long as the context lasts."""
        with TemporaryDirectory(prefix="meshgen-diff-") as folder:
            # macOS has its temporary folder behind a link, and paths are compared.
            made = Materialised(self, Path(folder).resolve())
            # Links may lead as far as they do in the repository.
            (made.folder / ".git").mkdir()
            made.bring([self.config, *(self.config.parent / name for name in ("overlays", RULES))])
            yield made


@dataclass(frozen=True)
class Materialised:
    """Files of a revision below `folder`, at the paths that they have in the repository."""

    revision: Revision
    folder: Path

    @property
    def config(self) -> Path:
        """The config, in the folder."""
        return self.folder / self.revision.config

    def bring_sources(self, mesh: Mesh) -> None:
        """Bring the manifests that a mesh names; what lies outside of the repository is in no revision."""
        written = sorted(
            {
                path
                for settings in (mesh.settings, *(cluster.settings for cluster in mesh.clusters))
                for _, path in (*addon_sources(settings), *resource_paths(settings))
            }
        )
        self.bring(self._inside(self.revision.config.parent, source, self.revision.config) for source in written)

    def bring(self, paths: Iterable[PurePosixPath]) -> None:
        """Bring the files at some paths and below them, and what links among them lead to."""
        asked: set[PurePosixPath] = set()
        files: list[Entry] = []
        links: dict[PurePosixPath, str] = {}
        waiting = list(paths)
        while waiting:
            asked.update(waiting)
            found = self.revision.repository.entries(self.revision.commit, waiting)
            fresh = [one for one in found if one.sort == LINK and one.path not in links]
            targets = [os.fsdecode(data) for data in self.revision.repository.contents(fresh)]
            links.update((one.path, target) for one, target in zip(fresh, targets, strict=True))
            files += [one for one in found if one.sort != LINK]
            leads = {at for path in waiting for at in self._leads(path, links)}
            leads |= {self._inside(path.parent, target, path) for path, target in links.items()}
            waiting = sorted(leads - asked)
        self._write(files, links)

    def _leads(self, path: PurePosixPath, links: dict[PurePosixPath, str]) -> Iterator[PurePosixPath]:
        """Where a path leads through links on its way."""
        for above in (path, *path.parents):
            if above in links:
                yield self._inside(above.parent, posixpath.join(links[above], path.relative_to(above)), above)

    def _inside(self, folder: PurePosixPath, target: str, file: PurePosixPath) -> PurePosixPath:
        path = posixpath.normpath(posixpath.join(folder, target))
        if path.startswith(("/", "../")) or path == "..":
            message = "it names a path outside of the repository, which no revision holds"
            raise InputError([refused(message, str(file), "bring what it names into the repository")])
        return PurePosixPath(path)

    def _write(self, files: list[Entry], links: dict[PurePosixPath, str]) -> None:
        """Write files first, so that no link can lead one away."""
        for entry in files:
            _check(entry)
        for entry, data in zip(files, self.revision.repository.contents(files), strict=True):
            path = self.folder / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for at, target in links.items():
            path = self.folder / at
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_symlink():
                path.symlink_to(target)


def refused(message: str, file: str | None = None, hint: str | None = None) -> Finding:
    """What can't be compared, as a finding."""
    return Finding("MG702", "error", message, file=file, hint=hint)


def _check(entry: Entry) -> None:
    if entry.sort != FILE:
        message = f"it is a {'submodule' if entry.sort == 'commit' else entry.sort}, whose files this repository lacks"
        raise InputError([refused(message, str(entry.path), "compare with a folder: meshgen diff DIR")])
    # Git itself makes no such path, but a repository can be made by hand.
    if entry.path.is_absolute() or {"..", ".git"} & set(entry.path.parts):
        raise InputError([refused("it has a path that Git would not check out", str(entry.path))])
