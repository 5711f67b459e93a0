"""Helm releases as Flux's helm-controller takes them: a HelmRelease each, and where their charts come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshgen.build.chart import Chart, ChartRelease, KubernetesObject, ObjectPatch
from meshgen.build.drift import written_at_run_time
from meshgen.build.k8spatches import joined
from meshgen.values import merged
from meshgen.yaml import emit

# HelmRelease v2 is of Flux 2.3, HelmRepository v1 of Flux 2.0, OCIRepository v1 of Flux 2.6.
HELM_RELEASE = "helm.toolkit.fluxcd.io/v2"
SOURCE = "source.toolkit.fluxcd.io/v1"


def helm_releases(
    releases: Sequence[ChartRelease], flux: dict[str, Any], *, namespace: str
) -> tuple[KubernetesObject, ...]:
    """The objects that make Flux install these releases: the sources first, then the releases in their order.

    All stand in one namespace, so that no reference leads out of it.
    """
    sources = {source["metadata"]["name"]: source for source in (_source(one, flux, namespace) for one in releases)}
    return (*sources.values(), *(_release(one, flux, namespace) for one in releases))


def _source(release: ChartRelease, flux: dict[str, Any], namespace: str) -> KubernetesObject:
    chart = release.chart
    spec: dict[str, Any] = {"interval": _interval(flux)}
    if chart.oci:
        spec |= {"url": f"{chart.repository.rstrip('/')}/{chart.name}", "ref": {"tag": chart.version}}
        # Charts may hold other layers too, such as a provenance file.
        spec["layerSelector"] = {
            "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "operation": "copy",
        }
    else:
        spec["url"] = chart.repository
    if chart.secret:
        spec["secretRef"] = {"name": chart.secret}
    kind, name = _source_name(release)
    return _object(SOURCE, kind, name, namespace, spec)


def _source_name(release: ChartRelease) -> tuple[str, str]:
    """An OCIRepository is one chart, a HelmRepository is all that stand there."""
    return ("OCIRepository", release.name) if release.chart.oci else ("HelmRepository", release.chart.origin)


def _release(release: ChartRelease, flux: dict[str, Any], namespace: str) -> KubernetesObject:
    kind, source = _source_name(release)
    spec: dict[str, Any] = {"interval": _interval(flux), "timeout": flux.get("timeout") or "10m"}
    spec["releaseName"] = release.name
    if release.namespace != namespace:
        # Where `helm list` looks for it.
        spec |= {"targetNamespace": release.namespace, "storageNamespace": release.namespace}
    if flux.get("serviceAccountName"):
        # Of the HelmRelease's own namespace, not of the Kustomization's that applies it.
        spec["serviceAccountName"] = flux["serviceAccountName"]
    if kind == "OCIRepository":
        spec["chartRef"] = {"kind": kind, "name": source}
    else:
        spec["chart"] = {"spec": _chart(release.chart, kind, source, flux)}
    if release.after:
        spec["dependsOn"] = [{"name": name} for name in release.after]
    # Helm itself never upgrades the CRDs of a chart's `crds` folder.
    action: dict[str, Any] = {"crds": "CreateReplace", "remediation": {"retries": 3}}
    if release.chart.unsound:
        action["disableSchemaValidation"] = True
    spec |= {"install": action, "upgrade": action}
    spec["driftDetection"] = {"mode": "enabled"}
    if written := {**written_at_run_time(release), **_scaled(release.patches)}:
        rules = [{"paths": paths, "target": {"kind": kind}} for kind, paths in written.items()]
        spec["driftDetection"]["ignore"] = rules
    spec["values"] = release.values
    if release.patches:
        spec["postRenderers"] = [{"kustomize": {"patches": _patches(release.patches)}}]
    return _object(HELM_RELEASE, "HelmRelease", release.name, namespace, spec)


def _scaled(patches: Iterable[ObjectPatch]) -> dict[str, list[str]]:
    """A count of replicas beside an autoscaler is where it begins, not what it has to stay at."""
    by_setting = (patch for patch in patches if patch.setting and patch.setting[0] == "replicaCount")
    return {patch.kind: ["/spec/replicas"] for patch in by_setting}


def _chart(chart: Chart, kind: str, source: str, flux: dict[str, Any]) -> dict[str, Any]:
    return {
        "chart": chart.name,
        "version": chart.version,
        "sourceRef": {"kind": kind, "name": source},
        "interval": _interval(flux),
    }


def _patches(patches: Iterable[ObjectPatch]) -> list[dict[str, Any]]:
    return [
        {"target": {"kind": patch.kind, "name": patch.name}, "patch": _patch_text(patch)}
        for patch in joined(tuple(patches))
    ]


def _patch_text(patch: ObjectPatch) -> str:
    if isinstance(patch.change, list):
        return emit(patch.change)
    # The kind and the name are there for readers of the patch; kustomize goes by the target.
    return emit(merged({"kind": patch.kind, "metadata": {"name": patch.name}}, patch.change))


def _interval(flux: dict[str, Any]) -> str:
    return flux.get("interval") or "10m"


def _object(api_version: str, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> KubernetesObject:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
