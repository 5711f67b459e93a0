from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.chart import Chart, ChartRelease
from meshgen.build.stage import Memory, Remark
from meshgen.catalog import minors, release
from meshgen.check.settings import kubernetes_remarks, release_remarks, settings_remarks


def remarks(**settings: Any) -> list[Remark]:
    return list(settings_remarks({"istio": {"version": "1.11.3"}, **settings}, Memory()))


def found(**settings: Any) -> list[tuple[str, str]]:
    return [(remark.rule, remark.pointer) for remark in remarks(**settings)]


def version_of(minor: str) -> str:
    return f"{minor}.0"


@pytest.mark.parametrize("minor", minors())
def test_every_known_minor_is_right_with_each_of_its_profiles_and_addons(minor: str) -> None:
    known = release(minor)
    names = [name for name in known.addons if name in ("prometheus", "grafana", "kiali", "jaeger", "loki")]

    for profile in known.profiles:
        istio = {"version": version_of(minor), "profile": profile}
        assert found(istio=istio, addons={name: {} for name in names}) == []


@pytest.mark.parametrize("minor", minors())
def test_every_known_minor_takes_the_fields_and_components_of_its_own_api(minor: str) -> None:
    known = release(minor)
    fields = {key: None for key in known.spec_fields if key not in ("components", "profile")}

    istio = {"version": version_of(minor), **fields, "components": dict.fromkeys(known.components)}

    assert found(istio=istio) == []


@pytest.mark.parametrize("minor", minors())
def test_the_operator_is_refused_from_1_24_on(minor: str) -> None:
    istio = {"version": version_of(minor), "install": "operator"}

    assert found(istio=istio) == ([] if int(minor.split(".")[1]) < 24 else [("MG206", "/istio/install")])


@pytest.mark.parametrize("minor", minors())
def test_each_way_to_install_is_refused_where_it_can_not_work(minor: str) -> None:
    number = int(minor.split(".")[1])
    able = {
        method
        for method in ("operator", "helm", "sail", "manifests")
        if not found(istio={"version": version_of(minor), "install": method})
    }

    assert ("operator" in able) == (number <= 23)
    assert ("helm" in able) == (number >= 22)
    assert ("sail" in able) == (number >= 24)
    assert "manifests" in able


