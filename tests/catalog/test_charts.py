"""The values of Istio's charts that say what an IstioOperator's `k8s` says: each row, rendered by the real charts.

A value and a patch mean the same where `helm template` with the value gives what it gives without, once patched.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen import catalog
from meshgen.build.k8spatches import change_of
from meshgen.catalog import Version
from meshgen.values import merged
from tests.objects import Object, read_yaml
from tests.tools import istio_charts

CHARTS = {"istiod": "istio-control/istio-discovery", "cni": "istio-cni", "ztunnel": "ztunnel", "gateway": "gateway"}
WORKLOADS = {
    "istiod": ("Deployment", "istiod", "discovery"),
    "cni": ("DaemonSet", "istio-cni-node", "install-cni"),
    "ztunnel": ("DaemonSet", "ztunnel", "istio-proxy"),
    "gateway": ("Deployment", "gateway", "istio-proxy"),
}
# Kubernetes allows a disruption budget for more than one replica only, and so do the charts.
MANY = {
    "istiod": {"pilot": {"autoscaleMin": 2}},
    "cni": {},
    "ztunnel": {},
    "gateway": {"autoscaling": {"minReplicas": 2}, "podDisruptionBudget": {"minAvailable": 1}},
}
SCALED_BY_HAND: Object = {"autoscaling": {"enabled": False}}
# Each holds a copy of the chart's values, which no template of the injector reads the changed ones of.
COPIES = ("values", "istio-sidecar-injector", "istio-cni-config")
PREFERRED = {"preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "weight": 1}
AFFINITY = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [PREFERRED]}}
TOLERATIONS = [{"key": "dedicated", "operator": "Equal", "value": "mesh", "effect": "NoSchedule"}]
FROM_SECRET = {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
BEHAVIOR = {
    "scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 9}]}
}
PORTS = [{"name": "http2", "port": 8080, "protocol": "TCP", "targetPort": 80}]


def utilization(**targets: int) -> list[Object]:
    return [
        {
            "type": "Resource",
            "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": target}},
        }
        for name, target in targets.items()
    ]


# By row: what `k8s` says, and what the chart's value is then.
SAMPLES: dict[str, tuple[Object, Any]] = {
    "affinity": ({"affinity": AFFINITY}, AFFINITY),
    "env": ({"env": [{"name": "OWN", "value": "true"}]}, {"OWN": "true"}),
    "env.valueFrom": ({"env": [FROM_SECRET]}, [FROM_SECRET]),
    "hpaSpec.behavior": ({"hpaSpec": {"behavior": BEHAVIOR}}, BEHAVIOR),
    "hpaSpec.cpu": ({"hpaSpec": {"metrics": utilization(cpu=55)}}, 55),
    "hpaSpec.memory": ({"hpaSpec": {"metrics": utilization(cpu=80, memory=66)}}, 66),
    "hpaSpec.maxReplicas": ({"hpaSpec": {"maxReplicas": 7}}, 7),
    "hpaSpec.minReplicas": ({"hpaSpec": {"minReplicas": 3}}, 3),
    "imagePullPolicy": ({"imagePullPolicy": "Always"}, "Always"),
    "nodeSelector": ({"nodeSelector": {"pool": "mesh"}}, {"pool": "mesh"}),
    "podAnnotations": ({"podAnnotations": {"a.example/b": "1"}}, {"a.example/b": "1"}),
    "podDisruptionBudget": (
        {"podDisruptionBudget": {"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}},
        {"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow"},
    ),
    "priorityClassName": ({"priorityClassName": "high"}, "high"),
    "readinessProbe": ({"readinessProbe": {"periodSeconds": 9}}, {"periodSeconds": 9}),
    "replicaCount": ({"replicaCount": 3}, 3),
    "resources": (
        {"resources": {"limits": {"memory": "3Gi"}, "requests": {"memory": "300Mi"}}},
        {"limits": {"memory": "3Gi"}, "requests": {"memory": "300Mi"}},
    ),
    "service.allocateLoadBalancerNodePorts": ({"service": {"allocateLoadBalancerNodePorts": False}}, False),
    "service.clusterIP": ({"service": {"clusterIP": "10.0.0.9"}}, "10.0.0.9"),
    "service.externalIPs": ({"service": {"externalIPs": ["10.0.0.8"]}}, ["10.0.0.8"]),
    "service.externalTrafficPolicy": ({"service": {"externalTrafficPolicy": "Local"}}, "Local"),
    "service.healthCheckNodePort": ({"service": {"healthCheckNodePort": 30080}}, 30080),
    "service.internalTrafficPolicy": ({"service": {"internalTrafficPolicy": "Local"}}, "Local"),
    "service.ipFamilies": ({"service": {"ipFamilies": ["IPv6", "IPv4"]}}, ["IPv6", "IPv4"]),
    "service.ipFamilyPolicy": ({"service": {"ipFamilyPolicy": "PreferDualStack"}}, "PreferDualStack"),
    "service.loadBalancerClass": ({"service": {"loadBalancerClass": "a.example/b"}}, "a.example/b"),
    "service.loadBalancerIP": ({"service": {"loadBalancerIP": "192.0.2.1"}}, "192.0.2.1"),
    "service.loadBalancerSourceRanges": (
        {"service": {"loadBalancerSourceRanges": ["192.0.2.0/24"]}},
        ["192.0.2.0/24"],
    ),
    "service.ports": ({"service": {"ports": PORTS}}, PORTS),
    "service.selector": ({"service": {"selector": {"pool": "mesh"}}}, {"pool": "mesh"}),
    "service.trafficDistribution": ({"service": {"trafficDistribution": "PreferClose"}}, "PreferClose"),
    "service.type": ({"service": {"type": "NodePort"}}, "NodePort"),
    "serviceAnnotations": ({"serviceAnnotations": {"a.example/b": "true"}}, {"a.example/b": "true"}),
    "strategy": ({"strategy": {"rollingUpdate": {"maxSurge": "50%"}}}, {"rollingUpdate": {"maxSurge": "50%"}}),
    "strategy.maxSurge": ({"strategy": {"rollingUpdate": {"maxSurge": "50%"}}}, "50%"),
    "strategy.maxUnavailable": ({"strategy": {"rollingUpdate": {"maxUnavailable": 0}}}, 0),
    "tolerations": ({"tolerations": TOLERATIONS}, TOLERATIONS),
}
KINDS = {
    "hpaSpec": "HorizontalPodAutoscaler",
    "podDisruptionBudget": "PodDisruptionBudget",
    "service": "Service",
    "serviceAnnotations": "Service",
}


def rows(version: str) -> Iterator[tuple[str, str, str]]:
    """(chart, field, path) of every value that the catalogue knows at a version."""
    at = Version.parse(version)
    for chart in ("istiod", "cni", "ztunnel"):
        yield from ((chart, field, path) for field, path in catalog.chart_values(chart, at).items())
    facts = catalog.gateway_facts(at)
    yield from (("gateway", field, path) for field, path in facts["k8s"].items())
    yield from (("gateway", f"service.{field}", f"service.{key}") for field, key in facts["service"].items())


VERSIONS = [f"{minor}.0" for minor in catalog.minors() if catalog.minor_key(minor) >= (1, 22)]
NEWEST = list(rows(VERSIONS[-1]))


def test_every_row_of_every_minor_is_a_row_of_the_newest_with_the_same_value():
    for version in VERSIONS:
        assert set(rows(version)) <= set(NEWEST), version


def test_every_row_of_the_newest_minor_has_a_sample():
    assert {field for _, field, _ in NEWEST} <= set(SAMPLES)


def test_ranges_start_with_a_version_of_a_known_minor():
    facts = json.loads((Path(catalog.__file__).parent / "charts.json").read_bytes())["k8s"]
    ranged = [row["since"] for fields in facts.values() for row in fields.values() if isinstance(row, dict)]
    assert ranged
    assert {Version.parse(since).minor for since in ranged} <= set(catalog.minors())


def test_no_two_settings_of_a_chart_have_the_same_value():
    paths = [(chart, path) for chart, _, path in NEWEST]
    assert len(paths) == len(set(paths))


@pytest.mark.realtools
@pytest.mark.parametrize(("chart", "field", "path"), NEWEST, ids=[f"{chart}-{field}" for chart, field, _ in NEWEST])
def test_the_value_renders_what_the_patch_makes(helm: Path, kubectl: Path, tmp_path: Path, chart, field, path):
    folder = istio_charts() / CHARTS[chart]
    assert difference(helm, kubectl, tmp_path, folder, chart, field, path) == {}


def difference(
    helm: Path, kubectl: Path, tmp_path: Path, folder: Path, chart: str, field: str, path: str
) -> dict[Any, tuple[Object | None, Object | None]]:
    """The objects that a value and a patch make differently, as (by value, by patch)."""
    k8s, value = SAMPLES[field]
    context = MANY[chart] if field != "replicaCount" else SCALED_BY_HAND
    by_value = template(helm, tmp_path, folder, merged(context, nested(path, value)))
    ((key, setting),) = k8s.items()
    kind, name, container = WORKLOADS[chart]
    if (chart, field) == ("istiod", "tolerations"):
        # Known: the chart keeps its own beside those that are set, where a patch takes its place.
        setting = [{"key": "cni.istio.io/not-ready", "operator": "Exists"}, *setting]
    change = change_of(container, key, setting)
    if field == "service.ports":
        # A merge would keep the chart's: istioctl too takes a gateway's ports as its chart's value.
        change = [{"op": "replace", "path": "/spec/ports", "value": value}]
    plain = template(helm, tmp_path, folder, context)
    by_patch = kustomized(kubectl, tmp_path, plain, (KINDS.get(key, kind), name), change)
    return {
        key: (by_value.get(key), by_patch.get(key))
        for key in {**by_value, **by_patch}
        if by_value.get(key) != by_patch.get(key)
    }


def nested(path: str, value: Any) -> Object:
    for key in reversed(path.split(".")):
        value = {key: value}
    result: Object = value
    return result


def template(helm: Path, tmp_path: Path, folder: Path, values: Object) -> dict[tuple[str, str], Object]:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = [helm, "template", "gateway", folder, "--namespace", "istio-system", "--values", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return keyed(read_yaml(done.stdout))


def kustomized(
    kubectl: Path,
    tmp_path: Path,
    objects: dict[tuple[str, str], Object],
    key: tuple[str, str],
    change: Object | list[Object],
) -> dict[tuple[str, str], Object]:
    """The objects after a patch of one of them, which has to be there."""
    (tmp_path / "object.yaml").write_text(yaml.safe_dump(objects[key]))
    if isinstance(change, dict):
        identity = {"apiVersion": objects[key]["apiVersion"], "kind": key[0], "metadata": {"name": key[1]}}
        change = merged(identity, change)
    patch = {"target": {"kind": key[0], "name": key[1]}, "patch": yaml.safe_dump(change)}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["object.yaml"], "patches": [patch]}))
    done = subprocess.run([kubectl, "kustomize", tmp_path], capture_output=True, text=True, check=True)
    return {**objects, **keyed(read_yaml(done.stdout))}


def keyed(objects: list[Object]) -> dict[tuple[str, str], Object]:
    """Objects by kind and name, without copies of the values, and with environment variables in one order."""
    found = {(obj["kind"], obj["metadata"]["name"]): filled(obj) for obj in objects if obj}
    return {key: obj for key, obj in found.items() if key[0] != "ConfigMap" or key[1] not in COPIES}


def filled(value: Any) -> Any:
    """A value without nulls and empty maps, which kustomize drops; variables in the order of their names."""
    if isinstance(value, dict):
        kept = {key: filled(part) for key, part in value.items() if part not in (None, {})}
        if isinstance(kept.get("env"), list):
            kept["env"] = sorted(kept["env"], key=lambda variable: str(variable["name"]))
        return kept
    return [filled(part) for part in value] if isinstance(value, list) else value
