"""Argo CD: an AppProject with just the rights it needs, and one Application a stage in waves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.drift import ignored_differences
from meshgen.build.istiooperator import namespace
from meshgen.build.stage import ISTIO
from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.delivery.chartkinds import kinds_of
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, WiringFiles, in_repository
from meshgen.layout.identity import CLUSTER_SCOPED, identity

API_VERSION = "argoproj.io/v1alpha1"


def argocd_wiring(
    name: str,
    argocd: dict[str, Any],
    stages: Sequence[AppliedStage],
    objects: Iterable[KubernetesObject],
    *,
    own_path: str,
    server: str,
    istio: dict[str, Any],
) -> WiringFiles:
    """The files of one cluster's Argo CD wiring.

    `name` is unique among the clusters that one Argo CD serves. The root Application has that name and applies
    `own_path`, this very directory, in sync waves: so the stages come one after the other. `objects` are those that its
    directories build; what charts render is known by kind.
    """
    home = argocd.get("namespace") or "argocd"
    tree = argocd.get("path") or "./output"
    target = (server, namespace(istio))
    charts = [release for stage in stages for release, _ in stage.releases]
    project = _object("AppProject", name, home, _project(name, argocd, objects, charts, target, home))
    # It never prunes: it must not delete itself.
    git = _from_git(argocd, in_repository(tree, own_path))
    root = _application(name, name, argocd, git, (DEFAULT_SERVER, home), home)
    applications: list[KubernetesObject] = []
    wave = 0
    for stage in stages:
        made = _of_charts(name, argocd, stage, tree, server, home, istio) if stage.releases else None
        if made is None and stage.path is not None:
            source = _from_git(argocd, in_repository(tree, stage.path))
            made = [(0, stage.name, _application(f"{name}-{stage.name}", name, argocd, source, target, home))]
        for later, part, application in made or ():
            application["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave + later)}
            application["spec"]["syncPolicy"]["automated"]["prune"] = stage.prune and argocd.get("prune") is not False
            if part in _WITH_WEBHOOKS:
                application["spec"]["ignoreDifferences"] = ignored_differences(istio)
            applications.append(application)
        wave += 1 + max((later for later, _, _ in made or ()), default=-1)
    return {"project.yaml": (project,), "root.yaml": (root,), "applications.yaml": tuple(applications)}


# What holds the webhooks that istiod writes to: the stage, or the charts in its place.
_WITH_WEBHOOKS = (ISTIO, "base", "istiod")


def _of_charts(
    name: str,
    argocd: dict[str, Any],
    stage: AppliedStage,
    tree: str,
    server: str,
    home: str,
    istio: dict[str, Any],
) -> list[tuple[int, str, KubernetesObject]]:
    """(wave within the stage, chart, Application) of each release."""
    made = []
    waves: dict[str, int] = {}
    for release, values in stage.releases:
        waves[release.name] = 1 + max((waves[before] for before in release.after if before in waves), default=-1)
        sources = _from_chart(argocd, release, in_repository(tree, values))
        target = (server, release.namespace)
        application = _application(f"{name}-{release.name}", name, argocd, sources, target, home)
        made.append((waves[release.name], release.chart.name, application))
    return made


def _from_git(argocd: dict[str, Any], path: str) -> dict[str, Any]:
    source = {"repoURL": argocd["url"], "targetRevision": argocd.get("branch") or "main", "path": path}
    return {"source": source}


def _from_chart(argocd: dict[str, Any], release: ChartRelease, values: str) -> dict[str, Any]:
    """A chart with its values from Git: the second source stands for the repository's root, as `$values`."""
    helm: dict[str, Any] = {"releaseName": release.name, "valueFiles": [f"$values/{values}"]}
    if release.chart.unsound:
        helm["skipSchemaValidation"] = True
    chart = {
        "repoURL": _registry(release),
        "chart": release.chart.name,
        "targetRevision": release.chart.version,
        "helm": helm,
    }
    git = {"repoURL": argocd["url"], "targetRevision": argocd.get("branch") or "main", "ref": "values"}
    return {"sources": [chart, git]}


def _registry(release: ChartRelease) -> str:
    # Argo CD takes `oci://` for an artifact that holds plain manifests.
    return release.chart.repository.removeprefix("oci://").rstrip("/")


def _project(
    name: str,
    argocd: dict[str, Any],
    objects: Iterable[KubernetesObject],
    charts: Sequence[ChartRelease],
    target: tuple[str, str],
    home: str,
) -> dict[str, Any]:
    server, control_plane = target
    cluster_wide, namespaced = kinds_of(charts)
    namespaced |= {("argoproj.io", "Application"), ("argoproj.io", "AppProject")}
    namespaces = {control_plane, *(release.namespace for release in charts)}
    for key in (identity(obj) for obj in objects):
        if (key.group, key.kind) in CLUSTER_SCOPED:
            cluster_wide.add((key.group, key.kind))
        else:
            namespaced.add((key.group, key.kind))
            namespaces.add(key.namespace or "default")
    destinations = [{"server": server, "namespace": namespace} for namespace in sorted(namespaces)]
    # The Applications themselves live beside Argo CD, in its own cluster.
    destinations.append({"server": DEFAULT_SERVER, "namespace": home})
    return {
        "description": f"What meshgen renders for {name}",
        "sourceRepos": [argocd["url"], *sorted({_registry(release) for release in charts})],
        "destinations": destinations,
        "clusterResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(cluster_wide)],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(namespaced)],
    }


def _application(
    name: str,
    project: str,
    argocd: dict[str, Any],
    sources: dict[str, Any],
    destination: tuple[str, str],
    home: str,
) -> KubernetesObject:
    server, target = destination
    spec = {
        "project": project,
        **sources,
        "destination": {"server": server, "namespace": target},
        "syncPolicy": {
            "automated": {"prune": False, "selfHeal": argocd.get("selfHeal") is not False},
            # Client-side apply keeps the whole object in an annotation, which dashboards and CRDs are too large for.
            "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
            "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
        },
    }
    return _object("Application", name, home, spec)


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> KubernetesObject:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
