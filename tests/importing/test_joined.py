"""Several IstioOperators that install one mesh: a control plane, and gateways in files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.errors import InputError
from tests.importing.inputs import imported, operator, rendered, value_of

MAIN = {"profile": "default", "hub": "docker.io/istio", "meshConfig": {"accessLogFile": "/dev/stdout"}}


def gateway(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "enabled": True, **fields}


def of_gateways(*gateways: dict[str, Any], kind: str = "ingressGateways", **spec: Any) -> dict[str, Any]:
    return operator({"profile": "empty", "components": {kind: list(gateways)}, **spec}, name="gateways")


def refused(tmp_path: Path, *objects: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(InputError) as error:
        imported(tmp_path / "meshgen.yaml", *objects)
    return [(one.rule, one.file, one.path) for one in error.value.findings]


def test_gateways_of_other_files_join_those_of_the_control_plane(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    own = {**MAIN, "components": {"ingressGateways": [gateway("istio-ingressgateway")]}}

    found = imported(config, operator(own), of_gateways(gateway("second", namespace="edge")))

    (obj,) = rendered(found, config).values()
    gateways = [gateway("istio-ingressgateway"), gateway("second", namespace="edge")]
    assert obj["spec"] == {**own, "components": {"ingressGateways": gateways}}
    assert [one.path for one in found.differences] == ["spec.components.ingressGateways"]
    assert all(one.why == "with the gateways of input-1.yaml" for one in found.differences)
    becomes, shared = found.findings
    assert (becomes.rule, becomes.severity, becomes.file) == ("MG805", "info", "input-1.yaml")
    assert "delete it once the config is applied" in str(becomes.hint)
    assert (shared.rule, shared.severity) == ("MG805", "warning")
    assert "get hub, meshConfig of input-0.yaml" in shared.message


def test_the_file_of_gateways_may_come_first(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, of_gateways(gateway("second")), operator(MAIN))

    assert value_of(found, config)["metadata"]["name"] == "example"


def test_gateways_live_where_their_file_says(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, operator(MAIN), of_gateways(gateway("second"), namespace="edge"))

    listed = value_of(found, config)["istio"]["components"]["ingressGateways"]
    assert listed == [gateway("second", namespace="edge")]


def test_the_profiles_own_gateway_stays_where_a_list_would_replace_it(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, operator(MAIN), of_gateways(gateway("second")), version="1.30.3")

    listed = value_of(found, config)["istio"]["components"]["ingressGateways"]
    assert listed == [gateway("istio-ingressgateway"), gateway("second")]


def test_settings_that_gateways_share_with_the_control_plane_are_no_hindrance(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, operator(MAIN), of_gateways(gateway("out"), kind="egressGateways", hub=MAIN["hub"]))

    assert value_of(found, config)["istio"]["components"] == {"egressGateways": [gateway("out")]}


def test_other_settings_than_the_control_planes_are_refused(tmp_path: Path):
    other = of_gateways(gateway("second"), hub="example.com/istio", values={"global": {"network": "n"}})

    assert refused(tmp_path, operator(MAIN), other) == [
        ("MG805", "input-1.yaml", "/spec/hub"),
        ("MG805", "input-1.yaml", "/spec/values"),
    ]


def test_another_revision_is_a_config_of_its_own(tmp_path: Path):
    found = refused(tmp_path, operator(MAIN), operator({**MAIN, "revision": "canary"}, name="canary"))

    assert found == [("MG805", "input-1.yaml", "/spec/revision")]


def test_two_control_planes_are_no_mesh(tmp_path: Path):
    assert refused(tmp_path, operator(MAIN), operator(MAIN, name="other")) == [("MG805", "input-1.yaml", "/spec")]


def test_a_second_istiooperator_in_a_file_is_refused_as_istioctl_does(tmp_path: Path):
    text = "\n---\n".join(["apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {}"] * 2)

    with pytest.raises(InputError) as error:
        imported(tmp_path / "meshgen.yaml", text)

    (found,) = error.value.findings
    assert (found.rule, found.line, found.column) == ("MG801", 5, 1)


def test_a_problem_of_a_joined_gateway_is_said_in_its_own_file(tmp_path: Path):
    broken = of_gateways(gateway("second", k8s={"replicaCount": "many"}))

    assert refused(tmp_path, operator(MAIN), broken) == [
        ("MG103", "input-1.yaml", "/spec/components/ingressGateways/0/k8s/replicaCount")
    ]
