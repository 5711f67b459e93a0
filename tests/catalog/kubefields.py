"""What Kubernetes' JSON schemas say of its types, as the package kubernetes-validate has them."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

# The oldest minor whose schemas the package has.
OLDEST = 25
_PLAIN = {"string": "string", "boolean": "bool", "number": "double", "integer": "int64"}
_FORMS = {
    "Quantity": "quantity",
    "IntOrString": "int-or-string",
    "Time": "timestamp",
    "MicroTime": "timestamp",
    "FieldsV1": "any",
}


def fields_of(name: str, minor: int) -> dict[str, str]:
    """The fields of a type such as `core.Affinity`, each with its type, at Kubernetes 1.MINOR or the oldest known."""
    group, _, kind = name.partition(".")
    definitions = _definitions(max(minor, OLDEST))
    versions = ("v2",) if group == "autoscaling" else ("v1",)
    found = [
        definitions[f"io.k8s.{place}.{group}.{version}.{kind}"]
        for place in ("api", "apimachinery.pkg.apis")
        for version in versions
        if f"io.k8s.{place}.{group}.{version}.{kind}" in definitions
    ]
    return {field: _typed(schema) for field, schema in found[0]["properties"].items()}


def _typed(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref") or next((one["$ref"] for one in schema.get("allOf", []) if "$ref" in one), None):
        return _referred(str(reference).rpartition("/")[2])
    word = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if word == "array":
        return "[]" + _typed(schema["items"])
    if word == "object":
        inner = schema.get("additionalProperties")
        return "{}" + _typed(inner) if isinstance(inner, dict) else "object"
    if schema.get("format") == "byte":
        return "bytes"
    return {"int32": "int32", "date-time": "timestamp"}.get(schema.get("format", ""), _PLAIN[word])


def _referred(name: str) -> str:
    kind = name.rpartition(".")[2]
    if kind in _FORMS:
        return _FORMS[kind]
    match = re.fullmatch(r"io\.k8s\.(?:api|apimachinery\.pkg\.apis)\.(\w+)\.v\w+\.(\w+)", name)
    assert match, name
    return f"@{match[1]}.{match[2]}"


@cache
def _definitions(minor: int) -> dict[str, Any]:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v1.{minor}.0-local"
    definitions: dict[str, Any] = json.loads((folder / "_definitions.json").read_bytes())["$defs"]
    return definitions
