"""Wires every cluster of a mesh, and writes the tree's own README."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import install_method
from meshgen.build.stage import PRUNED, Memory
from meshgen.build.stages import Built
from meshgen.config.resolve import Cluster, Environment, Mesh
from meshgen.delivery.argocd import argocd_wiring
from meshgen.delivery.argocdapplications import Target
from meshgen.delivery.argocdfleet import (
    PATCH_OF_ROOTS,
    PATCH_OF_SETS,
    ArgoFleet,
    Planned,
    directory_by_set,
    directory_of,
)
from meshgen.delivery.flux import flux_wiring, stage_kustomizations
from meshgen.delivery.fluxhub import Hub, directory_on_hub, flux_of
from meshgen.delivery.readme import tree_readme
from meshgen.delivery.waves import Wave, waves_of
from meshgen.delivery.wiring import AppliedStage, ClusterTree, KubernetesObject, WiringFiles, deployments
from meshgen.layout.kustomization import kustomization
from meshgen.layout.tree import Layout
from meshgen.yaml import emit


@dataclass(frozen=True)
class Wired:
    """The files beside the stages, all clusters, and the objects of the engines by directory."""

    files: dict[str, str]
    clusters: tuple[ClusterTree, ...]
    objects: dict[str, tuple[KubernetesObject, ...]]


def wire(mesh: Mesh, built: Mapping[str, Built], shared: Mapping[str, Built | None], layout: Layout) -> Wired:
    """Give the wiring of every cluster for the engines that its `delivery` names.

    `built` is what each cluster gets, `shared` what the clusters of each environment share.
    """
    files: dict[str, str] = {}
    objects: dict[str, tuple[KubernetesObject, ...]] = {}
    trees = []
    memory = Memory()
    for environment in mesh.environments:
        wiring = _Wiring(mesh.name, environment, files, objects, memory)
        for cluster in environment.clusters:
            stages = _applied(cluster, built[cluster.name], shared[environment.name], layout, files, memory)
            directories = wiring.of_cluster(cluster, built[cluster.name], stages)
            applied = tuple(stage for stage in stages if stage.path is not None)
            order = tuple(stage.name for stage in stages)
            trees.append(ClusterTree(cluster.name, cluster.environment, directories, applied, order))
        wiring.of_environment()
    files["README.md"] = tree_readme(mesh, trees, values=any("/values/" in path for path in files))
    return Wired(files, tuple(trees), objects)


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


class _Wiring:
    """The wiring of one environment: of each cluster, and what stands above them."""

    def __init__(
        self,
        mesh: str,
        environment: Environment,
        files: dict[str, str],
        objects: dict[str, tuple[KubernetesObject, ...]],
        memory: Memory,
    ) -> None:
        self.mesh, self.environment, self.memory = mesh, environment, memory
        self.files, self.objects = files, objects
        self.waves = {cluster.name: wave for wave in waves_of(environment) for cluster in wave.clusters}
        self.hub = Hub(mesh, environment)
        self.places = self.hub.places()
        self.last_stages: dict[str, str] = {}
        self.argocd: dict[str, Any] = {}
        self.planned: list[Planned] = []

    def of_cluster(self, cluster: Cluster, built: Built, stages: tuple[AppliedStage, ...]) -> dict[str, str]:
        """Write the wiring of a cluster; give its directory by engine."""
        delivery: dict[str, Any] = cluster.settings.get("delivery") or {}
        wave = self.waves.get(cluster.name)
        directories = {}
        if delivery.get("flux"):
            directories["flux"] = directory_on_hub(cluster) if flux_of(cluster) else f"clusters/{cluster.name}/flux"
            flux = self._on_branch(delivery["flux"], wave)
            self._write(directories["flux"], self._flux(cluster, flux, stages, directories["flux"]))
        if delivery.get("argocd"):
            self.argocd = self.argocd or delivery["argocd"]
            argocd = self._on_branch(delivery["argocd"], wave)
            by_set = bool(argocd.get("applicationSet"))
            directories["argocd"] = (directory_by_set if by_set else directory_of)(cluster.name)
            objects = [obj for stage in built.stages if not stage.releases for obj in stage.objects]
            self._write(directories["argocd"], self._argocd(cluster, argocd, wave, stages, objects))
        return directories

    def of_environment(self) -> None:
        """Write what serves all of its clusters."""
        if self.last_stages:
            for directory, contents in self.hub.files(self.last_stages).items():
                self._write(directory, contents)
        if not self.planned:
            return
        fleet = ArgoFleet(self.mesh, self.environment.name, self.argocd, tuple(self.planned))
        if self.argocd.get("applicationSet"):
            self._write(fleet.directory, *fleet.of_set())
            self._patch(*PATCH_OF_SETS)
            return
        if self.waves:
            self._write(fleet.directory, fleet.of_roots())
        self._patch(*PATCH_OF_ROOTS)

    def _on_branch(self, settings: dict[str, Any], wave: Wave | None) -> dict[str, Any]:
        branch = wave.branch if wave else None
        return self.memory.recall_same(_on_branch, settings, branch) if branch else settings

    def _flux(
        self, cluster: Cluster, flux: dict[str, Any], stages: tuple[AppliedStage, ...], own_path: str
    ) -> WiringFiles:
        ready = _ready(cluster.settings["istio"], install_method(cluster.settings["istio"]))
        if flux_of(cluster) is None:
            return flux_wiring(self.mesh, flux, stages, ready, own_path, self.memory)
        made = stage_kustomizations(flux, stages, ready, self.places[cluster.name], self.memory)
        self.last_stages[cluster.name] = made[-1]["metadata"]["name"]
        return {"sync.yaml": made}

    def _argocd(
        self,
        cluster: Cluster,
        argocd: dict[str, Any],
        wave: Wave | None,
        stages: tuple[AppliedStage, ...],
        objects: list[dict[str, Any]],
    ) -> WiringFiles:
        target = Target(f"{self.mesh}-{cluster.name}", cluster.name, argocd, cluster.settings["istio"], cluster.server)
        by_set = bool(argocd.get("applicationSet"))
        environment = self.environment.name if wave and not by_set else None
        own_path = directory_of(cluster.name)
        contents, steps = argocd_wiring(
            target, stages, objects, own_path=own_path, environment=environment, by_set=by_set
        )
        self.planned.append(Planned(cluster.name, target, steps, wave))
        return contents

    def _patch(self, name: str, patch: dict[str, Any]) -> None:
        self.files[f"{name}.patch.yaml"] = self.memory.recall(emit, patch)

    def _write(self, directory: str, contents: WiringFiles, beside: Iterable[str] = ()) -> None:
        names = (*contents, *beside)
        self.objects[directory] = tuple(obj for objects in contents.values() for obj in objects)
        self.files[f"{directory}/kustomization.yaml"] = self.memory.recall(_kustomization, names)
        for name, objects in contents.items():
            self.files[f"{directory}/{name}"] = "---\n".join(self.memory.recall_same(emit, obj) for obj in objects)


def _on_branch(settings: dict[str, Any], branch: str) -> dict[str, Any]:
    return {**settings, "branch": branch}


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
