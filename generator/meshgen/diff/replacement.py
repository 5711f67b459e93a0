"""What is deleted and made anew, refused by the API server, or takes other things with it."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.quantity import amount_of
from meshgen.build.stage import PRUNED
from meshgen.diff.fields import Field
from meshgen.diff.objects import Key, Placed, Project
from meshgen.diff.reach import Verdict

# Fields that the API server refuses to change.
_IMMUTABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (("spec", "selector"),),
    "ReplicaSet": (("spec", "selector"),),
    "DaemonSet": (("spec", "selector"),),
    "StatefulSet": (
        ("spec", "selector"),
        ("spec", "volumeClaimTemplates"),
        ("spec", "serviceName"),
        ("spec", "podManagementPolicy"),
    ),
    "Job": (("spec", "template"), ("spec", "selector"), ("spec", "completions"), ("spec", "completionMode")),
    "Service": (("spec", "clusterIP"), ("spec", "clusterIPs"), ("spec", "loadBalancerClass")),
    "PersistentVolumeClaim": (
        ("spec", "accessModes"),
        ("spec", "storageClassName"),
        ("spec", "volumeName"),
        ("spec", "selector"),
        ("spec", "volumeMode"),
    ),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
    "RoleBinding": (("roleRef",),),
    "ClusterRoleBinding": (("roleRef",),),
    "CustomResourceDefinition": (("spec", "group"), ("spec", "scope"), ("spec", "names")),
    "Secret": (("type",), ("immutable",)),
}
_LOST = {
    "Namespace": "all that is in the namespace goes with it",
    "CustomResourceDefinition": "all resources of that kind go with it",
    "PersistentVolumeClaim": "the data on its volume goes with it",
    "IstioOperator": "the operator uninstalls what it installed by it",
    "Istio": "the Sail operator uninstalls what it installed by it",
    "IstioCNI": "no pod that needs it starts any more",
    "ZTunnel": "ambient traffic of every node stops",
    "HelmRelease": "Flux uninstalls the release, and all of its objects",
    "HelmChartRelease": "the Application that installs the chart leaves the tree",
}


def replaced(
    key: Key, action: str, old: Placed, fields: tuple[Field, ...], project: Project | None = None
) -> Iterator[Verdict]:
    """What is deleted and made anew, or refused by the API server."""
    if action == "removed" and key.kind in _LOST:
        yield "replacement", deleted(key, old.stage, _LOST[key.kind], project)
    for path in _IMMUTABLE.get(key.kind, ()):
        if any(one.path[: len(path)] == path for one in fields) and action in ("changed", "moved"):
            yield "replacement", f"{'.'.join(path)} is immutable: the API server refuses it, or it is made anew"
    if key.kind in ("PersistentVolumeClaim", "StatefulSet") and any(map(_shrinks, fields)):
        yield "replacement", "a claim can't shrink: the API server refuses it"


def _shrinks(one: Field) -> bool:
    if one.path[-3:] != ("resources", "requests", "storage") or one.action != "changed":
        return False
    before, after = amount_of(one.old), amount_of(one.new)
    return before is not None and after is not None and after < before


def deleted(key: Key, stage: str | None, what: str, project: Project | None) -> str:
    """What follows once an object is deleted; engines prune some stages only."""
    if stage in PRUNED and project and not project.allows(key):
        return f"Argo CD leaves it, for its project allows no such object any more; once it is deleted, {what}"
    return what if stage in PRUNED else f"nothing prunes it, but once it is deleted, {what}"
