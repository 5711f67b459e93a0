from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.manifests import Places
from meshgen.build.stage import Memory, Stage
from meshgen.check.objects import duplicate_remarks, stage_remarks


def obj(api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("kubernetes", "api_version", "kind", "gone"),
    [
        ("1.24", "policy/v1beta1", "PodDisruptionBudget", False),
        ("1.25", "policy/v1beta1", "PodDisruptionBudget", True),
        ("1.25.4", "policy/v1beta1", "PodDisruptionBudget", True),
        ("1.25", "policy/v1", "PodDisruptionBudget", False),
        ("1.22", "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", True),
        ("1.30", "example.com/v1", "Anything", False),
    ],
)
def test_api_that_the_cluster_does_not_serve_is_refused(
    kubernetes: str, api_version: str, kind: str, gone: bool
) -> None:
    said = stage_remarks(Stage("addons", (obj(api_version, kind, "one"),)), kubernetes, Places())

    assert [(remark.rule, remark.severity) for remark in said] == ([("MG402", "error")] if gone else [])


def test_object_in_two_stages_is_refused_once() -> None:
    namespaces = Stage("namespaces", (obj("v1", "Namespace", "istio-system"),))
    addons = Stage("addons", (obj("v1", "Namespace", "istio-system"), obj("v1", "ConfigMap", "istio-system", "a")))

    said = duplicate_remarks(Memory(), Places(), namespaces, addons)

    assert [(remark.rule, remark.message) for remark in said] == [("MG405", "Namespace istio-system is there twice")]


def test_object_that_stands_twice_in_one_stage_is_refused() -> None:
    twice = Stage("addons", tuple(obj("v1", "ConfigMap", "kiali", "istio-system") for _ in range(2)))

    said = duplicate_remarks(Memory(), Places(), twice)

    assert [remark.message for remark in said] == ["ConfigMap kiali in istio-system is there twice"]


def test_one_name_in_two_namespaces_or_of_two_kinds_is_no_duplicate() -> None:
    stage = Stage(
        "addons",
        (
            obj("v1", "ConfigMap", "kiali", "a"),
            obj("v1", "ConfigMap", "kiali", "b"),
            obj("v1", "ServiceAccount", "kiali", "a"),
        ),
    )

    assert duplicate_remarks(Memory(), Places(), stage) == []
