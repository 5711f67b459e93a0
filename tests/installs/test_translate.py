"""How an IstioOperator becomes components with chart values, rule by rule; the real istioctl confirms it elsewhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshgen.build.charts import istio_releases
from meshgen.build.quantity import cpu
from meshgen.build.translate import Component, translate
from meshgen.catalog import release
from tests.objects import Object

HUB = "docker.io/istio"


def components(**istio: Any) -> dict[str, Component]:
    return {one.name: one for one in translate({"version": "1.31.0", **istio}, hub=HUB)}


def values(component: str = "pilot", **istio: Any) -> Object:
    return components(**istio)[component].values


def releases(**istio: Any) -> dict[str, tuple[str, ...]]:
    """The names of the Helm releases, each with those that it waits for."""
    settings = {"version": "1.31.0", **istio}
    found, _ = istio_releases(translate(settings, hub=HUB), settings, release("1.31"))
    return {one.name: one.after for one in found}


@pytest.mark.parametrize(
    ("profile", "installed"),
    [
        ("default", ["base", "pilot", "istio-ingressgateway"]),
        ("demo", ["base", "pilot", "istio-ingressgateway", "istio-egressgateway"]),
        ("minimal", ["base", "pilot"]),
        ("ambient", ["base", "cni", "pilot", "ztunnel"]),
        ("empty", []),
    ],
)
def test_a_profile_decides_what_is_installed_and_in_which_order(profile: str, installed: list[str]):
    assert list(components(profile=profile)) == installed


def test_a_profile_lies_over_the_default_one_and_the_users_values_over_both():
    assert values(profile="ambient")["profile"] == "ambient"
    found = values(profile="openshift", values={"global": {"platform": "gke"}})["global"]
    assert found == {
        "istioNamespace": "istio-system",
        "configValidation": True,
        "platform": "gke",
        "hub": HUB,
        "tag": "1.31.0",
    }


def test_fields_of_the_spec_are_moved_into_the_values():
    istio = {"hub": "example.com/istio", "tag": "1.31.0-debug", "revision": "canary", "compatibilityVersion": "1.29"}
    found = values(**istio)

    assert (found["global"]["hub"], found["global"]["tag"]) == ("example.com/istio", "1.31.0-debug")
    assert (found["revision"], found["compatibilityVersion"]) == ("canary", "1.29")


def test_the_users_values_win_over_what_is_moved_into_maps_of_the_profile():
    found = values(tag="a", revision="a", values={"global": {"tag": "b"}, "revision": "b"})

    assert (found["global"]["tag"], found["revision"]) == ("b", "b")


def test_mesh_config_and_enabled_components_win_over_values_in_maps_that_the_profile_lacks():
    found = values(
        meshConfig={"accessLogEncoding": "JSON"},
        values={
            "meshConfig": {"accessLogEncoding": "TEXT", "rootNamespace": "root"},
            "pilot": {"cni": {"enabled": True}, "traceSampling": 5},
        },
    )

    assert found["meshConfig"] == {"accessLogEncoding": "JSON", "rootNamespace": "root"}
    assert found["pilot"] == {"cni": {"enabled": False}, "traceSampling": 5, "enabled": True}


def test_unvalidated_values_win_over_everything():
    found = values(
        meshConfig={"accessLogEncoding": "JSON"},
        values={"global": {"tag": "b"}},
        unvalidatedValues={"meshConfig": {"accessLogEncoding": "TEXT"}, "global": {"tag": "c"}},
    )

    assert found["meshConfig"]["accessLogEncoding"] == "TEXT"
    assert found["global"]["tag"] == "c"


def test_a_null_stays_for_helm_reads_it_as_without_the_charts_default():
    found = values(
        values={"pilot": {"resources": None}, "global": {"variant": None}}, meshConfig={"rootNamespace": None}
    )

    assert found["pilot"]["resources"] is None
    assert found["global"]["variant"] is None
    assert found["meshConfig"] == {"rootNamespace": None}


def test_ztunnels_values_stand_at_the_top():
    found = values("ztunnel", profile="ambient", values={"ztunnel": {"logLevel": "debug"}, "pilot": {"env": {}}})

    assert found["logLevel"] == "debug"
    assert found["global"]["hub"] == HUB
    assert not {"pilot", "ztunnel", "gateways"} & set(found)


def test_sizes_reach_the_values_of_their_own_component_alone():
    k8s = {"hpaSpec": {"minReplicas": 2, "maxReplicas": 4}, "replicaCount": 3, "resources": {"limits": {"cpu": "0.5"}}}
    found = components(components={"pilot": {"k8s": k8s, "tag": "own"}})

    assert found["pilot"].values["pilot"] == {
        "enabled": True,
        "cni": {"enabled": False},
        "autoscaleMin": 2,
        "autoscaleMax": 4,
        "replicaCount": 3,
        "resources": {"limits": {"cpu": "500m"}},
        "tag": "own",
    }
    assert found["base"].values["pilot"] == {"enabled": True, "cni": {"enabled": False}}


def test_a_gateway_that_is_not_enabled_is_not_installed():
    gateways = [{"name": "one", "enabled": True, "namespace": "edge"}, {"name": "two", "enabled": False}]
    found = components(components={"ingressGateways": gateways})

    assert list(found) == ["base", "pilot", "one"]
    assert found["one"].namespace == "edge"


def test_a_revision_is_in_the_name_of_istiods_release_and_of_what_waits_for_it():
    assert releases(revision="canary") == {
        "istio-base": (),
        "istiod-canary": ("istio-base",),
        "istio-ingressgateway": ("istiod-canary",),
    }


@pytest.mark.parametrize(
    ("quantity", "spelled"),
    [
        (1, "1"),
        ("1000m", "1"),
        (0.5, "500m"),
        ("1.5", "1500m"),
        (".1", "100m"),
        ("2000", "2k"),
        ("0.0005", "500u"),
        ("0", "0"),
        ("1Ki", "1Ki"),
        ("much", "much"),
    ],
)
def test_cpu_is_spelled_as_kubernetes_spells_it(quantity: str | float, spelled: str):
    assert cpu(quantity) == spelled


@given(st.integers(1, 10**15))
def test_cpu_keeps_its_amount_and_is_spelled_one_way(nanos: int):
    spelled = cpu(f"{nanos}n")

    assert cpu(spelled) == spelled
    assert cpu(f"{Decimal(nanos).scaleb(-9):f}") == spelled
    powers = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6}
    number, power = (spelled[:-1], powers[spelled[-1]]) if spelled[-1] in powers else (spelled, 0)
    assert Decimal(number).scaleb(power) == Decimal(nanos).scaleb(-9)
