from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from meshgen.config.merge import merge

KEEPS_NULL = ["meshConfig", "values", "unvalidatedValues", "components"]


def test_maps_merge_by_key_and_all_else_is_replaced() -> None:
    lower = {"expose": {"kiali": {"type": "NodePort", "sourceRanges": ["10.0.0.0/8", "192.0.2.0/24"]}, "grafana": {}}}
    upper = {"expose": {"kiali": {"sourceRanges": ["172.16.0.0/12"]}}}

    assert merge(lower, upper) == {
        "expose": {"kiali": {"type": "NodePort", "sourceRanges": ["172.16.0.0/12"]}, "grafana": {}}
    }


@pytest.mark.parametrize("above", ["text", 1, True, ["a"]])
def test_a_value_replaces_a_map(above: Any) -> None:
    assert merge({"a": {"b": 1}}, {"a": above}) == {"a": above}


@pytest.mark.parametrize("below", ["text", 1, None, ["a"]])
def test_a_map_replaces_a_value(below: Any) -> None:
    assert merge({"a": below}, {"a": {"b": 1}}) == {"a": {"b": 1}}


def test_an_empty_map_changes_nothing_and_is_there() -> None:
    assert merge({"addons": {"kiali": {"version": "v1"}}}, {"addons": {"kiali": {}, "grafana": {}}}) == {
        "addons": {"kiali": {"version": "v1"}, "grafana": {}}
    }


def test_null_takes_away_what_lies_below() -> None:
    lower = {"addons": {"kiali": {}, "grafana": {"secret": "s"}}, "delivery": {"flux": {"url": "https://x/y"}}}

    assert merge(lower, {"addons": {"kiali": None, "grafana": {"secret": None}}, "delivery": None}) == {
        "addons": {"grafana": {}}
    }


def test_null_for_nothing_is_nothing() -> None:
    assert merge({}, {"addons": {"kiali": None}, "expose": None}) == {"addons": {}}


@pytest.mark.parametrize("key", KEEPS_NULL)
def test_null_inside_what_istioctl_reads_stays_where_no_layer_set_it(key: str) -> None:
    assert merge({}, {"istio": {key: {"a": None, "b": {"c": None}}}}) == {"istio": {key: {"a": None, "b": {"c": None}}}}


@pytest.mark.parametrize("key", KEEPS_NULL)
def test_null_inside_what_istioctl_reads_takes_away_what_a_layer_set(key: str) -> None:
    lower = {"istio": {key: {"a": 1, "b": {"c": {"d": 1}, "e": 2}}}}

    assert merge(lower, {"istio": {key: {"a": None, "b": {"c": None}}}}) == {"istio": {key: {"b": {"e": 2}}}}


@pytest.mark.parametrize("key", KEEPS_NULL)
def test_a_second_null_takes_a_kept_null_away(key: str) -> None:
    kept = merge({}, {"istio": {key: {"a": None}}})

    assert merge(kept, {"istio": {key: {"a": None}}}) == {"istio": {key: {}}}


@pytest.mark.parametrize("key", [*KEEPS_NULL, "profile", "metadata"])
def test_null_for_a_whole_field_of_istio_is_never_kept(key: str) -> None:
    assert merge({}, {"istio": {key: None}}) == {"istio": {}}


def test_null_outside_of_them_is_never_kept() -> None:
    assert merge({}, {"istio": {"metadata": {"labels": {"a": None}}}, "addons": {"kiali": {"resources": None}}}) == {
        "istio": {"metadata": {"labels": {}}},
        "addons": {"kiali": {}},
    }


@pytest.mark.parametrize("kind", ["ingressGateways", "egressGateways"])
class TestGateways:
    def test_a_list_replaces_the_whole_list(self, kind: str) -> None:
        lower = gateways(kind, [{"name": "a"}, {"name": "b"}])

        assert merge(lower, gateways(kind, [{"name": "c"}])) == gateways(kind, [{"name": "c"}])

    def test_a_list_replaces_a_map(self, kind: str) -> None:
        lower = gateways(kind, {"a": {"enabled": True}})

        assert merge(lower, gateways(kind, [{"name": "c"}])) == gateways(kind, [{"name": "c"}])

    def test_a_map_merges_into_a_list_by_name(self, kind: str) -> None:
        lower = gateways(kind, [{"name": "a", "enabled": True, "k8s": {"replicaCount": 1}}, {"name": "b"}])

        merged = merge(lower, gateways(kind, {"a": {"k8s": {"replicaCount": 3}}, "c": {"enabled": False}}))

        assert merged == gateways(
            kind,
            {
                "a": {"name": "a", "enabled": True, "k8s": {"replicaCount": 3}},
                "b": {"name": "b"},
                "c": {"enabled": False},
            },
        )

    def test_a_map_merges_into_a_map_by_name(self, kind: str) -> None:
        lower = gateways(kind, {"a": {"enabled": True}})

        assert merge(lower, gateways(kind, {"a": {"namespace": "x"}, "b": {}})) == gateways(
            kind, {"a": {"enabled": True, "namespace": "x"}, "b": {}}
        )

    def test_null_takes_a_gateway_out_of_a_list_and_of_a_map(self, kind: str) -> None:
        patch = gateways(kind, {"a": None})

        assert merge(gateways(kind, [{"name": "a"}, {"name": "b"}]), patch) == gateways(kind, {"b": {"name": "b"}})
        assert merge(gateways(kind, {"a": {}, "b": {}}), patch) == gateways(kind, {"b": {}})

    def test_null_for_a_gateway_that_nobody_has_is_nothing(self, kind: str) -> None:
        assert merge({}, gateways(kind, {"a": None})) == gateways(kind, {})

    def test_null_inside_a_gateway_stays(self, kind: str) -> None:
        patch = gateways(kind, {"a": {"k8s": {"hpaSpec": None}}})

        assert merge({}, patch) == patch


def test_neither_layer_is_changed() -> None:
    lower = {"istio": {"meshConfig": {"a": {"b": [1]}}, "components": {"ingressGateways": [{"name": "a", "k8s": {}}]}}}
    upper = {"istio": {"meshConfig": {"a": {"c": None}}, "components": {"ingressGateways": {"a": {"k8s": {"x": 1}}}}}}
    before = deepcopy((lower, upper))

    merge(lower, upper)

    assert (lower, upper) == before


def test_what_a_patch_does_not_touch_is_shared() -> None:
    lower = {"istio": {"meshConfig": {"a": 1}, "values": {"b": 1}}, "addons": {"kiali": {}}}

    merged = merge(lower, {"istio": {"meshConfig": {"a": 2}}})

    assert merged["addons"] is lower["addons"]
    assert merged["istio"]["values"] is lower["istio"]["values"]


def gateways(kind: str, value: Any) -> dict[str, Any]:
    return {"istio": {"components": {kind: value}}}
