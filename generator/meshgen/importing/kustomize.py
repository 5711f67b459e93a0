"""Reads a folder under Kustomize: its base and its overlays, each as the user's own kustomize or kubectl builds it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.config.document import Document, read_file
from meshgen.config.manifests import KUSTOMIZE_FILES
from meshgen.config.problems import shown
from meshgen.errors import EnvironmentFailure, InputError
from meshgen.finding import Finding
from meshgen.importing.operators import label
from meshgen.importing.positions import BuiltDocument
from meshgen.importing.read import is_operator, read_objects
from meshgen.yaml import ReadError, read_documents

# In seconds; a build of a hundred objects takes a tenth of one.
_LONGEST = 120.0
# What a kustomization takes from elsewhere: each entry may be a URL, which Kustomize would fetch with git.
_TAKEN = ("resources", "bases", "components", "generators", "transformers", "validators", "crds", "configurations")


@dataclass(frozen=True)
class Kustomized:
    """The objects of a base, and of each overlay on it by the name of its folder; none where there is just one."""

    base: tuple[Document, ...]
    overlays: Mapping[str, tuple[Document, ...]]


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
        raise InputError([_problem(folder, "every kustomization stands on another", "take one out of the circle")])
    if len(tops) == 1 and not _operators_below(tops[0], references):
        return Kustomized(_built(tops[0], references), {})
    base = _base(folder, tops, references)
    names = {label(top.name): top for top in tops}
    if len(names) < len(tops):
        raise InputError([_problem(folder, "two overlays have one name", "rename one of their folders")])
    return Kustomized(_built(base, references), {name: _built(top, references) for name, top in names.items()})


def _kustomizations(folder: Path) -> Iterator[Path]:
    return (file for name in KUSTOMIZE_FILES for file in folder.rglob(name) if file.is_file())


def _problem(folder: Path, message: str, hint: str) -> Finding:
    return Finding("MG808", "error", message, file=folder.as_posix(), hint=hint)


def _references(folders: list[Path]) -> dict[Path, tuple[Path, ...]]:
    """The other folders of Kustomize's that each one takes in. Refuses what would be fetched."""
    findings: list[Finding] = []
    references = {}
    for folder in folders:
        file = next(folder / name for name in KUSTOMIZE_FILES if (folder / name).is_file())
        document, found = read_file(file, file.as_posix())
        findings += found
        targets = []
        for key, index, entry in _entries(document.value if document else {}):
            target = folder / entry
            if document is not None and not target.exists():
                hint = "an import fetches nothing: put it beside the others, and name its folder"
                at = f"/{key}/{index}"
                findings.append(document.finding("MG808", f"{key}: {shown(entry)} is not here", at, hint=hint))
            elif target.is_dir():
                targets.append(target.resolve())
        references[folder] = tuple(targets)
    if findings:
        raise InputError(findings)
    return references


def _entries(kustomization: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    for key in _TAKEN:
        entries = kustomization.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            # A generator may also be written out where it is named.
            if isinstance(entry, str) and "\n" not in entry:
                yield key, index, entry


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
    raise InputError([_problem(folder, message, "import the folder of each overlay by itself, with -c")])


def _built(folder: Path, references: dict[Path, tuple[Path, ...]]) -> tuple[Document, ...]:
    data = _build(folder)
    own = _raw_operators(folder)
    sources = (*own, *(raw for below in _reached(folder, references) for raw in _raw_operators(below)))
    file = _shown(folder / next(name for name in KUSTOMIZE_FILES if (folder / name).is_file()))
    return tuple(
        BuiltDocument(file, data, _ordered(obj, sources), number, sources=sources, own=tuple(own))
        for number, obj in enumerate(read_documents(data))
        if isinstance(obj, dict)
    )


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


def _raw_operators(folder: Path) -> list[Document]:
    """The IstioOperators that are written in a folder's files, whole or as patches."""
    try:
        named = [folder] if folder.is_dir() else []
        parts = read_objects([Path(_shown(one)) for one in named])
    except InputError:
        # What is no plain manifest, Kustomize itself reads or refuses.
        return []
    return [part for part in parts if is_operator(part)]


def _shown(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def _build(folder: Path) -> bytes:
    tool = shutil.which("kustomize")
    command = [tool, "build"] if tool else [shutil.which("kubectl"), "kustomize"]
    if command[0] is None:
        hint = "put one of them on PATH, or import the IstioOperator that they build"
        raise EnvironmentFailure("a folder under Kustomize needs kustomize or kubectl, and PATH has neither", hint)
    argv = [str(part) for part in (*command, folder)]
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=_LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailure(f"{argv[0]} does not build {_shown(folder)}: {type(error).__name__}") from error
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        message = f"Kustomize refuses it: {reason[0].removeprefix('Error: ')[:300]}"
        raise InputError([_problem(Path(_shown(folder)), message, "see what `kubectl kustomize` of the folder says")])
    try:
        read_documents(done.stdout)
    except ReadError as error:
        message = f"what Kustomize builds can't be read: {error}"
        raise InputError(
            [_problem(Path(_shown(folder)), message, "quote the value in the file it comes from")]
        ) from error
    return done.stdout
