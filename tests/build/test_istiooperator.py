"""The IstioOperator: what the config says of Istio and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.build.istiooperator import istio_operator
from meshgen.layout.values import same
from tests.objects import (
    Object,
    assert_built_is_shown,
    mesh,
    meshgen,
    of_kind,
    overlay,
    render_config,
    shown,
    write_config,
)


def resource(folder: Path, kubectl: Path, istio: Object, *overlays: Object, cluster: str = "msa") -> Object:
    """The IstioOperator as kubectl builds it."""
    tree = render_config(folder, mesh(istio={"version": "1.11.3", **istio}), *overlays)
    (found,) = of_kind(assert_built_is_shown(kubectl, tree)[cluster], "IstioOperator").values()
    return found


def patched(**istio: Any) -> Object:
    return overlay("dev", patch={"istio": istio}, clusters={"a": None})


def test_what_the_config_does_not_say_is_not_in_the_object(kubectl: Path, tmp_path: Path):
    assert resource(tmp_path, kubectl, {}) == {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "msa", "namespace": "istio-system"},
        "spec": {},
    }


def test_every_field_of_the_spec_stands_under_its_own_name(kubectl: Path, tmp_path: Path):
    istio = {
        "profile": "demo",
        "installPackagePath": "/charts",
        "hub": "h",
        "tag": "t",
        "resourceSuffix": "x",
        "namespace": "mesh-system",
        "revision": "canary",
        "defaultRevision": True,
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "components": {"pilot": {"enabled": True}},
        "addonComponents": {"x": {"enabled": False}},
        "values": {"global": {"proxy": {"logLevel": "info"}}},
        "unvalidatedValues": {"a": [1, None, {"b": 1.5}]},
    }
    found = resource(tmp_path, kubectl, istio)

    assert same(found["spec"], istio)
    assert found["metadata"] == {"name": "msa", "namespace": "mesh-system"}


def test_meshgens_own_keys_are_not_fields_of_the_spec():
    istio = {"version": "1.11.3", "install": "operator", "metadata": {"name": "x", "labels": {"a": "b"}}}

    found = istio_operator("msa", istio)

    assert found["spec"] == {}
    assert found["metadata"] == {"name": "x", "namespace": "istio-system", "labels": {"a": "b"}}


@pytest.mark.parametrize(
    "gateways",
    [
        {"istio-ingressgateway": {"enabled": True}, "second": {"k8s": {"replicaCount": 2}}},
        [{"name": "istio-ingressgateway", "enabled": True}, {"name": "second", "k8s": {"replicaCount": 2}}],
    ],
)
def test_a_map_of_gateways_and_a_list_become_the_same_list(kubectl: Path, tmp_path: Path, gateways: Any):
    found = resource(tmp_path, kubectl, {"components": {"ingressGateways": gateways}})

    assert found["spec"]["components"]["ingressGateways"] == [
        {"name": "istio-ingressgateway", "enabled": True},
        {"name": "second", "k8s": {"replicaCount": 2}},
    ]


def test_a_map_over_a_list_merges_by_name(kubectl: Path, tmp_path: Path):
    below = [{"name": "a", "enabled": True, "k8s": {"replicaCount": 1}}, {"name": "b", "enabled": True}]
    above = patched(components={"egressGateways": {"a": {"k8s": {"replicaCount": 2}}, "b": None, "c": {}}})
    found = resource(tmp_path, kubectl, {"components": {"egressGateways": below}}, above, cluster="a")

    assert found["spec"]["components"]["egressGateways"] == [
        {"name": "a", "enabled": True, "k8s": {"replicaCount": 2}},
        {"name": "c"},
    ]


def test_a_list_replaces_a_map_whole(kubectl: Path, tmp_path: Path):
    above = patched(components={"egressGateways": [{"name": "z"}]})
    found = resource(
        tmp_path, kubectl, {"components": {"egressGateways": {"a": {"enabled": True}}}}, above, cluster="a"
    )

    assert found["spec"]["components"]["egressGateways"] == [{"name": "z"}]


def test_null_takes_away_what_a_lower_layer_set_and_stays_where_none_did(kubectl: Path, tmp_path: Path):
    below = {
        "values": {"global": {"logAsJson": True, "proxy": {"privileged": True}}},
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "hub": "h",
    }
    above = patched(
        values={"global": {"logAsJson": None, "proxy": {"privileged": None}, "network": None}},
        meshConfig=None,
        hub=None,
    )
    found = resource(tmp_path, kubectl, below, above, cluster="a")

    assert found["spec"] == {"values": {"global": {"proxy": {}, "network": None}}}


def test_types_that_are_equal_to_python_stay_what_they_are(kubectl: Path, tmp_path: Path):
    below = {"a": True, "b": 1, "c": 0, "d": False, "e": "1", "f": 1.5, "g": [True, 1], "h": [1, True]}
    above = {"a": 1, "b": True, "c": False, "d": 0, "e": 1, "f": "1.5", "g": [1, True], "h": [True, 1]}
    found = resource(
        tmp_path,
        kubectl,
        {"values": {"pilot": {"env": below}}},
        patched(values={"pilot": {"env": above}}),
        cluster="a",
    )

    assert same(found["spec"]["values"], {"pilot": {"env": above}})


def test_namespaces_that_the_mesh_needs_are_made_before_it(kubectl: Path, tmp_path: Path):
    istio = {
        "version": "1.11.3",
        "metadata": {"namespace": "operators"},
        "components": {
            "pilot": {"namespace": "pilots"},
            "cni": {"namespace": "kube-system"},
            "ingressGateways": {"a": {"namespace": "edge"}, "b": {"enabled": False, "namespace": "unused"}},
        },
    }
    tree = render_config(tmp_path, mesh(istio=istio))
    objects = assert_built_is_shown(kubectl, tree)["msa"]

    assert set(of_kind(objects, "Namespace")) == {"istio-system", "istio-operator", "operators", "pilots", "edge"}
    assert {entry["stage"] for entry in shown(tmp_path, "namespace")} == {"namespaces"}


def test_a_mesh_in_the_operators_own_namespace_names_it_once(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(istio={"version": "1.11.3", "namespace": "istio-operator"}))

    assert set(of_kind(assert_built_is_shown(kubectl, tree)["msa"], "Namespace")) == {"istio-operator"}


@pytest.mark.parametrize("key", ["true", "1", "1.5", "2021-01-01", "null", "", "config.kubernetes.io/local-config"])
def test_annotations_that_kustomize_fails_on_are_refused_with_their_position(tmp_path: Path, key: str):
    exposed = {"kiali": {"internal": None, "annotations": {key: "x"}}}
    write_config(
        tmp_path,
        mesh(
            istio={"version": "1.11.3", "metadata": {"annotations": {key: "x"}}}, addons={"kiali": {}}, expose=exposed
        ),
    )

    done = meshgen("validate", cwd=tmp_path)

    assert done.returncode == 1
    assert "MG404: istio.metadata.annotations" in done.stdout
    assert "MG404: expose.kiali.annotations" in done.stdout
    assert "meshgen.yaml:" in done.stdout


@pytest.mark.parametrize("section", ["meshConfig", "values", "unvalidatedValues"])
def test_a_key_that_kustomize_takes_for_a_merge_is_refused(tmp_path: Path, section: str):
    write_config(tmp_path, mesh(istio={"version": "1.11.3", section: {"a": [{"<<": {"b": 1}}]}}))

    done = meshgen("validate", cwd=tmp_path)

    assert done.returncode == 1
    assert "meshgen.yaml:12:6: error MG001" in done.stdout
