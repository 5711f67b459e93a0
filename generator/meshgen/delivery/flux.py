"""Flux: a source, and one Kustomization a stage that waits for the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meshgen.build.stage import ISTIO, Memory
from meshgen.delivery.fluxalerts import alert_objects
from meshgen.delivery.fluxsource import flux_object, source, source_kind
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, WiringFiles, in_repository

# Of Flux 2.0, the oldest that an Istio with an operator may meet, as are all fields that no setting asks for.
KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1"
# What a root deletes not even where it is no longer part of what the root applies.
KEPT = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}


@dataclass(frozen=True)
class Place:
    """Where a cluster's Kustomizations stand, and what they are called there.

    They begin with `prefix` and take the tree from `source`. On a management cluster they reach the cluster by
    `kubeconfig`, a Secret and a key in it, bear `labels`, and the first of them waits for `gates`.
    """

    prefix: str
    source: str
    kubeconfig: tuple[str, str | None] | None = None
    labels: tuple[tuple[str, str], ...] = ()
    gates: tuple[str, ...] = ()


def flux_wiring(
    mesh: str,
    flux: dict[str, Any],
    stages: Sequence[AppliedStage],
    ready: tuple[tuple[str, str], ...],
    own_path: str,
    memory: Memory,
) -> WiringFiles:
    """The files of a cluster that has a Flux of its own; `own_path` is the directory that they go to.

    `ready` are the Deployments whose health means that Istio runs, where its stage's own objects can't tell. Clusters
    whose objects are equal share them, through `memory`.
    """
    place = Place(mesh, mesh)
    kustomizations = stage_kustomizations(flux, stages, ready, place, memory)
    own_source = memory.recall_same(source, mesh, flux)
    manages_itself = flux.get("selfManaged") is not False
    first: tuple[KubernetesObject, ...] = (own_source,)
    if manages_itself:
        root = _kept(self_kustomization(mesh, flux, own_path, mesh, prune=True))
        # Where Flux is locked down, one that names no account may do nothing.
        root["spec"] |= _account(flux)
        first = (memory.recall_same(_kept, own_source), root)
    files: dict[str, tuple[KubernetesObject, ...]] = {"sync.yaml": (*first, *kustomizations)}
    if flux.get("alerts"):
        watched = ((one["kind"], one["metadata"]["name"]) for one in files["sync.yaml"])
        files["alerts.yaml"] = alert_objects(mesh, flux, watched)
    return files


def stage_kustomizations(
    flux: dict[str, Any],
    stages: Sequence[AppliedStage],
    ready: tuple[tuple[str, str], ...],
    place: Place,
    memory: Memory,
) -> tuple[KubernetesObject, ...]:
    """A Kustomization for each stage that has a directory, each waiting for the one before."""
    applied = [(stage.name, stage.path, stage.prune) for stage in stages if stage.path is not None]
    befores = [place.gates, *((f"{place.prefix}-{name}",) for name, _, _ in applied)]
    return tuple(
        memory.recall_same(_stage_kustomization, flux, name, path, prune, before, ready, place)
        for before, (name, path, prune) in zip(befores, applied, strict=False)
    )


def self_kustomization(
    name: str, flux: dict[str, Any], own_path: str, source_name: str, *, prune: bool = False
) -> KubernetesObject:
    """A Kustomization that applies wiring to where it stands itself.

    With `prune` a stage that leaves the wiring leaves the cluster, with its objects where it prunes them itself. What
    it needs to go on has to be kept then.
    """
    prune = prune and flux.get("prune") is not False
    spec = {**_timing(flux), "path": _path(flux, own_path), "prune": prune, "sourceRef": source_ref(flux, source_name)}
    return flux_object(KUSTOMIZATION, "Kustomization", name, flux, spec)


def _kept(obj: KubernetesObject) -> KubernetesObject:
    """An object that outlives its leaving the wiring."""
    return {**obj, "metadata": {**obj["metadata"], "annotations": KEPT}}


def source_ref(flux: dict[str, Any], name: str) -> dict[str, str]:
    """The reference to a source of that name."""
    return {"kind": source_kind(flux), "name": name}


def _stage_kustomization(
    flux: dict[str, Any],
    stage: str,
    path: str,
    prune: bool,
    before: tuple[str, ...],
    ready: tuple[tuple[str, str], ...],
    place: Place,
) -> KubernetesObject:
    spec: dict[str, Any] = {
        **_timing(flux),
        "path": _path(flux, path),
        "prune": prune and flux.get("prune") is not False,
        "sourceRef": source_ref(flux, place.source),
    }
    if flux.get("suspend"):
        spec["suspend"] = True
    if before:
        spec["dependsOn"] = [{"name": name} for name in before]
    # `wait` would make Flux ignore `healthChecks`, and takes an IstioOperator for ready as soon as it is there.
    if stage == ISTIO and ready:
        spec["healthChecks"] = [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "namespace": namespace}
            for namespace, name in ready
        ]
    else:
        spec["wait"] = True
    spec |= _rights(flux, place)
    spec |= _rewriting(flux)
    made = flux_object(KUSTOMIZATION, "Kustomization", f"{place.prefix}-{stage}", flux, spec)
    labels = dict(place.labels)
    if flux.get("shard"):
        labels["sharding.fluxcd.io/key"] = flux["shard"]
    if labels:
        made["metadata"]["labels"] = labels
    return made


def _timing(flux: dict[str, Any]) -> dict[str, str]:
    defaults = {"interval": "10m", "retryInterval": "1m", "timeout": "10m"}
    return {key: flux.get(key) or default for key, default in defaults.items()}


def _path(flux: dict[str, Any], path: str) -> str:
    return f"./{in_repository(flux.get('path') or './output', path)}"


def _rights(flux: dict[str, Any], place: Place) -> dict[str, Any]:
    """Which cluster is applied to, and as whom."""
    rights: dict[str, Any] = {}
    if place.kubeconfig is not None:
        secret, key = place.kubeconfig
        rights["kubeConfig"] = {"secretRef": {"name": secret, **({"key": key} if key else {})}}
    return rights | _account(flux)


def _account(flux: dict[str, Any]) -> dict[str, Any]:
    return {"serviceAccountName": flux["serviceAccountName"]} if flux.get("serviceAccountName") else {}


def _rewriting(flux: dict[str, Any]) -> dict[str, Any]:
    """What Flux makes of the manifests before it applies them: only what is asked for."""
    asked: dict[str, Any] = {}
    if flux.get("decryption") is not None:
        secret = flux["decryption"].get("secretRef")
        asked["decryption"] = {"provider": "sops", **({"secretRef": {"name": secret}} if secret else {})}
    build = flux.get("postBuild") or {}
    values = {key: value for key, value in (build.get("substitute") or {}).items() if value is not None}
    holders = [_holder(name, one or {}) for name, one in (build.get("substituteFrom") or {}).items()]
    if values or holders:
        asked["postBuild"] = {
            **({"substitute": values} if values else {}),
            **({"substituteFrom": holders} if holders else {}),
        }
    return asked


def _holder(name: str, one: dict[str, Any]) -> dict[str, Any]:
    optional = {"optional": True} if one.get("optional") else {}
    return {"kind": one.get("kind") or "ConfigMap", "name": name, **optional}
