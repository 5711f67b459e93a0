"""What a kustomization takes in: files and folders, and nothing that would be fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meshgen.config.document import Document
from meshgen.config.problems import shown
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.kustomizer import shown_path
from meshgen.importing.read import read_objects
from meshgen.yaml import pointer

# Keys of a kustomization, and of the plugins that it configures, whose texts are paths: or URLs, which are fetched.
_PATHS = frozenset(
    {
        *("bases", "components", "configurations", "crds", "env", "envs", "file", "files", "generators", "openapi"),
        *("patchesStrategicMerge", "path", "repo", "resources", "transformers", "validators"),
    }
)
_URL = re.compile(r"(?:[\w.-]+=)?(?:[A-Za-z][A-Za-z0-9+.-]*://|git@|git::)")
# What a kustomization takes in: files, and folders of Kustomize's own.
_TAKEN = ("resources", "bases", "components", "generators", "transformers", "validators", "crds", "configurations")


def targets_of(folder: Path, document: Document, findings: list[Finding]) -> list[Path]:
    """The files and folders that a kustomization takes in; what lies elsewhere, in them too, is a problem."""
    _refuse_urls(document, findings)
    targets = []
    for key, index, entry in _entries(document.value):
        target = folder / entry
        if not target.exists() and not _URL.match(entry):
            findings.append(_elsewhere(document, f"/{key}/{index}", f"{key}: {shown(entry)} is not here"))
        elif target.is_file() and key in ("generators", "transformers", "validators"):
            for plugin in _documents(target):
                _refuse_urls(plugin, findings)
        targets.append(target)
    return targets


def _documents(file: Path) -> list[Document]:
    try:
        return list(read_objects([Path(shown_path(file))]))
    except InputError:
        # Kustomize itself says what is wrong with it.
        return []


def _refuse_urls(document: Document, findings: list[Finding]) -> None:
    for at, text in _path_texts(document.value, "", listed=False):
        if _URL.match(text):
            findings.append(_elsewhere(document, at, f"{shown(text)} would be fetched"))


def _elsewhere(document: Document, at: str, message: str) -> Finding:
    hint = "an import fetches nothing: put it beside the others, and name its path"
    return document.finding("MG808", message, at, hint=hint)


def _path_texts(value: Any, at: str, *, listed: bool) -> Iterator[tuple[str, str]]:
    """(pointer, text) of everything that is a path by its key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _path_texts(inner, at + pointer([key]), listed=key in _PATHS)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _path_texts(inner, f"{at}/{index}", listed=listed)
    elif listed and isinstance(value, str) and "\n" not in value:
        yield at, value


def _entries(kustomization: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    for key in _TAKEN:
        entries = kustomization.get(key)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            # A generator may also be written out where it is named.
            if isinstance(entry, str) and "\n" not in entry:
                yield key, index, entry
