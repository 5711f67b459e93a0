"""Reads meshgen.yaml and its overlays: text with positions in, checked documents out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meshgen.config.document import Document, read_file
from meshgen.config.extends import extends_problems
from meshgen.config.folders import folder_problems
from meshgen.config.problems import problems
from meshgen.config.schema import is_valid
from meshgen.errors import InputError
from meshgen.finding import Finding


@dataclass(frozen=True)
class Config:
    """What the user wrote: the mesh, and each environment's files (several where the environment is a folder)."""

    folder: Path
    mesh: Document
    overlays: dict[str, tuple[Document, ...]]


def load(path: Path) -> Config:
    """Read and check the config and the overlays beside it.

    Raises InputError with every problem of every file.
    """
    if (missing := _no_config(path)) is not None:
        raise InputError([missing])
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
        findings += folder_problems(overlays[environment])
    findings += extends_problems(overlays)
    if not any(finding.file and finding.file.startswith("overlays") for finding in findings):
        findings += _no_clusters(overlays)
    if findings or mesh is None:
        raise InputError(sorted(findings, key=lambda one: (one.file != path.name, one.file or "", one.line or 0)))
    return Config(path.parent, mesh, overlays)


def _no_config(path: Path) -> Finding | None:
    hint = "`meshgen init` writes one; -c FILE names another"
    try:
        if path.is_file():
            return None
        message = "there is no such config"
        if path.is_dir():
            message, hint = "the config is a file, and this is a folder", f"say -c {path / 'meshgen.yaml'}"
        elif path.exists():
            message = "the config is a file, and this is none"
    except OSError as error:
        message = f"the config cannot be read: {error.strerror}"
    return Finding("MG002", "error", message, file=str(path), hint=hint)


def _checked(path: Path, name: str, definition: str) -> tuple[Document | None, list[Finding]]:
    document, findings = read_file(path, name)
    if document is not None and not is_valid(document.value, definition):
        findings = problems(document, definition)
        return None, findings
    return document, findings


def _overlay_files(folder: Path, findings: list[Finding]) -> list[tuple[str, list[Path]]]:
    """The files of each environment, by name: `overlays/dev.yaml`, or all of `overlays/dev/*.yaml`."""
    environments: dict[str, list[Path]] = {}
    try:
        for entry in _entries(folder / "overlays"):
            if _is_misplaced(entry, folder, findings):
                continue
            if entry.is_dir():
                files = [file for file in _entries(entry) if not _is_misplaced(file, folder, findings)]
                environments[entry.name] = [file for file in files if _is_overlay(file, folder, findings)]
            elif entry.suffix == ".yaml":
                if environments.get(entry.stem):
                    message = f"environment {entry.stem} has a file and a folder"
                    name = entry.relative_to(folder).as_posix()
                    findings.append(Finding("MG202", "error", message, file=name, hint="keep one of them"))
                environments.setdefault(entry.stem, []).append(entry)
    except OSError as error:
        message = f"the overlays cannot be read: {error.strerror}"
        hint = "overlays/ is a folder that you may read, or it is not there"
        findings.append(Finding("MG002", "error", message, file="overlays", hint=hint))
    return [(name, files) for name, files in sorted(environments.items()) if files]


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, in a fixed order, without what begins with a dot; nothing where there is no folder."""
    if not folder.exists():
        return []
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _is_misplaced(entry: Path, folder: Path, findings: list[Finding]) -> bool:
    """Report what someone took for an overlay and nothing would read."""
    if entry.suffix == ".yaml" or entry.suffix.lower() not in (".yml", ".yaml", ".json"):
        return False
    name = entry.relative_to(folder).as_posix()
    hint = f"rename it to {entry.stem}.yaml"
    findings.append(Finding("MG002", "error", "an overlay's name ends in .yaml", file=name, hint=hint))
    return True


def _is_overlay(file: Path, folder: Path, findings: list[Finding]) -> bool:
    """Whether a file in an environment's folder is one of its overlays; a folder with overlays is a mistake there."""
    if file.is_dir():
        if any(file.glob("**/*.yaml")):
            name = file.relative_to(folder).as_posix()
            hint = f"move its files up into overlays/{file.parent.name}/"
            message = "the folder of an environment holds files only"
            findings.append(Finding("MG002", "error", message, file=name, hint=hint))
        return False
    return file.suffix == ".yaml"


def _misnamed(document: Document, environment: str) -> list[Finding]:
    name = document.value["metadata"]["name"]
    if name == environment:
        return []
    message = f'metadata.name: "{name}" is not "{environment}", as the file is called'
    hint = f"an environment is named after its file or folder: overlays/{name}.yaml or overlays/{name}/"
    return [document.finding("MG202", message, "/metadata/name", hint=hint)]


def _no_clusters(overlays: dict[str, tuple[Document, ...]]) -> Iterator[Finding]:
    """Overlays without a single cluster would render an empty tree: everything of an older one would be deleted."""
    documents = [document for files in overlays.values() for document in files]
    if documents and not any(document.value.get("clusters") for document in documents):
        hint = "add `clusters: {NAME: {}}` to an overlay, or take all overlays away: the mesh is one cluster then"
        yield documents[0].finding("MG104", 'no overlay has "clusters"', "", hint=hint)
