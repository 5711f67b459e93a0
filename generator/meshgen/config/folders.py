"""Holds the files of an environment's folder against each other: they are one overlay, and none goes before another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from meshgen.config.document import Document
from meshgen.config.problems import dotted
from meshgen.finding import Finding
from meshgen.yaml import pointer

# What each file says for the whole environment; clusters are unique anyway.
_SHARED = ("extends", "patch")
_Said = dict[tuple[str, ...], tuple[Document, Any]]


def folder_problems(documents: tuple[Document, ...]) -> Iterator[Finding]:
    """Where a file of an environment's folder says something else than one before it; what is equal may stand twice."""
    said: _Said = {}
    for document in documents if len(documents) > 1 else ():
        shared = {key: document.value[key] for key in _SHARED if document.value.get(key) is not None}
        yield from _contradictions(document, shared, (), said)


def _contradictions(document: Document, part: dict[str, Any], path: tuple[str, ...], said: _Said) -> Iterator[Finding]:
    for key, value in part.items():
        at = (*path, key)
        first, other = said.setdefault(at, (document, value))
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _contradictions(document, value, at, said)
        elif _text(value) != _text(other):
            message = f"{dotted(at)}: {first.where(pointer(at))} says something else, for the same clusters"
            hint = "the files of a folder are one environment: say it in one of them, or in the patch of each cluster"
            if at == ("extends",):
                hint = "the files of a folder are one environment: keep one `extends`, whose overlay may extend another"
            yield document.finding("MG220", message, pointer(at), hint=hint)


def _text(value: Any) -> str:
    """A value such that equal ones are equal: to Python, 1 is true."""
    return json.dumps(value, sort_keys=True)
