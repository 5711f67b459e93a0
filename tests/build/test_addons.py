"""The built-in addons, for every Istio minor, beside the samples that they take the place of."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jinja2 import Environment, UndefinedError, nodes

from meshgen.build.addons import (
    CONTAINER_SECURITY,
    NAMES,
    addon_objects,
    default_ports,
    image_reference,
    required_secrets,
)
from meshgen.build.templates import read_text, render_objects
from meshgen.catalog import minors, release
from meshgen.errors import MeshgenError

ALL: dict[str, dict[str, Any]] = {name: {} for name in NAMES if name != "zipkin"}
PAIRS = [(minor, name) for minor in minors() for name in NAMES if name in release(minor).addons]
ENDS = [("1.11", "istio-1.11.3"), ("1.30", "istio-1.30.3")]
STORAGE = {"storage": {"size": "5Gi", "storageClassName": "fast"}}

every_addon = pytest.mark.parametrize(("minor", "name"), PAIRS)

Object = dict[str, Any]


def build(minor: str, name: str, settings: Object | None = None, addons: Object | None = None) -> list[Object]:
    return addon_objects(
        name,
        settings or {},
        images=release(minor).addons,
        namespace="istio-system",
        addons=ALL if addons is None else addons,
        minor=minor,
    )


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [item for item in objects if item["kind"] in kinds]


def workload(objects: list[Object]) -> Object:
    return of_kind(objects, "Deployment", "StatefulSet")[0]


def containers(objects: list[Object]) -> list[Object]:
    pod = workload(objects)["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def config(objects: list[Object], key: str) -> Any:
    texts = [item["data"][key] for item in of_kind(objects, "ConfigMap") if key in item["data"]]
    return yaml.safe_load(texts[0])


# --- what every addon promises


@every_addon
@pytest.mark.parametrize("kubernetes", ["1.25", kubernetes_validate.latest_version()])
def test_kubernetes_accepts_every_object(minor, name, kubernetes):
    for settings in ({}, STORAGE):
        for item in build(minor, name, settings):
            accepted(json.dumps(item), kubernetes)


@cache
def accepted(item: str, kubernetes: str) -> None:
    """Most objects are the same for many minors, and this check is slow."""
    kubernetes_validate.validate(json.loads(item), kubernetes, strict=True)


@every_addon
def test_selectors_match_the_pods(minor, name):
    objects = build(minor, name)
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]
    selectors = [service["spec"]["selector"] for service in of_kind(objects, "Service")]
    selectors.append(workload(objects)["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector.items() <= labels.items()


@every_addon
def test_target_ports_are_open_in_a_container(minor, name):
    objects = build(minor, name)
    ports = [port for container in containers(objects) for port in container["ports"]]
    known = {port["containerPort"] for port in ports} | {port["name"] for port in ports}
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in known


@every_addon
def test_containers_are_locked_down_probed_and_bounded(minor, name):
    objects = build(minor, name)
    pod = workload(objects)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(objects):
        assert container["securityContext"] == CONTAINER_SECURITY
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
        assert container["livenessProbe"]
        assert container["readinessProbe"]


@every_addon
def test_images_are_pinned(minor, name):
    for container in containers(build(minor, name)):
        assert re.fullmatch(r"[a-z0-9./-]+:v?[0-9][0-9A-Za-z.-]*", container["image"])


@every_addon
def test_nothing_opens_without_a_credential(minor, name):
    text = json.dumps([item for item in build(minor, name) if "dashboard" not in item["metadata"]["name"]])
    assert not re.search(r"changeme|anonymous: true|strategy: anonymous|admin/admin|\"admin\"", text, re.IGNORECASE)
    assert "GF_AUTH_ANONYMOUS_ENABLED" not in text
    assert not of_kind(build(minor, name), "Secret")


@every_addon
def test_the_mesh_does_not_inject_its_addons(minor, name):
    metadata = workload(build(minor, name))["spec"]["template"]["metadata"]
    assert metadata["labels"]["sidecar.istio.io/inject"] == "false"
    if minor == "1.11":
        assert metadata["annotations"]["sidecar.istio.io/inject"] == "false"


@every_addon
def test_only_prometheus_and_kiali_reach_the_api_server(minor, name):
    pod = workload(build(minor, name))["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is (name in ("prometheus", "kiali"))


@every_addon
def test_objects_carry_meshgens_label_and_no_selector_does(minor, name):
    for item in build(minor, name):
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "meshgen"
        assert "managed-by" not in json.dumps(item.get("spec", {}).get("selector", {}))


@every_addon
def test_no_two_objects_have_one_name(minor, name):
    identities = [(item["kind"], item["metadata"]["name"]) for item in build(minor, name)]
    assert len(identities) == len(set(identities))


@every_addon
def test_the_same_settings_give_the_same_objects_in_the_same_order(minor, name):
    assert json.dumps(build(minor, name)) == json.dumps(build(minor, name))


@every_addon
def test_namespaced_objects_and_subjects_are_in_the_chosen_namespace(minor, name):
    objects = addon_objects(name, {}, images=release(minor).addons, namespace="mesh", addons=ALL, minor=minor)
    assert "istio-system" not in json.dumps(objects)
    for item in objects:
        if item["kind"] not in ("ClusterRole", "ClusterRoleBinding"):
            assert item["metadata"]["namespace"] == "mesh"


@every_addon
def test_pods_take_only_secrets_that_the_user_is_told_to_make(minor, name):
    told = {(secret.name, key) for secret in required_secrets(name, {}, ALL) for key in secret.keys}
    pod = workload(build(minor, name))["spec"]["template"]["spec"]
    references = [
        env["valueFrom"]["secretKeyRef"]
        for container in pod["containers"]
        for env in container.get("env", [])
        if "secretKeyRef" in env.get("valueFrom", {})
    ]
    taken = {(reference["name"], reference["key"]) for reference in references if not reference.get("optional")}
    for volume in pod["volumes"]:
        if "secret" in volume and not volume["secret"].get("optional"):
            taken |= {(volume["secret"]["secretName"], item["key"]) for item in volume["secret"]["items"]}
    assert taken == told


# --- settings


@pytest.mark.parametrize("name", ["prometheus", "grafana", "jaeger"])
def test_storage_is_a_claim_that_one_pod_at_a_time_holds(name):
    objects = build("1.30", name, STORAGE)
    claim = of_kind(objects, "PersistentVolumeClaim")[0]
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    deployment = workload(objects)["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
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


# --- how they find each other


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


# --- the templates


def test_a_value_can_not_add_structure():
    hostile = 'x"\n---\nkind: Evil\n# {{ namespace }} ${x} \u2028 - a: b'
    for name in NAMES:
        settings = {"secret": hostile, "image": f"evil:{hostile}"}
        objects = addon_objects(
            name, settings, images=release("1.30").addons, namespace=hostile, addons=ALL, minor="1.30"
        )
        assert [item["kind"] for item in objects] == [item["kind"] for item in build("1.30", name)]
        assert objects[0]["metadata"]["namespace"] == hostile


def test_a_value_can_not_add_structure_to_a_config_either():
    hostile = 'x"\n    auth: {strategy: anonymous}'
    images = release("1.30").addons
    objects = addon_objects("kiali", {}, images=images, namespace=hostile, addons=ALL, minor="1.30")
    kiali = config(objects, "config.yaml")
    assert kiali["auth"] == {"strategy": "token"}
    assert kiali["deployment"]["namespace"] == hostile


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="is undefined"):
        render_objects("addons/zipkin.yaml.j2", namespace="istio-system")


@pytest.mark.parametrize("name", NAMES)
def test_templates_hold_only_if_and_for(name):
    tree = Environment().parse(read_text(f"addons/{name}.yaml.j2"))
    allowed = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Getattr)
    allowed += (nodes.Compare, nodes.Operand, nodes.Const)
    assert [node for node in tree.find_all(nodes.Node) if not isinstance(node, allowed)] == []


@pytest.mark.parametrize("name", NAMES)
def test_templates_put_a_value_only_where_a_whole_yaml_value_stands(name):
    for line in read_text(f"addons/{name}.yaml.j2").splitlines():
        if "{{" in line:
            assert re.fullmatch(r" *(- )?([A-Za-z_]+: )?(\{\{ [a-z_.]+ \}\}: )?\{\{ [a-z_.]+ \}\}", line), line


# --- beside the samples


def sample(cases: Path, version: str, name: str) -> list[Object]:
    folder = "addons/extras" if name == "zipkin" else "addons"
    return [item for item in yaml.safe_load_all((cases / version / folder / f"{name}.yaml").read_text()) if item]


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version"), ENDS)
@pytest.mark.parametrize("name", NAMES)
def test_services_equal_the_samples(cases, minor, version, name):
    if name not in release(minor).addons:
        pytest.skip(f"no {name} in {version}")
    known = json.loads((cases / version / "addons" / "services.json").read_text())
    expected = {item["name"]: item for item in known if Path(item["file"]).stem == name}
    services = {item["metadata"]["name"]: item["spec"] for item in of_kind(build(minor, name), "Service")}
    assert services.keys() == expected.keys()
    for service, spec in services.items():
        assert spec["ports"] == expected[service]["ports"]
        assert spec["selector"] == expected[service]["selector"]
        assert spec.get("type") == expected[service]["type"]
        assert (spec.get("clusterIP") == "None") is expected[service]["headless"]


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version"), ENDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_that_was_applied_can_be_taken_over(cases, minor, version, name):
    if name not in release(minor).addons:
        pytest.skip(f"no {name} in {version}")
    ours, theirs = workload(build(minor, name)), workload(sample(cases, version, name))
    assert ours["kind"] == theirs["kind"]
    assert ours["metadata"]["name"] == theirs["metadata"]["name"]
    # What the API server does not let change.
    for field in ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"):
        assert ours["spec"].get(field) == theirs["spec"].get(field)


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version"), ENDS)
@pytest.mark.parametrize("name", ["prometheus", "kiali"])
def test_permissions_cover_the_samples_and_little_more(cases, minor, version, name):
    ours, theirs = granted(build(minor, name)), granted(sample(cases, version, name))
    assert theirs <= ours
    # EndpointSlices take the place of Endpoints, whatever Istio's version.
    assert {grant for grant in ours - theirs if grant[2] != "endpointslices"} == set()


@pytest.mark.upstream
def test_loki_does_without_the_samples_right_to_read_every_secret(cases):
    # The sample's side-car reads rules from any Secret or ConfigMap of the cluster; ours has none.
    assert ("ClusterRole", "", "secrets", "list", "") in granted(sample(cases, "istio-1.30.3", "loki"))
    assert granted(build("1.30", "loki")) == set()


def granted(objects: list[Object]) -> set[tuple[str, ...]]:
    """Every (kind of role, group, resource, verb, resource name); a role that nothing binds grants nothing."""
    bound = {(item["roleRef"]["kind"], item["roleRef"]["name"]) for item in objects if "roleRef" in item}
    grants = set()
    for role in of_kind(objects, "ClusterRole", "Role"):
        if (role["kind"], role["metadata"]["name"]) not in bound:
            continue
        for rule in role["rules"]:
            for verb in rule["verbs"]:
                grants |= {(role["kind"], "url", url, verb, "") for url in rule.get("nonResourceURLs", [])}
                grants |= {
                    (role["kind"], group, resource, verb, resource_name)
                    for group in rule.get("apiGroups", [])
                    for resource in rule.get("resources", [])
                    for resource_name in rule.get("resourceNames", [""])
                }
    return grants


# --- Prometheus's own opinion


@pytest.mark.realtools
@pytest.mark.parametrize("minor", minors())
def test_promtool_accepts_prometheus_config(tmp_path, minor):
    configuration = config(build(minor, "prometheus"), "prometheus.yml")
    for job in configuration["scrape_configs"]:
        # Debian's promtool is built without the discovery of Kubernetes.
        if discovery := job.pop("kubernetes_sd_configs", None):
            assert {item["role"] for item in discovery} <= {"pod", "node", "endpoints"}
            job["static_configs"] = [{"targets": [f"{job['job_name']}:1"]}]
        # Files of the service account, which only a pod has.
        if "bearer_token_file" in job:
            job["bearer_token_file"] = job["tls_config"]["ca_file"] = str(tmp_path / "file")
    (tmp_path / "file").write_text("")
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    done = subprocess.run(
        ["promtool", "check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


MERGED = {"scrape": "true", "path": "/stats/prometheus", "port": "15020"}
PODS = {
    "a sidecar": ("web", {"istio-proxy": "http-envoy-prom", "app": "http"}, MERGED),
    "a gateway": ("istio-ingressgateway", {"istio-proxy": "http-envoy-prom"}, MERGED),
    "istiod": ("istiod", {"discovery": ""}, {"scrape": "true", "port": "15014"}),
    "ztunnel": ("ztunnel", {"istio-proxy": "ztunnel-stats"}, {"scrape": "true", "port": "15020"}),
    "a sidecar beside an application's metrics": (
        "shop",
        {"istio-proxy": "http-envoy-prom", "app": "http"},
        {"scrape": "true", "port": "8080"},
    ),
    "a sidecar without annotations": ("old", {"istio-proxy": "http-envoy-prom"}, {}),
    "a pod outside of the mesh": ("cron", {"app": "http"}, {}),
}
SCRAPED = {
    "a sidecar": {"IP:15020/stats/prometheus"},
    "a gateway": {"IP:15020/stats/prometheus"},
    "istiod": {"IP:15014/metrics"},
    "ztunnel": {"IP:15020/metrics"},
    "a sidecar beside an application's metrics": {"IP:8080/metrics", "IP:15090/stats/prometheus"},
    "a sidecar without annotations": {"IP:15090/stats/prometheus"},
    "a pod outside of the mesh": set(),
}


@pytest.mark.parametrize("address", ["10.0.0.7", "fd00::7"])
@pytest.mark.parametrize("pod", PODS)
def test_prometheus_scrapes_each_pod_of_the_mesh_once(pod, address):
    app, ports, annotations = PODS[pod]
    host = f"[{address}]" if ":" in address else address
    scraped = []
    for job in config(build("1.30", "prometheus"), "prometheus.yml")["scrape_configs"]:
        if job.get("kubernetes_sd_configs") != [{"role": "pod"}]:
            continue
        found = set()
        for container, port in ports.items():
            meta = {
                "pod_name": app,
                "pod_ip": address,
                "pod_phase": "Running",
                "pod_label_app": app,
                "pod_container_name": container,
                "pod_container_port_name": port,
                **{f"pod_annotation_prometheus_io_{key}": value for key, value in annotations.items()},
            }
            labels = {f"__meta_kubernetes_{key}": value for key, value in meta.items()}
            labels |= {
                "__address__": f"{host}:15090" if port == "http-envoy-prom" else f"{host}:8000",
                "__metrics_path__": job.get("metrics_path", "/metrics"),
            }
            target = relabelled(labels, job["relabel_configs"])
            if target:
                assert target["pod"] == app
                found.add(target["__address__"].replace(host, "IP") + target["__metrics_path__"])
        scraped += found
    assert len(scraped) == len(set(scraped))
    assert set(scraped) == SCRAPED[pod]


def relabelled(labels: dict[str, str], rules: list[Object]) -> dict[str, str] | None:
    """What Prometheus does with a target's labels; None drops the target."""
    for rule in rules:
        value = ";".join(labels.get(label, "") for label in rule.get("source_labels", []))
        regex = re.compile(str(rule.get("regex", "(.*)")))
        replacement = re.sub(r"\$([0-9])", r"\\g<\1>", rule.get("replacement", "$1"))
        match = regex.fullmatch(value)
        action = rule.get("action", "replace")
        if (action == "keep" and not match) or (action == "drop" and match):
            return None
        if action == "replace" and match:
            labels = labels | {rule["target_label"]: match.expand(replacement)}
        if action == "labelmap":
            found = {label: regex.fullmatch(label) for label in labels}
            labels = labels | {hit.expand(replacement): labels[label] for label, hit in found.items() if hit}
    return labels
