"""Explains what a config breaks of the schema, in words for people; reached only when something is wrong."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from meshgen.config.document import Document
from meshgen.config.schema import schema_of
from meshgen.finding import Finding
from meshgen.yaml import pointer

# Keys that people look for in another place than their own.
_ELSEWHERE = {
    "clusters": "clusters stand in overlays/<environment>.yaml",
    "extends": "only an overlay extends another: overlays/<environment>.yaml",
    "patch": "patches stand in overlays/<environment>.yaml; in meshgen.yaml write the keys themselves",
    "spec": "a config has no spec: write its keys at the top level",
    "namespace": "the namespace of the mesh is istio.namespace",
    "cloud": "the cloud is a cluster's: clusters.NAME.cloud in overlays/<environment>.yaml",
    "kubernetesVersion": "the version of Kubernetes is a cluster's: clusters.NAME.kubernetesVersion in an overlay",
}
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,253}")
_INSTEAD = {
    "object": "a map: `key: value` on lines of their own, further to the right",
    "array": "a list: [one, two]",
    "string": "one value, without keys or brackets",
    "integer": "a whole number, without quotes",
    "number": "a number, without quotes",
    "boolean": "true or false",
}
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

    extend: Any = jsonschema.validators.extend
    validator = extend(jsonschema.Draft7Validator, {"pattern": _pattern})
    errors = validator(schema_of(definition)).iter_errors(document.value)
    found = [finding for error in errors for finding in _explain(document, error)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.line or 0, one.column or 0, one.rule))


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    """JSON Schema's `$` is the end of the text; Python's may stand before a last line break."""
    from jsonschema import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"\$(?=$|\))", r"\\Z", pattern), instance):
        yield ValidationError("pattern")


def guess(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the known word nearest to a wrong one and, where they are few, all of them."""
    words = [str(name) for name in known]
    near = difflib.get_close_matches(word[:100].lower(), [name.lower() for name in words], n=1, cutoff=0.65)
    listed = f"One of {', '.join(words)}" if 1 < len(words) <= 12 else None
    if not near:
        return f"there is only {words[0]}" if len(words) == 1 else listed
    meant = next(name for name in words if name.lower() == near[0])
    return f'did you mean "{meant}"?' + (f" {listed}" if listed else "")


def shown(value: Any) -> str:
    """A value as a message quotes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def plain(value: Any) -> str:
    """A name or an enum's word from an object as a message shows it: one short line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:57] + "…"


def dotted(parts: Iterable[str | int]) -> str:
    """A path as messages write it: `expose.kiali.ports[0]`; a key that is no plain word stands in quotes."""
    text = ""
    for part in parts:
        if isinstance(part, int) or not _PLAIN.fullmatch(part):
            text += f"[{part if isinstance(part, int) else shown(part)}]"
        else:
            text += f".{part}" if text else part
    return text or "the file"


def _explain(document: Document, error: Any) -> Iterator[Finding]:
    path = list(error.absolute_path)
    here = dotted(path)
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(document, error, path)
        case "required":
            for key in error.validator_value:
                if key not in error.instance:
                    message = f'"{key}" is missing' if not path else f'{here}: "{key}" is missing'
                    yield document.finding("MG104", message, pointer(path), hint=_required_hint(key, error))
        case "type":
            yield _wrong_type(document, error, path)
        case "pattern" if error.absolute_schema_path and "propertyNames" in error.absolute_schema_path:
            at = pointer([*path, error.instance])
            message = f"{here}: {_not_a(error.instance, error.schema)}"
            yield document.finding("MG101", message, at, hint=error.schema.get("x-hint"), at_key=True)
        case _:
            yield _wrong_value(document, error, path)


