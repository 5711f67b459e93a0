"""What both engines need to know of a cluster to apply it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import gateways, namespace
from meshgen.catalog import Release

KubernetesObject = dict[str, Any]
# One file of the wiring's directory, and the objects in it.
WiringFiles = Mapping[str, tuple[KubernetesObject, ...]]


@dataclass(frozen=True)
class AppliedStage:
    """A stage of a cluster and the directory in the tree that builds it."""

    name: str
    path: str
    prune: bool


@dataclass(frozen=True)
class ClusterTree:
    """A cluster in the tree: what builds its stages, in their order, and what bootstraps it, by engine."""

    name: str
    environment: str
    wiring: dict[str, str]
    stages: tuple[AppliedStage, ...]


def in_repository(root: str, path: str) -> str:
    """The path of a directory of the tree as the engines know it, relative to the repository's root."""
    return posixpath.normpath(posixpath.join(root, path))


def deployments(istio: dict[str, Any], release: Release) -> list[tuple[str, str]]:
    """(namespace, name) of the Deployments that make Istio ready, as the operator will have named them.

    The IstioOperator itself has no conditions, so its being there says nothing.
    """
    home = namespace(istio)
    profiles = release.components_by_profile
    enabled = profiles.get(istio.get("profile") or "default", profiles["default"])
    components = istio.get("components") or {}
    found = []
    pilot = components.get("pilot") or {}
    if _or(pilot.get("enabled"), "pilot" in enabled):
        revision = istio.get("revision")
        found.append((pilot.get("namespace") or home, f"istiod-{revision}" if revision else "istiod"))
    for kind, default in (("ingressGateways", "istio-ingressgateway"), ("egressGateways", "istio-egressgateway")):
        named: dict[str, Any] = {one["name"]: one for one in gateways(istio, kind) if one.get("name")}
        named.setdefault(default, {})
        for name, gateway in named.items():
            if _or(gateway.get("enabled"), name == default and default in enabled):
                found.append((gateway.get("namespace") or home, name))
    return found


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value
