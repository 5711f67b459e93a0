"""The objects of a manifest, and what is wrong with them whatever the cluster's versions are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.catalog import kinds
from meshgen.catalog.kinds import CORE, Api
from meshgen.layout.normal import refusals

KubernetesObject = dict[str, Any]
# Where it is, what it is, and the next move.
Refusal = tuple[str, str, str]


def items(document: Any) -> Iterator[tuple[str, Any]]:
    """(pointer, object) of the objects of a document: a list of Kubernetes' kinds holds several, as kubectl has it.

    The items of a `RoleList` need not say what they are.
    """
    if not _is_list(document):
        yield "", document
        return
    found = document.get("items") or []
    for index, item in enumerate(found if isinstance(found, list) else [found]):
        yield f"/items/{index}", _whole(item, document)


def _is_list(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    api = Api(str(document.get("apiVersion")), str(document.get("kind")))
    if api == ("v1", "List"):
        return True
    # A custom kind may be called so and be an object.
    return api.kind.endswith("List") and "items" in document and api.group in kinds.groups(CORE)


def _whole(item: Any, document: KubernetesObject) -> Any:
    kind = document["kind"].removesuffix("List")
    if not kind or not isinstance(item, dict):
        return item
    return {"apiVersion": document["apiVersion"], "kind": kind} | item


def object_refusals(obj: Any) -> list[Refusal]:
    """Why something is no object of Kubernetes that Kustomize can carry."""
    return [(at, message, _hint(message)) for at, message in _not_an_object(obj) or refusals(obj)]


def _not_an_object(obj: Any) -> list[tuple[str, str]]:
    if not isinstance(obj, dict):
        return [("", "this is not a Kubernetes object: it is no map")]
    for key in ("apiVersion", "kind"):
        if not isinstance(obj.get(key), str) or not obj[key]:
            return [("", f"this is not a Kubernetes object: it has no {key}")]
    if obj["apiVersion"].startswith("meshgen.dev/"):
        return [("/apiVersion", "this is a config of meshgen's, not a Kubernetes object")]
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        if isinstance(metadata, dict) and metadata.get("generateName"):
            return [("/metadata/generateName", "an object with generateName can't be kept in Git: give it a name")]
        return [("/metadata", "this is not a Kubernetes object: it has no metadata.name")]
    return []


def service_refusals(obj: KubernetesObject) -> list[Refusal]:
    """Why the ports of a Service can't be read; its other fields are left to the API server."""
    if obj["kind"] != "Service" or obj["apiVersion"] != "v1":
        return []
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return [("/spec", "this Service has no spec, or one that is no map", _CHANGE)]
    ports = spec.get("ports") or []
    if not isinstance(ports, list):
        return [("/spec/ports", "the ports of a Service are a list", _CHANGE)]
    numberless = [(f"/spec/ports/{index}", port) for index, port in enumerate(ports) if not _is_numbered(port)]
    if numberless:
        return [_numberless(at, port) for at, port in numberless]
    return [
        (f"/spec/ports/{index}/name", "the name of a port is a string", _CHANGE)
        for index, port in enumerate(ports)
        if not isinstance(port.get("name"), str | None)
    ]


def _is_numbered(port: Any) -> bool:
    return isinstance(port, dict) and type(port.get("port")) is int


def _numberless(at: str, port: Any) -> Refusal:
    number = port.get("port") if isinstance(port, dict) else None
    if number is None:
        return at, "this port of a Service has no `port`, a number", "add its number, such as `port: 80`"
    quoted = isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= _DIGITS
    hint = f"write {number} without quotes" if quoted else "write a number"
    return f"{at}/port", "the `port` of a Service's port is a number", hint


_DIGITS = len("65535")
_CHANGE = "change it in that file"
_NAME_IT = (
    "write metadata.name, which Kustomize wants; a Job that has to run anew wants a version in it, or as a hook a "
    "hook-delete-policy"
)
_HINTS = (
    ("it is no map", "a manifest has apiVersion, kind and metadata; take out what is none"),
    ("config of meshgen", "name the folder of your manifests alone"),
    ("generateName", _NAME_IT),
    ("generated name", "take generateName out"),
    ("it has no", "add it, or take out what is no manifest"),
    ("control character", "remove the character, or write the text in base64 under binaryData"),
)


def _hint(message: str) -> str:
    return next((hint for words, hint in _HINTS if words in message), _CHANGE)
