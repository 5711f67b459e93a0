"""Custom resources checked against the OpenAPI schemas of their own CRDs, made strict: an unknown field is an error."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tests.objects import Object


def problems(crds: Path, obj: Object) -> list[str]:
    """All that is wrong with an object, as its CRD sees it."""
    group, _, version = obj["apiVersion"].partition("/")
    schema = _schemas(crds).get((group, version, obj["kind"]))
    assert schema, f"no CRD of {obj['apiVersion']} {obj['kind']}"
    found = jsonschema.Draft7Validator(schema).iter_errors(obj)
    return [f"{obj['kind']} {obj['metadata']['name']} {error.json_path}: {error.message}" for error in found]


@cache
def _schemas(crds: Path) -> dict[tuple[str, str, str], Object]:
    found = {}
    for file in sorted(crds.glob("*.yaml")):
        for crd in yaml.load_all(file.read_text(), yaml.CSafeLoader):
            if crd and crd["kind"] == "CustomResourceDefinition":
                spec = crd["spec"]
                for version in spec["versions"]:
                    schema = strict(version["schema"]["openAPIV3Schema"])
                    schema["properties"]["metadata"] = {"type": "object"}
                    found[spec["group"], version["name"], spec["names"]["kind"]] = schema
    return found


def strict(schema: Any) -> Any:
    """Close every map that names its fields, as the API server's strict field validation does."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items() if key not in ("default", "format")}
    named = isinstance(schema.get("properties"), dict) and isinstance(schema.get("type"), str)
    if named and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("type", None)
    return closed
