"""One Argo CD for an environment: what makes the Applications of all its clusters, wave by wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshgen.config.merge import merge
from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.delivery.argocd import WAVE, cluster_root
from meshgen.delivery.argocdapplications import Step, Target, application, argocd_object, from_git, home_of, tree_of
from meshgen.delivery.argocdproject import root_project
from meshgen.delivery.waves import Wave
from meshgen.delivery.wiring import KubernetesObject, WiringFiles, in_repository

_GROUP = "meshgen.dev"
# What the health of an Application is when another one made it: Argo CD itself takes none for it. An Application's own
# health says nothing of a sync that failed, of manifests that can't be built, nor of what is not there yet. While a
# sync is tried again, what made it waits; when Argo CD has given up, that fails too, or no later commit would ever come
# to it. What only waits to be pruned holds nothing back, for of some stages nothing ever is; nor does drift, by which
# an Application is out of sync even in a comparison that is newer than its sync. A root that is part of what it applies
# would wait for itself.
_HEALTH = """\
local status = obj.status or {}
local sync, operation, health = status.sync or {}, status.operationState or {}, status.health or {}
local self = obj.metadata
for _, resource in ipairs(status.resources or {}) do
  if resource.kind == obj.kind and resource.name == self.name and resource.namespace == self.namespace then
    return {status = "Healthy", message = "it applies itself"}
  end
end
if sync.status == nil or sync.status == "Unknown" then
  return {status = "Progressing", message = "it is not compared with Git"}
end
local synced = operation.phase == "Succeeded" and (operation.syncResult or {}).revision == sync.revision
local compared = (status.reconciledAt or "") > (operation.finishedAt or "")
for _, resource in ipairs(status.resources or {}) do
  if resource.status == "OutOfSync" and not resource.requiresPruning then
    if operation.phase == "Failed" or operation.phase == "Error" then
      return {status = "Degraded", message = operation.message or "a sync failed"}
    elseif not (synced and compared) then
      return {status = "Progressing", message = "it is not synced yet"}
    end
  end
end
return {status = health.status or "Progressing", message = health.message or ""}
"""
# By the name of the ConfigMap of Argo CD's that it is a patch of.
PATCH_OF_ROOTS = ("argocd-cm", {"data": {"resource.customizations.health.argoproj.io_Application": _HEALTH}})
PATCH_OF_SETS = ("argocd-cmd-params-cm", {"data": {"applicationsetcontroller.enable.progressive.syncs": "true"}})


def directory_of(cluster: str) -> str:
    """Where the wiring of a cluster stands that has a root of its own."""
    return f"clusters/{cluster}/argocd"


def directory_by_set(cluster: str) -> str:
    """Where the project of a cluster stands whose Applications an ApplicationSet makes.

    Not where a root looks: one from before would find no Applications there, and delete its own with what they hold.
    """
    return f"clusters/{cluster}/argocd-set"


@dataclass(frozen=True)
class Planned:
    """A cluster of the environment, its Applications, and its wave where there are waves."""

    cluster: str
    target: Target
    steps: tuple[Step, ...]
    wave: Wave | None


@dataclass(frozen=True)
class ArgoFleet:
    """What one Argo CD has for a whole environment. A dot in the name keeps it apart from those of clusters.

    `argocd` are the settings of what stands above the clusters, whose own may follow the branch of a wave.
    """

    mesh: str
    environment: str
    argocd: dict[str, Any]
    clusters: tuple[Planned, ...]

    @property
    def name(self) -> str:
        """The name of the root Application, and of its project."""
        return f"{self.mesh}.{self.environment}"

    @property
    def directory(self) -> str:
        """Where its files stand."""
        return f"environments/{self.environment}/argocd"

    def of_roots(self) -> WiringFiles:
        """An Application that makes the roots of all clusters, in sync waves."""
        roots = []
        for one in self.clusters:
            root = cluster_root(one.target, self.name, directory_of(one.cluster))
            root["metadata"]["annotations"] = {WAVE: str(one.wave.order if one.wave else 0)}
            roots.append(root)
        return {**self._root(["Application"], "clusters.yaml"), "clusters.yaml": tuple(roots)}

    def of_set(self) -> tuple[WiringFiles, tuple[str, ...]]:
        """An ApplicationSet that makes all Applications, and the directories that hold the clusters' projects."""
        files = self._root(["ApplicationSet"], "applicationset.yaml")
        projects = tuple(f"../../../{directory_by_set(one.cluster)}" for one in self.clusters)
        return {**files, "applicationset.yaml": (self._set(),)}, projects

    def _root(self, kinds: list[str], content: str) -> dict[str, tuple[KubernetesObject, ...]]:
        argocd = self.argocd
        manages_itself = argocd.get("selfManaged") is not False
        source = from_git(argocd, in_repository(tree_of(argocd), self.directory))
        if manages_itself:
            kinds = [*kinds, "Application", "AppProject"]
        else:
            source["source"]["directory"] = {"include": content}
        root = application(self.name, self.name, argocd, source, (DEFAULT_SERVER, home_of(argocd)))
        project = root_project(self.name, argocd, home_of(argocd), set(kinds))
        return {"project.yaml": (project,), "root.yaml": (root,)}

    def _set(self) -> KubernetesObject:
        labels = {"cluster": "{{.cluster}}", "step": "{{.step}}"}
        if any(one.wave for one in self.clusters):
            labels["wave"] = "{{.wave}}"
        frame = application("{{.name}}", "{{.project}}", self.argocd, {}, ("{{.server}}", "{{.namespace}}"))
        del frame["spec"]["syncPolicy"]["automated"]["prune"]
        elements = [_element(one, step) for one in self.clusters for step in one.steps]
        spec = {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            # An Application that leaves the list stays: deleting one is never the way to uninstall a mesh.
            "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True},
            "generators": [{"list": {"elements": elements}}],
            "strategy": {"type": "RollingSync", "rollingSync": {"steps": self._rolling()}},
            "template": {
                "metadata": {
                    "name": "{{.name}}",
                    "labels": {f"{_GROUP}/{key}": value for key, value in labels.items()},
                },
                "spec": frame["spec"],
            },
            # What differs between Applications in more than a word.
            "templatePatch": '{"spec": {{toJson .spec}}}',
        }
        return argocd_object("ApplicationSet", self.name, home_of(self.argocd), spec)

    def _rolling(self) -> list[dict[str, Any]]:
        """Wave by wave, and in each wave step by step: nothing begins before all that comes before it is healthy."""
        rolling = []
        for waves in _together(self.clusters):
            names = sorted({one.wave.name for one in waves if one.wave})
            numbers = sorted({step.number for one in waves for step in one.steps})
            for number in numbers:
                chosen = {"wave": names, "step": [str(number)]} if names else {"step": [str(number)]}
                rolling.append({"matchExpressions": [_expression(key, values) for key, values in chosen.items()]})
        return rolling


