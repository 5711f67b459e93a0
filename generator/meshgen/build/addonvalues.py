"""The values of an addon's chart: what the built-in would have set, in the chart's terms; patches say the rest."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from meshgen.build.addonparts import PARTS, Builtin, Values, without_sidecar
from meshgen.build.chart import ObjectPatch
from meshgen.values import merged, nested
from meshgen.yaml import pointer


def default_values(built: Builtin) -> Values:
    """The chart's values by which it does what the built-in addon does; new at each call, down to its objects."""
    shape = built.shape
    values: Values = shape["values"]
    if built.claim and "valuesWithStorage" in shape:
        values = merged(values, shape["valuesWithStorage"])
    values = deepcopy(values)
    for part, path in shape["from"].items():
        value = PARTS[part](built)
        if value not in (None, {}, []):
            put(values, path, value)
    return values


def put(values: Values, path: str, value: Any) -> None:
    """Set what is at a path such as "server/service/type"; maps are merged, also at the empty path, the root."""
    values.update(merged(values, nested(path.split("/"), value) if path else value))


def pod_patches(built: Builtin) -> list[ObjectPatch]:
    """What the chart's pod needs and no value says: the keys of a Secret, and Istio 1.11's mark against the proxy."""
    change: Values = {}
    if built.shape.get("secretsByPatch"):
        change["spec"] = _secrets(built)
    marks = without_sidecar(built.minor)[1]
    if marks and "podAnnotations" not in {*built.shape["from"], *built.shape["values"]}:
        change["metadata"] = {"annotations": marks}
    kind, at = built.workload["kind"], pointer(["addons", built.name])
    return [ObjectPatch(kind, built.name, {"spec": {"template": change}}, at)] if change else []


def _secrets(built: Builtin) -> Values:
    """The part of the pod that reads Secrets."""
    container: Values = {"name": built.container["name"]}
    environment = [entry for entry in built.container["env"] if "secretKeyRef" in entry.get("valueFrom", {})]
    volumes = [volume for volume in built.pod["volumes"] if "secret" in volume]
    names = {volume["name"] for volume in volumes}
    mounts = [mount for mount in built.container["volumeMounts"] if mount["name"] in names]
    for key, entries in (("env", environment), ("volumeMounts", mounts)):
        if entries:
            container[key] = entries
    return {"containers": [container], **({"volumes": volumes} if volumes else {})}


def set_image(values: Values, reference: str, paths: Mapping[str, str]) -> None:
    """Say an image in the parts that the chart puts together; a tag that the reference lacks is left to the chart."""
    repository, tag, digest = _parts(reference)
    if "registry" in paths:
        registry, repository = _registry(repository)
        put(values, paths["registry"], registry)
    if digest and "sha" in paths:
        put(values, paths["sha"], digest.partition(":")[2])
    elif digest and "digest" in paths:
        put(values, paths["digest"], digest)
    elif digest and tag:
        tag = f"{tag}@{digest}"
    elif digest:
        # The chart writes a colon between the two, as a digest has it.
        algorithm, _, tag = digest.partition(":")
        repository = f"{repository}@{algorithm}"
    put(values, paths["repository"], repository)
    if tag:
        put(values, paths["tag"], tag)


def _parts(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image, the last two empty where they are not said."""
    name, _, digest = reference.partition("@")
    # A colon before the last slash belongs to the registry's port.
    repository, colon, tag = name.rpartition(":")
    return (repository, tag, digest) if colon and "/" not in tag else (name, "", digest)


def _registry(repository: str) -> tuple[str, str]:
    first, slash, rest = repository.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return first, rest
    return "docker.io", repository if slash else f"library/{repository}"
