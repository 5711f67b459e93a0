"""`expose` of a gateway: the field of its install method says what was asked for, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.errors import InputError
from meshgen.render import BuiltMesh, build_mesh
from tests.objects import Object, mesh, of_kind, overlay, write_config

OPEN: Object = {"sourceRanges": ["10.0.0.0/8"]}


def built(folder: Path, istio: Object, expose: Object, *overlays: Object) -> BuiltMesh:
    return build_mesh(write_config(folder, mesh(istio=istio, expose=expose), *overlays))


def objects(mesh: BuiltMesh, cluster: str = "msa") -> list[Object]:
    return [obj for one in mesh.clusters if one.cluster.name == cluster for obj in one.built.objects]


def gateways(mesh: BuiltMesh, kind: str = "ingressGateways", cluster: str = "msa") -> dict[str, Object]:
    """The gateways of the IstioOperator, by name."""
    (resource,) = of_kind(objects(mesh, cluster), "IstioOperator").values()
    return {gateway["name"]: gateway for gateway in resource["spec"].get("components", {}).get(kind, [])}


def values(mesh: BuiltMesh, cluster: str = "msa") -> dict[str, Object]:
    """The chart values of each release of the gateways' stage."""
    (one,) = (one for one in mesh.clusters if one.cluster.name == cluster)
    return {release.name: release.values for release in one.built.stages[-1].releases}


def test_the_operator_reads_it_in_the_gateways_own_service(tmp_path: Path):
    expose = {"istio-ingressgateway": {**OPEN, "externalTrafficPolicy": "Local", "annotations": {"a": "b"}}}

    opened = gateways(built(tmp_path, {"version": "1.11.3"}, expose))

    assert opened == {
        "istio-ingressgateway": {
            "name": "istio-ingressgateway",
            "k8s": {
                "service": {
                    "type": "LoadBalancer",
                    "externalTrafficPolicy": "Local",
                    "loadBalancerSourceRanges": ["10.0.0.0/8"],
                },
                "serviceAnnotations": {"a": "b"},
            },
        }
    }


def test_what_the_old_api_lacks_becomes_an_overlay_of_the_service(tmp_path: Path):
    expose = {"istio-ingressgateway": {**OPEN, "loadBalancerClass": "example.com/lb"}}

    k8s = gateways(built(tmp_path, {"version": "1.11.3"}, expose))["istio-ingressgateway"]["k8s"]

    assert "loadBalancerClass" not in k8s["service"]
    assert k8s["overlays"] == [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "name": "istio-ingressgateway",
            "patches": [{"path": "spec.loadBalancerClass", "value": "example.com/lb"}],
        }
    ]


def test_overlays_of_ones_own_stay_before_that_of_the_service(tmp_path: Path):
    own = {"kind": "Deployment", "name": "istio-ingressgateway", "patches": [{"path": "spec.paused", "value": True}]}
    components = {"ingressGateways": {"istio-ingressgateway": {"enabled": True, "k8s": {"overlays": [own]}}}}
    expose = {"istio-ingressgateway": {**OPEN, "loadBalancerClass": "example.com/lb"}}

    mesh = built(tmp_path, {"version": "1.20.8", "components": components}, expose)

    kinds = [one["kind"] for one in gateways(mesh)["istio-ingressgateway"]["k8s"]["overlays"]]
    assert kinds == ["Deployment", "Service"]


