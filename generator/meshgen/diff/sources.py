"""Which configs are compared: what the argument of a comparison names."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from meshgen.diff.revision import Revision, refused
from meshgen.errors import EnvironmentFailure, InputError
from meshgen.git import UnknownRevision, repository

WORKING_TREE = "working tree"


@dataclass(frozen=True)
class Source:
    """Where a side is read from: a revision, or a config on the disk whose findings begin with `prefix`."""

    name: str
    config: Path
    revision: Revision | None = None
    prefix: str = ""


def sources(argument: str | None, config: Path) -> tuple[Source, Source]:
    """What is compared with what: see `meshgen diff --help`.

    Raises InputError for what names neither a revision nor a config, EnvironmentFailure without a repository.
    """
    here = Source(WORKING_TREE, config)
    folder = None if argument is None else _config_in(Path(argument), config)
    if argument is None or folder is None:
        return _revisions(argument or "HEAD", here)
    if _is_revision(argument, config):
        hint = f"write ./{argument} for the folder, or {argument}^0 for the revision"
        raise InputError([refused(f"{argument} is both a folder and a revision", hint=hint)])
    prefix = posixpath.join(folder.parent.as_posix(), "")
    return Source(argument, folder, prefix="" if prefix == "./" else prefix), here


def _config_in(path: Path, config: Path) -> Path | None:
    """The config that an argument names: a file, or one called as ours in a folder."""
    try:
        if path.is_dir():
            inside = path / config.name
            if inside.is_file():
                return inside
            if path.is_absolute() or path.parts[:1] in (("..",), ()):
                raise InputError([refused(f"there is no {config.name} in it", str(path), "name the config itself")])
            return None
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def _is_revision(argument: str, config: Path) -> bool:
    if argument.startswith(("./", "../", "/")) or argument in (".", ".."):
        return False
    try:
        repository(config.parent).commit(argument)
    except (EnvironmentFailure, UnknownRevision):
        return False
    return True


def _revisions(argument: str, here: Source) -> tuple[Source, Source]:
    found = repository(here.config.parent)
    folder = here.config.parent.resolve().relative_to(found.root.resolve())
    path = PurePosixPath(folder.as_posix()) / here.config.name

    def source(name: str) -> Source:
        return Source(name, here.config, Revision(found, found.commit(name), name, path))

    try:
        first, dots, second = argument.partition("...")
        if dots:
            one, other = source(first or "HEAD"), source(second or "HEAD")
            base = found.merge_base(found.commit(one.name), found.commit(other.name))
            # Named by its digest: no name of the user's stands for it.
            return replace(source(base), name=base[:12]), other
        first, dots, second = argument.partition("..")
        return (source(first or "HEAD"), source(second or "HEAD")) if dots else (source(argument), here)
    except UnknownRevision as error:
        hint = "`git log --oneline --all` lists commits; a folder to compare with holds a config of the same name"
        raise InputError([refused(f'"{error}" is no revision here, and no folder with a config', hint=hint)]) from None
