"""Reads the schemas of kinds, those in CRDs and Kubernetes' own, into forms: short plain data of what may stand there.

A form is a type's word (`string`, `int32`, `any`, …), the name of a form that is kept elsewhere (`@core.v1.PodSpec`),
or a map: `fields` with `required`, `one` and `open`, `list` or `map` with the form of what is inside, or `type` with
the limits of a plain value. `one` holds groups of fields that exclude each other; what is `open` has other fields too.
Left out are rules in CEL, and what JSON Schema says by combinations other than such groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
Form = Any

_LIMITS = ("enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_PLAIN = {"boolean": "bool", "number": "double"}
# By which generators of CRDs say that a number or text is a quantity.
_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
# What every object has is not the schema's to say.
_OF_EVERY_OBJECT = ("apiVersion", "kind", "metadata")
_TEXTS = {"byte": "bytes", "date-time": "timestamp", "quantity": "quantity"}


def kind_form(version: dict[str, Any]) -> Form:
    """The form of a kind, by a version in its CRD, without what every object has.

    A status that is a subresource may be anything: who applies an object does not write it, and it is not looked at.
    """
    made = form((version.get("schema") or {}).get("openAPIV3Schema") or {})
    if not isinstance(made, dict) or "fields" not in made:
        return {"fields": {}, "open": True}
    fields = {name: one for name, one in made["fields"].items() if name not in _OF_EVERY_OBJECT}
    unasked = list(_OF_EVERY_OBJECT)
    if "status" in fields and (version.get("subresources") or {}).get("status") is not None:
        fields["status"] = "any"
        unasked.append("status")
    required = [name for name in made.get("required", []) if name not in unasked]
    return {**made, "fields": fields, **({"required": required} if "required" in made else {})}


def form(schema: Schema) -> Form:
    """The form of a schema; one that says no type allows anything."""
    if reference := schema.get("$ref"):
        return f"@{reference}"
    made = _typed(schema)
    limits = {key: schema[key] for key in (*_LIMITS, *_SIZES) if schema.get(key) not in (None, _QUANTITY)}
    if schema.get("nullable"):
        limits["nullable"] = True
    if not limits or made == "any":
        return made
    return {**(made if isinstance(made, dict) else {"type": made}), **limits}


def _typed(schema: Schema) -> Form:
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity" if schema.get("pattern") == _QUANTITY else "int-or-string"
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return {"list": form(items) if isinstance(items, dict) else "any"}
    if kind == "object" or "properties" in schema:
        return _object(schema)
    if kind == "string":
        return _TEXTS.get(schema.get("format", ""), "string")
    if kind == "integer":
        return "int32" if schema.get("format") == "int32" else "int64"
    return _PLAIN.get(str(kind), "any")


def _object(schema: Schema) -> Form:
    inner = schema.get("additionalProperties")
    properties = schema.get("properties") or {}
    if not properties and isinstance(inner, dict):
        return {"map": form(inner)}
    if not properties and (inner or schema.get("x-kubernetes-preserve-unknown-fields")):
        return "object"
    made: Form = {"fields": {name: form(one or {}) for name, one in sorted(properties.items())}}
    # What has a default need not be written.
    if required := [key for key in _names(schema) if "default" not in (properties.get(key) or {})]:
        made["required"] = sorted(set(required))
    if groups := list(_groups(schema)):
        made["one"] = groups
    if schema.get("x-kubernetes-preserve-unknown-fields") or inner:
        made["open"] = True
    return made


def _groups(schema: Schema) -> Iterator[list[str]]:
    """The groups of fields that exclude each other.

    Istio says `oneOf: [{not: {anyOf: [ONE, OTHER]}}, ONE, OTHER]`, in which a branch is `required: [FIELD]`.
    """
    for part in (schema, *_schemas(schema, "allOf")):
        branches = [_names(branch) for branch in _schemas(part, "oneOf") if "not" not in branch]
        if branches and all(len(names) == 1 for names in branches):
            yield sorted(names[0] for names in branches)


def _schemas(schema: Schema, key: str) -> list[Schema]:
    return [one for one in schema.get(key) or () if one]


def _names(schema: Schema) -> list[str]:
    return [name for name in schema.get("required") or () if name]
