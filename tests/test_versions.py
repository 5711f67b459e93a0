"""One mesh at versions from 1.11 to 1.31: each tree builds, and what applies Istio fits its version."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.crds import problems
from tests.kubernetes import assert_valid, is_custom
from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    by_stage,
    load_balancers,
    mesh,
    output_of,
    overlay,
    render_config,
    shown,
)

VERSIONS = {
    "v11": ("1.11.3", "1.22"),
    "v20": ("1.20.8", "1.29"),
    "v23": ("1.23.6", "1.30"),
    "v24": ("1.24.6", "1.31"),
    "v30": ("1.30.3", "1.34"),
    "v31": ("1.31.0", "1.35"),
}
WITH_OPERATOR = ["v11", "v20", "v23"]
ADDONS: Object = {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {}}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    folder = tmp_path_factory.mktemp("versions")
    environments = [
        overlay(
            name,
            clusters={name: {"kubernetesVersion": kubernetes, "server": f"https://{name}.example.com"}},
            patch=_patch(istio),
        )
        for name, (istio, kubernetes) in VERSIONS.items()
    ]
    expose = {name: {"type": "LoadBalancer"} for name in ("kiali", "tracing", "grafana")}
    delivery = {engine: {"url": "https://example.com/mesh.git"} for engine in ("flux", "argocd")}
    istio = {"version": "1.11.3", "profile": "default"}
    return render_config(folder, mesh(istio=istio, addons=ADDONS, expose=expose, delivery=delivery), *environments)


def _patch(istio: str) -> Object:
    patch: Object = {"istio": {"version": istio}}
    if int(istio.split(".")[1]) >= 18:
        patch["addons"] = {"loki": {}}
    return patch


@pytest.fixture(scope="module")
def objects(tree: Tree, kubectl: Path) -> dict[str, list[Object]]:
    return assert_built_is_shown(kubectl, tree)


def test_the_same_three_services_are_open_at_every_version(objects: dict[str, list[Object]]):
    for name in VERSIONS:
        assert load_balancers(objects[name]) == {"kiali", "tracing", "grafana"}


def test_an_istio_operator_is_applied_only_where_an_operator_reads_it(objects: dict[str, list[Object]]):
    applied = {name for name in VERSIONS if any(obj["kind"] == "IstioOperator" for obj in objects[name])}

    assert applied == set(WITH_OPERATOR)


def test_stages_come_in_their_order(tree: Tree):
    for name in VERSIONS:
        istio = ["operator", "istio"] if name in WITH_OPERATOR else ["istio", "gateways"]
        assert list(tree.stages(name)) == ["namespaces", *istio, "addons"]


def test_from_1_24_on_the_istio_operator_stands_beside_what_is_applied(tree: Tree):
    said = by_stage(shown(tree.folder))
    for name, (version, _) in VERSIONS.items():
        inputs = sorted(tree.output.glob(f"environments/{name}/istioctl/*"))
        assert bool(inputs) == (name not in WITH_OPERATOR), version
        assert ((name, None) in said) == bool(inputs)
    applied = {path for directory in tree.directories() for path in directory.rglob("*")}
    assert not any("istioctl" in path.parts for path in applied)


def test_nothing_is_found_but_open_load_balancers_and_what_istioctl_leaves_unchecked(tree: Tree):
    found = {(one["rule"], one["severity"]) for one in tree.report["findings"]}

    # From 1.24 on no operator makes the webhook that checks unlabelled resources.
    assert found == {("MG501", "warning"), ("MG407", "warning")}


def test_every_object_is_valid_for_its_clusters_kubernetes(objects: dict[str, list[Object]]):
    for name, (_, kubernetes) in VERSIONS.items():
        _assert_valid(objects[name], kubernetes)


@pytest.mark.upstream
def test_flux_accepts_every_object_that_it_is_to_act_on(cases: Path, objects: dict[str, list[Object]]):
    for name in VERSIONS.keys() - WITH_OPERATOR:
        custom = [obj for obj in objects[name] if is_custom(obj)]

        assert {obj["kind"] for obj in custom} == {"HelmRepository", "HelmRelease"}
        assert [found for obj in custom for found in problems(cases / "gitops-crds", obj)] == []


def test_every_object_of_the_example_is_valid_for_its_clusters_kubernetes(project: Path):
    entries = shown(project)

    assert {entry["cluster"] for entry in entries} == {"dev", "staging", "prod-kr", "prod-eu", "prod-us"}
    _assert_valid([entry["object"] for entry in entries], "1.22")


def _assert_valid(objects: list[Object], kubernetes: str) -> None:
    for obj in objects:
        assert_valid(obj, kubernetes)
    assert sum(not is_custom(obj) for obj in objects) > 20


def test_check_is_clean_right_after(tree: Tree):
    assert output_of("render", "--check", cwd=tree.folder).startswith("output: would write 0")
