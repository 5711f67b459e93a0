"""Everything that an API server refuses of an object by rules of its own: its metadata's, and its kind's.

Only what every version that serves a field refuses is said, or the versions are told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark, Stage
from meshgen.catalog import minor_key
from meshgen.check.refused import (
    access,
    apiservices,
    claims,
    crds,
    data,
    endpoints,
    jobs,
    namespaces,
    networks,
    quotas,
    scaling,
    services,
    storage,
    webhooks,
    workloads,
)
from meshgen.check.refused.metadata import metadata_refusals
from meshgen.check.refused.refusal import Refusal
from meshgen.config.document import Document
from meshgen.config.problems import dotted, plain
from meshgen.sops import is_encrypted
from meshgen.yaml import pointer

_Rule = Callable[[KubernetesObject, tuple[int, int]], Iterator[Refusal]]
_ADMISSION, _RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
_RULES: Mapping[tuple[str, str], _Rule] = {
    ("", "ConfigMap"): data.config_map,
    ("", "Endpoints"): endpoints.endpoints,
    ("", "LimitRange"): quotas.limits,
    ("", "Namespace"): namespaces.namespace,
    ("", "PersistentVolume"): storage.volume,
    ("", "PersistentVolumeClaim"): claims.claim,
    ("", "Pod"): workloads.pod,
    ("", "ResourceQuota"): quotas.quota,
    ("", "Secret"): data.secret,
    ("", "Service"): services.service,
    (_ADMISSION, "MutatingWebhookConfiguration"): webhooks.configuration,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): webhooks.policy_binding,
    (_ADMISSION, "ValidatingWebhookConfiguration"): webhooks.configuration,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): crds.definition,
    ("apiregistration.k8s.io", "APIService"): apiservices.api_service,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): scaling.autoscaler,
    ("batch", "CronJob"): jobs.cron_job,
    ("batch", "Job"): jobs.job,
    ("discovery.k8s.io", "EndpointSlice"): endpoints.endpoint_slice,
    ("networking.k8s.io", "Ingress"): networks.ingress,
    ("networking.k8s.io", "IngressClass"): networks.ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): networks.network_policy,
    ("policy", "PodDisruptionBudget"): scaling.budget,
    (_RBAC, "ClusterRole"): access.role,
    (_RBAC, "ClusterRoleBinding"): access.binding,
    (_RBAC, "Role"): access.role,
    (_RBAC, "RoleBinding"): access.binding,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
}


def refusals_of(obj: KubernetesObject, kubernetes: str) -> Iterator[Refusal]:
    """What an API server of a version refuses of an object that is right by its schema."""
    minor = minor_key(kubernetes)
    yield from metadata_refusals(obj, minor)
    rule = _RULES.get((obj["apiVersion"].rpartition("/")[0], obj["kind"]))
    if rule is not None and not obj["apiVersion"].startswith("extensions/"):
        yield from rule(obj, minor)


def refusal_remarks(stage: Stage, kubernetes: str, places: Places) -> list[Remark]:
    """What an API server refuses of the user's own objects in a stage; what SOPS encrypts is left alone."""
    own = ((obj, places.of(obj)) for obj in stage.objects)
    return [
        _remark(obj, refusal, document)
        for obj, document in own
        if document is not None and not is_encrypted(obj)
        for refusal in refusals_of(obj, kubernetes)
    ]


def _remark(obj: KubernetesObject, refusal: Refusal, document: Document) -> Remark:
    name = obj["metadata"]["name"]
    message = f"{plain(obj['kind'])} {plain(name)}: {dotted(refusal.path)}: {refusal.text}"
    return Remark(
        "MG425",
        message,
        pointer(refusal.path),
        refusal.hint,
        severity=refusal.severity,
        at_key=refusal.at_key,
        document=document,
        object=f"{obj['kind']}/{name}",
        namespace=obj["metadata"].get("namespace"),
    )
