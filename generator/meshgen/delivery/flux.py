"""Flux: a GitRepository, and one Kustomization a stage that waits for the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.build.stage import ISTIO
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, WiringFiles, in_repository

# Both APIs are of Flux 2.0, the oldest that an Istio with an operator may meet; so are all fields used here.
KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1"
SOURCE = "source.toolkit.fluxcd.io/v1"


def flux_wiring(
    mesh: str, flux: dict[str, Any], stages: Sequence[AppliedStage], ready: Sequence[tuple[str, str]]
) -> WiringFiles:
    """The files of one cluster's Flux wiring; `ready` are the Deployments whose health means that Istio runs."""
    home = flux.get("namespace") or "flux-system"
    kustomizations = []
    for before, stage in zip((None, *stages), stages, strict=False):
        spec: dict[str, Any] = {
            "interval": flux.get("interval") or "10m",
            "retryInterval": flux.get("retryInterval") or "1m",
            "timeout": flux.get("timeout") or "10m",
            "path": f"./{in_repository(flux.get('path') or './output', stage.path)}",
            "prune": stage.prune and flux.get("prune") is not False,
            "sourceRef": {"kind": "GitRepository", "name": mesh},
        }
        if flux.get("suspend"):
            spec["suspend"] = True
        if before is not None:
            spec["dependsOn"] = [{"name": f"{mesh}-{before.name}"}]
        # `wait` would make Flux ignore `healthChecks`, and takes an IstioOperator for ready as soon as it is there.
        if stage.name == ISTIO:
            spec["healthChecks"] = [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "namespace": namespace}
                for namespace, name in ready
            ]
        else:
            spec["wait"] = True
        kustomizations.append(_object(KUSTOMIZATION, "Kustomization", f"{mesh}-{stage.name}", home, spec))
    source: dict[str, Any] = {
        "interval": "1m",
        "url": flux["url"],
        "ref": {"branch": flux.get("branch") or "main"},
    }
    if flux.get("secretRef"):
        source["secretRef"] = {"name": flux["secretRef"]}
    repository = _object(SOURCE, "GitRepository", mesh, home, source)
    return {"source.yaml": (repository,), "stages.yaml": tuple(kustomizations)}


def _object(api_version: str, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> KubernetesObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
