"""The example at the project's root: the mesh of a tutorial, as one reviewed file instead of three edits in vi."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    assert_same,
    build_all,
    copy_example,
    files_of,
    load_balancers,
    of_kind,
    output_of,
    read_yaml,
    render,
)
from tests.tools import PROJECT


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return render(copy_example(tmp_path_factory.mktemp("example")))


@pytest.fixture(scope="module")
def objects(example: Tree, kubectl: Path) -> dict[str, list[Object]]:
    return assert_built_is_shown(kubectl, example)


def wiring(example: Tree, kubectl: Path, cluster: str, engine: str) -> list[Object]:
    directory = example.output / example.cluster(cluster)["wiring"][engine]
    return list(build_all(kubectl, [directory])[directory].values())


def test_committed_tree_is_what_the_config_renders_to(example: Tree):
    assert files_of(example.output) == files_of(PROJECT / "output")


def test_render_accepts_the_committed_tree_as_its_own():
    assert "0, " in output_of("render", "--check", cwd=PROJECT)


def test_kubectl_builds_every_stage_and_gives_what_show_says(objects: dict[str, list[Object]]):
    assert set(objects) == {"dev", "staging", "prod-kr", "prod-eu", "prod-us"}


def test_every_wiring_directory_builds(example: Tree, kubectl: Path):
    built = build_all(kubectl, example.wiring())

    assert len(built) == 5
    assert all(built.values())


def test_dev_opens_what_the_tutorial_opened_and_nothing_else(objects: dict[str, list[Object]]):
    services = of_kind(objects["dev"], "Service")

    assert load_balancers(objects["dev"]) == {"kiali", "tracing", "grafana"}
    assert set(services) == {
        "grafana",
        "istio-operator",
        "jaeger-collector",
        "kiali",
        "prometheus",
        "tracing",
        "zipkin",
    }
    assert {service["spec"].get("type", "ClusterIP") for service in services.values()} == {"LoadBalancer", "ClusterIP"}


def test_istio_operator_says_what_the_tutorial_gave_istioctl_and_no_more(objects: dict[str, list[Object]]):
    (resource,) = of_kind(objects["dev"], "IstioOperator").values()

    assert resource["metadata"] == {"name": "msa", "namespace": "istio-system"}
    assert resource["spec"] == {"profile": "default", "hub": "gcr.io/istio-release"}


def test_flux_applies_the_stages_one_after_the_other(example: Tree, kubectl: Path):
    cluster = example.cluster("dev")
    wired = of_kind(wiring(example, kubectl, "dev", "flux"), "Kustomization")

    assert [f"msa-{stage['name']}" for stage in cluster["stages"]] == list(wired_in_order(wired))
    for stage in cluster["stages"]:
        assert wired[f"msa-{stage['name']}"]["spec"]["path"] == f"./output/{stage['path']}"


def wired_in_order(kustomizations: dict[str, Object]) -> list[str]:
    """Follow dependsOn from the one that waits for nothing."""
    follower = {
        tuple(one["name"] for one in k["spec"].get("dependsOn", [])): name for name, k in kustomizations.items()
    }
    order: list[str] = []
    while (name := follower.get((order[-1],) if order else ())) is not None:
        order.append(name)
    return order


def test_istio_operator_comes_after_the_operator_and_waits_until_it_runs(
    example: Tree, kubectl: Path, objects: dict[str, list[Object]]
):
    stages = list(example.stages("dev"))
    wired = of_kind(wiring(example, kubectl, "dev", "flux"), "Kustomization")

    assert stages == ["namespaces", "operator", "istio", "addons"]
    assert wired["msa-istio"]["spec"]["dependsOn"] == [{"name": "msa-operator"}]
    assert wired["msa-operator"]["spec"]["wait"] is True
    checked = [(check["namespace"], check["name"]) for check in wired["msa-istio"]["spec"]["healthChecks"]]
    assert checked == [("istio-system", "istiod"), ("istio-system", "istio-ingressgateway")]
    # `wait` would make Flux ignore the health checks.
    assert "wait" not in wired["msa-istio"]["spec"]
    # The wiring's own prunes stages that leave, which take their objects along if they prune them themselves.
    assert {name for name, one in wired.items() if one["spec"]["prune"]} == {"msa", "msa-addons"}


def test_argo_cd_applies_the_stages_in_waves(example: Tree, kubectl: Path):
    cluster = example.cluster("prod-eu")
    applications = of_kind(wiring(example, kubectl, "prod-eu", "argocd"), "Application")
    root = applications.pop("msa-prod-eu")
    waves = sorted(
        (int(app["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]), app["spec"]["source"]["path"])
        for app in applications.values()
    )

    assert waves == [(wave, f"output/{stage['path']}") for wave, stage in enumerate(cluster["stages"])]
    assert root["spec"]["source"]["path"] == "output/clusters/prod-eu/argocd"
    assert root["spec"]["destination"]["server"] == "https://kubernetes.default.svc"
    assert {app["spec"]["destination"]["server"] for app in applications.values()} == {
        "https://prod-eu.example.com:6443"
    }


def test_show_as_yaml_is_what_kubectl_builds(example: Tree, kubectl: Path):
    text = read_yaml(output_of("show", "--cluster", "prod-us", cwd=example.folder))
    built = build_all(kubectl, example.stages("prod-us").values())

    assert_same({key: obj for stage in built.values() for key, obj in stage.items()}, text)


def test_production_opens_its_dashboards_to_the_company_only(objects: dict[str, list[Object]]):
    for cluster in ("staging", "prod-kr", "prod-eu", "prod-us"):
        opened = load_balancers(objects[cluster])
        services = of_kind(objects[cluster], "Service")
        assert opened == {"kiali", "grafana"}
        for name in opened:
            assert all(cidr.startswith("10.") for cidr in services[name]["spec"]["loadBalancerSourceRanges"])
            assert any("internal" in key for key in services[name]["metadata"]["annotations"])
