"""Flux: a GitRepository, and one Kustomization a stage that waits for the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.build.stage import ISTIO, Memory
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, WiringFiles, in_repository

# Both APIs are of Flux 2.0, the oldest that an Istio with an operator may meet; so are all fields used here.
KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = "source.toolkit.fluxcd.io/v1"


def flux_wiring(
    mesh: str,
    flux: dict[str, Any],
    stages: Sequence[AppliedStage],
    ready: tuple[tuple[str, str], ...],
    memory: Memory,
) -> WiringFiles:
    """The files of one cluster's Flux wiring.

    `ready` are the Deployments whose health means that Istio runs, where its stage's own objects can't tell. Clusters
    whose objects are equal share them, through `memory`.
    """
    applied = [(stage.name, stage.path, stage.prune) for stage in stages if stage.path is not None]
    befores = [None, *(name for name, _, _ in applied)]
    kustomizations = tuple(
        memory.recall_same(_kustomization, mesh, flux, name, path, prune, before, ready)
        for before, (name, path, prune) in zip(befores, applied, strict=False)
    )
    return {"sync.yaml": (memory.recall_same(_repository, mesh, flux), *kustomizations)}


def _kustomization(
    mesh: str,
    flux: dict[str, Any],
    stage: str,
    path: str,
    prune: bool,
    before: str | None,
    ready: tuple[tuple[str, str], ...],
) -> KubernetesObject:
    spec: dict[str, Any] = {
        "interval": flux.get("interval") or "10m",
        "retryInterval": flux.get("retryInterval") or "1m",
        "timeout": flux.get("timeout") or "10m",
        "path": f"./{in_repository(flux.get('path') or './output', path)}",
        "prune": prune and flux.get("prune") is not False,
        "sourceRef": {"kind": "GitRepository", "name": mesh},
    }
    if flux.get("suspend"):
        spec["suspend"] = True
    if before is not None:
        spec["dependsOn"] = [{"name": f"{mesh}-{before}"}]
    # `wait` would make Flux ignore `healthChecks`, and takes an IstioOperator for ready as soon as it is there.
    if stage == ISTIO and ready:
        spec["healthChecks"] = [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "namespace": namespace}
            for namespace, name in ready
        ]
    else:
        spec["wait"] = True
    return _object(KUSTOMIZATION, "Kustomization", f"{mesh}-{stage}", flux, spec)


def _repository(mesh: str, flux: dict[str, Any]) -> KubernetesObject:
    spec: dict[str, Any] = {"interval": "1m", "url": flux["url"], "ref": {"branch": flux.get("branch") or "main"}}
    if flux.get("secretRef"):
        spec["secretRef"] = {"name": flux["secretRef"]}
    return _object(SOURCE, "GitRepository", mesh, flux, spec)


def _object(api_version: str, kind: str, name: str, flux: dict[str, Any], spec: dict[str, Any]) -> KubernetesObject:
    metadata = {"name": name, "namespace": flux.get("namespace") or "flux-system"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
