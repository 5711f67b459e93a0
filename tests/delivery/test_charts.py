"""Helm releases under Flux, Argo CD, both and neither: what is applied, in which order, with which values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.crds import problems
from tests.kubernetes import is_custom
from tests.objects import Object, Tree, build_all, mesh, of_kind, overlay, read_yaml, render_config

URL = "https://example.com/mesh.git"
FLUX: Object = {"flux": {"url": URL}}
ARGOCD: Object = {"argocd": {"url": URL}}
AMBIENT: Object = {
    "version": "1.30.3",
    "profile": "ambient",
    "components": {"ingressGateways": {"edge": {"enabled": True, "namespace": "edge"}}},
}


def rendered(folder: Path, istio: Object, delivery: Object, *overlays: Object, **keys: Any) -> Tree:
    return render_config(folder, mesh(istio=istio, delivery=delivery, **keys), *overlays)


def built(tree: Tree, kubectl: Path, directory: Path) -> list[Object]:
    return list(build_all(kubectl, [directory])[directory].values())


def releases(tree: Tree, kubectl: Path, cluster: str = "msa") -> dict[str, Object]:
    """The HelmReleases of all stages of a cluster."""
    objects = [obj for path in tree.stages(cluster).values() for obj in built(tree, kubectl, path)]
    return of_kind(objects, "HelmRelease")


def wiring(tree: Tree, kubectl: Path, engine: str, cluster: str = "msa") -> list[Object]:
    return built(tree, kubectl, tree.output / tree.cluster(cluster)["wiring"][engine])


def applications(tree: Tree, kubectl: Path, cluster: str = "msa") -> dict[str, Object]:
    """The Applications of a cluster but for the root, by the name of their stage or release."""
    found = of_kind(wiring(tree, kubectl, "argocd", cluster), "Application")
    name = f"msa-{cluster}"
    return {key.removeprefix(f"{name}-"): obj for key, obj in found.items() if key != name}


def values_file(application: Object) -> str:
    (name,) = application["spec"]["sources"][0]["helm"]["valueFiles"]
    return str(name).removeprefix("$values/output/")


def test_flux_installs_each_chart_after_those_that_it_needs(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, AMBIENT, FLUX)

    after = {
        name: [one["name"] for one in release["spec"].get("dependsOn", [])]
        for name, release in releases(tree, kubectl).items()
    }
    assert after == {
        "istio-base": [],
        "istio-cni": ["istio-base"],
        "istiod": ["istio-base", "istio-cni"],
        "ztunnel": ["istiod", "istio-cni"],
        "edge": ["istiod"],
    }


def test_flux_waits_for_the_releases_of_a_stage_and_prunes_gateways_alone(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, {"version": "1.30.3"}, FLUX, addons={"kiali": {}})

    specs = {name: obj["spec"] for name, obj in of_kind(wiring(tree, kubectl, "flux"), "Kustomization").items()}
    del specs["msa"]
    assert {name: [one["name"] for one in spec.get("dependsOn", [])] for name, spec in specs.items()} == {
        "msa-namespaces": [],
        "msa-istio": ["msa-namespaces"],
        "msa-gateways": ["msa-istio"],
        "msa-addons": ["msa-gateways"],
    }
    assert all(spec["wait"] and "healthChecks" not in spec for spec in specs.values())
    # Helm would uninstall Istio with its releases.
    assert {name for name, spec in specs.items() if spec["prune"]} == {"msa-gateways", "msa-addons"}


def test_a_release_of_another_namespace_is_kept_where_its_objects_are(kubectl: Path, tmp_path: Path):
    found = releases(rendered(tmp_path, AMBIENT, FLUX), kubectl)

    assert {name for name, one in found.items() if "targetNamespace" in one["spec"]} == {"edge"}
    assert found["edge"]["spec"]["targetNamespace"] == found["edge"]["spec"]["storageNamespace"] == "edge"
    assert {one["metadata"]["namespace"] for one in found.values()} == {"istio-system"}


def test_charts_come_from_the_repository_that_the_config_names(kubectl: Path, tmp_path: Path):
    charts = {"repository": "https://charts.example.com/istio", "secretRef": "charts"}
    tree = rendered(tmp_path, {"version": "1.30.3", "charts": charts}, FLUX)

    for stage, name in (("istio", "istio"), ("gateways", "istio-gateways")):
        objects = built(tree, kubectl, tree.stages("msa")[stage])
        (source,) = of_kind(objects, "HelmRepository").values()
        assert source["metadata"]["name"] == name
        assert source["spec"]["url"] == "https://charts.example.com/istio"
        assert source["spec"]["secretRef"] == {"name": "charts"}
        for release in of_kind(objects, "HelmRelease").values():
            assert release["spec"]["chart"]["spec"]["sourceRef"] == {"kind": "HelmRepository", "name": name}
            assert release["spec"]["chart"]["spec"]["version"] == "1.30.3"


def test_each_chart_of_an_oci_registry_is_a_source_of_its_own(kubectl: Path, tmp_path: Path):
    charts = {"repository": "oci://registry.example.com/istio/"}
    tree = rendered(tmp_path, {"version": "1.30.3", "charts": charts}, FLUX)

    objects = built(tree, kubectl, tree.stages("msa")["istio"])
    sources = of_kind(objects, "OCIRepository")
    assert {name: source["spec"]["url"].rpartition("/")[2] for name, source in sources.items()} == {
        "istio-base": "base",
        "istiod": "istiod",
    }
    for name, source in sources.items():
        assert source["spec"]["url"].startswith("oci://registry.example.com/istio/")
        assert source["spec"]["ref"] == {"tag": "1.30.3"}
        release = of_kind(objects, "HelmRelease")[name]
        assert release["spec"]["chartRef"] == {"kind": "OCIRepository", "name": name}
        assert "chart" not in release["spec"]


@pytest.mark.upstream
@pytest.mark.parametrize("repository", ["https://charts.example.com", "oci://registry.example.com/istio"])
@pytest.mark.parametrize("version", ["1.22.8", "1.24.6", "1.31.0"])
def test_engines_accept_releases_sources_and_wiring(
    cases: Path, kubectl: Path, tmp_path: Path, version: str, repository: str
):
    pilot = {"k8s": {"replicaCount": 2, "podAnnotations": {"a": "b"}}}
    istio = {
        **AMBIENT,
        "version": version,
        "install": "helm",
        "charts": {"repository": repository, "secretRef": "charts"},
        "components": {**AMBIENT["components"], "pilot": pilot},
    }
    tree = rendered(tmp_path, istio, FLUX)
    objects = [obj for path in tree.directories() for obj in built(tree, kubectl, path) if is_custom(obj)]

    assert {"HelmRelease", "Kustomization", "GitRepository"} < {obj["kind"] for obj in objects}
    assert any("postRenderers" in obj["spec"] for obj in objects)
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


def test_argo_cd_alone_has_no_directory_for_what_charts_install(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, AMBIENT, ARGOCD, addons={"kiali": {}})

    assert list(tree.stages("msa")) == ["namespaces", "addons"]
    assert not any(path.name in ("istio", "gateways") for path in tree.output.rglob("*"))
    charts = {"istio-base", "istio-cni", "istiod", "ztunnel", "edge"}
    assert applications(tree, kubectl).keys() == {"namespaces", *charts, "addons"}


def test_the_readme_names_the_stages_that_charts_are(tmp_path: Path):
    readme = (rendered(tmp_path, AMBIENT, ARGOCD, addons={"kiali": {}}).output / "README.md").read_text()

    assert "| msa | msa | 1.30.3 | namespaces, istio, gateways, addons |" in readme


def test_argo_cd_installs_each_chart_in_a_wave_after_those_that_it_needs(kubectl: Path, tmp_path: Path):
    found = applications(rendered(tmp_path, AMBIENT, ARGOCD, addons={"kiali": {}}), kubectl)

    waves = {name: app["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for name, app in found.items()}
    assert waves == {
        "namespaces": "0",
        "istio-base": "1",
        "istio-cni": "2",
        "istiod": "3",
        "ztunnel": "4",
        "edge": "5",
        "addons": "6",
    }
    pruned = {name for name, app in found.items() if app["spec"]["syncPolicy"]["automated"]["prune"]}
    assert pruned == {"edge", "addons"}


def test_argo_cd_takes_the_chart_from_its_repository_and_the_values_from_git(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, AMBIENT, ARGOCD)
    app = applications(tree, kubectl)["edge"]

    chart, git = app["spec"]["sources"]
    assert (chart["chart"], chart["targetRevision"], chart["helm"]["releaseName"]) == ("gateway", "1.30.3", "edge")
    assert git == {"repoURL": URL, "targetRevision": "main", "ref": "values"}
    assert app["spec"]["destination"]["namespace"] == "edge"
    assert (tree.output / values_file(app)).is_file()
    (project,) = of_kind(wiring(tree, kubectl, "argocd"), "AppProject").values()
    assert set(project["spec"]["sourceRepos"]) == {chart["repoURL"], URL}
    assert {one["namespace"] for one in project["spec"]["destinations"]} == {"istio-system", "edge", "argocd"}


def test_argo_cd_is_given_an_oci_registry_without_its_scheme(kubectl: Path, tmp_path: Path):
    charts = {"repository": "oci://registry.example.com/istio/"}
    tree = rendered(tmp_path, {"version": "1.30.3", "charts": charts}, ARGOCD)

    found = applications(tree, kubectl)
    assert {found[name]["spec"]["sources"][0]["repoURL"] for name in ("istio-base", "istiod")} == {
        "registry.example.com/istio"
    }
    (project,) = of_kind(wiring(tree, kubectl, "argocd"), "AppProject").values()
    assert "registry.example.com/istio" in project["spec"]["sourceRepos"]


def test_drift_rules_go_with_the_charts_whose_webhooks_istiod_writes_to(kubectl: Path, tmp_path: Path):
    istio = {**AMBIENT, "values": {"defaultRevision": "default"}}
    found = applications(rendered(tmp_path, istio, ARGOCD, addons={"kiali": {}}), kubectl)

    assert {name for name, app in found.items() if "ignoreDifferences" in app["spec"]} == {"istio-base", "istiod"}


@pytest.mark.upstream
def test_argo_cd_accepts_applications_of_charts(cases: Path, kubectl: Path, tmp_path: Path):
    objects = wiring(rendered(tmp_path, AMBIENT, ARGOCD, addons={"kiali": {}}), kubectl, "argocd")

    assert sum("sources" in obj["spec"] for obj in objects) == 5
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


def test_both_engines_get_the_same_releases_with_the_values_that_each_needs(kubectl: Path, tmp_path: Path):
    tree = rendered(tmp_path, AMBIENT, {**FLUX, **ARGOCD})

    by_flux = releases(tree, kubectl)
    by_argocd = {name: app for name, app in applications(tree, kubectl).items() if "sources" in app["spec"]}
    assert set(by_flux) == set(by_argocd)
    for name, release in by_flux.items():
        (values,) = read_yaml((tree.output / values_file(by_argocd[name])).read_text(encoding="utf-8"))
        # What istiod makes mandatory later would be set back by each apply.
        own = {"base": {"validationFailurePolicy": "Fail"}} if name in ("istio-base", "istiod") else {}
        assert values == {**release["spec"]["values"], **own}, name


def test_without_delivery_the_stages_are_there_for_a_flux_of_ones_own(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(istio=AMBIENT))

    assert list(tree.stages("msa")) == ["namespaces", "istio", "gateways"]
    assert len(releases(tree, kubectl)) == 5
    assert tree.cluster("msa")["wiring"] == {}
    assert not list(tree.output.rglob("values"))


def test_clusters_of_an_environment_share_the_values_that_are_the_same(kubectl: Path, tmp_path: Path):
    changed = {"istio": {"meshConfig": {"accessLogFile": "/dev/stdout"}}}
    tree = rendered(
        tmp_path,
        {"version": "1.30.3"},
        ARGOCD,
        overlay("dev", clusters={"a": None, "b": None, "c": {"patch": changed}}),
    )
    files = {
        cluster: {
            name: values_file(app) for name, app in applications(tree, kubectl, cluster).items() if name != "namespaces"
        }
        for cluster in tree.clusters
    }

    assert files["a"] == files["b"]
    assert set(files["a"].values()) == {
        f"environments/dev/values/{name}.yaml" for name in ("istio-base", "istiod", "istio-ingressgateway")
    }
    assert files["c"]["istio-ingressgateway"] == files["a"]["istio-ingressgateway"]
    assert files["c"]["istiod"] == "clusters/c/values/istiod.yaml"
    (own,) = read_yaml((tree.output / files["c"]["istiod"]).read_text(encoding="utf-8"))
    assert own["meshConfig"]["accessLogFile"] == "/dev/stdout"


def test_a_change_of_one_cluster_is_a_patch_of_its_release(kubectl: Path, tmp_path: Path):
    changed = {"istio": {"meshConfig": {"accessLogFile": "/dev/stdout"}}}
    tree = rendered(
        tmp_path, {"version": "1.30.3"}, FLUX, overlay("dev", clusters={"a": None, "b": {"patch": changed}})
    )
    said = {cluster: releases(tree, kubectl, cluster)["istiod"]["spec"]["values"] for cluster in tree.clusters}

    assert said["b"].pop("meshConfig")["accessLogFile"] == "/dev/stdout"
    assert "accessLogFile" not in said["a"].pop("meshConfig", {})
    assert said["a"] == said["b"]
    assert tree.stages("b")["gateways"] == tree.stages("a")["gateways"]
    assert tree.stages("b")["istio"] != tree.stages("a")["istio"]


def test_clusters_of_one_environment_may_have_engines_of_their_own(kubectl: Path, tmp_path: Path):
    clusters = {"a": {"patch": {"delivery": ARGOCD}}, "b": {"patch": {"delivery": FLUX}}}
    tree = render_config(tmp_path, mesh(istio={"version": "1.30.3"}), overlay("dev", clusters=clusters))

    assert list(tree.stages("a")) == ["namespaces"]
    assert list(tree.stages("b")) == ["namespaces", "istio", "gateways"]
    assert set(applications(tree, kubectl, "a")) - {"namespaces"} == set(releases(tree, kubectl, "b"))


def test_a_minor_that_is_not_known_yet_is_rendered_as_the_one_to_be_assumed(kubectl: Path, tmp_path: Path):
    known = rendered(tmp_path / "known", {"version": "1.31.0"}, FLUX)
    newer = rendered(tmp_path / "newer", {"version": "1.99.1", "assumeMinor": "1.31"}, FLUX)

    before, after = releases(known, kubectl), releases(newer, kubectl)
    assert set(before) == set(after)
    assert {one["spec"]["chart"]["spec"]["version"] for one in after.values()} == {"1.99.1"}
    for name, release in after.items():
        assert str(release).replace("1.99.1", "1.31.0") == str(before[name])
    assert [one["rule"] for one in newer.report["findings"] if one["path"] == "/istio/assumeMinor"] == ["MG203"]


def test_layers_that_others_mend_are_no_ground_to_stand_on(kubectl: Path, tmp_path: Path):
    # At 1.30 there is no profile external, so nothing of the mesh's own can be a base there.
    moved = {"istio": {"version": "1.30.3", "profile": "default"}}
    tree = rendered(
        tmp_path,
        {"version": "1.11.3", "profile": "external"},
        FLUX,
        overlay("dev", clusters={"old": None, "new": {"patch": moved}}),
    )

    assert set(releases(tree, kubectl, "new")) == {"istio-base", "istiod", "istio-ingressgateway"}
    assert releases(tree, kubectl, "old") == {}
