"""Names, labels and annotations of every object, by the rule that its kind has for names.

Sources: ValidateObjectMeta in k8s.io/apimachinery pkg/api/validation, and the names' rules in k8s.io/kubernetes
pkg/apis.
"""

from __future__ import annotations

from meshgen.check.refused.names import (
    LABEL,
    SEGMENT,
    SERVICE,
    SUBDOMAIN,
    Form,
    bad_annotations,
    bad_labels,
    misnamed,
    unnamed,
)
from meshgen.check.refused.refusal import Refusal, Refusals, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, text

Minor = tuple[int, int]
# Kinds whose names are no subdomains; the rest of Kubernetes' kinds, and all of CRDs, have such names.
_FREE = frozenset(
    {("rbac.authorization.k8s.io", kind) for kind in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")}
    | {
        ("apiregistration.k8s.io", "APIService"),
        ("policy", "PodDisruptionBudget"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("certificates.k8s.io", "ClusterTrustBundle"),
        ("networking.k8s.io", "IPAddress"),
        ("internal.apiserver.k8s.io", "StorageVersion"),
        ("storage.k8s.io", "CSIDriver"),
    }
)
# These have servers of their own, which take other names too.
_OTHERS = (".openshift.io", "metrics.k8s.io")
# Before, it is a label that begins with a letter, respectively a subdomain.
_SERVICES_AS_LABELS, _SETS_AS_LABELS = (1, 36), (1, 27)
# A controller adds a time to the name, and the Job's has to be a label's value.
_LONGEST_CRON_JOB = 52
_GREATEST_PRIORITY = 10**9
_RESERVED = "system-"


def metadata_refusals(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with the metadata of an object of any kind."""
    metadata, at = mapping(obj, "metadata"), ("metadata",)
    group = obj["apiVersion"].rpartition("/")[0]
    yield from unnamed(metadata, at, "name", _form_of(group, obj["kind"], minor))
    yield from misnamed(metadata, at, "namespace", LABEL)
    yield from marks_refusals(metadata, at)
    yield from _of_kind(group, obj, text(metadata, "name"))


def marks_refusals(metadata: Map, at: tuple[str | int, ...]) -> Refusals:
    """What is wrong with labels and annotations, of an object or of a template."""
    yield from bad_labels(mapping(metadata, "labels"), (*at, "labels"))
    yield from bad_annotations(mapping(metadata, "annotations"), (*at, "annotations"))


def _form_of(group: str, kind: str, minor: Minor) -> Form:
    if (group, kind) in _FREE or group.endswith(_OTHERS):
        return SEGMENT
    if (group, kind) == ("", "Service"):
        return LABEL if minor >= _SERVICES_AS_LABELS else SERVICE
    if (group, kind) == ("", "Namespace") or ((group, kind) == ("apps", "StatefulSet") and minor >= _SETS_AS_LABELS):
        return LABEL
    return SUBDOMAIN


def _of_kind(group: str, obj: Map, name: str) -> Refusals:
    at = ("metadata", "name")
    match group, obj["kind"]:
        case "batch", "CronJob" if len(name) > _LONGEST_CRON_JOB:
            hint = f"it may have at most {_LONGEST_CRON_JOB} characters: those of its Jobs are longer"
            yield Refusal(at, f"the name has {len(name)} characters", hint)
        case "batch", "Job" if len(name) > LABEL.longest and mapping(obj, "spec").get("manualSelector") is not True:
            yield Refusal(at, f"the name has {len(name)} characters", "it may have at most 63: it labels the pods")
        case "scheduling.k8s.io", "PriorityClass" if name.startswith(_RESERVED) and name not in _OF_THE_SYSTEM:
            yield Refusal(at, f'names that begin with "{_RESERVED}" are reserved', "name it otherwise")
        case "scheduling.k8s.io", "PriorityClass" if (
            name not in _OF_THE_SYSTEM and (whole(obj, "value") or 0) > _GREATEST_PRIORITY
        ):
            hint = f"say at most {_GREATEST_PRIORITY}"
            yield Refusal(("value",), "priorities above are those of the system", hint)
        case "apiextensions.k8s.io", "CustomResourceDefinition":
            plural, group = text(obj, "spec", "names", "plural"), text(obj, "spec", "group")
            due = f"{plural}.{group}"
            if plural and group and name != due:
                yield Refusal(at, "the name is not that of its plural and its group", f"call it {plain(due)}")


_OF_THE_SYSTEM = ("system-cluster-critical", "system-node-critical")
