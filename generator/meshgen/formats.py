"""Words that the JSON Schemas (draft-07) of `-o json` share."""

from __future__ import annotations

from typing import Any

DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}
STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
COUNT = {"type": "integer", "minimum": 0}
POSITION = {"type": ["integer", "null"], "minimum": 1}
OPTIONAL = {"type": ["string", "null"]}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object that has all of these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


FINDING = closed(
    {
        "rule": {"type": "string", "pattern": "^(MG[0-9]{3}|OWN-[A-Z0-9-]+)$"},
        "severity": {"enum": ["error", "warning", "info"]},
        "message": STRING,
        "file": OPTIONAL,
        "line": POSITION,
        "column": POSITION,
        "path": {**OPTIONAL, "description": "A JSON pointer into the file."},
        "hint": OPTIONAL,
        "clusters": {**STRINGS, "description": "Those that it holds for; none where it is about the input as a whole."},
    }
)