def _together(clusters: Sequence[Planned]) -> list[list[Planned]]:
    """The clusters by the orders of their waves."""
    by_order: dict[int, list[Planned]] = {}
    for one in clusters:
        by_order.setdefault(one.wave.order if one.wave else 0, []).append(one)
    return [by_order[order] for order in sorted(by_order)]


def _expression(key: str, values: list[str]) -> dict[str, Any]:
    return {"key": f"{_GROUP}/{key}", "operator": "In", "values": values}


def _element(one: Planned, step: Step) -> dict[str, Any]:
    """What the template has to know of an Application; `spec` is laid over what it makes."""
    made = step.application
    spec = made["spec"]
    differing = {key: spec[key] for key in ("source", "sources", "sourceHydrator", "ignoreDifferences") if key in spec}
    differing["syncPolicy"] = {"automated": {"prune": spec["syncPolicy"]["automated"]["prune"]}}
    return {
        "name": made["metadata"]["name"],
        "cluster": one.cluster,
        **({"wave": one.wave.name} if one.wave else {}),
        "step": str(step.number),
        "project": spec["project"],
        "server": spec["destination"]["server"],
        "namespace": spec["destination"]["namespace"],
        "spec": differing,
    }


def applications_of(made: KubernetesObject) -> Iterator[tuple[str, KubernetesObject]]:
    """The Applications that an ApplicationSet of `ArgoFleet` makes, each with its cluster."""
    spec = made["spec"]
    template = spec["template"]
    for one in spec["generators"][0]["list"]["elements"]:
        destination = {"server": one["server"], "namespace": one["namespace"]}
        own = {**merge(template["spec"], one["spec"]), "project": one["project"], "destination": destination}
        application = argocd_object("Application", one["name"], made["metadata"]["namespace"], own)
        # The cluster's own name is in its name.
        labels = {f"{_GROUP}/{key}": one[key] for key in ("step", "wave") if key in one}
        yield one["cluster"], {**application, "metadata": {**application["metadata"], "labels": labels}}


def without_applications(made: KubernetesObject) -> KubernetesObject:
    """What an ApplicationSet of `ArgoFleet` says of all its Applications."""
    return {**made, "spec": {**made["spec"], "generators": []}}
