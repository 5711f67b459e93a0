"""Builds the stages of one cluster's settings: pure, and each distinct part once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshgen.build.addonstages import addon_stages
from meshgen.build.gatewayexposure import open_gateways
from meshgen.build.imagepolicies import mark_images
from meshgen.build.install import install, rendered_operator
from meshgen.build.istiooperator import GATEWAY_KINDS, gateways, install_method, namespace
from meshgen.build.manifests import Manifests
from meshgen.build.operator import OPERATOR_NAMESPACE
from meshgen.build.resources import resource_objects
from meshgen.build.stage import NAMESPACES, KubernetesObject, Memory, Remark, Stage
from meshgen.build.substitution import replaces_variables, without_variables
from meshgen.catalog import Version, release_of


@dataclass(frozen=True)
class Built:
    """What a set of settings becomes. `istioctl_input` is the IstioOperator that nothing in the cluster may see."""

    stages: tuple[Stage, ...]
    istioctl_input: KubernetesObject | None
    remarks: tuple[Remark, ...]

    @property
    def objects(self) -> tuple[KubernetesObject, ...]:
        """All objects that are applied, in the order of the stages."""
        return tuple(obj for stage in self.stages for obj in stage.objects)


def minor_of(settings: dict[str, Any]) -> str:
    """The Istio minor of resolved settings."""
    return Version.parse(settings["istio"]["version"]).minor


def build(mesh: str, settings: dict[str, Any], clouds: tuple[str, ...], manifests: Manifests, memory: Memory) -> Built:
    """The stages of these settings, in the order in which they are applied.

    `clouds` are those of the clusters that share the result (see `open_services`).
    """
    addons, expose = settings.get("addons") or _NONE, settings.get("expose") or _NONE
    resources = settings.get("resources") or _NONE
    delivery, method = settings.get("delivery") or _NONE, install_method(settings["istio"])
    istio, services, found = memory.recall_same(_open_gateways, settings["istio"], expose, clouds)
    installed = memory.recall_same(install, mesh, istio, method, delivery, manifests.generate, memory)
    spaces = (namespace(istio), *_other_namespaces(istio), *installed.namespaces)
    first = memory.recall(_namespaces, spaces, method == "operator", resources, manifests)
    last: tuple[Stage, ...] = ()
    remarks: tuple[Remark, ...] = ()
    # A stage of its own, apart from Istio itself, which is what most clusters patch.
    if addons or services or resources:
        known = release_of(istio)
        last, remarks = memory.recall(
            addon_stages, known, spaces[0], addons, resources, services, clouds, delivery, manifests, memory
        )
    stages: tuple[Stage, ...] = (first, *installed.stages, *last)
    if replaces_variables(delivery):
        places = memory.recall_same(manifests.places, addons, resources)
        stages = tuple(memory.recall(without_variables, stage, places) for stage in stages)
    stages, unmarked = mark_images(stages, delivery, memory)
    return Built(stages, installed.istioctl_input, (*found, *installed.remarks, *remarks, *unmarked))


def istioctl_input(mesh: str, settings: dict[str, Any], clouds: tuple[str, ...], memory: Memory) -> KubernetesObject:
    """The IstioOperator that istioctl renders for these settings, by which `Manifests.generated` knows its objects."""
    istio, _, _ = memory.recall_same(_open_gateways, settings["istio"], settings.get("expose") or _NONE, clouds)
    return memory.recall_same(rendered_operator, mesh, istio)


def _open_gateways(
    istio: dict[str, Any], expose: dict[str, Any], clouds: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any], tuple[Remark, ...]]:
    """`istio` with its gateways opened, what `expose` asks of other Services, and what is wrong so far."""
    if not expose:
        return istio, expose, ()
    opened, meant, remarks = open_gateways(istio, expose, clouds)
    return opened, {key: value for key, value in expose.items() if key not in meant} if meant else expose, remarks


_NONE: dict[str, Any] = {}


def _namespaces(names: tuple[str, ...], with_operator: bool, resources: dict[str, Any], manifests: Manifests) -> Stage:
    """The namespaces that Istio needs, and what else comes first; a namespace of the user's own says more than ours."""
    theirs = resource_objects(resources, manifests, NAMESPACES)
    there = {obj["metadata"]["name"] for obj in theirs if obj["kind"] == "Namespace"}
    if with_operator:
        there.add(OPERATOR_NAMESPACE["metadata"]["name"])
    own = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names if name not in there]
    return Stage(NAMESPACES, (*own, *((OPERATOR_NAMESPACE,) if with_operator else ()), *theirs))


def _other_namespaces(istio: dict[str, Any]) -> tuple[str, ...]:
    """Namespaces beside the control plane's, of the IstioOperator itself, components and gateways.

    They must be there first: Istio's operator makes none but the control plane's own.
    """
    components = [part for part in (istio.get("components") or {}).values() if isinstance(part, dict)]
    parts = [
        istio.get("metadata") or {},
        *components,
        *(gateway for kind in GATEWAY_KINDS for gateway in gateways(istio, kind)),
    ]
    named = {part.get("namespace") for part in parts if part.get("enabled") is not False}
    apart = {name for name in named if isinstance(name, str) and name}
    return tuple(sorted(apart - {namespace(istio), "default", "kube-system"}))
