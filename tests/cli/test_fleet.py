"""`meshgen fleet`: what the settings of each cluster say, of all clusters or of some, without building anything."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jsonschema
import pytest

from meshgen.cli.formats import FORMATS
from tests.objects import Object, copy_example, mesh, meshgen, output_of, overlay, write_config


def listed(folder: Path, *args: str) -> list[Object]:
    found: list[Object] = json.loads(output_of("fleet", "-o", "json", *args, cwd=folder))
    return found


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example"))


def test_every_cluster_is_listed_with_what_it_runs(example: Path):
    found = {one["name"]: one for one in listed(example)}

    assert list(found) == ["dev", "prod-kr", "prod-eu", "prod-us", "staging"]
    assert found["prod-us"] == {
        "name": "prod-us",
        "environment": "prod",
        "cloud": "aws",
        "kubernetes": "1.22",
        "istio": "1.11.3",
        "revision": None,
        "install": "operator",
        "wave": None,
        "engines": ["argocd"],
        "exposure": [
            {"service": "kiali", "type": "LoadBalancer", "reach": "internal"},
            {"service": "grafana", "type": "LoadBalancer", "reach": "internal"},
            {"service": "istio-ingressgateway", "type": "LoadBalancer", "reach": "public"},
        ],
        "labels": {"region": "us-east-1"},
    }


def test_json_is_what_its_schema_says(example: Path):
    printed = json.loads(output_of("schema", "fleet", cwd=example))

    assert printed == FORMATS["fleet"]
    jsonschema.validate(listed(example), printed)


def test_clusters_are_chosen_by_labels_and_environments(example: Path):
    assert [one["name"] for one in listed(example, "--label", "region=us-east-1")] == ["prod-us"]
    assert [one["name"] for one in listed(example, "--environment", "dev", "--environment", "staging")] == [
        "dev",
        "staging",
    ]
    assert listed(example, "--environment", "dev", "--label", "region=us-east-1") == []
    assert output_of("fleet", "--label", "region=nowhere", cwd=example) == ""


def test_all_labels_that_are_asked_for_have_to_be_there(tmp_path: Path):
    clusters = {"a": {"labels": {"x": "1", "y": "2"}}, "b": {"labels": {"x": "1"}}, "c": {"labels": {"y": None}}}
    write_config(tmp_path, mesh(), overlay("dev", clusters=clusters))

    assert [one["name"] for one in listed(tmp_path, "--label", "x=1", "--label", "y=2")] == ["a"]


@pytest.mark.parametrize("label", ["region", "=x", ""])
def test_a_label_without_key_or_value_is_a_usage_error(example: Path, label: str):
    done = meshgen("fleet", "--label", label, cwd=example)

    assert done.returncode == 2
    assert "say KEY=VALUE" in done.stderr


@pytest.mark.parametrize(
    ("labels", "way"),
    [
        (["region!=us-east-1"], "-o json is for any other choice"),
        (["region==us-east-1"], "say KEY=VALUE"),
        (["region=us-east-1,tier=main"], "say each label by a --label of its own"),
        (["region=us-east-1", "--label", "region=dev"], "no cluster has two values of region"),
    ],
)
def test_what_no_cluster_could_have_is_a_usage_error_with_the_way_to_say_it(example: Path, labels: list[str], way: str):
    done = meshgen("fleet", "--label", *labels, cwd=example)

    assert (done.returncode, done.stdout) == (2, "")
    assert way in done.stderr


@pytest.mark.parametrize(
    ("asked", "said", "hint"),
    [
        (["--label", "region=us-east"], "no cluster has the label region=us-east\n", 'did you mean "us-east-1"?'),
        (["--label", "regoin=us-east-1"], "no cluster has a label regoin\n", 'did you mean "region"?'),
        (
            ["--label", "region=us-east-1", "--environment", "dev", "--environment", "staging"],
            "no cluster of dev, staging has a label region\n",
            "`meshgen fleet` lists the labels",
        ),
    ],
)
def test_labels_that_no_cluster_has_are_said(example: Path, asked: list[str], said: str, hint: str):
    done = meshgen("fleet", *asked, cwd=example)

    assert (done.returncode, done.stdout) == (0, "")
    assert f"warning MG701: {said}  hint: {hint}" in done.stderr


def test_an_environment_that_is_not_there_is_guessed(example: Path):
    done = meshgen("fleet", "--environment", "prd", cwd=example)

    assert (done.returncode, done.stdout) == (1, "")
    assert 'did you mean "prod"?' in done.stderr


def test_text_has_a_line_for_each_cluster_under_a_heading(example: Path):
    lines = output_of("fleet", "-q", cwd=example).splitlines()

    assert lines[0].split() == [
        *("CLUSTER", "ENVIRONMENT", "CLOUD", "KUBERNETES", "ISTIO", "REVISION"),
        *("INSTALL", "WAVE", "ENGINES", "EXPOSURE", "LABELS"),
    ]
    assert len(lines) == 6
    assert {line.index("1.22") for line in lines[1:]} == {lines[0].index("KUBERNETES")}


OFFICE = {"sourceRanges": ["10.0.0.0/8"]}
INTERNAL = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}


@pytest.mark.parametrize(
    ("expose", "reach"),
    [
        ({}, "public"),
        ({"istio-ingressgateway": {"internal": True}}, "internal"),
        ({"istio-ingressgateway.istio-system": OFFICE}, "restricted"),
        ({"istio-ingressgateway": {"sourceRanges": ["0.0.0.0/1", "128.0.0.0/1"]}}, "public"),
        ({"istio-ingressgateway": {"type": "NodePort"}}, "nodes"),
        ({"istio-ingressgateway": {"type": "ClusterIP"}}, None),
    ],
)
def test_a_service_is_listed_with_whom_it_is_reached_by(tmp_path: Path, expose: Object, reach: str | None):
    write_config(tmp_path, mesh(expose=expose), overlay("dev", clusters={"a": {"cloud": "azure"}}))

    (one,) = listed(tmp_path)

    assert [opened["reach"] for opened in one["exposure"]] == ([reach] if reach else [])


@pytest.mark.parametrize(
    ("k8s", "reach"),
    [
        ({"serviceAnnotations": INTERNAL}, "internal"),
        ({"service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}}, "restricted"),
        ({"service": {"type": "ClusterIP"}}, None),
    ],
)
def test_a_gateway_says_itself_how_it_is_reached(tmp_path: Path, k8s: Object, reach: str | None):
    gateways = {"ingressGateways": {"istio-ingressgateway": {"enabled": True, "k8s": k8s}}}
    istio = {"version": "1.11.3", "components": gateways}
    write_config(tmp_path, mesh(istio=istio), overlay("dev", clusters={"a": {"cloud": "azure"}}))

    (one,) = listed(tmp_path)

    assert [opened["reach"] for opened in one["exposure"]] == ([reach] if reach else [])


def test_waves_are_listed(tmp_path: Path):
    delivery = {
        "flux": {"url": "https://example.com/mesh.git", "kubeConfig": {}},
        "waves": {"canary": {"order": 1, "clusters": ["b"]}, "rest": {"order": 2}},
    }
    write_config(tmp_path, mesh(delivery=delivery), overlay("dev", clusters={"a": None, "b": None}))

    assert {one["name"]: one["wave"] for one in listed(tmp_path)} == {"a": "rest", "b": "canary"}


def test_a_config_with_errors_is_no_fleet(tmp_path: Path):
    write_config(tmp_path, mesh(istio={"version": "1.11.3", "profile": "defualt"}))

    done = meshgen("fleet", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "MG204" in done.stderr


def test_a_thousand_clusters_are_listed_at_once(tmp_path: Path):
    clusters = {f"c{number}": {"cloud": "azure", "labels": {"n": str(number)}} for number in range(1000)}
    write_config(tmp_path, mesh(expose={"kiali": {"internal": True}}), overlay("prod", clusters=clusters))
    listed(tmp_path, "--label", "n=0")

    start = time.process_time()
    found = listed(tmp_path)

    assert len(found) == 1000
    # About 0.1 s: a build of as many takes ten times as long and more.
    assert time.process_time() - start < 1
