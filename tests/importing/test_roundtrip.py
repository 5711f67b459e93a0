"""Whatever an IstioOperator says, its import says it again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.build.istiooperator import istio_operator
from meshgen.errors import InputError
from meshgen.importing.story import import_config
from tests.importing.inputs import decoded, imported, operator, rendered, value_of
from tests.installs.proof import NAMES
from tests.installs.proof import settings as settings_of

START = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
# What kustomize can't carry, the reader refuses; test_strings tells which.
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs", "Cc"]), max_size=20)
KEYS = TEXTS.filter(lambda key: key != "<<")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values=st.dictionaries(st.from_regex(r"[a-z][a-zA-Z]{0,8}", fullmatch=True), VALUES, min_size=1, max_size=4))
def test_any_values_come_back(values: dict[str, Any]):
    # The charts' own maps are looked at even here.
    values = {key: value for key, value in values.items() if key not in ("global", "pilot", "gateways", "cni")}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "meshgen.yaml")

        found = imported(config, operator({"unvalidatedValues": values}))

        assert [one for one in found.findings if one.severity == "error"] == []
        (obj,) = rendered(found, config).values()
        assert obj["spec"] == {"unvalidatedValues": values}
        assert found.differences == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_mesh_of_the_installation_table_comes_back(name: str, tmp_path: Path):
    istio = settings_of(name)
    sent = istio_operator("example", istio)
    config = tmp_path / "meshgen.yaml"

    found = imported(config, sent, version=istio["version"])

    (obj,) = rendered(found, config).values()
    assert (obj["spec"], obj["metadata"]) == (decoded(sent["spec"]), sent["metadata"])
    assert found.differences == ()


def test_an_explicit_null_stays_one(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    spec = {"values": {"global": {"mountMtlsCerts": None}}, "meshConfig": {"defaultConfig": None}, "hub": None}

    (obj,) = rendered(imported(config, operator(spec)), config).values()

    assert obj["spec"] == {"values": spec["values"], "meshConfig": spec["meshConfig"]}


def test_what_charts_cannot_carry_is_installed_by_istioctls_manifests(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    overlay = {"kind": "Deployment", "name": "istiod", "patches": [{"path": "spec.[a:b].c", "value": "x"}]}
    spec = {"components": {"pilot": {"k8s": {"overlays": [overlay]}}}}

    found = imported(config, operator(spec), version="1.30.3")

    assert value_of(found, config)["istio"]["install"] == "manifests"
    (said,) = found.findings
    assert (said.rule, said.severity, said.file) == ("MG807", "info", "input-0.yaml")
    assert "install: manifests" not in (said.hint or "")
    (obj,) = rendered(found, config).values()
    assert obj["spec"] == spec


def test_where_charts_can_carry_all_the_default_stays(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    assert "install" not in value_of(imported(config, operator({}), version="1.30.3"), config)["istio"]


def test_a_gateway_without_a_name_is_istios_own(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    spec = {"components": {"ingressGateways": [{"enabled": True, "k8s": {"replicaCount": 2}}]}}

    (obj,) = rendered(imported(config, operator(spec)), config).values()

    assert obj["spec"] == spec


def test_keys_that_are_numbers_are_texts_as_to_kubernetes(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    text = (
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n  unvalidatedValues: {ports: {80: http}}\n"
    )

    assert value_of(imported(config, text), config)["istio"]["unvalidatedValues"] == {"ports": {"80": "http"}}


def test_the_text_of_a_config_is_read_by_any_reader_as_its_value(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    path = tmp_path / "operator.yaml"
    path.write_text(f"{START}spec: # two\n  tag: 1.11.3\n  profile: demo # three\n", encoding="utf-8")

    written = import_config([path], config).files[config]

    assert yaml.safe_load(written)["istio"] == {"version": "1.11.3", "tag": "1.11.3", "profile": "demo"}
    assert [line for line in written.splitlines() if "# t" in line] == ["istio: # two", "  profile: demo # three"]


def test_an_empty_text_says_nothing(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, operator({"profile": "", "hub": "", "revision": "", "tag": ""}))

    assert value_of(found, config)["istio"] == {"version": "1.11.3"}
    assert {one.why for one in found.differences} == {"it says nothing at this place"}


def test_a_null_that_takes_the_profiles_values_away_is_told_apart_from_one_that_says_nothing(tmp_path: Path):
    old = imported(tmp_path / "meshgen.yaml", operator({"values": None}))
    new = imported(tmp_path / "meshgen.yaml", operator({"values": None}), version="1.30.3")

    assert [one.why for one in old.differences] == ["it says nothing at this place"]
    assert "takes away all that the profile says" in new.differences[0].why


def test_a_namespace_that_istioctl_does_not_look_at_is_left_out(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"

    found = imported(config, operator({"namespace": "mesh"}), version="1.30.3")

    assert "namespace" not in value_of(found, config)["istio"]
    assert [one.rule for one in found.findings] == ["MG806"]
    assert [one.path for one in found.differences] == ["spec.namespace"]
    assert found.differences[0].why


@pytest.mark.parametrize("volume", [{"name": "a", "configMapName": "b", "mountPath": "/c"}, {"name": "a"}, {}])
def test_volumes_of_a_gateway_are_taken_or_left_to_istioctl(tmp_path: Path, volume: dict[str, str]):
    config = tmp_path / "meshgen.yaml"
    values = {"gateways": {"istio-ingressgateway": {"configVolumes": [volume]}}}

    found = imported(config, operator({"values": values}), version="1.30.3")

    by_charts = "install" not in value_of(found, config)["istio"]
    assert by_charts is (len(volume) == 3)


@pytest.mark.parametrize(
    ("written", "meant"), [("yes", True), ("on", True), ("n", False), ("Off", False), ("0644", 420), ("0o644", None)]
)
def test_what_readers_disagree_on_is_what_istioctl_takes_it_for(tmp_path: Path, written: str, meant: Any):
    config = tmp_path / "meshgen.yaml"
    text = f"{START}spec:\n  tag: 1.20.3\n  unvalidatedValues: {{a: {written}}}\n"

    if meant is None:
        with pytest.raises(InputError) as refused:
            imported(config, text, version=None)
        assert [one.rule for one in refused.value.findings] == ["MG001"]
        return
    found = imported(config, text, version=None)

    assert value_of(found, config)["istio"]["unvalidatedValues"] == {"a": meant}
    (said,) = found.findings
    assert (said.rule, said.severity, said.line, said.column) == ("MG809", "info", 5, 26)
