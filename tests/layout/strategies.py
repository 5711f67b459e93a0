"""Realistic objects, and random changes of them: what people change, and what nobody should."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from meshgen.layout.identity import identity
from meshgen.layout.normal import normalise, refusals

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

_HOSTILE_TEXTS = (
    *(
        "",
        " ",
        "yes",
        "n",
        "null",
        "~",
        "1",
        "1.0",
        "1e3",
        "0o7",
        "0x1f",
        "2020-01-01",
        "12:30",
        "=",
        "<<",
        "- a",
        "a: b",
    ),
    *("#", "a #b", "{}", "[]", "*a", "&a", "!a", "%", "@", "`", "'", '"', "\\", "\\n", "\t", " a", "a ", "a\n", "\na"),
    *(
        " a\nb",
        "\ta\nb",
        "a\n\n",
        "a\n b\n",
        "a\r\nb",
        "\r",
        "a\tb\n",
        "a \nb",
        "🚀",
        "é",
        "\u2028",
        "\ufeff",
        "\u00a0",
        "x" * 300,
    ),
    *(
        "a/b",
        "a~b",
        "a~1b",
        "a,b",
        "a.b",
        "$patch",
        "delete",
        "<a&b>",
        "---",
        "--- a\nb",
        "...",
        "|",
        ">",
        "?",
        ":",
        "-",
    ),
)
_HOSTILE_KEYS = (
    "a/b",
    "a~b",
    "~1",
    "a,b",
    "a.b",
    "-",
    "0",
    "1",
    "true",
    "null",
    "=",
    "",
    "$patch",
    " ",
    "a b",
    "é",
    "#",
    "y",
)
_TEXTS = ("a", "false", "15m", "registry.example.com/istio:1.30.3", "http", "TCP", "UDP", "line one\nline two\n")
_NUMBERS = (0, 1, 2, 80, 443, 8080, -1, 10_000_000, 2**31, 2**53, 0.25, 1.5, 1e-7)
_HOSTILE_NUMBERS = (2**53 + 1, 2**63, 2**64 - 1, -(2**63), 1e300, 1e21, 100.0, -0.0)


class Mutator:
    """Changes objects at random; `hostile` adds texts, keys and numbers that no reviewer would let pass."""

    def __init__(self, rng: random.Random, *, hostile: bool) -> None:
        self.rng = rng
        self.hostile = hostile

    def mutate(self, obj: Object) -> Object:
        """Give a changed copy that kustomize is able to carry; the head stays."""
        # Where the object itself has other things under those names, as a CRD's schema has, so may the change.
        has_references = _has_references(obj)
        while True:
            changed = copy.deepcopy(obj)
            for _ in range(self.rng.choice((1, 1, 1, 2, 3, 5))):
                self._edit(*self.rng.choice(list(_containers(changed, ()))))
            carried = not refusals(changed) and (_has_references(changed) or not has_references)
            if carried and identity(changed) == identity(obj):
                return normalise(changed)

    def _edit(self, path: tuple[str | int, ...], container: Any) -> None:
        if isinstance(container, dict):
            self._edit_map(path, container)
        else:
            self._edit_list(container)

    def _edit_map(self, path: tuple[str | int, ...], container: dict[str, Any]) -> None:
        head = {(): ("apiVersion", "kind", "metadata"), ("metadata",): ("name", "namespace")}.get(path, ())
        keys = [key for key in container if key not in head]
        action = self.rng.choice(("change", "change", "change", "add", "remove", "sort"))
        if action == "add" or not keys:
            container[self._key()] = self._value(2)
            return
        key = self.rng.choice(keys)
        if action == "remove":
            del container[key]
        elif action == "change":
            container[key] = self._changed(container[key])
        else:
            container[key] = self._value(2)

    def _edit_list(self, items: list[Any]) -> None:
        action = self.rng.choice(("change", "remove", "move", "copy", "append", "insert", "empty", "duplicate"))
        if not items or action in ("append", "insert"):
            items.insert(len(items) if action == "append" else 0, self._like(items))
            return
        index = self.rng.randrange(len(items))
        if action == "change":
            items[index] = self._changed(items[index])
        elif action == "remove":
            del items[index]
        elif action == "move":
            items.insert(self.rng.randrange(len(items)), items.pop(index))
        elif action == "copy":
            items.insert(self.rng.randrange(len(items) + 1), self._like(items))
        elif action == "empty":
            items.clear()
        elif self.hostile:
            items.append(copy.deepcopy(items[index]))

    def _like(self, items: list[Any]) -> Any:
        """A new item that resembles the others, most often under a new key."""
        if not items:
            return self._value(1)
        item = copy.deepcopy(self.rng.choice(items))
        if isinstance(item, dict):
            for key in ("name", "port", "containerPort", "mountPath", "type", "ip", "uid", "topologyKey"):
                if key in item and self.rng.random() < (0.7 if self.hostile else 0.97):
                    item[key] = self.rng.randrange(1, 65535) if isinstance(item[key], int) else self._key() + "-new"
            return item
        return self._changed(item)

    def _changed(self, value: Any) -> Any:
        """Mostly another value of the same type."""
        if self.rng.random() < 0.15:
            return self._value(2)
        if isinstance(value, bool):
            return not value
        if isinstance(value, str):
            return self._text()
        if isinstance(value, int | float):
            return self._number()
        if isinstance(value, dict):
            return {key: self._changed(item) if self.rng.random() < 0.3 else item for key, item in value.items()}
        if isinstance(value, list):
            return self.rng.sample(value, self.rng.randrange(len(value) + 1))
        return self._value(1)

    def _value(self, depth: int) -> Any:
        sort = self.rng.choice(("text", "text", "number", "bool", "null", "map", "list", "maps"))
        if depth and sort == "map":
            return {self._key(): self._value(depth - 1) for _ in range(self.rng.randrange(3))}
        if depth and sort == "list":
            return [self._value(depth - 1) for _ in range(self.rng.randrange(3))]
        if depth and sort == "maps":
            return [{"name": self._key(), self._key(): self._value(depth - 1)} for _ in range(self.rng.randrange(3))]
        if sort == "number":
            return self._number()
        return {"bool": self.rng.random() < 0.5, "null": None}.get(sort, self._text())

    def _text(self) -> str:
        return self.rng.choice(_HOSTILE_TEXTS if self.hostile and self.rng.random() < 0.6 else _TEXTS)

    def _number(self) -> int | float:
        return self.rng.choice(_HOSTILE_NUMBERS if self.hostile and self.rng.random() < 0.1 else _NUMBERS)

    def _key(self) -> str:
        if self.hostile and self.rng.random() < 0.4:
            return self.rng.choice(_HOSTILE_KEYS)
        return self.rng.choice(("type", "name", "enabled", "loadBalancerIP", "annotations", "limits", "x.io/y"))


def _containers(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict | list):
        yield path, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _containers(item, (*path, key))


_REFERENCES: dict[str, tuple[type, type | None]] = {
    **dict.fromkeys(("containers", "initContainers", "volumes", "env", "imagePullSecrets", "secrets"), (list, dict)),
    **dict.fromkeys(("webhooks", "rules", "subjects", "sources", "ports"), (list, dict)),
    **dict.fromkeys(("spec", "template", "jobTemplate", "valueFrom", "configMap", "secret", "projected"), (dict, None)),
    **dict.fromkeys(("scaleTargetRef", "roleRef", "clientConfig", "service"), (dict, None)),
    **dict.fromkeys(("name", "kind", "apiGroup", "secretName", "serviceAccountName"), (str, None)),
    "resourceNames": (list, str),
}


def _has_references(obj: Any) -> bool:
    """Tell whether kustomize finds maps, lists and texts on its way to the names that it knows as references.

    It fails on built-in kinds where it does not, patched or not, so they say nothing about patches.
    """
    if isinstance(obj, list):
        return all(_has_references(item) for item in obj)
    if not isinstance(obj, dict):
        return True
    for key, value in obj.items():
        sort, items = _REFERENCES.get(key, (object, None))
        if value is not None and not isinstance(value, sort):
            return False
        if items and value is not None and not all(isinstance(item, items) for item in value):
            return False
    return all(_has_references(value) for value in obj.values())


def renamed(obj: Object, name: str) -> Object:
    return obj | {"metadata": obj["metadata"] | {"name": name}}


def chain(obj: Object, seed: int, number: int, *, layers: int, hostile: bool) -> list[Object]:
    """One object in `layers` states, under a name of its own so that many fit into one directory."""
    rng = random.Random(seed)
    name = f"{obj['metadata']['name']}-{number}"
    if hostile and rng.random() < 0.1:
        name = rng.choice(("{}", "a.b+{}", "a(b)|{}", "a,{}", "0x{}", "{}e1")).format(number)
    mutator = Mutator(rng, hostile=hostile)
    states = [normalise(renamed(obj, name))]
    if rng.random() < 0.5:
        states[0] = mutator.mutate(states[0])
    while len(states) < layers:
        states.append(mutator.mutate(states[-1]))
    return states


def chains(*, layers: int, hostile: bool) -> st.SearchStrategy[list[list[Object]]]:
    """Chains enough to be worth a run of kustomize."""
    seeds = st.tuples(st.sampled_from(OBJECTS), st.integers(0, 2**32))
    return st.lists(seeds, min_size=30, max_size=60).map(
        lambda picked: [
            chain(obj, seed, number, layers=layers, hostile=hostile) for number, (obj, seed) in enumerate(picked)
        ]
    )