def test_helm_reads_it_in_the_charts_values(tmp_path: Path):
    expose = {
        "istio-ingressgateway": {
            **OPEN,
            "externalTrafficPolicy": "Local",
            "ports": ["https"],
            "annotations": {"a": "b"},
        }
    }

    service = values(built(tmp_path, {"version": "1.30.3"}, expose))["istio-ingressgateway"]["service"]

    assert (service["type"], service["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert service["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert service["annotations"] == {"a": "b"}
    assert [(port["name"], port["port"]) for port in service["ports"]] == [("https", 443)]


def test_helm_gets_a_load_balancers_class_though_the_chart_may_lack_a_value_for_it(tmp_path: Path):
    expose = {"istio-ingressgateway": {**OPEN, "loadBalancerClass": "example.com/lb"}}

    mesh = built(tmp_path, {"version": "1.30.3"}, expose)

    release = of_kind(objects(mesh), "HelmRelease")["istio-ingressgateway"]
    assert "loadBalancerClass: example.com/lb" in str(release["spec"]) or (
        release["spec"]["values"]["service"].get("loadBalancerClass") == "example.com/lb"
    )


@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
@pytest.mark.parametrize("listed", [False, True], ids=["map", "list"])
def test_a_gateway_is_found_by_its_name_however_it_is_spelled(tmp_path: Path, version: str, listed: bool):
    named: Object = {"edge": {"enabled": True, "namespace": "edge", "label": {"app": "edge"}}, "other": {}}
    spelled: Any = [{"name": name, **one} for name, one in named.items()] if listed else named
    istio = {"version": version, "components": {"ingressGateways": spelled}}

    mesh = built(tmp_path, istio, {"edge.edge": {"type": "NodePort"}})

    (one,) = mesh.clusters
    settings = one.built.istioctl_input or of_kind(objects(mesh), "IstioOperator")["msa"]
    found = {gateway["name"]: gateway for gateway in settings["spec"]["components"]["ingressGateways"]}
    if version == "1.11.3":
        assert found["edge"]["k8s"] == {"service": {"type": "NodePort"}}
    else:
        assert values(mesh)["edge"]["service"]["type"] == "NodePort"
        assert values(mesh)["edge"]["labels"] == {"app": "edge", "istio": "ingressgateway"}
    assert "k8s" not in found["other"]


def test_an_egress_gateway_is_opened_where_the_profile_brings_it(tmp_path: Path):
    expose = {"istio-egressgateway": OPEN}

    by_operator = built(tmp_path / "a", {"version": "1.11.3", "profile": "demo"}, expose)
    by_helm = built(tmp_path / "b", {"version": "1.30.3", "profile": "demo"}, expose)

    service = gateways(by_operator, "egressGateways")["istio-egressgateway"]["k8s"]["service"]
    assert service == {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}
    assert values(by_helm)["istio-egressgateway"]["service"]["type"] == "LoadBalancer"


def test_other_gateways_and_the_control_plane_stay_as_they_are(tmp_path: Path):
    istio = {"version": "1.30.3", "profile": "demo"}

    closed = built(tmp_path / "closed", istio, {})
    opened = built(tmp_path / "opened", istio, {"istio-ingressgateway": OPEN})

    before, after = (of_kind(objects(mesh), "HelmRelease") for mesh in (closed, opened))
    assert set(before) == set(after)
    assert {name for name in before if before[name] != after[name]} == {"istio-ingressgateway"}


@pytest.mark.parametrize("version", ["1.20.8", "1.24.6", "1.31.0"])
def test_each_cloud_says_internal_in_its_own_annotation(tmp_path: Path, version: str):
    clusters = {"on-aws": {"cloud": "aws"}, "on-azure": {"cloud": "azure"}}
    expose = {"istio-ingressgateway": {"internal": True}}

    mesh = built(tmp_path, {"version": version}, expose, overlay("dev", clusters=clusters))

    for cluster, word in (("on-aws", "aws-load-balancer"), ("on-azure", "azure-load-balancer-internal")):
        if version == "1.20.8":
            annotations = gateways(mesh, cluster=cluster)["istio-ingressgateway"]["k8s"]["serviceAnnotations"]
        else:
            annotations = values(mesh, cluster)["istio-ingressgateway"]["service"]["annotations"]
        assert annotations
        assert all(word in key for key in annotations)


def test_a_service_that_the_config_describes_keeps_what_expose_does_not_change(tmp_path: Path):
    service = {"type": "LoadBalancer", "ports": [{"name": "tcp", "port": 31400}], "loadBalancerIP": "10.1.2.3"}
    components = {"ingressGateways": {"istio-ingressgateway": {"enabled": True, "k8s": {"service": service}}}}

    mesh = built(
        tmp_path, {"version": "1.11.3", "components": components}, {"istio-ingressgateway": {"type": "NodePort"}}
    )

    # The API server refuses a load balancer's address for another type.
    assert gateways(mesh)["istio-ingressgateway"]["k8s"]["service"] == {
        "type": "NodePort",
        "ports": [{"name": "tcp", "port": 31400}],
    }


def test_a_gateway_that_is_switched_off_can_not_be_opened(tmp_path: Path):
    components = {"ingressGateways": {"istio-ingressgateway": {"enabled": False}}}

    with pytest.raises(InputError) as error:
        built(tmp_path, {"version": "1.11.3", "components": components}, {"istio-ingressgateway": OPEN})

    assert [finding.rule for finding in error.value.findings] == ["MG301"]


@pytest.mark.parametrize(
    ("components", "names"),
    [
        ({}, {"istio-ingressgateway"}),
        ({"ingressGateways": {"edge": {}}}, {"istio-ingressgateway", "edge"}),
        ({"ingressGateways": {"edge": {}, "istio-ingressgateway": {"enabled": False}}}, {"edge"}),
        ({"ingressGateways": [{"name": "edge"}]}, {"edge"}),
        ({"egressGateways": {"out": {}}}, {"istio-ingressgateway", "out"}),
    ],
)
def test_a_map_adds_to_the_profiles_gateways_and_a_list_takes_their_place(
    tmp_path: Path, components: Object, names: set[str]
):
    mesh = built(tmp_path, {"version": "1.24.6", "components": components}, {})

    assert set(values(mesh)) == names


def test_opening_the_profiles_gateway_keeps_the_one_beside_it(tmp_path: Path):
    istio = {"version": "1.24.6", "components": {"ingressGateways": {"edge": {}}}}

    mesh = built(tmp_path, istio, {"istio-ingressgateway": OPEN})

    assert set(values(mesh)) == {"istio-ingressgateway", "edge"}
    assert values(mesh)["istio-ingressgateway"]["service"]["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert "loadBalancerSourceRanges" not in values(mesh)["edge"].get("service", {})
