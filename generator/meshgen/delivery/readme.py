"""The tree's own README: what is where, which Secrets to make, and the one command that bootstraps a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.build.addons import required_secrets
from meshgen.build.istiooperator import install_method, namespace
from meshgen.build.templates import render_text
from meshgen.config.resolve import Cluster, Mesh
from meshgen.delivery.fluxhub import flux_of
from meshgen.delivery.wiring import ClusterTree

# A longer list of clusters says no more to a reader than their number.
_LISTED = 8


def tree_readme(mesh: Mesh, trees: Sequence[ClusterTree], *, values: bool) -> str:
    """The text of the tree's README.md; `values` says whether it holds values of charts."""
    stages = {tree.name: tree.order for tree in trees}
    environments = [
        {
            "name": environment.name,
            "clusters": _listed([cluster.name for cluster in environment.clusters]),
            "versions": ", ".join(sorted({cluster.settings["istio"]["version"] for cluster in environment.clusters})),
            "stages": ", ".join(stages[environment.clusters[0].name]),
        }
        for environment in mesh.environments
    ]
    return render_text(
        "output/README.md.j2",
        mesh=mesh.name,
        wiring=_wiring(mesh),
        values=values,
        istioctl=any(install_method(cluster.settings["istio"]) != "operator" for cluster in mesh.clusters),
        environments=environments,
        secrets=_secrets(mesh),
    )


def _wiring(mesh: Mesh) -> dict[str, bool]:
    """Which of the ways to apply clusters the tree has: those in which each cluster stands alone, and the others."""
    found: set[str] = set()
    for cluster in mesh.clusters:
        delivery = cluster.settings.get("delivery") or {}
        if delivery.get("flux"):
            found.add("flux" if flux_of(cluster) is None else "hub")
        if argocd := delivery.get("argocd"):
            together = "set" if argocd.get("applicationSet") else "roots" if delivery.get("waves") else "argocd"
            found.add(together)
            found.add("by_hand" if argocd.get("selfManaged") is False else "by_root")
    return {way: way in found for way in ("flux", "hub", "argocd", "roots", "set", "by_hand", "by_root")}


def _secrets(mesh: Mesh) -> list[dict[str, Any]]:
    needed: dict[Any, list[str]] = {}
    for cluster in mesh.clusters:
        for secret in _secrets_of(cluster):
            needed.setdefault(secret, []).append(cluster.name)
    return [
        {"name": secret.name, "purpose": secret.purpose, "command": secret.command, "clusters": _listed(clusters)}
        for secret, clusters in needed.items()
    ]


def _secrets_of(cluster: Cluster) -> list[Any]:
    addons = cluster.settings.get("addons") or {}
    home = namespace(cluster.settings["istio"])
    return [
        secret
        for name, addon in addons.items()
        if (addon.get("source") or "builtin") in ("builtin", "helm")
        for secret in required_secrets(name, addon, addons, namespace=home)
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _LISTED else f"{len(names)} clusters"