def _unknown_keys(document: Document, error: Any, path: list[str | int]) -> Iterator[Finding]:
    known = list(error.schema.get("properties", {}))
    for key in error.instance:
        if key not in known:
            message = f"unknown key {shown(key)}"
            if path:
                message = f"{dotted(path)}: {message}"
            hint = _known_keys_hint(key, known, path)
            yield document.finding("MG102", message, pointer([*path, key]), hint=hint, at_key=True)


def _known_keys_hint(key: str, known: list[str], path: list[str | int]) -> str:
    if "patch" in known and key in schema_of("patch")["definitions"]["patch"]["properties"]:
        return f"put it under `patch:`, as `patch: {{{key}: …}}`"
    hint = guess(key, known)
    if key in _ELSEWHERE and path in ([], ["patch"]) and not (hint or "").startswith("did you mean"):
        return _ELSEWHERE[key]
    place = " ".join(["meshgen explain", *([".".join(str(part) for part in path)] if path else [])])
    return hint or f"`{place}` lists the keys"


def _required_hint(key: str, error: Any) -> str | None:
    kind = error.schema.get("properties", {}).get("kind", {}).get("const")
    return {
        "apiVersion": "add `apiVersion: meshgen.dev/v1`",
        "kind": f"add `kind: {kind}`",
        "metadata": "add `metadata: {name: …}`",
        "name": "add `name: …`, a DNS-1123 label",
    }.get(key)


def _wrong_type(document: Document, error: Any, path: list[str | int]) -> Finding:
    at, here = pointer(path), dotted(path)
    if error.schema.get("x-planned"):
        hint = "take it out; it has its place in the config and is refused until it works"
        return document.finding("MG105", f"{here} is not supported yet", at, hint=hint, at_key=True)
    wanted = [name for name in _listed(error.validator_value) if name != "null"]
    expected = " or ".join(TYPES[name] for name in wanted)
    secret = error.schema.get("x-secret")
    location = document.location(at)
    raw = location.raw if location and location.raw and not secret else None
    hint = f"write {_INSTEAD[wanted[0]]}"
    if "string" in wanted and isinstance(error.instance, bool | int | float):
        hint = f'quote it: "{raw}"' if raw else "quote it"
    elif wanted == ["boolean"] and isinstance(error.instance, str):
        hint = "write true or false, without quotes"
    elif wanted == ["object"] and "required" in error.schema:
        hint = f"write a map with {' and '.join(error.schema['required'])}"
    elif "array" in wanted and isinstance(error.instance, str):
        hint = f"write [{shown(error.instance)}] for a list of one" if not secret else "write a list"
    what = "the value" if secret else _described(error.instance, raw)
    return document.finding("MG103", f"{here}: {what} is not {expected}", at, hint=hint)


def _wrong_value(document: Document, error: Any, path: list[str | int]) -> Finding:
    at, here = pointer(path), dotted(path)
    hint = error.schema.get("x-hint")
    match error.validator:
        case "enum":
            allowed = [value for value in error.validator_value if value is not None]
            hint = guess(str(error.instance), allowed) or hint
        case "const":
            hint = f"write {error.validator_value}"
        case "minItems":
            hint = hint or "leave the key out for all"
            return document.finding("MG101", f"{here}: the list is empty", at, hint=hint)
        case "minLength":
            return document.finding("MG101", f"{here}: the text is empty", at, hint="leave the key out")
        case "maxLength":
            longest = error.validator_value
            return document.finding("MG101", f"{here}: longer than {longest} characters", at, hint="shorten it")
    return document.finding("MG101", f"{here}: {_not_a(error.instance, error.schema)}", at, hint=hint)


def _not_a(instance: Any, schema: dict[str, Any]) -> str:
    noun = schema.get("x-noun")
    article = "an" if noun and noun[0] in "aeiou" else "a"
    value = "the value" if schema.get("x-secret") else shown(instance)
    return f"{value} is not {article} {noun}" if noun else f"{value} is not {shown(schema.get('const'))}"


def _described(value: Any, raw: str | None) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return "a map"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return shown(value)
    return f"{raw or value} (a number)"


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
