"""Which object an object is: what patches address and what may not occur twice in one build."""

from __future__ import annotations

from typing import Any, NamedTuple


class Identity(NamedTuple):
    """An object's place in a cluster; the core API's group and an absent namespace are empty."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str

    @property
    def cluster_scoped(self) -> bool:
        """Tell whether objects of this kind are known to live outside of namespaces."""
        return (self.group, self.kind) in CLUSTER_SCOPED

    @property
    def registered(self) -> Identity:
        """Give the identity under which kustomize refuses a second object.

        For a namespaced kind an absent namespace and `default` are one; on a cluster-scoped kind it means nothing.
        """
        if self.cluster_scoped:
            return self._replace(namespace="")
        return self._replace(namespace=self.namespace or "default")


def identity(obj: dict[str, Any]) -> Identity:
    """Read the identity of an object that has `apiVersion`, `kind` and `metadata.name`."""
    # The first slash parts them, as in kustomize's ParseGroupVersion.
    group, slash, version = obj["apiVersion"].partition("/")
    metadata = obj["metadata"]
    return Identity(
        group=group if slash else "",
        version=version if slash else group,
        kind=obj["kind"],
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
    )


# (group, kind). Istio's own and Flux's resources are all namespaced.
CLUSTER_SCOPED = frozenset(
    (group, kind)
    for group, kinds in {
        "": "ComponentStatus Namespace Node PersistentVolume",
        "admissionregistration.k8s.io": (
            "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
            "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
        ),
        "apiextensions.k8s.io": "CustomResourceDefinition",
        "apiregistration.k8s.io": "APIService",
        "argoproj.io": "ClusterAnalysisTemplate ClusterWorkflowTemplate",
        "cert-manager.io": "ClusterIssuer",
        "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
        "external-secrets.io": "ClusterExternalSecret ClusterPushSecret ClusterSecretStore",
        "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
        "gateway.networking.k8s.io": "GatewayClass",
        "networking.k8s.io": "IPAddress IngressClass ServiceCIDR",
        "node.k8s.io": "RuntimeClass",
        "policy": "PodSecurityPolicy",
        "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
        "resource.k8s.io": "DeviceClass ResourceSlice",
        "sailoperator.io": "Istio IstioCNI IstioRevision IstioRevisionTag ZTunnel",
        "scheduling.k8s.io": "PriorityClass",
        "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    }.items()
    for kind in kinds.split()
)
