"""Which object an object is: what patches address and what may not occur twice in one build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from meshgen.values import value_at

Scope = Literal["Cluster", "Namespaced"]


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


def scopes(objects: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Scope]:
    """The scope of each (group, kind) that the CRDs among these objects bring."""
    found: dict[tuple[str, str], Scope] = {}
    for obj in objects:
        if obj["kind"] == "CustomResourceDefinition":
            paths = (("spec", "group"), ("spec", "names", "kind"), ("spec", "scope"))
            group, kind, said = (value_at(obj, path) for path in paths)
            if isinstance(group, str) and isinstance(kind, str) and said in get_args(Scope):
                found[group, kind] = said
    return found


def scope_of(key: Identity, brought: Mapping[tuple[str, str], Scope]) -> Scope | None:
    """The scope of an object's kind, by the CRDs beside it (`scopes`) or by what is known; None if neither says."""
    kind = (key.group, key.kind)
    if kind in brought or kind in CLUSTER_SCOPED:
        return brought.get(kind, "Cluster")
    return "Namespaced" if key.group in _NAMESPACED else None


def lacks_namespace(key: Identity, brought: Mapping[tuple[str, str], Scope]) -> bool:
    """Whether an object is surely one of a namespace, and names none."""
    return not key.namespace and scope_of(key, brought) == "Namespaced"


# (group, kind). Istio's own and Flux's resources are all namespaced.
CLUSTER_SCOPED = frozenset(
    (group, kind)
    for group, kinds in {
        "": "ComponentStatus Namespace Node PersistentVolume",
        "admissionregistration.k8s.io": (
            "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
            "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
        ),
        "apiextensions.crossplane.io": "CompositeResourceDefinition Composition CompositionRevision EnvironmentConfig",
        "apiextensions.k8s.io": "CustomResourceDefinition",
        "apiregistration.k8s.io": "APIService",
        "argoproj.io": "ClusterAnalysisTemplate ClusterWorkflowTemplate",
        "capsule.clastix.io": "CapsuleConfiguration Tenant",
        "cert-manager.io": "ClusterIssuer",
        "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
        "cilium.io": (
            "CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPNodeConfig CiliumBGPNodeConfigOverride "
            "CiliumBGPPeerConfig CiliumBGPPeeringPolicy CiliumCIDRGroup CiliumClusterwideEnvoyConfig "
            "CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy CiliumExternalWorkload CiliumIdentity "
            "CiliumL2AnnouncementPolicy CiliumLoadBalancerIPPool CiliumNode CiliumPodIPPool TracingPolicy"
        ),
        "cloud.google.com": "ComputeClass",
        "configuration.konghq.com": "KongClusterPlugin KongVault",
        "crd.k8s.amazonaws.com": "ENIConfig",
        "crd.projectcalico.org": (
            "BGPConfiguration BGPFilter BGPPeer ClusterInformation FelixConfiguration GlobalNetworkPolicy "
            "GlobalNetworkSet HostEndpoint IPPool IPReservation KubeControllersConfiguration Tier"
        ),
        "elbv2.k8s.aws": "IngressClassParams",
        "expansion.gatekeeper.sh": "ExpansionTemplate",
        "external-secrets.io": "ClusterExternalSecret ClusterPushSecret ClusterSecretStore",
        "externaldata.gatekeeper.sh": "Provider",
        "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
        "gateway.networking.k8s.io": "GatewayClass",
        "generators.external-secrets.io": "ClusterGenerator",
        "groupsnapshot.storage.k8s.io": "VolumeGroupSnapshotClass VolumeGroupSnapshotContent",
        "karpenter.azure.com": "AKSNodeClass",
        "karpenter.k8s.aws": "AWSNodeTemplate EC2NodeClass",
        "karpenter.sh": "Machine NodeClaim NodeOverlay NodePool Provisioner",
        "keda.sh": "ClusterTriggerAuthentication",
        "kueue.x-k8s.io": (
            "AdmissionCheck ClusterQueue Cohort MultiKueueCluster MultiKueueConfig ProvisioningRequestConfig "
            "ResourceFlavor Topology WorkloadPriorityClass"
        ),
        "kyverno.io": "ClusterCleanupPolicy ClusterPolicy GlobalContextEntry",
        "machineconfiguration.openshift.io": "ContainerRuntimeConfig KubeletConfig MachineConfig MachineConfigPool",
        "mutations.gatekeeper.sh": "Assign AssignImage AssignMetadata ModifySet",
        "networking.k8s.io": "ClusterCIDR IPAddress IngressClass ServiceCIDR",
        "nfd.k8s-sigs.io": "NodeFeatureRule",
        "node.k8s.io": "RuntimeClass",
        "nvidia.com": "ClusterPolicy NVIDIADriver",
        "operator.tigera.io": "APIServer ImageSet Installation TigeraStatus",
        "pkg.crossplane.io": (
            "Configuration ConfigurationRevision ControllerConfig DeploymentRuntimeConfig Function FunctionRevision "
            "ImageConfig Lock Provider ProviderRevision"
        ),
        "policies.kubewarden.io": "ClusterAdmissionPolicy ClusterAdmissionPolicyGroup PolicyServer",
        "policies.kyverno.io": (
            "DeletingPolicy GeneratingPolicy ImageValidatingPolicy MutatingPolicy ValidatingPolicy"
        ),
        "policy": "PodSecurityPolicy",
        "policy.networking.k8s.io": "AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy",
        "projectcalico.org": (
            "BGPConfiguration BGPFilter BGPPeer ClusterInformation FelixConfiguration GlobalNetworkPolicy "
            "GlobalNetworkSet HostEndpoint IPPool IPReservation KubeControllersConfiguration Tier"
        ),
        "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
        "resource.k8s.io": "DeviceClass DeviceTaintRule ResourceClass ResourceSlice",
        "sailoperator.io": "Istio IstioCNI IstioRevision IstioRevisionTag ZTunnel",
        "scheduling.k8s.io": "PriorityClass",
        "security.openshift.io": "SecurityContextConstraints",
        "snapshot.storage.k8s.io": "VolumeSnapshotClass VolumeSnapshotContent",
        "spire.spiffe.io": "ClusterFederatedTrustDomain ClusterSPIFFEID ClusterStaticEntry",
        "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
        "storagemigration.k8s.io": "StorageVersionMigration",
        "templates.gatekeeper.sh": "ConstraintTemplate",
        "trust.cert-manager.io": "Bundle",
    }.items()
    for kind in kinds.split()
)
# Groups of which every other kind is namespaced: some of Kubernetes' own, and of what meshes stand beside.
_NAMESPACED = frozenset(
    {
        "",
        "apps",
        "autoscaling",
        "batch",
        "cert-manager.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "extensions.istio.io",
        "external-secrets.io",
        "gateway.networking.k8s.io",
        "helm.toolkit.fluxcd.io",
        "install.istio.io",
        "kustomize.toolkit.fluxcd.io",
        "monitoring.coreos.com",
        "networking.istio.io",
        "networking.k8s.io",
        "notification.toolkit.fluxcd.io",
        "policy",
        "rbac.authorization.k8s.io",
        "security.istio.io",
        "source.toolkit.fluxcd.io",
        "telemetry.istio.io",
    }
)
