"""Wires every cluster of a mesh, and writes the tree's own README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.stage import PRUNED, Memory
from meshgen.build.stages import Built, minor_of
from meshgen.catalog import release
from meshgen.config.resolve import Cluster, Mesh
from meshgen.delivery.argocd import argocd_wiring
from meshgen.delivery.flux import flux_wiring
from meshgen.delivery.readme import tree_readme
from meshgen.delivery.wiring import AppliedStage, ClusterTree, WiringFiles, deployments
from meshgen.layout.kustomization import kustomization
from meshgen.layout.tree import Layout
from meshgen.yaml import emit


@dataclass(frozen=True)
class Wired:
    """The files beside the stages, and all clusters."""

    files: dict[str, str]
    clusters: tuple[ClusterTree, ...]


def wire(mesh: Mesh, built: Mapping[str, Built], layout: Layout) -> Wired:
    """Give the wiring of every cluster for the engines that its `delivery` names."""
    files: dict[str, str] = {}
    trees = []
    memory = Memory()
    for cluster in mesh.clusters:
        stages = tuple(AppliedStage(name, path, name in PRUNED) for name, path in layout.paths[cluster.name])
        wiring = {}
        for engine, contents in _engines(mesh.name, cluster, built[cluster.name], stages, memory):
            directory = f"clusters/{cluster.name}/{engine}"
            wiring[engine] = directory
            files[f"{directory}/kustomization.yaml"] = memory.recall(_kustomization, tuple(contents))
            for name, objects in contents.items():
                files[f"{directory}/{name}"] = "---\n".join(memory.recall_same(emit, obj) for obj in objects)
        trees.append(ClusterTree(cluster.name, cluster.environment, wiring, stages))
    files["README.md"] = tree_readme(mesh, trees)
    return Wired(files, tuple(trees))


def _engines(
    mesh: str, cluster: Cluster, built: Built, stages: tuple[AppliedStage, ...], memory: Memory
) -> list[tuple[str, WiringFiles]]:
    delivery: dict[str, Any] = cluster.settings.get("delivery") or {}
    istio = cluster.settings["istio"]
    minor = minor_of(cluster.settings)
    engines: list[tuple[str, WiringFiles]] = []
    if flux := delivery.get("flux"):
        engines.append(("flux", flux_wiring(mesh, flux, stages, tuple(deployments(istio, release(minor))), memory)))
    if argocd := delivery.get("argocd"):
        wiring = argocd_wiring(
            f"{mesh}-{cluster.name}",
            argocd,
            stages,
            built.objects,
            own_path=f"clusters/{cluster.name}/argocd",
            server=cluster.server,
            istio=istio,
            minor=minor,
        )
        engines.append(("argocd", wiring))
    return engines


def _kustomization(names: tuple[str, ...]) -> str:
    return kustomization(list(names), [])