@pytest.mark.parametrize(
    ("istio", "expected"),
    [
        ({"version": "1.11.3", "charts": {"secretRef": "a"}}, [("MG206", "/istio/charts")]),
        ({"version": "1.30.3", "install": "manifests", "charts": {"secretRef": "a"}}, [("MG206", "/istio/charts")]),
        ({"version": "1.30.3", "charts": {"secretRef": "a"}}, []),
        ({"version": "1.22.8", "install": "helm", "charts": {"secretRef": "a"}}, []),
        ({"version": "1.30.3", "sail": {"install": False}}, [("MG206", "/istio/sail")]),
        ({"version": "1.30.3", "install": "sail", "sail": {"install": False}}, []),
        ({"version": "1.30.3", "charts": {}, "sail": {}}, []),
    ],
)
def test_a_key_of_another_way_to_install_is_refused(istio: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(istio=istio) == expected


@pytest.mark.parametrize("version", ["1.11.3", "1.21.6"])
def test_no_hint_names_a_way_that_can_not_install_that_version(version: str) -> None:
    (said,) = remarks(istio={"version": version, "charts": {"secretRef": "a"}})

    assert said.hint == "take it out"


@pytest.mark.parametrize(
    ("istio", "expected"),
    [
        ({"version": "1.99.0"}, [("error", "/istio/version")]),
        ({"version": "1.99.0", "assumeMinor": minors()[-1]}, [("warning", "/istio/assumeMinor")]),
        ({"version": "1.99.0", "assumeMinor": "1.24"}, [("warning", "/istio/assumeMinor")]),
        ({"version": "1.99.0", "assumeMinor": "1.98"}, [("error", "/istio/assumeMinor")]),
        # What the operator brought is gone for good.
        ({"version": "1.99.0", "assumeMinor": "1.23"}, [("error", "/istio/assumeMinor")]),
        ({"version": "1.10.6", "assumeMinor": "1.11"}, [("error", "/istio/version")]),
        ({"version": "1.30.3", "assumeMinor": "1.30"}, [("warning", "/istio/assumeMinor")]),
        ({"version": "1.30.3", "assumeMinor": "1.98"}, [("warning", "/istio/assumeMinor")]),
    ],
)
def test_a_minor_may_be_assumed_for_a_newer_one_alone(istio: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    said = remarks(istio=istio)

    assert [remark.rule for remark in said] == ["MG203"]
    assert [(remark.severity, remark.pointer) for remark in said] == expected


def test_the_facts_of_the_assumed_minor_are_what_is_checked_by() -> None:
    istio = {"version": "1.99.0", "assumeMinor": minors()[-1], "profile": "nothing", "install": "operator"}

    assert [rule for rule, _ in found(istio=istio)] == ["MG203", "MG206", "MG204"]
    assert kubernetes_remarks(istio, "1.20")[0].rule == "MG401"


def releases(*names: str) -> tuple[ChartRelease, ...]:
    chart = Chart("gateway", "https://charts.example.com", "1.30.3", "istio-gateways")
    return tuple(ChartRelease(name, chart, "istio-system", {}) for name in names)


def test_a_releases_name_fits_into_helm_and_into_argo_cds_label() -> None:
    assert release_remarks("msa", "prod", True, releases("a" * 53)) == []
    assert [one.pointer for one in release_remarks("msa", "prod", True, releases("a" * 54))] == ["/istio/components"]
    assert [one.pointer for one in release_remarks("m" * 8, "c" * 8, True, releases("a" * 45))] == []
    assert [one.pointer for one in release_remarks("m" * 8, "c" * 8, True, releases("a" * 46))] == ["/delivery/argocd"]
    assert release_remarks("m" * 8, "c" * 8, False, releases("a" * 46)) == []


def test_two_releases_of_one_name_are_refused_once() -> None:
    said = release_remarks("msa", "prod", False, releases("edge", "istiod", "edge", "edge"))

    assert [(one.rule, one.message) for one in said] == [("MG202", "there are two Helm releases edge")]


def test_charts_of_ones_own_bring_profiles_of_their_own() -> None:
    assert found(istio={"version": "1.11.3", "profile": "ours", "installPackagePath": "/charts"}) == []


def test_charts_of_ones_own_on_a_disk_are_nothing_that_a_cluster_could_install() -> None:
    istio = {"version": "1.30.3", "profile": "ours", "installPackagePath": "/charts"}

    assert found(istio=istio) == [("MG204", "/istio/profile"), ("MG215", "/istio/installPackagePath")]
    assert found(istio={**istio, "install": "manifests"}) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://bot:hunter2@example.com/mesh.git",
        "https://:hunter2@example.com/mesh.git",
        "https://bot:hun/ter2@example.com/mesh.git",
        "https://bot:hun@ter2@example.com/mesh.git",
        "ssh://git:hunter2@example.com:22/mesh.git",
        "https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/msa/mesh.git",
        "https://github_pat_11ABCDEFG@github.com/msa/mesh.git",
        "https://glpat-abcdefghijklmnop@gitlab.com/msa/mesh.git",
        "https://example.com/mesh.git?access_token=hunter2",
    ],
)
def test_password_in_a_url_is_refused_and_never_printed(url: str) -> None:
    said = remarks(delivery={"argocd": {"url": url}})

    assert [(remark.rule, remark.pointer) for remark in said] == [("MG212", "/delivery/argocd/url")]
    assert not any(
        secret in f"{remark.message}{remark.hint}" for remark in said for secret in ("hun", "ghp", "gl", "11")
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/mesh.git",
        "https://example.com:8443/mesh.git",
        "https://example.com:8443/mesh@v1.git",
        "https://org@dev.azure.com/org/project/_git/mesh",
        "ssh://git@example.com:22/mesh.git",
        "ssh://git@[2001:db8::1]:22/mesh.git",
        "git@github.com:msa/mesh.git",
    ],
)
def test_url_without_a_password_is_taken(url: str) -> None:
    assert found(delivery={"argocd": {"url": url}}) == []


