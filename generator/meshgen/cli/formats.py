"""JSON Schemas (draft-07) of what commands print with `-o json`."""

from __future__ import annotations

from typing import Any

from meshgen.diff.report import FORMAT as _DIFF
from meshgen.provenance.format import FORMAT as _EXPLAIN

_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_POSITION = {"type": ["integer", "null"], "minimum": 1}
_OPTIONAL = {"type": ["string", "null"]}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_FINDING = _closed(
    {
        "rule": {"type": "string", "pattern": "^MG[0-9]{3}$"},
        "severity": {"enum": ["error", "warning", "info"]},
        "message": _STRING,
        "file": _OPTIONAL,
        "line": _POSITION,
        "column": _POSITION,
        "path": {**_OPTIONAL, "description": "A JSON pointer into the file."},
        "hint": _OPTIONAL,
    }
)
_FINDINGS = {"type": "array", "items": _FINDING}
_STAGE = _closed(
    {"name": _STRING, "path": {"type": "string", "description": "A Kustomize directory, relative to `output`."}}
)
_CLUSTER = _closed(
    {
        "name": _STRING,
        "environment": _STRING,
        "wiring": {
            "type": "object",
            "properties": {"flux": _STRING, "argocd": _STRING},
            "additionalProperties": False,
            "description": "The directory that bootstraps the cluster, by engine.",
        },
        "stages": {"type": "array", "items": _STAGE, "description": "In the order in which they are applied."},
    }
)
_DIFFERENCE = _closed(
    {
        "object": {"type": "string", "description": "Its kind, and its name where there may be several."},
        "path": {"type": "string", "description": "The field, such as metadata.name."},
        "read": _STRING,
        "rendered": _STRING,
        "why": {"type": "string", "description": "Empty where nothing explains it: then something was lost."},
    }
)
_DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}

FORMATS: dict[str, dict[str, Any]] = {
    "diff": _DIFF,
    "explain": _EXPLAIN,
    "render": {
        **_DRAFT,
        "title": "meshgen render -o json",
        **_closed(
            {
                "output": _STRING,
                "written": _COUNT,
                "unchanged": _COUNT,
                "deleted": _COUNT,
                "clusters": {"type": "array", "items": _CLUSTER},
                "findings": _FINDINGS,
            }
        ),
    },
    "import": {
        **_DRAFT,
        "title": "meshgen import -o json",
        **_closed(
            {
                "written": {"type": "boolean", "description": "False with --dry-run."},
                "files": {"type": "array", "items": _closed({"path": _STRING, "text": _STRING})},
                "findings": _FINDINGS,
                "differences": {"type": "array", "items": _DIFFERENCE},
            }
        ),
    },
    "validate": {**_DRAFT, "title": "meshgen validate -o json", **_closed({"findings": _FINDINGS})},
}
