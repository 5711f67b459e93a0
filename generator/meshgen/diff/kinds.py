"""What follows from a change by the kind of its object: a restart, other traffic, or nothing that is read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.diff.fields import Field
from meshgen.diff.mask import is_checksum
from meshgen.diff.objects import Key, Placed, Project
from meshgen.diff.reach import Verdict
from meshgen.diff.replacement import deleted

_WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"}
_TRAFFIC = {
    "VirtualService": "it routes requests",
    "DestinationRule": "it says how clients connect",
    "Gateway": "it says on which hosts and ports gateways listen",
    "ServiceEntry": "it says which hosts the mesh knows",
    "WorkloadEntry": "it is an endpoint of a host",
    "Sidecar": "it says what proxies know and listen on",
    "EnvoyFilter": "it changes the configuration of proxies",
    "WasmPlugin": "it runs in the way of requests",
    "PeerAuthentication": "it says which connections are taken",
    "RequestAuthentication": "it says which tokens are taken",
    "NetworkPolicy": "it says which connections pods take and make",
    "Telemetry": "it says what proxies report",
    "HTTPRoute": "it routes requests",
    "TCPRoute": "it routes connections",
    "TLSRoute": "it routes connections",
    "GRPCRoute": "it routes requests",
    "Ingress": "it routes requests from outside",
    "ReferenceGrant": "it says who may refer to what is in its namespace",
    "HorizontalPodAutoscaler": "it changes how many pods serve",
}
_INSTALLS = {"IstioOperator", "Istio", "IstioCNI", "ZTunnel", "HelmRelease", "HelmChartRelease"}
# What is read from the moment on that it is there.
_AT_ONCE = dict.fromkeys(_INSTALLS, "it installs workloads") | {
    "ResourceQuota": "pods and objects beyond it are refused from now on",
    "LimitRange": "pods beyond it are refused from now on, and others get its defaults",
    "ValidatingAdmissionPolicyBinding": "its policy judges objects from now on",
    "MutatingAdmissionPolicyBinding": "its policy changes objects from now on",
}
# Where charts and trees come from, in the objects of stages.
_ORIGINS = dict.fromkeys(("HelmRepository", "OCIRepository", "GitRepository", "Bucket"), (("spec", "url"),)) | {
    "HelmChartRelease": (("spec", "repository"),)
}


def followed(
    key: Key, action: str, old: Placed, fields: tuple[Field, ...], project: Project | None = None
) -> Iterator[Verdict]:
    """What follows; one verdict at least."""
    if action in ("added", "removed"):
        risk, reason = _whole(key, action)
        yield risk, reason if action == "added" else deleted(key, old.stage, reason, project)
        return
    for one in fields:
        yield _field(key, one)
    if not fields:
        yield "cosmetic", "none of its fields that are read changes"


def _whole(key: Key, action: str) -> Verdict:
    if key.kind in _WORKLOADS:
        return ("restart", "its pods start") if action == "added" else ("restart", "its pods stop")
    if key.kind in _TRAFFIC:
        return "traffic", _TRAFFIC[key.kind]
    if action == "removed":
        return ("traffic", "its name resolves no more") if key.kind == "Service" else ("restart", "its users miss it")
    if key.kind in _AT_ONCE:
        return "restart", _AT_ONCE[key.kind]
    if not (key.kind in _ORIGINS or _BUILT_IN.search(key.group)):
        # Whatever runs for such a kind may act on it at once.
        return "restart", _UNKNOWN
    return "cosmetic", "it is new, so nothing that runs reads it yet"


def _field(key: Key, one: Field) -> Verdict:
    path = one.path
    if path[0] == "metadata":
        return _mark(key, one)
    if path[0] == "apiVersion":
        return "cosmetic", "the same object by another API version"
    if key.kind in _WORKLOADS:
        return _workload(key, one)
    return _setting(key, one)


def _setting(key: Key, one: Field) -> Verdict:
    if one.path in _ORIGINS.get(key.kind, ()):
        return "security", "charts or objects come from another source"
    if "meshConfig" in one.path and "defaultConfig" not in one.path:
        return "traffic", "istiod takes its mesh config anew"
    if one.action == "order" and one.path[-1] in _ANY_ORDER:
        return "cosmetic", "the order of its items says nothing"
    if key.kind == "Service":
        return "traffic", "it changes where its traffic goes"
    if key.kind in _TRAFFIC:
        return "traffic", _TRAFFIC[key.kind]
    return "restart", _RESTARTS.get(key.kind, _UNKNOWN)


_UNKNOWN = "what follows from it is not known, so it is taken for a restart"
# Groups of Kubernetes, Istio and the Gateway API; those without a dot are Kubernetes' own.
_BUILT_IN = re.compile(r"^[a-z]*$|\.(k8s|istio)\.io$")
_ANY_ORDER = {"ports", "rules", "verbs", "resources", "apiGroups", "loadBalancerSourceRanges", "finalizers"}
_RESTARTS = {
    "IstioOperator": "the control plane, gateways or proxies are installed anew",
    "Istio": "the control plane or proxies are installed anew",
    "HelmRelease": "the chart is upgraded: its workloads may restart",
    "HelmChartRelease": "the chart is upgraded: its workloads may restart",
    "ConfigMap": "its readers take it when they start",
    "Secret": "its readers take it when they start",
    "Role": "it grants fewer rights",
    "ClusterRole": "it grants fewer rights",
}


def _workload(key: Key, one: Field) -> Verdict:
    if key.name.startswith("istio-operator") and one.path[-1] == "image":
        return "restart", "another operator installs another Istio: control plane and gateways restart, proxies follow"
    if is_checksum(one):
        return "restart", "its pods restart to read their configuration"
    if "template" in one.path:
        return "restart", "its pods restart"
    if one.path[-1] == "replicas":
        return "restart", "the number of its pods changes"
    return "restart", "its pods are run otherwise"


_READ = re.compile(
    r"istio\.io|ingress|load-?balancer|/service-|external-dns|cert-manager|argocd|fluxcd|prometheus\.io|"
    r"(cloud\.google|gke|azure|amazonaws)\.|helm\.sh/hook|pod-security",
    re.I,
)


def _mark(key: Key, one: Field) -> Verdict:
    """Labels and annotations: nothing reads most of them."""
    name = one.path[2] if len(one.path) > 2 else ""
    if key.kind == "Namespace" and "pod-security" in name:
        return "security", "it says what pods of the namespace may do"
    if key.kind == "Namespace" and ("istio" in name):
        return "restart", "it says whether pods of the namespace get a proxy, from their next start on"
    if _READ.search(name):
        return "traffic", f"{name} is read by what runs it"
    if len(one.path) > 1 and one.path[1] in ("labels", "annotations"):
        return "cosmetic", "labels and annotations that nothing is known to read"
    return "restart", "metadata that Kubernetes acts on"
