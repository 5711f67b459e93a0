"""The lists that kustomize merges by key: those of the schema of Kubernetes 1.21 that it carries, and no others.

Only these kinds have any, and only below the fields named here: every other list stands whole, in custom resources and
in newer API versions such as autoscaling/v2 too. Taken from kustomize 5.8.1 (kyaml 0.21.1) by walking its schema. Lists
inside lists that stand whole are never reached, and `…List` kinds are taken apart before any patch is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Shape: TypeAlias = "Mapping[str, Shape | Keyed]"


@dataclass(frozen=True)
class Keyed:
    """A merged list: the keys that tell its items apart (none: plain strings), and the merged lists inside an item."""

    keys: tuple[str, ...]
    items: Shape = field(default_factory=dict)


def shape_of(obj: Mapping[str, Any]) -> Shape:
    """Give the merged lists of an object's kind, by the fields that lead to them."""
    kind, version = obj.get("kind"), obj.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str):
        return {}
    return SHAPES.get((version, kind), {})


def _by(*keys: str, **items: Shape | Keyed) -> Keyed:
    return Keyed(keys, items)


_META: Shape = {"finalizers": _by(), "ownerReferences": _by("uid")}
_CONDITIONS: Shape = {"conditions": _by("type")}
_DEBUG_CONTAINER: Shape = {"env": _by("name"), "volumeDevices": _by("devicePath"), "volumeMounts": _by("mountPath")}
_CONTAINER: Shape = {**_DEBUG_CONTAINER, "ports": _by("containerPort", "protocol")}
_POD: Shape = {
    "containers": Keyed(("name",), _CONTAINER),
    "initContainers": Keyed(("name",), _CONTAINER),
    "ephemeralContainers": Keyed(("name",), _DEBUG_CONTAINER),
    "hostAliases": _by("ip"),
    "imagePullSecrets": _by("name"),
    "topologySpreadConstraints": _by("topologyKey", "whenUnsatisfiable"),
    "volumes": _by("name", ephemeral={"volumeClaimTemplate": {"metadata": _META}}),
}
_TEMPLATE: Shape = {"metadata": _META, "spec": _POD}
_PLAIN: Shape = {"metadata": _META}
_STATUS: Shape = {**_PLAIN, "status": _CONDITIONS}
_WORKLOAD: Shape = {**_STATUS, "spec": {"template": _TEMPLATE}}
_CRON_JOB: Shape = {**_PLAIN, "spec": {"jobTemplate": {"metadata": _META, "spec": {"template": _TEMPLATE}}}}
_WEBHOOKS: Shape = {**_PLAIN, "webhooks": _by("name")}
_CSI_NODE: Shape = {**_PLAIN, "spec": {"drivers": _by("name")}}

_SPECIAL: dict[str, Shape] = {
    "v1 ComponentStatus": {**_PLAIN, **_CONDITIONS},
    "v1 Namespace": _STATUS,
    "v1 Node": {
        **_PLAIN,
        "spec": {"podCIDRs": _by()},
        "status": {**_CONDITIONS, "addresses": _by("type")},
    },
    "v1 PersistentVolumeClaim": _STATUS,
    "v1 Pod": {**_PLAIN, "spec": _POD, "status": {**_CONDITIONS, "podIPs": _by("ip")}},
    "v1 PodTemplate": {**_PLAIN, "template": _TEMPLATE},
    "v1 ReplicationController": _WORKLOAD,
    "v1 Service": {**_STATUS, "spec": {"ports": _by("port", "protocol")}},
    "v1 ServiceAccount": {**_PLAIN, "secrets": _by("name")},
    "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": _WEBHOOKS,
    "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": _WEBHOOKS,
    "admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration": _WEBHOOKS,
    "admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": _WEBHOOKS,
    "apiregistration.k8s.io/v1 APIService": _STATUS,
    "apiregistration.k8s.io/v1beta1 APIService": _STATUS,
    "apps/v1 DaemonSet": _WORKLOAD,
    "apps/v1 Deployment": _WORKLOAD,
    "apps/v1 ReplicaSet": _WORKLOAD,
    "apps/v1 StatefulSet": _WORKLOAD,
    "batch/v1 CronJob": _CRON_JOB,
    "batch/v1 Job": _WORKLOAD,
    "batch/v1beta1 CronJob": _CRON_JOB,
    "kustomize.config.k8s.io/v1beta1 Kustomization": {
        "configMapGenerator": _by("name"),
        "secretGenerator": _by("name"),
    },
    "policy/v1 PodDisruptionBudget": _STATUS,
    "policy/v1beta1 PodDisruptionBudget": _STATUS,
    "storage.k8s.io/v1 CSINode": _CSI_NODE,
    "storage.k8s.io/v1beta1 CSINode": _CSI_NODE,
}

# Kinds whose only merged lists are those of their metadata.
_ORDINARY = {
    "v1": "Binding ConfigMap Endpoints Event LimitRange PersistentVolume ResourceQuota Secret",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
    "apps/v1": "ControllerRevision",
    "authentication.k8s.io/v1": "TokenRequest TokenReview",
    "authentication.k8s.io/v1beta1": "TokenReview",
    "authorization.k8s.io/v1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
    ),
    "authorization.k8s.io/v1beta1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
    ),
    "autoscaling/v1": "HorizontalPodAutoscaler Scale",
    "autoscaling/v2beta1": "HorizontalPodAutoscaler",
    "autoscaling/v2beta2": "HorizontalPodAutoscaler",
    "certificates.k8s.io/v1": "CertificateSigningRequest",
    "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
    "coordination.k8s.io/v1": "Lease",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1": "EndpointSlice",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "events.k8s.io/v1": "Event",
    "events.k8s.io/v1beta1": "Event",
    "extensions/v1beta1": "Ingress",
    "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
    "networking.k8s.io/v1beta1": "Ingress IngressClass",
    "node.k8s.io/v1": "RuntimeClass",
    "node.k8s.io/v1beta1": "RuntimeClass",
    "policy/v1beta1": "Eviction PodSecurityPolicy",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "rbac.authorization.k8s.io/v1beta1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "scheduling.k8s.io/v1": "PriorityClass",
    "scheduling.k8s.io/v1beta1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver StorageClass VolumeAttachment",
    "storage.k8s.io/v1beta1": "CSIDriver CSIStorageCapacity StorageClass VolumeAttachment",
}

# By (apiVersion, kind).
SHAPES: dict[tuple[str, str], Shape] = {
    (version, kind): _PLAIN for version, kinds in _ORDINARY.items() for kind in kinds.split()
} | {(name.split()[0], name.split()[1]): shape for name, shape in _SPECIAL.items()}
