"""Reads a folder under Kustomize: its base and its overlays, each as the user's own kustomize or kubectl builds it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.config.document import Document, read_file
from meshgen.config.manifestfiles import KUSTOMIZE_FILES
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.kustomizer import build, problem, shown_path
from meshgen.importing.positions import BuiltDocument
from meshgen.importing.read import is_operator, read_objects
from meshgen.importing.references import targets_of
from meshgen.starter import label
from meshgen.yaml import read_documents


@dataclass(frozen=True)
class Kustomized:
    """The objects of a base, and of each overlay on it by the name of its folder; none where there is just one."""

    base: tuple[Document, ...]
    overlays: Mapping[str, tuple[Document, ...]]
    findings: tuple[Finding, ...] = ()


def is_kustomized(folder: Path) -> bool:
    """Whether a folder, or one in it, is Kustomize's."""
    return folder.is_dir() and any(_kustomizations(folder))


def read_kustomized(folder: Path) -> Kustomized:
    """Build the base in a folder, and the overlays on it.

    Raises InputError where the folder's parts don't stand on one base or Kustomize refuses one, EnvironmentFailure
    where there is neither kustomize nor kubectl.
    """
    references = _references(sorted(file.parent.resolve() for file in _kustomizations(folder)))
    referred = {target for targets in references.values() for target in targets}
    tops = [part for part in references if part not in referred]
    if not tops:
        raise InputError([problem(folder, "every kustomization stands on another", "take one out of the circle")])
    if len(tops) == 1 and not _operators_below(tops[0], references):
        return Kustomized(_built(tops[0], references), {})
    base = _base(folder, tops, references)
    names = _names(folder, tops)
    below = {base, *_reached(base, references)}
    overlays = {name: _built(top, references, below) for name, top in names.items()}
    return Kustomized(_built(base, references), overlays, tuple(_between(tops, references, below)))


def _names(folder: Path, tops: list[Path]) -> dict[str, Path]:
    """A name for each overlay: its folder's, or where two have one, its path's."""
    short = [label(top.name) for top in tops]
    long = [label(top.relative_to(folder.resolve()).as_posix()) for top in tops]
    names = {one if short.count(one) == 1 else other: top for one, other, top in zip(short, long, tops, strict=True)}
    if len(names) < len(tops):
        both = ", ".join(shown_path(top) for top in tops)
        raise InputError([problem(folder, f"two overlays have one name: {both}", "rename one of their folders")])
    return names


def _kustomizations(folder: Path) -> Iterator[Path]:
    return (file for name in KUSTOMIZE_FILES for file in folder.rglob(name) if file.is_file())


def _references(folders: list[Path]) -> dict[Path, tuple[Path, ...]]:
    """The other folders of Kustomize's that each one takes in. Refuses what would be fetched."""
    findings: list[Finding] = []
    references = {}
    for folder in folders:
        file = next(folder / name for name in KUSTOMIZE_FILES if (folder / name).is_file())
        document, found = read_file(file, shown_path(file))
        findings += found
        targets = targets_of(folder, document, findings) if document is not None else []
        references[folder] = tuple(target.resolve() for target in targets if target.is_dir())
    if findings:
        raise InputError(findings)
    return references


def _reached(part: Path, references: dict[Path, tuple[Path, ...]]) -> list[Path]:
    """The folders that one takes in, nearest first."""
    found: dict[Path, None] = {}
    todo = list(references.get(part, ()))
    while todo:
        one = todo.pop(0)
        if one not in found:
            found[one] = None
            todo += references.get(one, ())
    return list(found)


def _operators_below(part: Path, references: dict[Path, tuple[Path, ...]]) -> bool:
    return any(_raw_operators(below) for below in _reached(part, references))


def _base(folder: Path, tops: list[Path], references: dict[Path, tuple[Path, ...]]) -> Path:
    """The nearest folder that all overlays stand on and that holds an IstioOperator, itself or below it."""
    shared = [set(_reached(top, references)) for top in tops]
    for part in _reached(tops[0], references):
        holds = _raw_operators(part) or _operators_below(part, references)
        if holds and all(part in reached for reached in shared):
            return part
    message = "the overlays have no IstioOperator in a base that all of them share"
    raise InputError([problem(folder, message, "import the folder of each overlay by itself, with -c")])


def _built(
    folder: Path, references: dict[Path, tuple[Path, ...]], below: Collection[Path] = ()
) -> tuple[Document, ...]:
    """The objects of a folder; its comments are those of the folders that it has beyond the ones `below`."""
    data = build(folder)
    parts = [folder, *_reached(folder, references)]
    raw = {part: _raw_operators(part) for part in parts}
    sources = tuple(one for part in parts for one in raw[part])
    own = tuple(one for part in parts for one in raw[part] if part not in below)
    file = shown_path(folder / next(name for name in KUSTOMIZE_FILES if (folder / name).is_file()))
    built = tuple(
        BuiltDocument(file, data, _ordered(obj, sources), number, sources=sources, own=own)
        for number, obj in enumerate(read_documents(data))
        if isinstance(obj, dict)
    )
    if not built:
        hint = "import a folder whose resources hold an IstioOperator"
        raise InputError([problem(Path(file), "Kustomize builds no object of it", hint)])
    return built


def _ordered(value: Any, sources: Sequence[Document]) -> Any:
    """An object with its fields in the order of the file that it was written in: Kustomize sorts them."""
    like = [source.value for source in sources if source.value.get("kind") == value.get("kind")]
    for source in like:
        value = _as_in(value, source)
    return value


def _as_in(value: Any, source: Any) -> Any:
    if isinstance(value, dict) and isinstance(source, dict):
        keys = dict.fromkeys((*(key for key in source if key in value), *value))
        return {key: _as_in(value[key], source.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(source, list) and len(value) == len(source):
        return [_as_in(one, other) for one, other in zip(value, source, strict=True)]
    return value


def _between(tops: list[Path], references: dict[Path, tuple[Path, ...]], below: set[Path]) -> Iterator[Finding]:
    """The folders between the base and overlays: each is in those that stand on it, and no environment itself."""
    middle = {one for top in tops for one in _reached(top, references)} - below
    for folder in sorted(middle):
        over = ", ".join(label(top.name) for top in tops if folder in _reached(top, references))
        message = f"this folder is taken into {over}, and is no environment of its own"
        hint = "if a cluster is applied from it, add an overlay for it, which the others may extend"
        yield Finding("MG808", "info", message, file=shown_path(folder), hint=hint)


def _raw_operators(folder: Path) -> list[Document]:
    """The IstioOperators that are written in a folder's files, whole or as patches."""
    try:
        named = [folder] if folder.is_dir() else []
        parts = read_objects([Path(shown_path(one)) for one in named])
    except InputError:
        # What is no plain manifest, Kustomize itself reads or refuses.
        return []
    return [part for part in parts if is_operator(part)]
