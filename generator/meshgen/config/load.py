"""Reads meshgen.yaml and its overlays: text with positions in, checked documents out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshgen.config.document import Document, read_file
from meshgen.config.problems import guess, problems
from meshgen.config.schema import is_valid
from meshgen.errors import InputError
from meshgen.finding import Finding


@dataclass(frozen=True, slots=True)
class Config:
    """What the user wrote: the mesh, and each environment's files (several where the environment is a folder)."""

    folder: Path
    mesh: Document
    overlays: dict[str, tuple[Document, ...]]


def load(path: Path) -> Config:
    """Read and check the config and the overlays beside it.

    Raises InputError with every problem of every file.
    """
    if not path.is_file():
        raise InputError([_no_config(path)])
    mesh, findings = _checked(path, path.name, "mesh")
    overlays: dict[str, tuple[Document, ...]] = {}
    for environment, files in _overlay_files(path.parent, findings):
        documents = []
        for file in files:
            document, found = _checked(file, file.relative_to(path.parent).as_posix(), "overlay")
            findings += found
            if document is not None:
                findings += _misnamed(document, environment)
                documents.append(document)
        overlays[environment] = tuple(documents)
    findings += _extends_nothing(overlays)
    if findings or mesh is None:
        raise InputError(findings)
    return Config(path.parent, mesh, overlays)


def _no_config(path: Path) -> Finding:
    hint = "`meshgen init` writes one; -c FILE names another"
    return Finding("MG002", "error", "there is no such config", file=str(path), hint=hint)


def _checked(path: Path, name: str, definition: str) -> tuple[Document | None, list[Finding]]:
    document, findings = read_file(path, name)
    if document is not None and not is_valid(document.value, definition):
        findings = problems(document, definition)
        return None, findings
    return document, findings


def _overlay_files(folder: Path, findings: list[Finding]) -> list[tuple[str, list[Path]]]:
    """The files of each environment, by name: `overlays/dev.yaml`, or all of `overlays/dev/*.yaml`."""
    environments: dict[str, list[Path]] = {}
    overlays = folder / "overlays"
    for entry in sorted(overlays.iterdir()) if overlays.is_dir() else []:
        name = entry.relative_to(folder).as_posix()
        if entry.name.startswith("."):
            continue
        if entry.suffix in (".yml", ".json"):
            hint = f"rename it to {entry.stem}.yaml"
            findings.append(Finding("MG002", "error", "an overlay's name ends in .yaml", file=name, hint=hint))
        elif entry.is_dir():
            files = sorted(entry.glob("*.yaml"))
            if files and entry.name in environments:
                message = f"environment {entry.name} has a file and a folder"
                findings.append(Finding("MG202", "error", message, file=name, hint="keep one of them"))
            environments.setdefault(entry.name, []).extend(files)
        elif entry.suffix == ".yaml":
            environments.setdefault(entry.stem, []).append(entry)
    return [(name, files) for name, files in environments.items() if files]


def _misnamed(document: Document, environment: str) -> list[Finding]:
    name = document.value["metadata"]["name"]
    if name == environment:
        return []
    message = f'metadata.name: "{name}" is not "{environment}", as the file is called'
    hint = "an environment is named after its file or folder"
    return [document.finding("MG202", message, "/metadata/name", hint=hint)]


def _extends_nothing(overlays: dict[str, tuple[Document, ...]]) -> list[Finding]:
    """`extends` that names no overlay, or leads round in a circle."""
    findings = []
    below = {
        name: document.value.get("extends") for name, documents in overlays.items() for document in reversed(documents)
    }
    for name, documents in overlays.items():
        for document in documents:
            target = document.value.get("extends")
            if target is None:
                continue
            if target not in overlays:
                message = f'extends: there is no overlay "{target}"'
                findings.append(document.finding("MG201", message, "/extends", hint=guess(target, overlays)))
            elif circle := _circle(name, below):
                message = f"extends: {' → '.join(circle)} is a circle"
                findings.append(document.finding("MG201", message, "/extends", hint="take one `extends` out"))
    return findings


def _circle(start: str, below: dict[str, str | None]) -> list[str] | None:
    seen = [start]
    while (following := below.get(seen[-1])) is not None:
        if following == start:
            return [*seen, start]
        if following in seen:
            return None
        seen.append(following)
    return None
