from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.build.addoncharts import AddonCharts, addon_release, chart_services
from meshgen.build.addons import NAMES
from meshgen.build.chart import ChartRelease
from meshgen.catalog import minor_key, minors, release
from meshgen.catalog.addoncharts import addon_chart
from meshgen.values import merged
from meshgen.yaml import emit, emit_documents
from tests.build.addons import ALL, PAIRS, STORAGE, build, config, containers, every_addon, of_kind

LOAD_BALANCER = {
    "type": "LoadBalancer",
    "loadBalancerIP": "10.1.2.3",
    "loadBalancerClass": "example.com/internal",
    "externalTrafficPolicy": "Local",
    "loadBalancerSourceRanges": ["10.0.0.0/8"],
    "annotations": {"example.com/internal": "true"},
}
# Older charts of these two take no security context of the container.
OLDEST_LOCKABLE = {"prometheus": (1, 15), "kiali": (1, 16)}
LOCKABLE = [(minor, name) for minor, name in PAIRS if minor_key(minor) >= OLDEST_LOCKABLE.get(name, (1, 11))]
WITH_STORAGE = [(minor, name) for minor, name in PAIRS if name in ("prometheus", "grafana", "jaeger", "loki")]


def of(name: str, minor: str = "1.31", exposures: dict[str, Any] | None = None, **settings: Any) -> AddonCharts:
    return addon_release(
        name,
        {"source": "helm", **settings},
        namespace="istio-system",
        addons=ALL,
        minor=minor,
        exposures=exposures or {},
    )


def made(name: str, minor: str = "1.31", exposures: dict[str, Any] | None = None, **settings: Any) -> ChartRelease:
    found = of(name, minor, exposures, **settings).release
    assert found is not None
    return found


def at(values: Any, path: str) -> Any:
    for key in path.split("/"):
        values = values[key]
    return values


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


@every_addon
def test_the_chart_is_the_samples_own(minor, name):
    one, facts = made(name, minor), addon_chart(name)
    assert (one.name, one.namespace, one.chart.name) == (name, "istio-system", facts.chart)
    assert (one.chart.repository, one.chart.version) == (facts.repository, facts.versions[minor])


@every_addon
def test_services_have_the_names_and_ports_of_the_built_in(minor, name):
    services = chart_services(name, {}, namespace="istio-system", minor=minor)
    assert services is not None
    known = {one["metadata"]["name"]: {port["port"] for port in one["spec"]["ports"]} for one in services}
    for service in of_kind(build(minor, name), "Service"):
        assert {port["port"] for port in service["spec"]["ports"]} <= known[service["metadata"]["name"]]


@pytest.mark.parametrize(("minor", "name"), LOCKABLE)
def test_the_pod_is_locked_down(minor, name):
    values = leaves(made(name, minor).values)
    assert "ALL" in values
    assert "RuntimeDefault" in values


@every_addon
def test_no_proxy_is_injected(minor, name):
    one = made(name, minor)
    said = [json.dumps(one.values), *(json.dumps(patch.change) for patch in one.patches)]
    assert any('{"sidecar.istio.io/inject": "false"}' in text for text in said)


