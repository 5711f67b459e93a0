"""The kinds that an AppProject has to allow whatever the tree holds: those of charts, and those that leave it again."""

from __future__ import annotations

from collections.abc import Iterable

from meshgen.build.chart import ChartRelease

Kinds = set[tuple[str, str]]

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_OF_ISTIO = frozenset({"base", "istiod", "cni", "ztunnel", "gateway", "sail-operator"})
# Read from the charts' templates; (group, kind).
_CLUSTER_WIDE: Kinds = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    (_RBAC, "ClusterRole"),
    (_RBAC, "ClusterRoleBinding"),
    (_ADMISSION, "MutatingWebhookConfiguration"),
    (_ADMISSION, "ValidatingWebhookConfiguration"),
    (_ADMISSION, "ValidatingAdmissionPolicy"),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"),
}
_NAMESPACED: Kinds = {
    ("", "ConfigMap"),
    ("", "Endpoints"),
    ("", "PersistentVolumeClaim"),
    ("", "ResourceQuota"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("policy", "PodDisruptionBudget"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("networking.istio.io", "EnvoyFilter"),
    ("k8s.cni.cncf.io", "NetworkAttachmentDefinition"),
    (_RBAC, "Role"),
    (_RBAC, "RoleBinding"),
}
# Of all addons that meshgen has templates for.
_LEAVING_CLUSTER_WIDE: Kinds = {(_RBAC, "ClusterRole"), (_RBAC, "ClusterRoleBinding")}
_LEAVING_NAMESPACED: Kinds = {
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    (_RBAC, "Role"),
    (_RBAC, "RoleBinding"),
}


def leaving_kinds() -> tuple[Kinds, Kinds]:
    """(cluster-scoped, namespaced) kinds of what may leave a tree.

    Argo CD deletes nothing that the project does not allow, and the commit that takes the last object of a kind away
    would else narrow the project too.
    """
    return set(_LEAVING_CLUSTER_WIDE), set(_LEAVING_NAMESPACED)


def kinds_of(charts: Iterable[ChartRelease]) -> tuple[Kinds, Kinds]:
    """(cluster-scoped, namespaced) kinds that these charts may render; an addon's renders what its values ask for."""
    names = {release.chart.name for release in charts}
    if not names:
        return set(), set()
    if names <= _OF_ISTIO:
        return set(_CLUSTER_WIDE), set(_NAMESPACED)
    return set(_CLUSTER_WIDE), {("*", "*")}
