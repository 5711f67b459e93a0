"""The config's JSON Schema (draft-07), which says of every field what it means, its type, default and example."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

# Keywords of ours in the schema: `x-noun` and `x-hint` say in a message what a value should be, `x-planned` marks a key
# that has its place but does not work yet, `x-secret` a value that may hold a credential and is never printed.
SCHEMA_FILE = Path(__file__).with_name("schema.json")


@cache
def schema() -> dict[str, Any]:
    """The whole schema, for both kinds of file."""
    loaded: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return loaded


def schema_of(definition: str) -> dict[str, Any]:
    """The schema of one definition alone: `mesh` or `overlay`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": f"#/definitions/{definition}",
        "definitions": schema()["definitions"],
    }


@cache
def _validator() -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft7Validator(schema())


def is_valid(value: Any, definition: str) -> bool:
    """Say fast that a document is what a definition asks for; `meshgen.config.problems` explains what is not."""
    return value.get("kind") == definition.capitalize() and bool(_validator().is_valid(value))


def field(key: str) -> dict[str, Any] | None:
    """The schema of the field that a dotted key names, with its references resolved; None where there is none.

    A map by name and a list are entered by any word: `expose.kiali.type`, `components.ingressGateways.NAME.enabled`.
    """
    node = _resolved({"$ref": "#/definitions/mesh"})
    parts = [part for part in key.split(".") if part]
    if parts and parts[0] in ("clusters", "extends", "patch"):
        node = _resolved({"$ref": "#/definitions/overlay"})
    for part in parts:
        child = node.get("properties", {}).get(part) or node.get("additionalProperties") or node.get("items")
        if not isinstance(child, dict):
            return None
        node = _resolved(child)
    return node


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """A node with its `$ref` and `allOf` folded in; its own words win."""
    folded: dict[str, Any] = {}
    for part in node.get("allOf", []):
        folded.update(_resolved(part))
    if "$ref" in node:
        target: Any = schema()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        folded.update(_resolved(target))
    folded.update({key: value for key, value in node.items() if key not in ("$ref", "allOf")})
    return folded
