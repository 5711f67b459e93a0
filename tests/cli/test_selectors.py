"""What `show`, `images`, `explain` and `validate` choose, and what they say where nothing is so called."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from meshgen.cli.formats import FORMATS
from tests.objects import Object, copy_example, mesh, meshgen, output_of, overlay, shown, write_config


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh of two clusters, whose second one runs an Istio that no operator installs."""
    folder = tmp_path_factory.mktemp("newer")
    clusters: Object = {"old": None, "new": {"patch": {"istio": {"version": "1.30.3", "profile": "ambient"}}}}
    istio = {"version": "1.11.3", "hub": "example.com:5000/istio", "tag": "1.11.3-distroless"}
    write_config(folder, mesh(istio=istio, addons={"kiali": {}}), overlay("all", clusters=clusters))
    return folder


def refusals(folder: Path, *args: str) -> list[str]:
    """The lines on stderr of a command that exits with 1 and prints nothing."""
    done = meshgen(*args, cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def test_a_kind_or_a_name_is_found_in_any_case(example: Path):
    assert shown(example, "--cluster", "dev", "SERVICE/Kiali") == shown(example, "--cluster", "dev", "service/kiali")


def test_a_name_that_no_object_of_its_kind_has_is_guessed_among_their_names(example: Path):
    said = refusals(example, "show", "-q", "Service/kial")

    assert said[0] == "error MG701: no object matches Service/kial"
    assert said[1].startswith('  hint: did you mean "kiali"? One of grafana, ')


def test_every_selector_that_matches_nothing_is_named(example: Path):
    said = "\n".join(refusals(example, "show", "-q", "Service/kiali", "Servce", "Deployment/x"))

    assert "no object matches Servce" in said
    assert "no object matches Deployment/x" in said
    assert "no object matches Service/kiali" not in said


def test_a_name_without_its_kind_is_answered_with_both(example: Path):
    assert "hint: say its kind before its name: Service/tracing" in refusals(example, "show", "-q", "tracing")[1]


def test_an_object_of_another_stage_or_cluster_is_not_there(example: Path):
    refusals(example, "show", "--stage", "istio", "Service/kiali")
    refusals(example, "show", "--cluster", "prod-us", "Deployment/jaeger")


@pytest.mark.parametrize("args", [("--stage", ""), ("--cluster", ""), ("--stage", "ISTIO"), ("",), ("/",)])
def test_a_selector_that_is_no_name_is_refused(example: Path, args: tuple[str, ...]):
    assert "error MG701" in refusals(example, "show", "-q", *args)[0]


def test_an_istio_operator_for_istioctl_has_no_stage(newer: Path):
    stages = {one["cluster"]: one["stage"] for one in shown(newer, "IstioOperator")}

    assert stages == {"old": "istio", "new": None}


def test_several_clusters_are_shown_in_the_order_of_the_mesh(newer: Path):
    both = [one["cluster"] for one in shown(newer, "--cluster", "new", "--cluster", "old", "Namespace")]

    assert both == [one["cluster"] for one in shown(newer, "Namespace")]


def test_a_text_of_show_that_matches_several_clusters_is_a_stream(newer: Path):
    assert output_of("show", "-q", "Service/kiali", cwd=newer).count("\n---\n") == 1


def test_images_take_the_hub_and_the_tag_of_the_mesh(newer: Path):
    found = {one["cluster"]: one["images"] for one in json.loads(output_of("images", "-o", "json", cwd=newer))}

    istio = {name: [image for image in images if "/istio/" in image] for name, images in found.items()}
    hub, tag = "example.com:5000/istio", "1.11.3-distroless"
    assert {f"{hub}/pilot:{tag}", f"{hub}/proxyv2:{tag}"} <= set(istio["old"])
    assert {f"{hub}/{name}:{tag}" for name in ("pilot", "install-cni", "ztunnel")} <= set(istio["new"])
    assert all(images == sorted(set(images)) for images in found.values())


def test_images_of_one_cluster_only(newer: Path):
    assert [one["cluster"] for one in json.loads(output_of("images", "-o", "json", "--cluster", "old", cwd=newer))] == [
        "old"
    ]
    assert 'did you mean "new"' in "\n".join(refusals(newer, "images", "-q", "--cluster", "neww"))


@pytest.mark.parametrize("key", ["istio.meshConfig.accessLogFile", "istio.values.global.hub"])
def test_explain_leaves_to_istio_what_is_istios(tmp_path: Path, key: str):
    said = refusals(tmp_path, "explain", key)

    assert "takes every key that Istio takes there" in said[0]
    assert "https://istio.io/" in said[1]


@pytest.mark.parametrize("key", ["expose.kiali.type.x", "nope.nope", "x" * 5000, "addons.kiali.foo", "\x1b[31m"])
def test_explain_of_what_is_not_there_is_an_input_error(tmp_path: Path, key: str):
    assert refusals(tmp_path, "explain", key)[0].startswith("error MG102: ")


def test_explain_without_a_key_lists_those_at_the_top(tmp_path: Path):
    said = output_of("explain", cwd=tmp_path)

    for key in ("istio", "addons", "expose", "delivery"):
        assert f"\n    {key} " in said


def test_json_of_validate_is_what_the_schema_says_when_all_is_well(example: Path):
    report = json.loads(output_of("validate", "-o", "json", cwd=example))

    jsonschema.validate(report, FORMATS["validate"])
    assert {finding["severity"] for finding in report["findings"]} <= {"warning", "info"}


def test_validate_writes_nothing_and_is_silent_when_quiet(example: Path):
    before = sorted(example.rglob("*"))

    done = meshgen("validate", "-q", cwd=example)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(example.rglob("*")) == before


def test_schema_without_a_name_is_the_configs(tmp_path: Path):
    assert output_of("schema", cwd=tmp_path) == output_of("schema", "config", cwd=tmp_path)
