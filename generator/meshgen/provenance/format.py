"""The JSON Schema (draft-07) of what `meshgen explain OBJECT FIELD -o json` prints."""

from __future__ import annotations

from typing import Any

from meshgen.formats import DRAFT, POSITION, STRING, STRINGS, closed
from meshgen.provenance.role import ORDER

_VALUE = {"description": "Any JSON value; a text says so where it may be a secret. Null where the field is not there."}
_LAYER = closed(
    {
        "file": {"type": "string", "description": "Relative to the config's folder."},
        "line": POSITION,
        "column": POSITION,
        "value": {"description": "What the layer says; null takes away what lies below."},
        "wins": {"type": "boolean", "description": "Of maps, which merge, several win."},
    }
)
_SETTING = closed(
    {
        "setting": {"type": "string", "description": "Its path in the config, such as expose.kiali.type."},
        "role": {"enum": list(ORDER)},
        "layers": {"type": "array", "items": _LAYER, "description": "The lowest first."},
    }
)
_BUILT_IN = {
    "anyOf": [{"type": "null"}, closed({"present": {"type": "boolean"}, "value": _VALUE, "source": STRING})],
    "description": "What the field is without those settings; null where no valid config says.",
}
_ANSWER = closed(
    {
        "clusters": {**STRINGS, "minItems": 1},
        "object": {"type": "string", "description": "KIND/NAME.NAMESPACE."},
        "field": STRING,
        "stage": {"type": ["string", "null"], "description": "Null for istioctl's input, which nothing applies."},
        "present": {"type": "boolean"},
        "value": _VALUE,
        "files": {
            "type": "object",
            "additionalProperties": STRINGS,
            "description": "By cluster, relative to `output`: the files that hold the field, or take it away.",
        },
        "builtIn": _BUILT_IN,
        "settings": {"type": "array", "items": _SETTING},
        "unset": {**STRINGS, "description": "Keys that no layer sets and that would change the field."},
        "complete": {"type": "boolean", "description": "False where the search was given up."},
    }
)
FORMAT: dict[str, Any] = {
    **DRAFT,
    "title": "meshgen explain OBJECT FIELD -o json",
    **closed({"answers": {"type": "array", "items": _ANSWER, "minItems": 1}}),
}
