"""The documents of an imported config: their values, their text, and where each part was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.importing.positions import ImportedDocument, Origin
from meshgen.yaml import emit

_HEAD = ("apiVersion", "kind", "metadata")


def mesh_document(name: str, settings: dict[str, Any], file: str, origins: tuple[Origin, ...]) -> ImportedDocument:
    """The common config of a mesh."""
    value = {"apiVersion": "meshgen.dev/v1", "kind": "Mesh", "metadata": {"name": name}, **settings}
    return _document(value, file, origins)


def overlay_document(name: str, patch: dict[str, Any], file: str, origins: tuple[Origin, ...]) -> ImportedDocument:
    """The overlay of an environment, which has one cluster of its name."""
    value: dict[str, Any] = {"apiVersion": "meshgen.dev/v1", "kind": "Overlay", "metadata": {"name": name}}
    value["clusters"] = {name: {}}
    if patch:
        value["patch"] = patch
    moved = (Origin(f"/patch{one.pointer}" if one.pointer else "", one.document, one.at) for one in origins)
    return _document(value, file, tuple(moved))


def with_method(mesh: ImportedDocument, method: str) -> ImportedDocument:
    """The common config, with the way to install named."""
    istio = mesh.value["istio"]
    value = {**mesh.value, "istio": {"version": istio["version"], "install": method, **istio}}
    return _document(value, mesh.file, mesh.origins)


def _document(value: dict[str, Any], file: str, origins: tuple[Origin, ...]) -> ImportedDocument:
    text = "".join(_spaced(emit(value)))
    return ImportedDocument(file, text.encode(), value, origins=origins)


def _spaced(text: str) -> Iterator[str]:
    """The lines of a text, with an empty one before each part of the config."""
    for line in text.splitlines(keepends=True):
        if line[:1].isalpha() and line.partition(":")[0] not in _HEAD:
            yield "\n"
        yield line
