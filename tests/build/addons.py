"""What the tests of the built-in addons share: every addon of every Istio minor, built."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshgen.build.addons import NAMES, addon_objects
from meshgen.catalog import minors, release

ALL: dict[str, dict[str, Any]] = {name: {} for name in NAMES if name != "zipkin"}
PAIRS = [(minor, name) for minor in minors() for name in NAMES if name in release(minor).addons]
STORAGE = {"storage": {"size": "5Gi", "storageClassName": "fast"}}

every_addon = pytest.mark.parametrize(("minor", "name"), PAIRS)

Object = dict[str, Any]


def build(minor: str, name: str, settings: Object | None = None, addons: Object | None = None) -> list[Object]:
    return addon_objects(
        name,
        settings or {},
        images=release(minor).addons,
        namespace="istio-system",
        addons=ALL if addons is None else addons,
        minor=minor,
    )


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [item for item in objects if item["kind"] in kinds]


def workload(objects: list[Object]) -> Object:
    return of_kind(objects, "Deployment", "StatefulSet")[0]


def containers(objects: list[Object]) -> list[Object]:
    pod = workload(objects)["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def config(objects: list[Object], key: str) -> Any:
    texts = [item["data"][key] for item in of_kind(objects, "ConfigMap") if key in item["data"]]
    return yaml.safe_load(texts[0])
