"""Wires every cluster of a mesh, and writes the tree's own README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import install_method
from meshgen.build.stage import PRUNED, Memory
from meshgen.build.stages import Built
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


def wire(mesh: Mesh, built: Mapping[str, Built], shared: Mapping[str, Built | None], layout: Layout) -> Wired:
    """Give the wiring of every cluster for the engines that its `delivery` names.

    `built` is what each cluster gets, `shared` what the clusters of each environment share.
    """
    files: dict[str, str] = {}
    trees = []
    memory = Memory()
    for cluster in mesh.clusters:
        stages = _applied(cluster, built[cluster.name], shared[cluster.environment], layout, files, memory)
        wiring = {}
        for engine, contents in _engines(mesh.name, cluster, built[cluster.name], stages, memory):
            directory = f"clusters/{cluster.name}/{engine}"
            wiring[engine] = directory
            files[f"{directory}/kustomization.yaml"] = memory.recall(_kustomization, tuple(contents))
            for name, objects in contents.items():
                files[f"{directory}/{name}"] = "---\n".join(memory.recall_same(emit, obj) for obj in objects)
        applied = tuple(stage for stage in stages if stage.path is not None)
        trees.append(ClusterTree(cluster.name, cluster.environment, wiring, applied))
    files["README.md"] = tree_readme(mesh, trees, values=any("/values/" in path for path in files))
    return Wired(files, tuple(trees))


def _applied(
    cluster: Cluster, built: Built, shared: Built | None, layout: Layout, files: dict[str, str], memory: Memory
) -> tuple[AppliedStage, ...]:
    """The stages of a cluster as engines apply them; the values of releases go into `files`."""
    paths = dict(layout.paths[cluster.name])
    by_argocd = (cluster.settings.get("delivery") or {}).get("argocd")
    common = {release.name: release.values for stage in (shared.stages if shared else ()) for release in stage.releases}
    stages = []
    for stage in built.stages:
        releases = []
        for release in stage.releases if by_argocd else ():
            same = common.get(release.name) == release.values
            home = f"environments/{cluster.environment}" if same else f"clusters/{cluster.name}"
            path = f"{home}/values/{release.name}.yaml"
            files[path] = memory.recall_same(emit, release.values)
            releases.append((release, path))
        path_of = paths.get(stage.name)
        stages.append(AppliedStage(stage.name, path_of, stage.name in PRUNED, tuple(releases)))
    return tuple(stages)


def _engines(
    mesh: str, cluster: Cluster, built: Built, stages: tuple[AppliedStage, ...], memory: Memory
) -> list[tuple[str, WiringFiles]]:
    delivery: dict[str, Any] = cluster.settings.get("delivery") or {}
    istio = cluster.settings["istio"]
    engines: list[tuple[str, WiringFiles]] = []
    if flux := delivery.get("flux"):
        ready = _ready(istio, install_method(cluster.settings["istio"]))
        engines.append(("flux", flux_wiring(mesh, flux, stages, ready, memory)))
    if argocd := delivery.get("argocd"):
        wiring = argocd_wiring(
            f"{mesh}-{cluster.name}",
            argocd,
            stages,
            [obj for stage in built.stages if not stage.releases for obj in stage.objects],
            own_path=f"clusters/{cluster.name}/argocd",
            server=cluster.server,
            istio=istio,
        )
        engines.append(("argocd", wiring))
    return engines


def _ready(istio: dict[str, Any], method: str) -> tuple[tuple[str, str], ...]:
    """The Deployments that say when Istio runs, where no object of its stage does.

    An IstioOperator has no conditions, and the Sail operator's Istio has none at first, which is taken for ready.
    """
    found = deployments(istio)
    if method == "sail":
        # Gateways come in the stage after.
        return tuple(one for one in found if one[1].startswith("istiod"))
    return tuple(found) if method == "operator" else ()


def _kustomization(names: tuple[str, ...]) -> str:
    return kustomization(list(names), [])
