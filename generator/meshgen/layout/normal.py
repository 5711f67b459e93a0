"""What kustomize does to every object that passes through it, patched or not, and which objects it can't carry."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from meshgen.yaml import pointer

Problem = tuple[str, str]

# Between these kustomize keeps an integer as it stands; beyond them it becomes a float.
_INTEGERS = range(-(2**63), 2**64)

# DEL and the C1 control characters (NEL becomes a space), the noncharacters that YAML excludes, lone surrogates.
_UNCARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# kustomize writes annotation keys without quotes and trips over those that it then reads as something else.
_NOT_TEXT = re.compile(
    r"""[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0o[0-7_]+
        |(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?
        |\.(?:inf|Inf|INF))
    |\.(?:nan|NaN|NAN)
    |[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
    |~|null|Null|NULL|true|True|TRUE|false|False|FALSE""",
    re.VERBOSE,
)

# Annotations that kustomize keeps its own books in, and takes away at the end.
_INTERNAL = "internal.config.kubernetes.io/"
_BOOKKEEPING = frozenset(
    {
        "alpha.config.kubernetes.io/transformations",
        "config.k8s.io/id",
        "config.kubernetes.io/index",
        "config.kubernetes.io/origin",
        "config.kubernetes.io/path",
    }
)
_LOCAL = "config.kubernetes.io/local-config"


def normalise(obj: dict[str, Any]) -> dict[str, Any]:
    """Give the object as `kubectl kustomize` gives it back: annotations are strings, and none at all is no field.

    Everything else comes through as it is, `labels: {}` and nulls included, except what `refusals` tells of. The input
    is not mutated; it is returned where nothing changes, and shares what did not change.
    """
    metadata = obj["metadata"]
    if "annotations" not in metadata:
        return obj
    annotations = metadata["annotations"]
    if annotations and all(isinstance(value, str) for value in annotations.values()):
        return obj
    changed = {key: value for key, value in metadata.items() if key != "annotations"}
    if annotations:
        changed["annotations"] = {key: _text(value) for key, value in annotations.items()}
    return obj | {"metadata": changed}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def refusals(obj: dict[str, Any]) -> list[Problem]:
    """Tell why kustomize would fail on an object or change it without a word: JSON pointers and messages.

    An empty list means that the object comes out of a build as `normalise` says. No message holds a value.
    """
    return [*_head(obj), *_annotations(obj), *_references(obj), *_values(obj, "")]


def _head(obj: dict[str, Any]) -> Iterator[Problem]:
    for key in ("apiVersion", "kind"):
        if not _is_text(obj.get(key)):
            yield pointer([key]), f"an object needs {key}, a string"
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        yield "/metadata", "an object needs metadata with a name"
        return
    if not _is_text(metadata.get("name")):
        if "generateName" in metadata:
            yield "/metadata/generateName", "a generated name is no name that Git can keep: set metadata.name"
        else:
            yield "/metadata/name", "an object needs a name, a string"
    if "namespace" in metadata and not _is_text(metadata["namespace"]):
        yield "/metadata/namespace", "a namespace is a string that is not empty: leave the field out instead"
    if not isinstance(metadata.get("labels"), dict | None):
        # A list of one makes it panic as soon as any object is selected for a JSON patch.
        yield "/metadata/labels", "labels are a map"
    if str(obj.get("kind")).endswith("List") and ("items" in obj or "functionConfig" in obj):
        yield "/kind", "kustomize takes a kind that ends in List apart, into its items: list the items themselves"


def _annotations(obj: dict[str, Any]) -> Iterator[Problem]:
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if annotations is None:
        return
    at = "/metadata/annotations"
    if not isinstance(annotations, dict):
        yield at, "annotations are a map"
        return
    for key, value in annotations.items():
        for message in _annotation(key, value):
            yield at + pointer([key]), message


def _annotation(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        yield "an annotation is a string: kustomize empties this one"
    if not key or _NOT_TEXT.fullmatch(key):
        yield "kustomize fails on an annotation whose key is empty, a number, a date, a boolean or null"
    if any(isinstance(text, str) and text.startswith("\t") and "\n" in text for text in (key, value)):
        # It writes annotations anew, this text as a literal block, which it then can't read.
        yield "kustomize fails on an annotation of several lines that begins with a tab"
    if key.startswith(_INTERNAL) or key in _BOOKKEEPING:
        yield "kustomize uses this annotation itself and takes it away"
    if key == _LOCAL and value not in ("false", False):
        yield "kustomize leaves an object with this annotation out of what it builds"


def _references(obj: dict[str, Any]) -> Iterator[Problem]:
    """Find the references by map that kustomize follows: it fails on one without a name."""
    group = str(obj.get("apiVersion")).partition("/")[0]
    if group == "rbac.authorization.k8s.io" and obj.get("kind") in ("ClusterRoleBinding", "RoleBinding"):
        for index, subject in enumerate(_list(obj.get("subjects"))):
            yield from _subject(subject, f"/subjects/{index}")
    elif group == "admissionregistration.k8s.io":
        for index, webhook in enumerate(_list(obj.get("webhooks"))):
            config = webhook.get("clientConfig") if isinstance(webhook, dict) else None
            service = config.get("service") if isinstance(config, dict) else None
            if isinstance(service, dict):
                yield from _service(service, f"/webhooks/{index}/clientConfig/service")


def _subject(subject: Any, at: str) -> Iterator[Problem]:
    if not isinstance(subject, dict):
        yield at, "a subject is a map"
        return
    for key in ("kind", "name"):
        if not _is_text(subject.get(key)):
            yield f"{at}/{key}", f"a subject needs a {key}, a string"
    # Istio's own samples have accounts without a namespace. It would be filled in where the account has a JSON patch in
    # the same build, which `jsonpatch.obstacle` rules out.
    if subject.get("kind") == "ServiceAccount" and "namespace" in subject and not _is_text(subject["namespace"]):
        yield f"{at}/namespace", "a namespace is a string that is not empty: leave the field out instead"


def _service(service: dict[str, Any], at: str) -> Iterator[Problem]:
    # A namespace is filled in where the Service has a JSON patch in the same build; the API demands one anyway.
    for key in ("name", "namespace"):
        if not _is_text(service.get(key)):
            yield f"{at}/{key}", f"a webhook's service needs a {key}, a string"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(value: Any, at: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            here = at + pointer([key])
            if key == "<<":
                yield here, "kustomize takes a key << for a YAML merge and drops it"
            if _UNCARRIED.search(key):
                yield here, "kustomize can't carry a control character or noncharacter in a key"
            yield from _values(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, f"{at}/{index}")
    elif problem := _scalar(value):
        yield at, problem


def _scalar(value: str | float | None) -> str | None:
    if isinstance(value, str):
        return "kustomize can't carry a control character or noncharacter" if _UNCARRIED.search(value) else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "JSON has no infinity and no not-a-number"
    if isinstance(value, int) and value not in _INTEGERS:
        return "kustomize carries integers from -2^63 to 2^64-1 only: quote it, or write it as a float"
    return None
