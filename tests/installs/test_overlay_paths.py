"""Paths of IstioOperator's overlays become patches that say the same, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.overlaypaths import Unsayable, change_at

CONTAINER = "spec.template.spec.containers.[name:discovery]"


def in_container(**change: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "discovery", **change}]}}}}


@pytest.mark.parametrize(
    ("kind", "path", "value", "change"),
    [
        ("Service", "spec.type", "NodePort", {"spec": {"type": "NodePort"}}),
        ("Deployment", "spec.replicas", 3, {"spec": {"replicas": 3}}),
        ("Deployment", "spec.template.spec.hostNetwork", None, {"spec": {"template": {"spec": {"hostNetwork": None}}}}),
        (
            "ConfigMap",
            r"metadata.annotations.example\.com/a",
            "b",
            {"metadata": {"annotations": {"example.com/a": "b"}}},
        ),
        ("Deployment", f"{CONTAINER}.image", "x", in_container(image="x")),
        # Without a dot before the bracket too.
        ("Deployment", CONTAINER.replace(".[", "[") + ".image", "x", in_container(image="x")),
        ("Deployment", f"{CONTAINER}.env.[name:A].value", "1", in_container(env=[{"name": "A", "value": "1"}])),
        ("Deployment", f"{CONTAINER}.env.[name:A]", None, in_container(env=[{"name": "A", "$patch": "delete"}])),
        (
            "Service",
            "spec.ports.[port:443].nodePort",
            30443,
            {"spec": {"ports": [{"port": 443, "protocol": "TCP", "nodePort": 30443}]}},
        ),
        (
            "Service",
            "spec.ports.[port:443]",
            None,
            {"spec": {"ports": [{"port": 443, "protocol": "TCP", "$patch": "delete"}]}},
        ),
        (
            "ValidatingWebhookConfiguration",
            r"webhooks.[name:a\.b].timeoutSeconds",
            5,
            {"webhooks": [{"name": "a.b", "timeoutSeconds": 5}]},
        ),
    ],
)
def test_a_path_becomes_a_strategic_merge(kind: str, path: str, value: Any, change: Any):
    assert change_at(kind, path, value) == change


def test_a_map_or_a_merged_list_takes_the_place_of_what_is_there():
    assert change_at("Deployment", "spec.strategy", {"type": "Recreate"}) == {
        "spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}
    }
    assert change_at("Service", "spec.ports", [{"port": 1}]) == {
        "spec": {"ports": [{"port": 1}, {"$patch": "replace"}]}
    }
    # Kubernetes merges tolerations by nothing, so there is nothing to replace.
    tolerations = change_at("Deployment", "spec.template.spec.tolerations", [{"key": "a"}])
    assert tolerations == {"spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}}


@pytest.mark.parametrize(
    ("path", "value", "operation"),
    [
        ("spec.args.[0]", "x", {"op": "replace", "path": "/spec/args/0", "value": "x"}),
        ("spec.args.[0]", None, {"op": "remove", "path": "/spec/args/0"}),
        ("spec.args.[-1]", "x", {"op": "add", "path": "/spec/args/-", "value": "x"}),
        (r"data.a/b~c.[1]", "x", {"op": "replace", "path": "/data/a~1b~0c/1", "value": "x"}),
    ],
)
def test_a_place_in_a_list_becomes_a_json_patch(path: str, value: Any, operation: dict[str, Any]):
    assert change_at("Deployment", path, value) == [operation]


@pytest.mark.parametrize(
    ("kind", "path", "reason"),
    [
        ("Deployment", "", "is no path"),
        ("Deployment", "[0]", "is no path"),
        ("Deployment", f"{CONTAINER}.args.[:discovery]", "picks an item by its text"),
        ("Deployment", f"{CONTAINER}.args.[0]", "by a key and another by its place"),
        ("Deployment", "spec.template.spec.tolerations.[key:a].effect", "do not merge by it"),
        ("HorizontalPodAutoscaler", "spec.metrics.[type:Resource].type", "do not merge by it"),
    ],
)
def test_what_no_patch_can_say_is_refused_with_the_reason(kind: str, path: str, reason: str):
    with pytest.raises(Unsayable, match=reason):
        change_at(kind, path, 1)
