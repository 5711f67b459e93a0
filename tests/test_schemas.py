"""All that a config can ask for is valid by Kubernetes' own schemas, at both ends of every Istio minor's support."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from meshgen.catalog import minors, release
from tests.kubernetes import assert_valid
from tests.objects import Object, mesh, overlay, shown, write_config

CLOUDS = ("azure", "aws", "gcp", "generic")

_RESOURCES = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "2Gi", "cpu": 2}}
_STORAGE = {"size": "5Gi", "storageClassName": "fast"}
_FULL = {"resources": _RESOURCES, "storage": _STORAGE}
ADDONS: Object = {
    "prometheus": {**_FULL, "image": "registry.example.com:5000/prometheus:v2"},
    "grafana": {**_FULL, "secret": "grafana-login", "version": "10.0.0"},
    "jaeger": {**_FULL, "image": "registry.example.com/jaeger@sha256:" + "0" * 64},
    "kiali": {"resources": _RESOURCES, "secret": "kiali-login"},
    "loki": {**_FULL, "image": "registry.example.com/loki:3.0.0"},
}
_OFFICE = {"sourceRanges": ["10.0.0.0/8", "fd00::/8"], "annotations": {"example.com/owner": "mesh"}}
EXPOSE: Object = {
    "kiali": {**_OFFICE, "externalTrafficPolicy": "Local", "loadBalancerClass": "example.com/lb"},
    "grafana": {"type": "NodePort", "externalTrafficPolicy": "Local"},
    "tracing": {**_OFFICE, "loadBalancerIP": "10.1.2.3"},
    "prometheus": {"type": "ClusterIP"},
    "zipkin": {"type": "LoadBalancer", "public": "it holds no data"},
}


def full_mesh(folder: Path, minor: str, addons: Object, namespace: str) -> Path:
    """A mesh that says all it can, on a cluster of each cloud at the oldest and the newest Kubernetes."""
    oldest, newest = release(minor).kubernetes
    clusters = {
        f"{cloud}-{end}": {
            "cloud": cloud,
            "kubernetesVersion": version,
            "patch": {"expose": {} if cloud == "generic" else {"kiali": {"internal": True}}},
        }
        for cloud in CLOUDS
        for end, version in (("old", oldest), ("new", newest))
    }
    istio = {"version": release(minor).latest_patch, "namespace": namespace, "metadata": {"labels": {"a": "b"}}}
    there = {name: EXPOSE[name] for name in EXPOSE if name in {*addons, "zipkin"} or "jaeger" in addons}
    write_config(folder, mesh(istio=istio, addons=addons, expose=there), overlay("all", clusters=clusters))
    return folder


def assert_shown_is_valid(folder: Path, minor: str) -> set[str]:
    """Assert that all clusters' objects are valid, each once however many clusters share it; give their kinds."""
    entries = shown(folder)
    ends = dict(zip(("old", "new"), release(minor).kubernetes, strict=True))
    found = {
        (version, repr(entry["object"])): entry["object"]
        for entry in entries
        for version in [ends[entry["cluster"].rpartition("-")[2]]]
    }
    for (version, _), obj in found.items():
        assert_valid(obj, version)
    assert len({entry["cluster"] for entry in entries}) == 2 * len(CLOUDS)
    return {obj["kind"] for obj in found.values()}


@pytest.mark.parametrize("minor", minors())
def test_every_setting_gives_objects_that_kubernetes_takes(tmp_path: Path, minor: str):
    addons = {name: settings for name, settings in ADDONS.items() if name in release(minor).addons}

    kinds = assert_shown_is_valid(full_mesh(tmp_path, minor, addons, "mesh-system"), minor)

    assert {"PersistentVolumeClaim", "Namespace", "Deployment", "ClusterRole"} <= kinds
    assert ("StatefulSet" in kinds) == ("loki" in addons)


@pytest.mark.parametrize("minor", ["1.11", "1.20", "1.31"])
def test_defaults_and_zipkin_give_objects_that_kubernetes_takes(tmp_path: Path, minor: str):
    addons: Object = {"prometheus": {}, "grafana": {}, "zipkin": {}, "kiali": {}}

    assert_shown_is_valid(full_mesh(tmp_path, minor, addons, "istio-system"), minor)


def test_the_check_sees_a_wrong_field_and_a_kind_that_is_not_served():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    assert_valid(service, "1.22")

    with pytest.raises(jsonschema.ValidationError):
        assert_valid({**service, "spec": {"prots": []}}, "1.31")
    with pytest.raises(AssertionError, match="PodDisruptionBudget"):
        assert_valid({"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}}, "1.25")
