"""Explains what a config breaks of the schema, in words for people; reached only when something is wrong."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from meshgen.config.document import Document
from meshgen.config.schema import schema_of
from meshgen.finding import Finding
from meshgen.yaml import pointer

TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def problems(document: Document, definition: str) -> list[Finding]:
    """Everything that the schema refuses in a document, in the order of the file."""
    import jsonschema

    errors = jsonschema.Draft7Validator(schema_of(definition)).iter_errors(document.value)
    found = [finding for error in errors for finding in _explain(document, error)]
    return sorted(set(found), key=lambda finding: (finding.line or 0, finding.column or 0, finding.rule))


def guess(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the known word nearest to a wrong one and, where they are few, all of them."""
    words = [str(name) for name in known]
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in words], n=1, cutoff=0.6)
    listed = f"One of {', '.join(words)}" if 0 < len(words) <= 12 else None
    if not near:
        return listed
    meant = next(name for name in words if name.lower() == near[0])
    return f'did you mean "{meant}"?' + (f" {listed}" if listed else "")


def shown(value: Any) -> str:
    """A value as a message quotes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def dotted(parts: Iterable[str | int]) -> str:
    """A path as messages write it: `expose.kiali.ports[0]`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _explain(document: Document, error: Any) -> Iterator[Finding]:
    path = list(error.absolute_path)
    here = dotted(path)
    match error.validator:
        case "additionalProperties":
            known = [name for name in error.schema.get("properties", {})]
            for key in error.instance:
                if key not in known:
                    message = f'{here}: unknown key "{key}"' if path else f'unknown key "{key}"'
                    at = pointer([*path, key])
                    yield document.finding("MG102", message, at, hint=guess(key, known), at_key=True)
        case "required":
            for key in error.validator_value:
                if key not in error.instance:
                    message = f'"{key}" is missing' if not path else f'{here}: "{key}" is missing'
                    yield document.finding("MG104", message, pointer(path), hint=_required_hint(key))
        case "type":
            yield _wrong_type(document, error, path)
        case "pattern" if error.absolute_schema_path and "propertyNames" in error.absolute_schema_path:
            at = pointer([*path, error.instance])
            message = f"{here}: {_not_a(error.instance, error.schema)}"
            yield document.finding("MG101", message, at, hint=error.schema.get("x-hint"), at_key=True)
        case _:
            yield _wrong_value(document, error, path)


def _required_hint(key: str) -> str | None:
    known = {"apiVersion": "add `apiVersion: meshgen.dev/v1`", "name": "add `name: …`, a DNS-1123 label"}
    return known.get(key)


def _wrong_type(document: Document, error: Any, path: list[str | int]) -> Finding:
    at, here = pointer(path), dotted(path)
    if error.schema.get("x-planned"):
        hint = "take it out; it has its place in the config and is refused until it works"
        return document.finding("MG105", f"{here} is not supported yet", at, hint=hint, at_key=True)
    wanted = [name for name in _listed(error.validator_value) if name != "null"]
    expected = " or ".join(TYPES[name] for name in wanted)
    hint = None
    if "string" in wanted and isinstance(error.instance, bool | int | float):
        location = document.location(at)
        hint = f'quote it: "{location.raw}"' if location and location.raw else "quote it"
    elif wanted == ["boolean"] and isinstance(error.instance, str):
        hint = "write true or false, without quotes"
    elif wanted == ["object"] and error.instance is None:
        hint = "write {} for an empty map"
    what = "secret" if error.schema.get("x-secret") else _described(error.instance)
    return document.finding("MG103", f"{here}: {what} is not {expected}", at, hint=hint)


def _wrong_value(document: Document, error: Any, path: list[str | int]) -> Finding:
    at, here = pointer(path), dotted(path)
    hint = error.schema.get("x-hint")
    match error.validator:
        case "enum":
            allowed = [value for value in error.validator_value if value is not None]
            hint = guess(str(error.instance), allowed)
        case "const":
            hint = f"write {error.validator_value}"
        case "minItems":
            return document.finding("MG101", f"{here}: the list is empty", at, hint="leave the key out for all")
    return document.finding("MG101", f"{here}: {_not_a(error.instance, error.schema)}", at, hint=hint)


def _not_a(instance: Any, schema: dict[str, Any]) -> str:
    noun = schema.get("x-noun")
    article = "an" if noun and noun[0].lower() in "aeiou" else "a"
    value = "the value" if schema.get("x-secret") else shown(instance)
    return f"{value} is not {article} {noun}" if noun else f"{value} is not {shown(schema.get('const'))}"


def _described(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a map"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return shown(value)
    return f"{value} (a number)"


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
