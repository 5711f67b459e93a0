"""AppProjects: what Argo CD may apply for a cluster, and where; nothing else, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.delivery.argocdapplications import Target, argocd_object, registry
from meshgen.delivery.chartkinds import kinds_of, leaving_kinds
from meshgen.delivery.wiring import KubernetesObject
from meshgen.layout.identity import identity, lacks_namespace, scope_of, scopes

GROUP = "argoproj.io"


def fallback_of(target: Target, objects: Sequence[KubernetesObject]) -> str:
    """The namespace of the Applications of directories, in which Argo CD puts an object that names none.

    Where one does so, it is kubectl's own.
    """
    brought = scopes(objects)
    return "default" if any(lacks_namespace(identity(obj), brought) for obj in objects) else target.namespace


def project(
    target: Target,
    objects: Sequence[KubernetesObject],
    charts: Sequence[ChartRelease],
    fallback: str,
    *,
    holds_root: bool,
) -> KubernetesObject:
    """The AppProject of a cluster's stages; with `holds_root`, of the Application that makes theirs too.

    `objects` are those that its directories build, `fallback` is the namespace of those that name none; what charts
    render is known by kind, and what prunes must reach also what was there before.
    """
    argocd = target.argocd
    cluster_wide, namespaced = kinds_of(charts)
    if argocd.get("prune") is not False:
        leaving = leaving_kinds()
        cluster_wide |= leaving[0]
        namespaced |= leaving[1]
    namespaces = {target.namespace, fallback, *(release.namespace for release in charts)}
    brought = scopes(objects)
    for key in (identity(obj) for obj in objects):
        kind, scope = (key.group, key.kind), scope_of(key, brought)
        # Of a kind that nobody knows, an object without a namespace is likely to be in none.
        unknown = scope is None and not key.namespace
        if scope == "Cluster" or unknown:
            cluster_wide.add(kind)
        if scope != "Cluster":
            namespaced.add(kind)
            namespaces |= {key.namespace} - {""}
    destinations = [{"server": target.server, "namespace": namespace} for namespace in sorted(namespaces)]
    if holds_root:
        namespaced |= {(GROUP, "Application"), (GROUP, "AppProject")}
        # The Applications themselves live beside Argo CD, in its own cluster.
        destinations.append({"server": DEFAULT_SERVER, "namespace": target.home})
    spec: dict[str, Any] = {
        "description": f"What meshgen renders for {target.name}",
        "sourceRepos": [argocd["url"], *sorted({registry(release) for release in charts})],
        "destinations": destinations,
        "clusterResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(cluster_wide)],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(namespaced)],
    }
    if windows := _windows(argocd):
        spec["syncWindows"] = windows
    return argocd_object("AppProject", target.name, target.home, spec)


def root_project(name: str, argocd: dict[str, Any], home: str, kinds: Iterable[str]) -> KubernetesObject:
    """The AppProject of an Application that makes others: it may do that, beside Argo CD, and nothing else."""
    spec = {
        "description": f"What makes the Applications of {name.removesuffix('.root')}",
        "sourceRepos": [argocd["url"]],
        "destinations": [{"server": DEFAULT_SERVER, "namespace": home}],
        "clusterResourceWhitelist": [],
        "namespaceResourceWhitelist": [{"group": GROUP, "kind": kind} for kind in sorted(kinds)],
    }
    return argocd_object("AppProject", name, home, spec)


def _windows(argocd: dict[str, Any]) -> list[dict[str, Any]]:
    windows = []
    for one in (argocd.get("syncWindows") or {}).values():
        said = one or {}
        window = {"kind": said.get("kind") or "allow", "schedule": said["schedule"], "duration": said["duration"]}
        window |= {"timeZone": said["timeZone"]} if said.get("timeZone") not in (None, "UTC") else {}
        windows.append({**window, "applications": ["*"], "manualSync": bool(said.get("manualSync"))})
    return windows
