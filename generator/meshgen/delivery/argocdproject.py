"""AppProjects: what Argo CD may apply for a cluster, and where; nothing else, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.delivery.argocdapplications import Target, argocd_object, registry
from meshgen.delivery.chartkinds import kinds_of, leaving_kinds
from meshgen.delivery.wiring import KubernetesObject
from meshgen.layout.identity import CLUSTER_SCOPED, identity

GROUP = "argoproj.io"


def project(
    target: Target, objects: Iterable[KubernetesObject], charts: Sequence[ChartRelease], *, holds_root: bool
) -> KubernetesObject:
    """The AppProject of a cluster's stages; with `holds_root`, of the Application that makes theirs too.

    `objects` are those that its directories build; what charts render is known by kind, and what prunes must reach
    also what was there before.
    """
    argocd = target.argocd
    cluster_wide, namespaced = kinds_of(charts)
    if argocd.get("prune") is not False:
        leaving = leaving_kinds()
        cluster_wide |= leaving[0]
        namespaced |= leaving[1]
    namespaces = {target.namespace, *(release.namespace for release in charts)}
    for key in (identity(obj) for obj in objects):
        if (key.group, key.kind) in CLUSTER_SCOPED:
            cluster_wide.add((key.group, key.kind))
        else:
            namespaced.add((key.group, key.kind))
            namespaces.add(key.namespace or "default")
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