def test_istio_1_11_is_told_by_an_annotation():
    assert made("prometheus", "1.11").values["server"]["podAnnotations"] == {"sidecar.istio.io/inject": "false"}
    assert "podAnnotations" not in made("prometheus", "1.12").values["server"]
    (patch,) = made("jaeger", "1.11").patches
    annotations = {"sidecar.istio.io/inject": "false"}
    assert patch.change == {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    assert made("jaeger", "1.12").patches == ()


@pytest.mark.parametrize("minor", minors())
def test_prometheus_runs_the_jobs_of_the_built_in_and_no_other(minor):
    values, builtin = made("prometheus", minor).values, config(build(minor, "prometheus"), "prometheus.yml")
    assert values["server"]["global"] == builtin["global"]
    if "scrapeConfigs" in values:
        jobs = [job for job in values["scrapeConfigs"].values() if job.get("enabled") is not False]
        assert len(values["scrapeConfigs"]) > len(jobs)
    else:
        jobs = values["serverFiles"]["prometheus.yml"]["scrape_configs"]
    assert jobs == builtin["scrape_configs"]


def test_grafana_has_the_built_ins_data_sources_and_dashboards():
    values, builtin = made("grafana").values, build("1.31", "grafana")
    assert values["datasources"]["datasources.yaml"] == config(builtin, "datasources.yaml")
    assert values["dashboardProviders"]["dashboardproviders.yaml"] == config(builtin, "dashboards.yaml")
    dashboards = {name: json.loads(one["json"]) for name, one in values["dashboards"]["istio"].items()}
    assert dashboards == {name: config(builtin, f"{name}.json") for name in dashboards}
    assert values["grafana.ini"]["auth.anonymous"] == {"enabled": "false"}


@pytest.mark.parametrize(("name", "path"), [("grafana", "admin/existingSecret"), ("kiali", "deployment/secret_name")])
def test_credentials_come_from_the_same_secret_as_the_built_ins(name, path):
    assert at(made(name).values, path) == name
    assert at(made(name, secret="ours").values, path) == "ours"


@pytest.mark.parametrize("minor", minors())
def test_kiali_reads_its_signing_key_from_the_secret(minor):
    one = made("kiali", minor, secret="ours")
    assert one.values["login_token"]["signing_key"] == "secret:ours:login-token-signing-key"
    by_chart = minor in ("1.29", "1.30", "1.31")
    assert bool(one.patches) != by_chart
    assert by_chart or '"ours"' in json.dumps(one.patches[0].change)


@pytest.mark.parametrize("minor", minors())
def test_kiali_is_configured_as_the_built_in(minor):
    values, builtin = made("kiali", minor).values, config(build(minor, "kiali"), "config.yaml")
    assert values["external_services"] == builtin["external_services"]
    assert merged(values, builtin) == values


def test_kiali_of_another_version_than_the_samples_is_configured_as_that_version_reads():
    old, new = made("kiali", "1.22"), made("kiali", "1.22", version="2.8.0")
    assert at(old.values, "external_services/grafana/in_cluster_url") == "http://grafana.istio-system:3000"
    assert at(new.values, "external_services/grafana/internal_url") == "http://grafana.istio-system:3000"
    assert at(new.values, "external_services/prometheus/url") == "http://prometheus.istio-system:9090"


@every_addon
def test_resources_are_the_built_ins_or_the_users(minor, name):
    builtin = containers(build(minor, name))[0]["resources"]["limits"]["memory"]
    own = {"requests": {"cpu": "1"}, "limits": {"memory": "7Gi"}}
    default, asked = made(name, minor), made(name, minor, resources=own)
    assert builtin in leaves(default.values)
    assert "7Gi" not in leaves(default.values)
    assert "7Gi" in leaves(asked.values)


@pytest.mark.parametrize(("minor", "name"), WITH_STORAGE)
def test_storage_becomes_a_claim_of_that_size_and_class(minor, name):
    with_storage, without = leaves(made(name, minor, **STORAGE).values), leaves(made(name, minor).values)
    assert {"5Gi", "fast"} <= set(with_storage)
    assert not {"5Gi", "fast"} & set(without)


def test_an_addon_without_a_volume_refuses_storage():
    for name in ("kiali", "zipkin"):
        (remark,) = of(name, **STORAGE).remarks
        assert (remark.rule, remark.pointer) == ("MG210", f"/addons/{name}/storage")


@pytest.mark.parametrize(
    ("name", "minor", "image", "said"),
    [
        ("prometheus", "1.11", "mirror:5000/prom:v1", {"repository": "mirror:5000/prom", "tag": "v1"}),
        ("zipkin", "1.31", "mirror/zipkin", {"repository": "mirror/zipkin"}),
        ("zipkin", "1.31", "m.io/z:1@sha256:ab", {"repository": "m.io/z", "tag": "1@sha256:ab"}),
        ("zipkin", "1.31", "m.io/z@sha256:ab", {"repository": "m.io/z@sha256", "tag": "ab"}),
        ("prometheus", "1.31", "m.io/p@sha256:ab", {"repository": "m.io/p", "digest": "sha256:ab"}),
        (
            "grafana",
            "1.31",
            "m.io:1/a/g:1@sha256:ab",
            {"registry": "m.io:1", "repository": "a/g", "sha": "ab", "tag": "1"},
        ),
        ("grafana", "1.31", "grafana:1", {"registry": "docker.io", "repository": "library/grafana", "tag": "1"}),
        ("loki", "1.31", "grafana/loki:1", {"registry": "docker.io", "repository": "grafana/loki", "tag": "1"}),
    ],
)
def test_an_image_is_said_in_the_parts_that_the_chart_puts_together(name, minor, image, said):
    paths = {"prometheus": "server/image", "loki": "loki/image"}
    assert at(made(name, minor, image=image).values, paths.get(name, "image")) == said


@pytest.mark.parametrize("minor", minors())
def test_jaeger_runs_the_image_of_the_sample_unless_another_chart_is_asked_for(minor):
    image = release(minor).addons["jaeger"]
    assert set(image.rsplit(":", 1)) <= set(leaves(made("jaeger", minor).values))
    other = "4.11.1" if minor < "1.29" else "3.4.1"
    assert image.rsplit(":", 1)[1] not in leaves(made("jaeger", minor, version=other).values)


def test_the_users_values_win_and_keep_their_nulls():
    own = {"server": {"retention": "1d", "service": {"servicePort": 80}, "securityContext": None}}
    values = made("prometheus", values=own).values["server"]
    assert (values["retention"], values["service"], values["securityContext"]) == ("1d", {"servicePort": 80}, None)
    assert values["fullnameOverride"] == "prometheus"


def test_nothing_that_the_catalogue_holds_is_changed_by_a_release():
    before = json.dumps(addon_chart("jaeger").shapes)
    one = made("jaeger", "1.31", {"tracing": LOAD_BALANCER}, values={"extraObjects": []}, **STORAGE)
    assert one.values["extraObjects"] == []
    assert json.dumps(addon_chart("jaeger").shapes) == before


@pytest.mark.parametrize(
    ("name", "service", "fields"), [("prometheus", "prometheus", "server/service"), ("grafana", "grafana", "service")]
)
def test_an_exposure_is_said_in_the_charts_own_values(name, service, fields):
    one = made(name, "1.31", {service: LOAD_BALANCER})
    assert LOAD_BALANCER.items() <= at(one.values, fields).items()
    assert one.patches == ()


def test_what_the_chart_can_not_say_is_a_patch():
    (patch,) = made("prometheus", "1.24", {"prometheus": LOAD_BALANCER}).patches
    fields = {"loadBalancerClass": "example.com/internal", "externalTrafficPolicy": "Local"}
    assert (patch.kind, patch.name, patch.pointer) == ("Service", "prometheus", "/expose/prometheus")
    assert patch.change == {"spec": fields}


def test_kialis_metrics_stay_closed_and_the_reviewer_is_told():
    exposures = {"kiali": {**LOAD_BALANCER, "ports": ["http"], "pointer": "/expose/kiali.istio-system"}}
    both = of("kiali", "1.31", exposures)
    assert both.release is not None
    assert both.release.values["server"]["observability"]["metrics"] == {"enabled": False}
    assert both.release.values["deployment"]["service_type"] == "LoadBalancer"
    (remark,) = both.remarks
    assert (remark.severity, remark.pointer) == ("info", "/expose/kiali.istio-system")
    assert made("kiali", "1.16", exposures).values["server"]["metrics_enabled"] is False


def test_a_service_that_the_chart_lacks_is_opened_where_it_is_written():
    one = made("zipkin", "1.31", {"tracing": {**LOAD_BALANCER, "ports": ["http-query"]}})
    (tracing,) = one.values["extraManifests"]
    assert {key: tracing["spec"][key] for key in LOAD_BALANCER if key != "annotations"}.items() <= LOAD_BALANCER.items()
    assert tracing["metadata"]["annotations"] == LOAD_BALANCER["annotations"]
    assert tracing["spec"]["selector"] == {"app.kubernetes.io/name": "zipkin", "app.kubernetes.io/instance": "zipkin"}
    assert one.patches == ()


def test_an_exposure_of_another_addons_service_changes_nothing():
    assert made("kiali", "1.31", {"grafana": LOAD_BALANCER}).values == made("kiali").values


def test_kustomize_takes_unwanted_ports_away(kubectl: Path, tmp_path: Path):
    exposures = {"jaeger-collector": {"type": "NodePort", "ports": ["otlp-grpc", "4318"]}}
    (patch,) = made("jaeger", "1.20", exposures).patches
    services = chart_services("jaeger", {}, namespace="istio-system", minor="1.20")
    assert services is not None
    (tmp_path / "services.yaml").write_text(emit_documents(list(services)))
    change = merged({"apiVersion": "v1", "kind": patch.kind, "metadata": {"name": patch.name}}, dict(patch.change))
    patches = [{"target": {"kind": patch.kind, "name": patch.name}, "patch": emit(change)}]
    (tmp_path / "kustomization.yaml").write_text(emit({"resources": ["services.yaml"], "patches": patches}))
    built = subprocess.run([kubectl, "kustomize", tmp_path], check=True, capture_output=True, text=True).stdout
    spec = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(built)}["jaeger-collector"]
    assert (spec["type"], [port["name"] for port in spec["ports"]]) == ("NodePort", ["otlp-grpc", "otlp-http"])


