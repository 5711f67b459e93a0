"""What of the settings kustomize would drop, change or fail on, if it stood in an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import Memory, Remark
from meshgen.layout.normal import refusals
from meshgen.yaml import pointer

_HINT = "take it out, or name it otherwise"


def carried_remarks(settings: dict[str, Any], memory: Memory) -> list[Remark]:
    """Settings that would not come out of a build as they went in; what clusters share is checked once."""
    remarks: list[Remark] = []
    for section, check in (("istio", _istio), ("addons", _addons), ("expose", _expose)):
        if value := settings.get(section):
            remarks += memory.recall_same(check, value)
    return remarks


def _istio(istio: dict[str, Any]) -> list[Remark]:
    metadata = istio.get("metadata") or {}
    spec = {key: value for key, value in istio.items() if key != "metadata"}
    return [
        *_refused(metadata.get("annotations"), {}, "/istio/metadata", "istio.metadata"),
        *_refused(None, {"labels": metadata.get("labels")}, "/istio/metadata", "istio.metadata"),
        *_refused(None, spec, "/istio", "istio"),
    ]


def _addons(addons: dict[str, Any]) -> list[Remark]:
    return list(_refused(None, addons, "/addons", "addons"))


def _expose(expose: dict[str, Any]) -> list[Remark]:
    return [
        remark
        for name, exposure in expose.items()
        if exposure and exposure.get("annotations")
        for remark in _refused(exposure["annotations"], {}, pointer(["expose", name]), f"expose.{name}")
    ]


def _refused(annotations: Any, spec: dict[str, Any], at: str, where: str) -> Iterator[Remark]:
    """Ask of an object that holds these annotations and this spec; its pointers lead back into the settings."""
    metadata = {"name": "any", **({"annotations": annotations} if annotations else {})}
    for found, message in refusals({"apiVersion": "v1", "kind": "Any", "metadata": metadata, "spec": spec}):
        inside = found.removeprefix("/metadata").removeprefix("/spec")
        section = ".annotations" if found.startswith("/metadata/annotations") else ""
        yield Remark("MG404", f"{where}{section}: {message}", at + inside, _HINT, at_key=True)
