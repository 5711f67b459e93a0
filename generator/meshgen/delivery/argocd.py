"""Argo CD: an AppProject with just the rights it needs, and Applications that a root makes in sync waves."""

from __future__ import annotations

from collections.abc import Sequence

from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.delivery.argocdapplications import Step, Target, application, from_git, steps, tree_of
from meshgen.delivery.argocdproject import fallback_of, project, root_project
from meshgen.delivery.wiring import AppliedStage, KubernetesObject, WiringFiles, in_repository

WAVE = "argocd.argoproj.io/sync-wave"
# What a root deletes not even where it is no longer part of what the root applies: without it nothing goes on.
KEPT = {"argocd.argoproj.io/sync-options": "Prune=false"}


def argocd_wiring(
    target: Target,
    stages: Sequence[AppliedStage],
    objects: Sequence[KubernetesObject],
    *,
    own_path: str,
    environment: str | None = None,
    by_set: bool = False,
) -> tuple[WiringFiles, tuple[Step, ...]]:
    """The files of one cluster's Argo CD wiring, and its Applications.

    The root Application applies `own_path`, this very directory, in sync waves: so the stages come one after the other.
    `objects` are those that its directories build. Where the `environment` has a root of its own, that name is its
    project's, and the cluster's root stands in its files; an ApplicationSet (`by_set`) makes the Applications itself.
    """
    charts = [release for stage in stages for release, _ in stage.releases]
    manages_itself = target.argocd.get("selfManaged") is not False
    alone = environment is None and not by_set
    fallback = fallback_of(target, objects)
    made = project(target, objects, charts, fallback, holds_root=alone and manages_itself)
    planned = steps(target, stages, fallback)
    if by_set:
        return {"project.yaml": (made,)}, planned
    for step in planned:
        step.application["metadata"]["annotations"] = {WAVE: str(step.number)}
    applications = tuple(step.application for step in planned)
    made["metadata"]["annotations"] = KEPT
    if not alone:
        # It has to be there before the Applications that name it.
        made["metadata"]["annotations"] = {WAVE: "-1", **KEPT}
        return {"project.yaml": (made,), "applications.yaml": applications}, planned
    root = cluster_root(target, target.name if manages_itself else f"{target.name}.root", own_path)
    root["metadata"]["annotations"] = KEPT
    projects: tuple[KubernetesObject, ...] = (made,)
    if not manages_itself:
        projects = (made, root_project(f"{target.name}.root", target.argocd, target.home, ["Application"]))
    return {"project.yaml": projects, "root.yaml": (root,), "applications.yaml": applications}, planned


def cluster_root(target: Target, project_name: str, own_path: str) -> KubernetesObject:
    """The Application that makes a cluster's other ones, and deletes those of stages that leave."""
    source = from_git(target.argocd, in_repository(tree_of(target.argocd), own_path))
    if target.argocd.get("selfManaged") is False:
        # Whoever can push changes what is applied, but not what the projects allow.
        source["source"]["directory"] = {"include": "applications.yaml"}
    root = application(target.name, project_name, target.argocd, source, (DEFAULT_SERVER, target.home))
    root["spec"]["syncPolicy"]["automated"]["prune"] = target.argocd.get("prune") is not False
    return root