def test_a_default_of_the_chart_does_not_stand_beside_the_users_resources(helm: Path, tmp_path: Path):
    chart = tmp_path / "zipkin"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: zipkin, version: 0.4.0}\n")
    defaults = {
        "resources": {"limits": {"cpu": "500m", "memory": "4096Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}
    }
    (chart / "values.yaml").write_text(emit(defaults))
    (chart / "templates" / "all.yaml").write_text("{{ toYaml .Values.resources }}\n")
    (tmp_path / "values.yaml").write_text(emit(made("zipkin", resources={"limits": {"memory": "1Gi"}}).values))
    command = [helm, "template", "zipkin", chart, "--values", tmp_path / "values.yaml"]
    rendered = yaml.safe_load(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert rendered["limits"] == {"memory": "1Gi"}
    assert not rendered.get("requests")


def test_a_version_that_nothing_says_has_to_be_given():
    missing = of("loki", "1.17")
    assert missing.release is None
    assert [(remark.rule, remark.pointer) for remark in missing.remarks] == [("MG104", "/addons/loki")]
    assert of("loki", "1.17", version="4.8.0").release is not None
    assert chart_services("loki", {}, namespace="istio-system", minor="1.17") is None


def test_an_image_tag_is_no_version_of_a_chart():
    refused = of("kiali", version="latest")
    assert refused.release is None
    assert [(remark.rule, remark.pointer) for remark in refused.remarks] == [("MG101", "/addons/kiali/version")]


def test_a_version_whose_values_are_not_known_is_warned_of_and_taken():
    newer = of("kiali", version="9.0.0")
    assert newer.release is not None
    assert newer.release.chart.version == "9.0.0"
    assert [(remark.severity, remark.pointer) for remark in newer.remarks] == [("warning", "/addons/kiali/version")]


def test_a_mirror_of_the_charts_is_a_source_of_its_own():
    mirror = made("grafana", repository="oci://registry.example.com/charts").chart
    assert (mirror.name, mirror.version, mirror.oci) == ("grafana", made("grafana").chart.version, True)
    assert mirror.origin != made("grafana").chart.origin


def test_a_strange_chart_gets_the_users_values_alone():
    exposures = {"prom": {**LOAD_BALANCER, "ports": ["web"]}}
    strange = of("prometheus", "1.31", exposures, chart="kube-prometheus-stack", version="80.0.0", values={"a": None})
    assert strange.release is not None
    assert strange.release.values == {"a": None}
    (patch,) = strange.release.patches
    assert (patch.name, [remark.pointer for remark in strange.remarks]) == ("prom", ["/expose/prom/ports"])
    settings = {"chart": "kube-prometheus-stack", "version": "80.0.0"}
    assert chart_services("prometheus", settings, namespace="istio-system", minor="1.31") is None


def test_a_strange_chart_says_what_it_can_not_take_over_and_needs_a_version():
    settings = {"image": "a:1", "resources": {"limits": {"cpu": "1"}}, **STORAGE}
    found = of("grafana", chart="other", version="1.0.0", **settings)
    assert [remark.pointer for remark in found.remarks] == [
        f"/addons/grafana/{key}" for key in ("image", "resources", "storage")
    ]
    assert {remark.rule for remark in of("grafana", chart="other").remarks} == {"MG104"}


@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_a_password_of_the_samples(name):
    assert not {"admin", "CHANGEME", "CHANGEME00000000"} & {str(leaf) for leaf in leaves(made(name).values)}
