"""Builds the stages of one cluster's settings: pure, and each distinct part once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.addons import addon_objects
from meshgen.build.exposure import open_services
from meshgen.build.istiooperator import gateways, istio_operator, namespace
from meshgen.build.operator import OPERATOR_NAMESPACE, operator_objects
from meshgen.build.stage import ADDONS, ISTIO, NAMESPACES, OPERATOR, KubernetesObject, Memory, Remark, Stage
from meshgen.catalog import Version, release
from meshgen.layout.normal import normalise


@dataclass(frozen=True, eq=False)
class Manifests:
    """The user's own objects, by the path in `source`; equal to itself only, so that a memory can tell it by."""

    by_source: Mapping[str, tuple[KubernetesObject, ...]]


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


def install_method(settings: dict[str, Any]) -> str:
    """What applies Istio: `operator` up to 1.23, `helm` from 1.24 on."""
    method = settings["istio"].get("install")
    if isinstance(method, str):
        return method
    return "operator" if release(minor_of(settings)).operator else "helm"


def build(mesh: str, settings: dict[str, Any], clouds: tuple[str, ...], manifests: Manifests, memory: Memory) -> Built:
    """The stages of these settings, in the order in which they are applied.

    `clouds` are those of the clusters that share the result (see `open_services`); `manifests` are the user's own, by
    the path in `source`.
    """
    istio: dict[str, Any] = settings["istio"]
    method = install_method(settings)
    minor, home = minor_of(settings), namespace(istio)
    operator = None
    if method == "operator":
        operator = (istio["version"], istio.get("hub") or release(minor).hub, istio.get("tag") or istio["version"])
    addons, expose = settings.get("addons") or _NONE, settings.get("expose") or _NONE
    # Everything but the IstioOperator itself, which is what most clusters patch.
    before, after, remarks = memory.recall(
        _around, minor, home, _other_namespaces(istio), operator, addons, expose, clouds, manifests, memory
    )
    resource = memory.recall_same(_istio_operator, mesh, istio)
    if operator is None:
        return Built((*before, *after), resource, remarks)
    return Built((*before, memory.recall_same(_istio, resource), *after), None, remarks)


def _around(
    minor: str,
    home: str,
    other_namespaces: tuple[str, ...],
    operator: tuple[str, str, str] | None,
    addons: dict[str, Any],
    expose: dict[str, Any],
    clouds: tuple[str, ...],
    manifests: Manifests,
    memory: Memory,
) -> tuple[tuple[Stage, ...], tuple[Stage, ...], tuple[Remark, ...]]:
    """The stages before and after Istio itself, with their Services opened."""
    stages = [memory.recall(_namespaces, (home, *other_namespaces), operator is not None)]
    if operator is not None:
        stages.append(memory.recall(_operator, *operator))
    before = len(stages)
    if addons:
        stages.append(memory.recall(_addons, minor, home, addons, manifests))
    opened, remarks = open_services(tuple(stages), expose, clouds, home, builtin_addons(addons))
    return opened[:before], opened[before:], remarks


_NONE: dict[str, Any] = {}


def builtin_addons(addons: dict[str, Any]) -> tuple[str, ...]:
    """The names of the addons that meshgen writes itself."""
    return tuple(name for name, addon in addons.items() if (addon.get("source") or "builtin") == "builtin")


def _namespaces(names: tuple[str, ...], with_operator: bool) -> Stage:
    own = OPERATOR_NAMESPACE["metadata"]["name"] if with_operator else None
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names if name != own]
    if with_operator:
        spaces.append(OPERATOR_NAMESPACE)
    return Stage(NAMESPACES, tuple(spaces))


def _other_namespaces(istio: dict[str, Any]) -> tuple[str, ...]:
    """Namespaces beside the control plane's, of the IstioOperator itself, components and gateways.

    They must be there first: Istio's operator makes none but the control plane's own.
    """
    kinds = ("ingressGateways", "egressGateways")
    components = [part for part in (istio.get("components") or {}).values() if isinstance(part, dict)]
    parts = [
        istio.get("metadata") or {},
        *components,
        *(gateway for kind in kinds for gateway in gateways(istio, kind)),
    ]
    named = {part.get("namespace") for part in parts if part.get("enabled") is not False}
    apart = {name for name in named if isinstance(name, str) and name}
    return tuple(sorted(apart - {namespace(istio), "default", "kube-system"}))


def _operator(version: str, hub: str, tag: str) -> Stage:
    return Stage(OPERATOR, tuple(normalise(obj) for obj in operator_objects(version, hub=hub, tag=tag)))


def _istio_operator(mesh: str, istio: dict[str, Any]) -> KubernetesObject:
    return normalise(istio_operator(mesh, istio))


def _istio(resource: KubernetesObject) -> Stage:
    return Stage(ISTIO, (resource,))


def _addons(minor: str, home: str, addons: dict[str, Any], manifests: Manifests) -> Stage:
    images = release(minor).addons
    objects: list[KubernetesObject] = []
    for name, addon in addons.items():
        source = addon.get("source") or "builtin"
        if source != "builtin":
            # A source that only lower layers name was never read: it reaches no cluster.
            objects += manifests.by_source.get(source, ())
        elif name in images:
            built = addon_objects(name, addon, images=images, namespace=home, addons=addons, minor=minor)
            objects += (normalise(obj) for obj in built)
    return Stage(ADDONS, tuple(objects))
