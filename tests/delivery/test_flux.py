"""Flux's wiring: objects that its own CRDs accept, which apply the stages in their order and wait where it matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.crds import problems
from tests.objects import Object, Tree, build_all, copy_example, mesh, of_kind, overlay, render, render_config

URL = "https://example.com/mesh.git"
EVERY_KEY = {
    "url": "ssh://git@example.com:2222/mesh.git",
    "branch": "release/1.11",
    "path": "clusters/tree",
    "interval": "1h30m",
    "retryInterval": "30s",
    "timeout": "5m",
    "prune": False,
    "suspend": True,
    "secretRef": "mesh-git",
    "namespace": "gitops",
}


def wiring(tree: Tree, kubectl: Path, cluster: str = "msa") -> list[Object]:
    directory = tree.output / tree.cluster(cluster)["wiring"]["flux"]
    return list(build_all(kubectl, [directory])[directory].values())


def specs(folder: Path, kubectl: Path, flux: Object, **keys: Any) -> dict[str, Object]:
    """The spec of each Kustomization, by stage."""
    tree = render_config(folder, mesh(addons={"kiali": {}}, delivery={"flux": flux}, **keys))
    found = of_kind(wiring(tree, kubectl), "Kustomization")
    return {name.removeprefix("msa-"): obj["spec"] for name, obj in found.items() if name != "msa"}


@pytest.mark.upstream
def test_flux_accepts_the_examples_wiring(cases: Path, kubectl: Path, tmp_path: Path):
    tree = render(copy_example(tmp_path))

    objects = [obj for cluster in ("dev", "staging") for obj in wiring(tree, kubectl, cluster)]

    assert {obj["kind"] for obj in objects} == {"GitRepository", "Kustomization"}
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.24.6"])
@pytest.mark.parametrize("profile", ["default", "demo", "empty"])
def test_flux_accepts_every_key(cases: Path, kubectl: Path, tmp_path: Path, version: str, profile: str):
    istio = {"version": version, "profile": profile, "revision": "canary"}
    tree = render_config(tmp_path, mesh(istio=istio, addons={"kiali": {}}, delivery={"flux": EVERY_KEY}))

    objects = wiring(tree, kubectl)

    assert len(objects) == 2 + len(tree.stages("msa"))
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.upstream
def test_a_field_that_flux_does_not_know_would_be_seen(cases: Path, kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(delivery={"flux": {"url": URL}}))
    wrong = of_kind(wiring(tree, kubectl), "Kustomization")["msa-istio"]
    wrong["spec"]["healthChecks"][0]["namespcae"] = "x"
    wrong["spec"]["waits"] = True

    assert len(problems(cases / "gitops-crds", wrong)) == 2


def test_every_key_reaches_its_field(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(addons={"kiali": {}}, delivery={"flux": EVERY_KEY}))
    objects = wiring(tree, kubectl)
    (source,) = of_kind(objects, "GitRepository").values()

    assert {obj["metadata"]["namespace"] for obj in objects} == {"gitops"}
    assert source["spec"]["url"] == EVERY_KEY["url"]
    assert source["spec"]["ref"] == {"branch": "release/1.11"}
    assert source["spec"]["secretRef"] == {"name": "mesh-git"}
    kustomizations = of_kind(objects, "Kustomization")
    root = kustomizations.pop("msa")["spec"]
    assert (root["path"], root["prune"], "suspend" in root) == ("./clusters/tree/clusters/msa/flux", False, False)
    for stage, kustomization in kustomizations.items():
        spec = kustomization["spec"]
        assert (spec["interval"], spec["retryInterval"], spec["timeout"]) == ("1h30m", "30s", "5m")
        assert spec["prune"] is False
        assert spec["suspend"] is True
        assert spec["sourceRef"] == {"kind": "GitRepository", "name": source["metadata"]["name"]}
        assert spec["path"].startswith("./clusters/tree/")
        assert spec["path"].endswith(stage.removeprefix("msa-"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [("./output", "./output/"), ("output/", "./output/"), (".", "./"), ("./", "./"), ("a//b/./c", "./a/b/c/")],
)
def test_paths_are_written_as_flux_joins_them(kubectl: Path, tmp_path: Path, path: str, expected: str):
    spec = specs(tmp_path, kubectl, {"url": URL, "path": path})

    assert spec["namespaces"]["path"] == f"{expected}environments/msa/namespaces"


def test_only_addons_are_ever_pruned(kubectl: Path, tmp_path: Path):
    prune = {stage: spec["prune"] for stage, spec in specs(tmp_path, kubectl, {"url": URL}).items()}

    assert prune == {"namespaces": False, "operator": False, "istio": False, "addons": True}


def test_addons_stay_where_nothing_is_to_be_pruned(kubectl: Path, tmp_path: Path):
    assert not any(spec["prune"] for spec in specs(tmp_path, kubectl, {"url": URL, "prune": False}).values())


@pytest.mark.parametrize(
    ("istio", "deployments"),
    [
        ({}, ["istiod", "istio-ingressgateway"]),
        ({"profile": "demo"}, ["istiod", "istio-ingressgateway", "istio-egressgateway"]),
        ({"profile": "minimal"}, ["istiod"]),
        ({"profile": "empty"}, []),
        ({"revision": "canary"}, ["istiod-canary", "istio-ingressgateway"]),
        ({"components": {"pilot": {"enabled": False}}}, ["istio-ingressgateway"]),
        ({"components": {"ingressGateways": {"istio-ingressgateway": {"enabled": False}}}}, ["istiod"]),
        (
            {"components": {"ingressGateways": [{"name": "b", "enabled": True}, {"name": "c"}]}},
            ["istiod", "b", "istio-ingressgateway"],
        ),
        ({"profile": "empty", "components": {"pilot": {"enabled": True}}}, ["istiod"]),
    ],
)
def test_istio_counts_as_ready_when_its_deployments_run(
    kubectl: Path, tmp_path: Path, istio: Object, deployments: list[str]
):
    spec = specs(tmp_path, kubectl, {"url": URL}, istio={"version": "1.11.3", **istio})

    assert [check["name"] for check in spec["istio"].get("healthChecks", [])] == deployments
    assert {check["kind"] for check in spec["istio"].get("healthChecks", [])} <= {"Deployment"}
    assert spec["addons"]["dependsOn"] == [{"name": "msa-istio"}]


def test_gateways_elsewhere_are_looked_for_where_they_are(kubectl: Path, tmp_path: Path):
    gateways = {"ingressGateways": {"edge": {"enabled": True, "namespace": "edge"}}}
    spec = specs(tmp_path, kubectl, {"url": URL}, istio={"version": "1.11.3", "components": gateways})

    checks = {check["name"]: check["namespace"] for check in spec["istio"]["healthChecks"]}
    assert checks == {"istiod": "istio-system", "edge": "edge", "istio-ingressgateway": "istio-system"}


def test_every_stage_that_is_nothing_but_objects_is_waited_for(kubectl: Path, tmp_path: Path):
    spec = specs(tmp_path, kubectl, {"url": URL})

    # `wait` would make Flux ignore the health checks of the Istio stage.
    assert {stage: one.get("wait") for stage, one in spec.items()} == {
        "namespaces": True,
        "operator": True,
        "istio": None,
        "addons": True,
    }


def test_nothing_is_written_that_flux_2_0_does_not_serve(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(addons={"grafana": {}}, delivery={"flux": EVERY_KEY}))

    for obj in wiring(tree, kubectl):
        assert obj["apiVersion"] in ("source.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1")
        # Of Flux 2.5; and substitution would eat the dashboards' variables.
        assert not {"healthCheckExprs", "postBuild"} & set(obj["spec"])


def test_clusters_that_share_a_directory_share_a_path(kubectl: Path, tmp_path: Path):
    tree = render_config(
        tmp_path, mesh(delivery={"flux": {"url": URL}}), overlay("dev", clusters={"a": None, "b": {"cloud": "aws"}})
    )
    found = {cluster: of_kind(wiring(tree, kubectl, cluster), "Kustomization") for cluster in ("a", "b")}
    roots = {cluster: made.pop("msa")["spec"]["path"] for cluster, made in found.items()}

    assert found["a"] == found["b"]
    assert roots == {"a": "./output/clusters/a/flux", "b": "./output/clusters/b/flux"}
    assert tree.cluster("a")["wiring"] == {"flux": "clusters/a/flux"}


def test_without_delivery_there_is_no_wiring(tmp_path: Path):
    tree = render_config(tmp_path, mesh())

    assert tree.cluster("msa")["wiring"] == {}
    assert not (tree.output / "clusters").exists()


def test_an_overlay_takes_an_engine_away_and_adds_another(kubectl: Path, tmp_path: Path):
    argocd = {"flux": None, "argocd": {"url": URL}}
    tree = render_config(
        tmp_path,
        mesh(delivery={"flux": {"url": URL}}),
        overlay("dev", clusters={"a": None, "b": {"patch": {"delivery": argocd}}, "c": {"patch": {"delivery": None}}}),
    )

    engines = {cluster: set(tree.cluster(cluster)["wiring"]) for cluster in tree.clusters}
    assert engines == {"a": {"flux"}, "b": {"argocd"}, "c": set()}
    assert build_all(kubectl, tree.directories())
