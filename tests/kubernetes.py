"""What Kubernetes' own schemas say of objects: the files of kubernetes-validate, each read once."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from kubernetes_validate.utils import all_versions, major_minor, schema_contents
from referencing import Registry, Resource

from meshgen.catalog import minor_key, served
from tests.objects import Object

# API groups that are no part of Kubernetes itself: its schemas say nothing of what they hold.
_CUSTOM = (".istio.io", ".toolkit.fluxcd.io", "sailoperator.io")
_VERSIONS = {major_minor(version): version for version in all_versions()}


def is_custom(obj: Object) -> bool:
    """Whether an object is a custom resource, which only its own CRD can judge."""
    return str(obj["apiVersion"].partition("/")[0]).endswith(_CUSTOM)


def assert_valid(obj: Object, kubernetes: str) -> None:
    """Assert that a version of Kubernetes serves an object and knows every field of it."""
    assert served(kubernetes, obj["apiVersion"], obj["kind"]) is not False, f"{obj['kind']} at {kubernetes}"
    if not is_custom(obj):
        _validator(_nearest(kubernetes), obj["apiVersion"], obj["kind"]).validate(obj)


def _nearest(kubernetes: str) -> str:
    """The oldest and the newest version that have schemas stand in for what is older or newer."""
    known = sorted(_VERSIONS, key=minor_key)
    return min(max(kubernetes, known[0], key=minor_key), known[-1], key=minor_key)


@cache
def _validator(kubernetes: str, api_version: str, kind: str) -> Draft202012Validator:
    group, _, version = api_version.rpartition("/")
    name = "-".join(word for word in (kind.lower(), group.partition(".")[0], version) if word)
    registry: Registry[Any] = _definitions(kubernetes) @ Registry()
    return Draft202012Validator(_read(kubernetes, name), registry=registry)


@cache
def _definitions(kubernetes: str) -> Resource[Any]:
    return Resource.from_contents(_read(kubernetes, "_definitions"))


def _read(kubernetes: str, name: str) -> Any:
    version = _VERSIONS[kubernetes]
    return schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
