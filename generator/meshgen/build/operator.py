"""Istio's in-cluster operator, up to 1.23: the objects of `istioctl operator init`, without running it."""

from __future__ import annotations

from typing import Any

from meshgen.build.stage import KubernetesObject
from meshgen.catalog import Version, operator_facts

NAME = "istio-operator"
# The operator's pod must start before there is an injector to wait for.
OPERATOR_NAMESPACE: KubernetesObject = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": NAME, "labels": {"istio-operator-managed": "Reconcile", "istio-injection": "disabled"}},
}
_SELECTOR = {"name": NAME}
_GROUP = "rbac.authorization.k8s.io"


def operator_objects(version: str, *, hub: str, tag: str) -> list[KubernetesObject]:
    """The operator's CRD, permissions, Deployment and Service at that version of Istio.

    Its namespace is an object of its own stage. Facts: `catalog/operator.json`, from Istio's operator chart.
    """
    facts = operator_facts(Version.parse(version))
    crd = facts["crd"]
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": crd["name"], "labels": crd["labels"]},
            "spec": crd["spec"],
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata()},
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAME},
            "rules": facts["clusterRole"]["rules"],
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
            "roleRef": {"kind": "ClusterRole", "name": NAME, "apiGroup": _GROUP},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**_metadata(), "labels": dict(_SELECTOR)},
            "spec": {"ports": facts["service"]["ports"], "selector": dict(_SELECTOR)},
        },
        _deployment(facts["deployment"], f"{hub}/operator:{tag}"),
    ]


def _deployment(facts: dict[str, Any], image: str) -> KubernetesObject:
    container = {
        "name": NAME,
        "image": image,
        "command": facts["command"],
        "securityContext": facts["securityContext"],
        "resources": facts["resources"],
        "env": [_variable(variable) for variable in facts["env"]],
    }
    if "imagePullPolicy" in facts:
        container["imagePullPolicy"] = facts["imagePullPolicy"]
    metadata: dict[str, Any] = {"labels": dict(_SELECTOR)}
    if "podAnnotations" in facts:
        metadata["annotations"] = facts["podAnnotations"]
    spec: dict[str, Any] = {
        "replicas": facts["replicas"],
        "selector": {"matchLabels": dict(_SELECTOR)},
        "template": {"metadata": metadata, "spec": {"serviceAccountName": NAME, "containers": [container]}},
    }
    if "revisionHistoryLimit" in facts:
        spec["revisionHistoryLimit"] = facts["revisionHistoryLimit"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(), "spec": spec}


def _variable(variable: dict[str, str]) -> dict[str, Any]:
    """One environment variable; where the chart leaves a value to its caller, that of `operator init`.

    No watched namespace and no revision mean: reconcile every IstioOperator of the cluster.
    """
    name = variable["name"]
    if "fieldPath" in variable:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": variable["fieldPath"]}}}
    if "value" in variable:
        return {"name": name, "value": variable["value"]}
    return {"name": name, "value": NAME if variable["from"] == "namespace" else ""}


def _metadata() -> dict[str, Any]:
    return {"name": NAME, "namespace": NAME}
