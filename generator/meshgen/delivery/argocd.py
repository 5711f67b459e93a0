"""Argo CD: an AppProject with just the rights it needs, and one Application a stage in waves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshgen.build.istiooperator import namespace
from meshgen.build.stage import ISTIO
from meshgen.config.resolve import DEFAULT_SERVER
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
    minor: str,
) -> WiringFiles:
    """The files of one cluster's Argo CD wiring.

    `name` is unique among the clusters that one Argo CD serves. The root Application has that name and applies
    `own_path`, this very directory, in sync waves: so the stages come one after the other.
    """
    home = argocd.get("namespace") or "argocd"
    tree = argocd.get("path") or "./output"
    project = _object("AppProject", name, home, _project(name, argocd, objects, (server, namespace(istio)), home))
    # It never prunes: it must not delete itself.
    root = _application(name, name, argocd, in_repository(tree, own_path), (DEFAULT_SERVER, home), home)
    applications = []
    for wave, stage in enumerate(stages):
        path = in_repository(tree, stage.path)
        application = _application(f"{name}-{stage.name}", name, argocd, path, (server, namespace(istio)), home)
        application["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": str(wave)}
        application["spec"]["syncPolicy"]["automated"]["prune"] = stage.prune and argocd.get("prune") is not False
        if stage.name == ISTIO:
            application["spec"]["ignoreDifferences"] = _written_by_istiod(istio, minor)
        applications.append(application)
    return {"project.yaml": (project,), "root.yaml": (root,), "applications.yaml": tuple(applications)}


def _project(
    name: str, argocd: dict[str, Any], objects: Iterable[KubernetesObject], target: tuple[str, str], home: str
) -> dict[str, Any]:
    server, control_plane = target
    cluster_wide: set[tuple[str, str]] = set()
    namespaced = {("argoproj.io", "Application"), ("argoproj.io", "AppProject")}
    namespaces = {control_plane}
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
        "sourceRepos": [argocd["url"]],
        "destinations": destinations,
        "clusterResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(cluster_wide)],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(namespaced)],
    }


def _application(
    name: str, project: str, argocd: dict[str, Any], path: str, destination: tuple[str, str], home: str
) -> KubernetesObject:
    server, target = destination
    spec = {
        "project": project,
        "source": {"repoURL": argocd["url"], "targetRevision": argocd.get("branch") or "main", "path": path},
        "destination": {"server": server, "namespace": target},
        "syncPolicy": {
            "automated": {"prune": False, "selfHeal": argocd.get("selfHeal") is not False},
            # Client-side apply keeps the whole object in an annotation, which dashboards and CRDs are too large for.
            "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
            "retry": {"limit": 10, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
        },
    }
    return _object("Application", name, home, spec)


def _written_by_istiod(istio: dict[str, Any], minor: str) -> list[dict[str, Any]]:
    """Differences that istiod makes at run time: it writes caBundle, and turns failurePolicy to Fail when ready."""
    home, revision = namespace(istio), istio.get("revision")
    suffix = f"-{revision}" if revision else ""
    validators = [f"istio-validator{suffix}-{home}"]
    if minor != "1.11":
        validators.append("istiod-default-validator")
    injector = f"istio-sidecar-injector{suffix}" + (f"-{home}" if home != "istio-system" else "")
    ca_bundle, failure_policy = ".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy"
    return [
        *(_ignored("ValidatingWebhookConfiguration", name, [ca_bundle, failure_policy]) for name in validators),
        _ignored("MutatingWebhookConfiguration", injector, [ca_bundle]),
    ]


def _ignored(kind: str, name: str, paths: list[str]) -> dict[str, Any]:
    return {"group": "admissionregistration.k8s.io", "kind": kind, "name": name, "jqPathExpressions": paths}


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> KubernetesObject:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
