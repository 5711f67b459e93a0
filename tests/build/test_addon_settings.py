"""What a config can set of a built-in addon, and how the addons find each other."""

from __future__ import annotations

import json

import pytest

from meshgen.build.addons import NAMES, default_ports, image_reference, required_secrets
from meshgen.catalog import minors, release
from meshgen.errors import MeshgenError
from tests.build.addons import ALL, STORAGE, Object, build, config, containers, of_kind, workload


@pytest.mark.parametrize("name", ["prometheus", "grafana", "jaeger"])
def test_storage_is_a_claim_that_one_pod_at_a_time_holds(name):
    objects = build("1.30", name, STORAGE)
    claim = of_kind(objects, "PersistentVolumeClaim")[0]
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    deployment = workload(objects)["spec"]
    # Recreate would say it better, but an API server that defaulted rollingUpdate before refuses the change to it.
    assert deployment["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    volumes = [volume.get("persistentVolumeClaim") for volume in deployment["template"]["spec"]["volumes"]]
    assert {"claimName": claim["metadata"]["name"]} in volumes


def test_loki_keeps_its_chunks_on_a_volume_even_without_being_asked():
    default, larger = (workload(build("1.30", "loki", settings)) for settings in ({}, STORAGE))
    sizes = [
        item["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        for item in (default, larger)
    ]
    assert sizes == ["10Gi", "5Gi"]


def test_resources_replace_the_defaults():
    resources = {"requests": {"cpu": "2", "memory": "4Gi"}}
    assert containers(build("1.30", "prometheus", {"resources": resources}))[0]["resources"] == resources


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "docker.io/grafana/grafana:12.0.1"),
        ({"version": "12.1.0"}, "docker.io/grafana/grafana:12.1.0"),
        ({"image": "registry:5000/grafana"}, "registry:5000/grafana:12.0.1"),
        ({"image": "registry:5000/grafana", "version": "11.0.0"}, "registry:5000/grafana:11.0.0"),
        ({"image": "registry:5000/grafana:11.2.2", "version": "11.0.0"}, "registry:5000/grafana:11.2.2"),
        ({"image": "grafana@sha256:" + "0" * 64}, "grafana@sha256:" + "0" * 64),
    ],
)
def test_image_and_version_override_the_catalogue(settings, expected):
    assert image_reference("grafana", settings, images=release("1.30").addons, minor="1.30") == expected


def test_an_addon_that_the_version_lacks_needs_an_image():
    with pytest.raises(MeshgenError, match=r"Istio 1\.11 has no built-in loki: set addons\.loki\.image"):
        build("1.11", "loki")


def test_an_image_without_a_tag_is_refused_where_nothing_pins_it():
    with pytest.raises(MeshgenError, match=r"pin it, or set addons\.loki\.version"):
        build("1.11", "loki", {"image": "mirror/loki"})


def test_a_secrets_name_comes_from_the_settings():
    for name in ("grafana", "kiali"):
        text = json.dumps(build("1.30", name, {"secret": "mine"}))
        assert '"mine"' in text
        (secret,) = required_secrets(name, {"secret": "mine"}, ALL, namespace="mesh")
        assert secret.name == "mine"
        assert secret.command.startswith("kubectl create secret generic mine --namespace mesh --from-literal=")


def test_a_changed_config_restarts_the_pods_that_read_it_once():
    def annotations(addons: Object) -> Object:
        return workload(build("1.30", "kiali", addons=addons))["spec"]["template"]["metadata"]["annotations"]

    assert annotations(ALL) != annotations({"kiali": {}})
    assert annotations(ALL) == annotations(dict(ALL))


def test_kiali_opens_its_metrics_port_only_when_asked():
    assert default_ports("kiali", "kiali") == ("http",)
    assert default_ports("jaeger", "tracing") is None


@pytest.mark.parametrize("minor", minors())
def test_kiali_finds_the_addons_that_are_there(minor):
    services = config(build(minor, "kiali"), "config.yaml")["external_services"]
    url = "internal_url" if int(minor.split(".")[1]) >= 24 else "in_cluster_url"
    assert services["prometheus"]["url"] == "http://prometheus.istio-system:9090"
    assert services["grafana"]["enabled"] is True
    assert services["grafana"][url] == "http://grafana.istio-system:3000"
    assert services["tracing"]["enabled"] is True
    assert services["tracing"][url] == "http://tracing.istio-system:16685/jaeger"


@pytest.mark.parametrize("minor", minors())
def test_kiali_does_not_look_for_addons_that_are_not_there(minor):
    services = config(build(minor, "kiali", addons={"kiali": {}, "zipkin": {}}), "config.yaml")["external_services"]
    assert "prometheus" not in services
    assert services["grafana"] == {"enabled": False}
    assert services["tracing"] == {"enabled": False}


@pytest.mark.parametrize("minor", minors())
def test_kiali_asks_for_a_token(minor):
    objects = build(minor, "kiali")
    assert config(objects, "config.yaml")["auth"] == {"strategy": "token"}
    # https://github.com/kiali/kiali, config.go: X/value.txt since 1.59, the environment before.
    mounts = {mount["mountPath"] for mount in containers(objects)[0]["volumeMounts"]}
    assert "/kiali-override-secrets/login-token-signing-key" in mounts
    names = {env["name"] for env in containers(objects)[0]["env"]}
    assert ("LOGIN_TOKEN_SIGNING_KEY" in names) is (int(minor.split(".")[1]) < 16)


def test_grafana_has_a_data_source_for_each_addon_that_is_there():
    def sources(addons: Object) -> list[str]:
        return [
            source["uid"]
            for source in config(build("1.30", "grafana", addons=addons), "datasources.yaml")["datasources"]
        ]

    assert sources({"grafana": {}}) == ["prometheus"]
    assert sources(ALL) == ["prometheus", "loki", "jaeger"]


def test_flux_leaves_the_variables_of_dashboards_alone():
    for item in build("1.30", "grafana"):
        if "${" in json.dumps(item):
            assert item["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "grafana"])
def test_flux_finds_nothing_to_substitute(name):
    assert "${" not in json.dumps(build("1.30", name, addons=ALL))


@pytest.mark.parametrize(("minor", "major"), [("1.11", 1), ("1.28", 1), ("1.29", 2), ("1.31", 2)])
def test_jaeger_is_configured_the_way_its_major_version_reads(minor, major):
    objects = build(minor, "jaeger")
    assert bool(of_kind(objects, "ConfigMap")) is (major == 2)
    assert bool(containers(objects)[0].get("env")) is (major == 1)


def test_a_chosen_jaeger_version_decides_how_it_is_configured():
    assert of_kind(build("1.28", "jaeger", {"image": "jaegertracing/jaeger:2.14.0"}), "ConfigMap")
    assert not of_kind(build("1.30", "jaeger", {"image": "jaegertracing/all-in-one:1.70.0"}), "ConfigMap")
