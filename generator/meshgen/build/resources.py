"""The user's own manifests that `resources` names: which stage each of their objects is part of."""

from __future__ import annotations

from typing import Any

from meshgen.build.manifests import Manifests
from meshgen.build.stage import NAMESPACES, RESOURCES, KubernetesObject

# What others need before they can be applied, and what takes much else with it when it is pruned: these kinds are part
# of the first stage, which never is.
_FIRST = (("v1", "Namespace"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"))


def resource_objects(resources: dict[str, Any], manifests: Manifests, stage: str) -> tuple[KubernetesObject, ...]:
    """The objects of a stage, NAMESPACES or RESOURCES, in the order of the config and of the files."""
    return tuple(
        one.object
        for resource in resources.values()
        # A path that only lower layers name was never read: it reaches no cluster.
        for one in manifests.of_resources.get((resource or {}).get("path") or "", ())
        if _stage(resource, one.object) == stage
    )


def _stage(resource: dict[str, Any], obj: KubernetesObject) -> str:
    if (obj["apiVersion"], obj["kind"]) in _FIRST:
        return NAMESPACES
    return resource.get("stage") or RESOURCES
