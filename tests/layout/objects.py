"""Objects as Istio and its addons have them, with the lists that kustomize merges by key and those that it does not."""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]


def obj(api_version: str, kind: str, name: str, namespace: str | None = "istio-system", **fields: Any) -> Object:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    metadata |= fields.pop("metadata", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _env(*names: str) -> list[Object]:
    return [{"name": name, "value": name.lower()} for name in names]


_CONTAINERS: list[Object] = [
    {
        "name": "discovery",
        "image": "docker.io/istio/pilot:1.11.3",
        "args": ["discovery", "--log_output_level=default:info", "--domain", "cluster.local"],
        "env": [
            *_env("REVISION", "JWT_POLICY", "PILOT_CERT_PROVIDER"),
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        ],
        "ports": [
            {"containerPort": 8080, "protocol": "TCP"},
            {"containerPort": 15010, "protocol": "TCP", "name": "grpc"},
            {"containerPort": 15010, "protocol": "UDP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 3},
        "resources": {"requests": {"cpu": "500m", "memory": "2048Mi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/istio/config"},
            {"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": True},
        ],
    },
    {"name": "proxy", "image": "docker.io/istio/proxyv2:1.11.3", "ports": [{"containerPort": 15090}]},
    {"name": "exporter", "image": "exporter", "env": [], "command": ["/bin/sh", "-c", "sleep 1\nexec exporter\n"]},
]

DEPLOYMENT = obj(
    "apps/v1",
    "Deployment",
    "istiod",
    metadata={
        "labels": {"app": "istiod", "release": "istio"},
        "annotations": {"sidecar.istio.io/inject": "false"},
        "creationTimestamp": None,
    },
    spec={
        "replicas": 1,
        "selector": {"matchLabels": {"app": "istiod"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]},
        "strategy": {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "25%"}},
        "template": {
            "metadata": {"labels": {"app": "istiod"}, "annotations": {"prometheus.io/port": "15014"}},
            "spec": {
                "containers": _CONTAINERS,
                "initContainers": [{"name": "init", "image": "busybox", "env": _env("A", "B", "C", "D", "E", "F")}],
                "imagePullSecrets": [{"name": "regcred"}],
                "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["a", "b"]}],
                "tolerations": [{"key": "cni", "operator": "Exists"}, {"effect": "NoSchedule"}],
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"},
                    {"maxSkew": 2, "topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway"},
                ],
                "securityContext": {"fsGroup": 1337},
                "volumes": [
                    {"name": "config", "configMap": {"name": "istio", "items": [{"key": "mesh", "path": "mesh"}]}},
                    {"name": "cacerts", "secret": {"secretName": "cacerts", "optional": True}},
                    {"name": "tmp", "emptyDir": {}},
                ],
            },
        },
    },
)
SERVICE = obj(
    "v1",
    "Service",
    "istio-ingressgateway",
    metadata={"annotations": {}, "labels": {"istio": "ingressgateway"}, "finalizers": ["a.io/x", "b.io/y"]},
    spec={
        "type": "ClusterIP",
        "selector": {"app": "istio-ingressgateway"},
        "ports": [
            {"name": "status-port", "port": 15021, "protocol": "TCP", "targetPort": 15021},
            {"name": "http2", "port": 80, "protocol": "TCP", "targetPort": 8080},
            {"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"},
        ],
    },
    status={"loadBalancer": {}},
)
# As Istio's addons write them: some ports without a protocol.
DNS = obj(
    "v1",
    "Service",
    "dns",
    None,
    spec={"ports": [{"port": 53, "protocol": "UDP"}, {"port": 9153}, {"port": 53, "protocol": "TCP"}]},
)
ZIPKIN = obj("v1", "Service", "zipkin", "default", spec={"ports": [{"port": 9411}, {"port": 16686, "name": "ui"}]})
CONFIG_MAP = obj(
    "v1",
    "ConfigMap",
    "istio",
    data={"mesh": "accessLogFile: /dev/stdout\nenableTracing: true\n", "meshNetworks": "networks: {}", "empty": ""},
)
ROLE = obj(
    "rbac.authorization.k8s.io/v1",
    "ClusterRole",
    "istiod-istio-system",
    None,
    rules=[
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["networking.istio.io"], "resources": ["*"], "verbs": ["*"], "resourceNames": []},
    ],
)
BINDING = obj(
    "rbac.authorization.k8s.io/v1",
    "RoleBinding",
    "istiod",
    roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "istiod"},
    subjects=[{"kind": "ServiceAccount", "name": "istiod", "namespace": "istio-system"}, {"kind": "User", "name": "u"}],
)
ACCOUNT = obj(
    "v1", "ServiceAccount", "istiod", secrets=[{"name": "a"}, {"name": "b"}], imagePullSecrets=[{"name": "c"}]
)
OPERATOR = obj(
    "install.istio.io/v1alpha1",
    "IstioOperator",
    "msa",
    metadata={"annotations": None, "labels": {}, "finalizers": ["istio-finalizer.install.istio.io"]},
    spec={
        "profile": "default",
        "hub": "gcr.io/istio-release",
        "tag": "1.11.3",
        "meshConfig": {"accessLogFile": "/dev/stdout", "defaultConfig": {"proxyMetadata": {}, "concurrency": 2}},
        "components": {
            "pilot": {
                "enabled": True,
                "k8s": {
                    "env": [
                        {"name": "PILOT_TRACE_SAMPLING", "value": "100"},
                        {"name": "GODEBUG", "value": "gctrace=1"},
                    ],
                    "hpaSpec": {
                        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "istiod"},
                        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 80}}],
                    },
                    "overlays": [
                        {
                            "apiVersion": "apps/v1",
                            "kind": "Deployment",
                            "name": "istiod",
                            "patches": [{"path": "spec.replicas", "value": 3}, {"path": "spec.x", "value": None}],
                        }
                    ],
                },
            },
            "ingressGateways": [
                {"name": "istio-ingressgateway", "enabled": True, "k8s": {"service": {"ports": [{"port": 80}]}}},
                {"name": "internal", "enabled": False, "label": {}},
            ],
        },
        "values": {"global": {"proxy": {"resources": None, "includeIPRanges": "*"}, "ratio": 0.5, "big": 2**40}},
    },
)
AUTOSCALER = obj(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "istiod",
    spec={
        "minReplicas": 1,
        "maxReplicas": 5,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "istiod"},
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            },
            {
                "type": "Resource",
                "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
            },
        ],
    },
)
WEBHOOKS = obj(
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "istio-sidecar-injector",
    None,
    webhooks=[
        {
            "name": f"{prefix}.sidecar-injector.istio.io",
            "admissionReviewVersions": ["v1beta1", "v1"],
            "clientConfig": {"caBundle": "", "service": {"name": "istiod", "namespace": "istio-system", "port": 443}},
            "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "DoesNotExist"}]},
            "rules": [{"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]}],
            "sideEffects": "None",
        }
        for prefix in ("rev.namespace", "rev.object", "namespace", "object")
    ],
)
BUDGET = obj(
    "policy/v1",
    "PodDisruptionBudget",
    "istiod",
    spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "istiod"}}},
    status={"conditions": [{"type": "DisruptionAllowed", "status": "True"}, {"type": "Ready", "status": "False"}]},
)
VIRTUAL_SERVICE = obj(
    "networking.istio.io/v1beta1",
    "VirtualService",
    "reviews",
    "bookinfo",
    spec={
        "hosts": ["reviews", "reviews.example.com"],
        "http": [
            {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [{"destination": {"host": "v2"}}]},
            {"name": "rest", "route": [{"destination": {"host": "v1"}, "weight": 90}, {"destination": {"host": "v3"}}]},
        ],
    },
)
CRD = obj(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "istiooperators.install.istio.io",
    None,
    spec={
        "group": "install.istio.io",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                "additionalPrinterColumns": [{"jsonPath": ".spec.revision", "name": "Revision", "type": "string"}],
            }
        ],
    },
    status={"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": None},
)
CRON_JOB = obj(
    "batch/v1",
    "CronJob",
    "backup",
    None,
    spec={
        "schedule": "0 3 * * *",
        "jobTemplate": {"spec": {"template": {"spec": copy.deepcopy(DEPLOYMENT["spec"]["template"]["spec"])}}},
    },
)

OBJECTS: tuple[Object, ...] = (
    DEPLOYMENT,
    SERVICE,
    DNS,
    ZIPKIN,
    CONFIG_MAP,
    ROLE,
    BINDING,
    ACCOUNT,
    OPERATOR,
    AUTOSCALER,
    WEBHOOKS,
    BUDGET,
    VIRTUAL_SERVICE,
    CRD,
    CRON_JOB,
)
