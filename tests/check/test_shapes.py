from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.stage import Memory
from meshgen.check.settings import settings_remarks
from meshgen.check.shapes import shape_remarks


def found(**istio: Any) -> list[tuple[str, str]]:
    return [(remark.rule, remark.pointer) for remark in shape_remarks(istio)]


def pilot(**k8s: Any) -> list[tuple[str, str]]:
    return [
        (rule, at.removeprefix("/istio/components/pilot/k8s")) for rule, at in found(components={"pilot": {"k8s": k8s}})
    ]


@pytest.mark.parametrize("value", [None, "text", 1, True, []])
def test_global_values_are_a_map_and_never_taken_away(value: Any) -> None:
    assert found(values={"global": value}) == [("MG103", "/istio/values/global")]
    assert found(unvalidatedValues={"global": value}) == [("MG103", "/istio/unvalidatedValues/global")]


def test_values_that_charts_read_freely_may_be_anything() -> None:
    odd = {"pilot": {"env": 1, "x": None}, "own": "y", "global": {"hub": 3}, "cni": None, "gateways": {"mine": 1}}

    assert found(values=odd, unvalidatedValues=None, components=None, meshConfig={"a": 1}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hpaSpec", 1),
        ("env", {"A": "b"}),
        ("service", "NodePort"),
        ("overlays", {}),
        ("resources", []),
        ("replicaCount", "2"),
        ("replicaCount", True),
        ("podAnnotations", ["a"]),
        ("podDisruptionBudget", 3),
        ("priorityClassName", 5),
    ],
)
def test_a_setting_of_another_shape_is_refused(field: str, value: Any) -> None:
    assert pilot(**{field: value}) == [("MG103", f"/{field}")]


@pytest.mark.parametrize(
    ("k8s", "at"),
    [
        ({"env": [{"name": "A", "value": "b"}, {"name": "B", "value": True}]}, "/env/1/value"),
        ({"env": [None]}, "/env/0"),
        ({"resources": {"limits": 1}}, "/resources/limits"),
        ({"service": {"ports": [{"port": "80"}]}}, "/service/ports/0/port"),
        ({"overlays": [{"kind": "Deployment", "patches": ["x"]}]}, "/overlays/0/patches/0"),
        ({"hpaSpec": {"minReplicas": "1"}}, "/hpaSpec/minReplicas"),
    ],
)
def test_a_wrong_shape_is_found_however_deep(k8s: dict[str, Any], at: str) -> None:
    assert pilot(**k8s) == [("MG103", at)]


def test_a_setting_that_istio_operator_does_not_have_is_refused() -> None:
    assert pilot(hpaSpecs={}) == [("MG205", "/hpaSpecs")]


def test_null_takes_any_setting_away() -> None:
    assert pilot(hpaSpec=None, env=None, resources={"limits": None}, replicaCount=None) == []


@pytest.mark.parametrize(
    ("gateways", "key"),
    [({"edge": {"k8s": {"env": 1}}, "none": None}, "edge"), ([{"name": "a", "k8s": {"env": 1}}], "0")],
)
def test_every_gateway_is_looked_at_as_a_map_or_a_list(gateways: Any, key: str) -> None:
    assert found(components={"egressGateways": gateways}) == [
        ("MG103", f"/istio/components/egressGateways/{key}/k8s/env")
    ]


def test_no_message_holds_a_value() -> None:
    settings = {"values": {"global": "hunter2"}, "components": {"pilot": {"k8s": {"env": ["hunter2"]}}}}

    said = list(shape_remarks(settings))

    assert len(said) == 2
    assert "hunter2" not in str(said)
    assert all(remark.hint for remark in said)


@pytest.mark.parametrize(
    ("istio", "looked"),
    [
        ({"version": "1.11.3"}, False),
        ({"version": "1.23.6"}, False),
        ({"version": "1.23.6", "install": "helm"}, True),
        ({"version": "1.30.3"}, True),
        ({"version": "1.30.3", "install": "sail"}, True),
        ({"version": "1.30.3", "install": "manifests"}, False),
    ],
)
def test_only_a_translation_has_to_look(istio: dict[str, Any], looked: bool) -> None:
    said = settings_remarks({"istio": {**istio, "values": {"global": 1}}}, Memory())

    assert [remark.rule for remark in said] == (["MG103"] if looked else [])
