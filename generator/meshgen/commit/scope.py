"""What a commit of the tree is made of: the rendered files, and the files that they were rendered from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meshgen.commit.state import root_of
from meshgen.config.load import load
from meshgen.config.manifestfiles import SUFFIXES
from meshgen.config.manifests import addon_sources, resource_paths
from meshgen.config.resolve import Mesh, resolve
from meshgen.errors import InputError
from meshgen.git import Refused, Repository, repository
from meshgen.policy.ownrules import FOLDER as RULES
from meshgen.tree import inventory


@dataclass(frozen=True)
class Source:
    """A file that the config is read from, or the files of a folder, by its path from the repository's root."""

    path: PurePosixPath
    suffixes: tuple[str, ...] = (".yaml",)
    deep: bool = True

    def holds(self, path: PurePosixPath) -> bool:
        """Whether a file is read as part of it; what is hidden is not."""
        if path == self.path:
            return True
        if not path.is_relative_to(self.path) or path.suffix not in self.suffixes:
            return False
        below = path.relative_to(self.path).parts
        return (self.deep or len(below) == 1) and not any(part.startswith(".") for part in below)


@dataclass(frozen=True)
class Scope:
    """Which paths of a repository are a mesh's; `tree` is the tree's folder from the repository's root.

    `rendered` are the files that the tree has or had. `outside` are sources that lie in no work tree of the repository.
    """

    repository: Repository
    mesh: str
    tree: PurePosixPath
    sources: tuple[Source, ...]
    outside: tuple[str, ...]
    rendered: frozenset[PurePosixPath] = frozenset()

    def holds(self, path: PurePosixPath) -> bool:
        """Whether a path is the commit's."""
        return path in self.rendered or self.is_source(path)

    def is_source(self, path: PurePosixPath) -> bool:
        """Whether the tree is rendered from it."""
        return any(source.holds(path) for source in self.sources)

    @property
    def places(self) -> tuple[PurePosixPath, ...]:
        """The files and folders that all of it is in."""
        return tuple(dict.fromkeys((self.tree, *(source.path for source in self.sources))))


_HINT = "run it in a clone, or make a repository first: git init"


def scope_of(config: Path, output: Path) -> Scope:
    """Find the repository, the tree in it and what the config is read from.

    Raises Refused where they are in several repositories, EnvironmentFailure where they are in none.
    """
    found = repository(config.parent, hint=_HINT)
    mesh = resolve(load(config))
    tree = _tree(found, output)
    sources, outside = sources_in(found, config, mesh)
    return Scope(found, mesh.name, tree, sources, outside)


def sources_in(found: Repository, config: Path, mesh: Mesh) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """What a render reads: in the repository, and what lies outside of it."""
    sources, outside = [], []
    for path, suffixes, deep in _read(config, mesh):
        inside = list(_inside(found, path))
        if not inside:
            outside.append(path.as_posix())
        sources += [Source(one, suffixes, deep) for one in inside]
    return tuple(dict.fromkeys(sources)), tuple(dict.fromkeys(outside))


def rendered_paths(tree: PurePosixPath, *files: Iterable[str]) -> frozenset[PurePosixPath]:
    """Files of the tree from the repository's root, and the list of them."""
    own = tree / inventory.FOLDER / inventory.LOCK
    return frozenset((own, *(tree / path for paths in files for path in paths)))


def owned_at(scope: Scope, commit: str | None) -> Iterable[str]:
    """The files that are meshgen's at a commit, relative to the tree; none where its list can't be read."""
    lock = scope.tree / inventory.FOLDER / inventory.LOCK
    entries = scope.repository.entries(commit, [lock]) if commit else ()
    listed = [entry for entry in entries if entry.path == lock and entry.sort == "file"]
    with suppress(InputError):
        for content in scope.repository.contents(listed):
            return inventory.parse(scope.repository.root / scope.tree, content).files
    return ()


def _tree(found: Repository, output: Path) -> PurePosixPath:
    root = found.root.resolve()
    path = output.resolve()
    other = root_of(path)
    if other is None or other.resolve() != root or not path.is_relative_to(root):
        where = f"is in another repository, {other}: a submodule or a clone" if other else "is in no repository"
        raise Refused(f"{output}: the tree {where}, and the config is in {root}", "name a folder beside it with -O")
    tree = PurePosixPath(path.relative_to(root).as_posix())
    if not tree.parts:
        raise Refused(f"{output}: the tree is the whole repository", "name a folder in it with -O")
    return tree


def _read(config: Path, mesh: Mesh) -> Iterator[tuple[Path, tuple[str, ...], bool]]:
    """(path, suffixes, whether folders in it count) of all that a render reads."""
    yield config, (), False
    overlays = mesh.folder / "overlays"
    yield overlays, (".yaml",), True
    # A file or folder of an environment may be a link: what it leads to is read, and is a place of its own.
    yield from ((path, (".yaml",), True) for path in sorted(overlays.rglob("*")) if path.is_symlink())
    yield mesh.folder / RULES, (".yaml",), False
    for settings in (mesh.settings, *(cluster.settings for cluster in mesh.clusters)):
        yield from ((mesh.folder / path, SUFFIXES, False) for _, path in addon_sources(settings))
        yield from ((mesh.folder / path, SUFFIXES, True) for _, path in resource_paths(settings))


def _inside(found: Repository, path: Path) -> Iterator[PurePosixPath]:
    """A path from the repository's root, and what it leads to where it is a link; nothing where it lies outside."""
    root = found.root.resolve()
    named = path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()
    for one in dict.fromkeys((named, path.resolve())):
        if not one.is_relative_to(root):
            continue
        other = root_of(one)
        if other is not None and other.resolve() != root:
            hint = "commit there, and copy or vendor what the tree is rendered from into this repository"
            raise Refused(f"{path}: it is in another repository, {other}: a submodule or a clone", hint)
        yield PurePosixPath(one.relative_to(root).as_posix())


def display(path: PurePosixPath | str) -> str:
    """A path as it may be printed."""
    return os.fsencode(str(path)).decode(errors="replace")


def few(paths: Sequence[PurePosixPath]) -> str:
    """The first paths, and how many more there are."""
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(display(path) for path in paths[:3]) + more