@pytest.mark.parametrize("path", ["..", "../output", "./a/../../b", "a/.."])
def test_path_that_leads_out_of_the_repository_is_refused(path: str) -> None:
    assert found(delivery={"flux": {"url": "https://example.com/x", "path": path}}) == [
        ("MG101", "/delivery/flux/path")
    ]


@pytest.mark.parametrize("path", [".", "./output", "output/", "a..b", "a/.b/c"])
def test_path_in_the_repository_is_taken(path: str) -> None:
    assert found(delivery={"flux": {"url": "https://example.com/x", "path": path}}) == []


def test_zipkin_and_jaeger_exclude_each_other_only_where_meshgen_writes_both() -> None:
    own = {"source": "./zipkin.yaml"}

    assert found(addons={"zipkin": {}, "jaeger": {}}) == [("MG211", "/addons/zipkin")]
    assert found(addons={"zipkin": own, "jaeger": {}}) == []
    assert found(addons={"zipkin": {}, "jaeger": {"source": "builtin"}}) == [("MG211", "/addons/zipkin")]


@pytest.mark.parametrize("storage", [{"storageClassName": "fast"}])
def test_storage_without_a_size_is_refused(storage: dict[str, str]) -> None:
    assert found(addons={"prometheus": {"storage": storage}}) == [("MG104", "/addons/prometheus/storage")]


def test_addon_that_the_version_lacks_may_come_from_ones_own_manifests() -> None:
    assert found(addons={"loki": {}}) == [("MG210", "/addons/loki")]
    assert found(addons={"loki": {"source": "./loki.yaml"}}) == []


def test_all_problems_of_a_cluster_are_found_at_once() -> None:
    assert found(
        istio={"version": "1.11.3", "profile": "nothing", "compatibilityVersion": "1.10", "install": "helm"},
        addons={"loki": {}, "prometheus": {"secret": "s"}},
        delivery={"flux": {}, "argocd": {"url": "https://a:b@c/d"}},
    ) == [
        ("MG206", "/istio/install"),
        ("MG204", "/istio/profile"),
        ("MG205", "/istio/compatibilityVersion"),
        ("MG210", "/addons/loki"),
        ("MG210", "/addons/prometheus/secret"),
        ("MG104", "/delivery/flux"),
        ("MG212", "/delivery/argocd/url"),
    ]


@pytest.mark.parametrize(
    ("istio", "kubernetes", "expected"),
    [
        ("1.11.3", None, []),
        ("1.11.3", "1.18", []),
        ("1.11.3", "1.22", []),
        ("1.11.3", "1.22.17", []),
        ("1.11.3", "1.17", [("MG401", "warning")]),
        ("1.11.3", "1.24", [("MG401", "warning")]),
        ("1.11.3", "1.25", [("MG402", "error")]),
        ("1.11.3", "1.30", [("MG402", "error")]),
        ("1.99.0", "1.30", []),
    ],
)
def test_pair_outside_a_window_is_told_and_one_that_cannot_work_is_refused(
    istio: str, kubernetes: str | None, expected: list[tuple[str, str]]
) -> None:
    said = kubernetes_remarks({"version": istio}, kubernetes)

    assert [(remark.rule, remark.severity) for remark in said] == expected


def test_no_check_changes_the_settings_it_looks_at() -> None:
    settings = {
        "istio": {"version": "1.11.3", "components": {"ingressGateways": [{"name": "a"}, {}]}},
        "addons": {"zipkin": {}, "jaeger": {}},
    }
    before = repr(settings)

    settings_remarks(settings, Memory())

    assert repr(settings) == before
