"""Argo CD's Applications: one for each stage that is a directory, one for each chart of a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.drift import Webhooks, ignored_differences, webhooks_of, webhooks_of_istio
from meshgen.build.istiooperator import namespace
from meshgen.build.stage import ISTIO
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, in_repository

API_VERSION = "argoproj.io/v1alpha1"


@dataclass(frozen=True, eq=False)
class Target:
    """A cluster as Argo CD sees it; `name` is unique among those that one Argo CD serves, `cluster` in the mesh."""

    name: str
    cluster: str
    argocd: dict[str, Any]
    istio: dict[str, Any]
    server: str

    @property
    def home(self) -> str:
        """The namespace of Argo CD's own objects."""
        return home_of(self.argocd)

    @property
    def namespace(self) -> str:
        """The namespace of the control plane."""
        return namespace(self.istio)


@dataclass(frozen=True)
class Step:
    """An Application, and its place in the order: those of a lower number come first."""

    number: int
    application: KubernetesObject


def home_of(argocd: dict[str, Any]) -> str:
    """The namespace of Argo CD's own objects."""
    home: str = argocd.get("namespace") or "argocd"
    return home


def steps(target: Target, stages: Sequence[AppliedStage], fallback: str) -> tuple[Step, ...]:
    """The Applications of all stages; what a directory holds that names no namespace goes to `fallback`."""
    made: list[Step] = []
    for stage in stages:
        first = 1 + max((step.number for step in made), default=-1)
        parts = list(_of_charts(target, stage) if stage.releases else _of_directory(target, stage, fallback))
        for later, webhooks, application in parts:
            automated = application["spec"]["syncPolicy"]["automated"]
            automated["prune"] = stage.prune and target.argocd.get("prune") is not False
            if automated["prune"]:
                # Else the objects of a stage that leaves would stay, and nothing would know of them.
                application["metadata"]["finalizers"] = [_CASCADE]
            if webhooks:
                application["spec"]["ignoreDifferences"] = ignored_differences(webhooks)
            made.append(Step(first + later, application))
    return tuple(made)


_CASCADE = "resources-finalizer.argocd.argoproj.io"

# Its place within the stage, the webhooks in it that istiod writes to, and the Application.
_Part = tuple[int, tuple[Webhooks, ...], KubernetesObject]


def _of_directory(target: Target, stage: AppliedStage, fallback: str) -> Iterator[_Part]:
    if stage.path is not None:
        # Clusters may share a directory, and Argo CD hydrates no two Applications into one.
        own_path = f"clusters/{target.cluster}/{stage.name}"
        tree = tree_of(target.argocd)
        source = _stage_source(target.argocd, in_repository(tree, stage.path), in_repository(tree, own_path))
        destination = (target.server, fallback)
        name = f"{target.name}-{stage.name}"
        webhooks = webhooks_of_istio(target.istio) if stage.name == ISTIO else ()
        yield 0, webhooks, application(name, target.name, target.argocd, source, destination)


def _of_charts(target: Target, stage: AppliedStage) -> Iterator[_Part]:
    places: dict[str, int] = {}
    for release, values in stage.releases:
        places[release.name] = 1 + max((places[before] for before in release.after if before in places), default=-1)
        sources = _from_chart(target.argocd, release, in_repository(tree_of(target.argocd), values))
        destination = (target.server, release.namespace)
        name = f"{target.name}-{release.name}"
        made = application(name, target.name, target.argocd, sources, destination)
        yield places[release.name], webhooks_of(release), made


def tree_of(argocd: dict[str, Any]) -> str:
    """The folder of the tree in the repository."""
    return argocd.get("path") or "./output"


def from_git(argocd: dict[str, Any], path: str) -> dict[str, Any]:
    """The part of an Application's spec that says which directory of the repository it applies."""
    source = {"repoURL": argocd["url"], "targetRevision": argocd.get("branch") or "main", "path": path}
    return {"source": source}


def _stage_source(argocd: dict[str, Any], path: str, hydrated: str) -> dict[str, Any]:
    """As `from_git`; where Argo CD is to hydrate, the directory is built into another branch first, at `hydrated`."""
    hydrator = argocd.get("sourceHydrator")
    if not hydrator:
        return from_git(argocd, path)
    spec: dict[str, Any] = {
        "drySource": from_git(argocd, path)["source"],
        "syncSource": {"targetBranch": hydrator["branch"], "path": hydrated},
    }
    if hydrator.get("hydrateTo"):
        spec["hydrateTo"] = {"targetBranch": hydrator["hydrateTo"]}
    return {"sourceHydrator": spec}


def _from_chart(argocd: dict[str, Any], release: ChartRelease, values: str) -> dict[str, Any]:
    """A chart with its values from Git: the second source stands for the repository's root, as `$values`."""
    helm: dict[str, Any] = {"releaseName": release.name, "valueFiles": [f"$values/{values}"]}
    if release.chart.unsound:
        helm["skipSchemaValidation"] = True
    chart = {
        "repoURL": registry(release),
        "chart": release.chart.name,
        "targetRevision": release.chart.version,
        "helm": helm,
    }
    git = {"repoURL": argocd["url"], "targetRevision": argocd.get("branch") or "main", "ref": "values"}
    return {"sources": [chart, git]}


def registry(release: ChartRelease) -> str:
    """Where a chart comes from, as Argo CD spells it."""
    # Argo CD takes `oci://` for an artifact that holds plain manifests.
    return release.chart.repository.removeprefix("oci://").rstrip("/")


def application(
    name: str, project: str, argocd: dict[str, Any], sources: dict[str, Any], destination: tuple[str, str]
) -> KubernetesObject:
    """An Application that syncs by itself and prunes nothing."""
    server, target = destination
    spec = {
        "project": project,
        **sources,
        "destination": {"server": server, "namespace": target},
        "syncPolicy": {
            "automated": {"prune": False, "selfHeal": argocd.get("selfHeal") is not False},
            # Client-side apply keeps the whole object in an annotation, which dashboards and CRDs are too large for.
            "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
            "retry": _retry(argocd.get("retry") or {}),
        },
    }
    return argocd_object("Application", name, home_of(argocd), spec)


def _retry(said: dict[str, Any]) -> dict[str, Any]:
    limit = 10 if said.get("limit") is None else said["limit"]
    # The CRDs of an older Argo CD refuse `refresh`.
    newest = {"refresh": True} if said.get("refresh") else {}
    return {"limit": limit, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}, **newest}


def argocd_object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> KubernetesObject:
    """An object of Argo CD's."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
