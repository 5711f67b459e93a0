"""What both engines need to know of a cluster to apply it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.istiooperator import enabled_by_profile, installed_gateways, namespace
from meshgen.catalog import release_of

KubernetesObject = dict[str, Any]
# The keys of `delivery` that are engines; `waves` is of them all.
ENGINES = ("flux", "argocd")
# One file of the wiring's directory, and the objects in it.
WiringFiles = Mapping[str, tuple[KubernetesObject, ...]]


@dataclass(frozen=True)
class AppliedStage:
    """A stage of a cluster, and the directory in the tree that builds it; None where only Argo CD installs it.

    `releases` are Helm releases that Argo CD installs instead, each with the file in the tree that holds its values.
    """

    name: str
    path: str | None
    prune: bool
    releases: tuple[tuple[ChartRelease, str], ...] = ()


@dataclass(frozen=True)
class ClusterTree:
    """A cluster in the tree: what builds its stages, in their order, and what bootstraps it, by engine.

    `order` names all its stages, those too that are charts which Argo CD installs, for which no directory stands.
    """

    name: str
    environment: str
    wiring: dict[str, str]
    stages: tuple[AppliedStage, ...]
    order: tuple[str, ...]


def in_repository(root: str, path: str) -> str:
    """The path of a directory of the tree as the engines know it, relative to the repository's root."""
    return posixpath.normpath(posixpath.join(root, path))


def deployments(istio: dict[str, Any]) -> list[tuple[str, str]]:
    """(namespace, name) of the Deployments that make Istio ready, as the operator or istioctl will have named them.

    The IstioOperator itself has no conditions, so its being there says nothing.
    """
    home = namespace(istio)
    pilot = (istio.get("components") or {}).get("pilot") or {}
    enabled = pilot.get("enabled")
    found = []
    if "pilot" in enabled_by_profile(istio, release_of(istio)) if enabled is None else enabled:
        revision = istio.get("revision")
        found.append((pilot.get("namespace") or home, f"istiod-{revision}" if revision else "istiod"))
    found += [(one.get("namespace") or home, one["name"]) for _, one in installed_gateways(istio)]
    return found
