"""The JSON Schema (draft-07) of what `meshgen explain OBJECT FIELD -o json` prints."""

from __future__ import annotations

from typing import Any

from meshgen.provenance.role import ORDER

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_POSITION = {"type": ["integer", "null"], "minimum": 1}
_VALUE = {"description": "Any JSON value; a text says so where it may be a secret. Null where the field is not there."}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_LAYER = _closed(
    {
        "file": {"type": "string", "description": "Relative to the config's folder."},
        "line": _POSITION,
        "column": _POSITION,
        "value": {"description": "What the layer says; null takes away what lies below."},
        "wins": {"type": "boolean", "description": "Of maps, which merge, several win."},
    }
)
_SETTING = _closed(
    {
        "setting": {"type": "string", "description": "Its path in the config, such as expose.kiali.type."},
        "role": {"enum": list(ORDER)},
        "layers": {"type": "array", "items": _LAYER, "description": "The lowest first."},
    }
)
_BUILT_IN = {
    "anyOf": [{"type": "null"}, _closed({"present": {"type": "boolean"}, "value": _VALUE, "source": _STRING})],
    "description": "What the field is without those settings; null where no valid config says.",
}
_ANSWER = _closed(
    {
        "clusters": {**_STRINGS, "minItems": 1},
        "object": {"type": "string", "description": "KIND/NAME.NAMESPACE."},
        "field": _STRING,
        "stage": {"type": ["string", "null"], "description": "Null for istioctl's input, which nothing applies."},
        "present": {"type": "boolean"},
        "value": _VALUE,
        "files": {
            "type": "object",
            "additionalProperties": _STRINGS,
            "description": "By cluster, relative to `output`: the files that hold the field, or take it away.",
        },
        "builtIn": _BUILT_IN,
        "settings": {"type": "array", "items": _SETTING},
        "unset": {**_STRINGS, "description": "Keys that no layer sets and that would change the field."},
        "complete": {"type": "boolean", "description": "False where the search was given up."},
    }
)
FORMAT: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "meshgen explain OBJECT FIELD -o json",
    **_closed({"answers": {"type": "array", "items": _ANSWER, "minItems": 1}}),
}
