"""Annotations of the settings that kustomize would drop, or fail on.

What else it can't carry, a control character or a key `<<`, the reader of YAML refuses wherever it stands.
"""

from __future__ import annotations

from typing import Any

from meshgen.build.stage import Memory, Remark
from meshgen.layout.normal import refusals
from meshgen.yaml import pointer

_HINT = "take it out, or name it otherwise"


def carried_remarks(settings: dict[str, Any], memory: Memory) -> list[Remark]:
    """Settings that would not come out of a build as they went in; what clusters share is checked once."""
    remarks: list[Remark] = []
    if metadata := (settings.get("istio") or {}).get("metadata"):
        remarks += memory.recall_same(_annotations, metadata, "/istio/metadata", "istio.metadata")
    if expose := settings.get("expose"):
        remarks += memory.recall_same(_expose, expose)
    return remarks


def _expose(expose: dict[str, Any]) -> list[Remark]:
    return [
        remark
        for name, exposure in expose.items()
        for remark in _annotations(exposure or {}, pointer(["expose", name]), f"expose.{name}")
    ]


def _annotations(settings: dict[str, Any], at: str, where: str) -> list[Remark]:
    """Ask of an object that holds these annotations; its pointers lead back into the settings."""
    annotations = settings.get("annotations")
    if not annotations:
        return []
    problems = refusals({"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any", "annotations": annotations}})
    return [
        Remark("MG404", f"{where}.annotations: {message}", at + found.removeprefix("/metadata"), _HINT, at_key=True)
        for found, message in problems
    ]
