"""Reads what is to be imported: the objects of files and of folders, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.config.document import Document, reading_problems
from meshgen.config.manifestfiles import SUFFIXES
from meshgen.config.manifestobjects import items
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.yaml import Problem, ReadError, read_documents

OPERATOR = "IstioOperator"
GROUP = "install.istio.io"


@dataclass(frozen=True)
class Text:
    """What was read already, such as the standard input, and what to call it."""

    name: str
    data: bytes


Source = Path | Text


def read_objects(sources: Iterable[Source], notes: list[Finding] | None = None) -> tuple[Document, ...]:
    """Every object of the files, and of the manifests that lie in the folders, in their order.

    A list of kubectl's is its items. What YAML's readers disagree on is what istioctl takes it for, and is said in
    `notes`. Raises InputError with all that can't be read.
    """
    findings: list[Finding] = []
    noted = [] if notes is None else notes
    objects = [
        part for source in sources for text in _texts(source, findings) for part in _parts(text, findings, noted)
    ]
    if findings:
        raise InputError(findings)
    return tuple(objects)


def is_operator(part: Document) -> bool:
    """Whether an object says how to install Istio."""
    return part.value.get("kind") == OPERATOR and str(part.value.get("apiVersion")).partition("/")[0] == GROUP


def name_of(obj: dict[str, Any]) -> str:
    """The kind and name of an object, for people."""
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    kind = obj.get("kind") if isinstance(obj.get("kind"), str) else "object"
    return f"{kind} {name}" if isinstance(name, str) else f"{kind} without a name"


def _noted(problem: Problem, file: str) -> Finding:
    message = f"{problem.message}; it is read as istioctl reads it"
    line, column = (problem.mark.line, problem.mark.column) if problem.mark else (None, None)
    return Finding("MG809", "info", message, file, line, column, problem.pointer, problem.hint)


def _texts(source: Source, findings: list[Finding]) -> Iterator[Text]:
    if isinstance(source, Text):
        yield source
        return
    file = source
    try:
        for file in _manifests(source) if source.is_dir() else [source]:
            yield Text(file.as_posix(), file.read_bytes())
    except OSError as error:
        hint = "name a file or a folder that you may read"
        message = f"cannot be read: {error.strerror}"
        findings.append(Finding("MG002", "error", message, file=file.as_posix(), hint=hint))


def _manifests(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file())


def _parts(text: Text, findings: list[Finding], notes: list[Finding]) -> Iterator[Document]:
    disputed: list[Problem] = []
    try:
        documents = read_documents(text.data, notes=disputed)
    except ReadError as error:
        findings.extend(reading_problems(error, text.name))
        return
    notes.extend(_noted(one, text.name) for one in disputed)
    operators = 0
    for number, document in enumerate(documents):
        for prefix, obj in items(document):
            part = Document(text.name, text.data, obj, number, prefix)
            if not isinstance(obj, dict):
                hint = "take it out; an import reads Kubernetes objects"
                findings.append(part.finding("MG801", "this is not a Kubernetes object: it is no map", "", hint=hint))
                continue
            yield part
            operators += is_operator(part) and not prefix
            if operators > 1 and not prefix and is_operator(part):
                message = "the file holds a second IstioOperator; istioctl takes one a file"
                findings.append(part.finding("MG801", message, "", hint="move it into a file of its own"))
