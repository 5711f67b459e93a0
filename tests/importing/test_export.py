"""What a cluster exports: addons, Services that someone opened, and what has no place in a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.check.settings import IGNORED
from meshgen.errors import InputError
from meshgen.importing.story import Imported
from tests.importing.inputs import imported, operator, rendered, value_of
from tests.objects import Object

HOME = "istio-system"


def service(name: str, *, namespace: str = HOME, annotations: Any = None, ports: Any = None, **spec: Any) -> Object:
    """A Service as the API server gives it back, with all that it allocates."""
    allocated = {
        "clusterIP": "10.0.0.7",
        "clusterIPs": ["10.0.0.7"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
    }
    if spec.get("type") == "LoadBalancer":
        allocated |= {"externalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": True}
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "annotations": annotations}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {**allocated, "ports": ports or [{"name": "http", "port": 80, "nodePort": 31000}], **spec},
        "status": {"loadBalancer": {}},
    }


def deployment(name: str, image: str, *, kind: str = "Deployment", namespace: str = HOME) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "generation": 4},
        "spec": {"template": {"spec": {"containers": [{"name": "side", "image": "x/y:1"}, {"image": image}]}}},
        "status": {"readyReplicas": 1},
    }


def export(*items: Object) -> Object:
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(items)}


def config_of(tmp_path: Path, *items: Object, **options: Any) -> tuple[Any, Imported]:
    config = tmp_path / "meshgen.yaml"
    found = imported(config, export(operator({"tag": "1.11.3"}), *items), version=None, **options)
    return value_of(found, config), found


def left_over(found: Imported) -> list[str]:
    said = (one.message.partition(" has no place") for one in found.findings if one.rule == "MG804")
    return [name for name, is_left_over, _ in said if is_left_over]


def lost(found: Imported) -> list[str]:
    """What a Service says that is not carried over."""
    said = (one.message for one in found.findings if one.rule == "MG804" and one.severity == "warning")
    return [message.partition(": ")[2].removesuffix(" is not carried over") for message in said]


def test_addons_are_recognised_by_their_workloads(tmp_path: Path):
    value, found = config_of(
        tmp_path,
        deployment("prometheus", "prom/prometheus:v2.26.0"),
        deployment("grafana", "docker.io/grafana/grafana:7.5.5"),
        deployment("jaeger", "docker.io/jaegertracing/all-in-one:1.29"),
        deployment("kiali", "registry.example.com/mirror/kiali/kiali:v1.38.0"),
    )

    assert value["addons"] == {
        "prometheus": {},
        "grafana": {},
        "jaeger": {"version": "1.29"},
        "kiali": {"image": "registry.example.com/mirror/kiali/kiali:v1.38.0"},
    }
    assert left_over(found) == []


@pytest.mark.parametrize(
    "workload",
    [
        deployment("kiali", "example.com/own:1"),
        deployment("grafana-agent", "grafana/grafana:7.5.5"),
        deployment("grafana", "grafana/grafana:7.5.5", namespace="other"),
    ],
    ids=["another image", "another name", "another namespace"],
)
def test_what_only_looks_like_an_addon_is_listed(tmp_path: Path, workload: Object):
    value, found = config_of(tmp_path, workload)

    assert "addons" not in value
    (said,) = left_over(found)
    assert said == f"Deployment {workload['metadata']['name']} in {workload['metadata']['namespace']}"


def test_opened_services_become_expose_without_what_the_api_server_allocates(tmp_path: Path):
    value, found = config_of(
        tmp_path,
        deployment("grafana", "grafana/grafana:7.5.5"),
        deployment("jaeger", "jaegertracing/all-in-one:1.23"),
        service(
            "grafana",
            type="LoadBalancer",
            loadBalancerSourceRanges=["10.0.0.0/8"],
            externalTrafficPolicy="Local",
            annotations={
                "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "cloud.google.com/neg-status": "{}",
            },
            ports=[{"name": "service", "port": 3000}],
        ),
        service("tracing", type="NodePort"),
        service("jaeger-collector", type="ClusterIP"),
    )

    assert value["expose"] == {
        "grafana": {
            "type": "LoadBalancer",
            "sourceRanges": ["10.0.0.0/8"],
            "externalTrafficPolicy": "Local",
            "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
        },
        "tracing": {"type": "NodePort"},
    }
    assert left_over(found) == []


def test_a_port_of_metrics_that_is_open_stays_open_and_is_warned_of(tmp_path: Path):
    ports = [{"name": "http", "port": 20001}, {"name": "http-metrics", "port": 9090}]

    value, found = config_of(
        tmp_path, deployment("kiali", "quay.io/kiali/kiali:v1.38.0"), service("kiali", type="LoadBalancer", ports=ports)
    )

    assert value["expose"]["kiali"]["ports"] == ["http", "http-metrics"]
    assert [one.rule for one in found.findings if one.severity == "warning"] == ["MG502"]
    assert found.differences == ()


def test_a_gateway_as_istio_makes_it_says_nothing(tmp_path: Path):
    value, found = config_of(
        tmp_path,
        service("istio-ingressgateway", type="LoadBalancer"),
        deployment("istio-ingressgateway", "istio/proxyv2:1.11.3"),
        service("istiod", type="ClusterIP"),
        deployment("istiod", "docker.io/istio/pilot:1.11.3"),
        deployment("istio-operator", "docker.io/istio/operator:1.11.3", namespace="istio-operator"),
    )

    assert "expose" not in value
    assert left_over(found) == []


def test_a_gateway_that_someone_closed_by_hand_is_closed(tmp_path: Path):
    value, _ = config_of(tmp_path, service("istio-ingressgateway", type="ClusterIP"))

    assert value["expose"] == {"istio-ingressgateway": {"type": "ClusterIP"}}


def test_a_gateway_that_the_istiooperator_closes_says_nothing(tmp_path: Path):
    gateway = {"name": "istio-ingressgateway", "enabled": True, "k8s": {"service": {"type": "ClusterIP"}}}
    items = export(
        operator({"tag": "1.11.3", "components": {"ingressGateways": [gateway]}}),
        service("istio-ingressgateway", type="ClusterIP"),
    )
    config = tmp_path / "meshgen.yaml"

    assert "expose" not in value_of(imported(config, items, version=None), config)


def test_what_controllers_make_of_other_objects_is_left_out_without_a_word(tmp_path: Path):
    owned = deployment("x", "y", kind="ReplicaSet")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "ownerReferences": [{"name": "x"}]}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x-1"}}

    _, found = config_of(tmp_path, owned, pod, job)

    assert left_over(found) == []


def test_all_else_is_listed_with_its_place(tmp_path: Path):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "a"},
        "data": {"k": "cw=="},
    }

    _, found = config_of(tmp_path, secret, service("mine", type="LoadBalancer"))

    assert left_over(found) == ["Secret key in a", f"Service mine in {HOME}"]
    listed = [one for one in found.findings if one.rule == "MG804"]
    assert all(one.severity == "info" and one.line for one in listed)
    assert len(listed) == 2
    assert not any("cw==" in str(one) for one in listed)


def test_the_version_is_the_one_that_istiod_runs_where_nothing_else_says_it(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    items = export(operator({}), deployment("istiod", "registry.example.com/istio/pilot:1.20.3"))

    found = imported(config, items, version=None)

    assert value_of(found, config)["istio"]["version"] == "1.20.3"
    assert [one.rule for one in found.findings] == ["MG802"]


def test_status_and_the_api_servers_metadata_are_left_out(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    read = operator(
        {"tag": "1.11.3"},
        uid="u",
        generation=3,
        managedFields=[{"manager": "x"}],
        finalizers=["istio-finalizer.install.istio.io"],
        labels={"team": "net", "kustomize.toolkit.fluxcd.io/name": "istio"},
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"},
    )

    found = imported(config, {**read, "status": {"status": "HEALTHY"}}, version=None)

    assert value_of(found, config)["istio"]["metadata"] == {"labels": {"team": "net"}}
    assert found.differences == ()


@pytest.mark.parametrize("name", ["installed-state", "installed-state-example"])
def test_istioctls_note_gets_a_name_that_the_operator_reads(tmp_path: Path, name: str):
    config = tmp_path / "shop" / "meshgen.yaml"

    found = imported(config, operator({"tag": "1.11.3"}, name=name), version=None)

    called = "shop" if name == "installed-state" else "example"
    assert value_of(found, config)["metadata"]["name"] == called
    assert [(one.rule, one.severity) for one in found.findings] == [("MG803", "info")]
    (changed,) = found.differences
    assert (changed.path, changed.read, changed.rendered) == ("metadata.name", f'"{name}"', f'"{called}"')
    assert changed.why
    assert rendered(found, config)[called]["metadata"]["name"] == called


def test_an_export_without_an_istiooperator_is_refused(tmp_path: Path):
    with pytest.raises(InputError) as refused:
        imported(tmp_path / "meshgen.yaml", export(service("kiali", type="LoadBalancer")))

    assert [one.rule for one in refused.value.findings] == ["MG801"]


@pytest.mark.upstream
def test_the_seeds_cluster_becomes_the_seeds_config(cases: Path, tmp_path: Path):
    """Istio 1.11.3 by istioctl, the samples' addons, and three Services that someone edited in vi."""
    folder = cases / "istio-1.11.3"
    note = yaml.safe_load((folder / "istioctl-output" / "profile-dump-default.yaml").read_text(encoding="utf-8"))
    note["metadata"] = {"name": "installed-state", "namespace": HOME}
    note["spec"]["hub"] = "gcr.io/istio-release"
    files = [*(folder / "addons" / f"{name}.yaml" for name in ("prometheus", "grafana", "jaeger", "kiali"))]
    files.append(folder / "istioctl-output" / "manifest-generate-seed.yaml")
    items = [obj for file in files for obj in yaml.load_all(file.read_bytes(), yaml.CBaseLoader)]
    items = [obj for obj in items if obj and obj["kind"] in ("Service", "Deployment")]
    for obj in items:
        for port in obj["spec"].get("ports") or [] if obj["kind"] == "Service" else []:
            port["port"] = int(port["port"])
        if obj["kind"] == "Service" and obj["metadata"]["name"] in ("kiali", "tracing", "grafana"):
            obj["spec"]["type"] = "LoadBalancer"
    config = tmp_path / "msa" / "meshgen.yaml"

    found = imported(config, export(note, *items), version=None)

    assert value_of(found, config) == {
        "apiVersion": "meshgen.dev/v1",
        "kind": "Mesh",
        "metadata": {"name": "msa"},
        "istio": {"version": "1.11.3", "profile": "default", "hub": "gcr.io/istio-release"},
        # The sample runs an image without the patch in its tag.
        "addons": {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {"version": "v1.38"}},
        "expose": {
            "grafana": {"type": "LoadBalancer"},
            "tracing": {"type": "LoadBalancer"},
            "kiali": {"type": "LoadBalancer", "ports": ["http", "http-metrics"]},
        },
    }
    assert left_over(found) == []
    assert [one.path for one in found.differences] == ["metadata.name"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"externalIPs": ["203.0.113.7"], "sessionAffinity": "ClientIP"}, "externalIPs, sessionAffinity"),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}, "nodePort 30080"),
        ({"ports": [{"port": 80}, {"port": 443}, {"port": 3306}]}, "port 3306"),
        ({"ipFamilyPolicy": "PreferDualStack", "publishNotReadyAddresses": True}, "ipFamilyPolicy, publish"),
    ],
)
def test_what_someone_else_wrote_into_a_service_is_listed(tmp_path: Path, spec: dict[str, Any], said: str):
    edited = service("istio-ingressgateway", **{"type": "LoadBalancer", **spec})

    _, found = config_of(tmp_path, edited)

    (listed,) = lost(found)
    assert listed.startswith(said)


def test_ports_that_the_istiooperator_says_are_not_lost(tmp_path: Path):
    ports = [{"name": "mysql", "port": 3306}]
    gateway = {"name": "istio-ingressgateway", "enabled": True, "k8s": {"service": {"ports": ports}}}
    config = tmp_path / "meshgen.yaml"
    spec = {"tag": "1.11.3", "components": {"ingressGateways": [gateway]}}
    exported = export(operator(spec), service("istio-ingressgateway", type="LoadBalancer", ports=ports))

    assert lost(imported(config, exported, version=None)) == []


def test_an_addon_is_said_to_be_made_anew_and_its_volume_is_warned_of(tmp_path: Path):
    plain = deployment("grafana", "grafana/grafana:7.5.5")
    claimed = deployment("prometheus", "prom/prometheus:v2.26.0")
    claimed["spec"]["template"]["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}]

    _, found = config_of(tmp_path, plain, claimed)

    said = {one.message.split()[1]: one for one in found.findings}
    assert {name: one.severity for name, one in said.items()} == {"grafana": "info", "prometheus": "warning"}
    assert "addons.prometheus.storage" in str(said["prometheus"].hint)


def test_an_addon_that_this_istio_has_not_is_listed_and_no_hindrance(tmp_path: Path):
    value, found = config_of(tmp_path, deployment("loki", "grafana/loki:2.9", kind="StatefulSet"))

    assert "addons" not in value
    assert left_over(found) == [f"StatefulSet loki in {HOME}"]


def test_an_alias_of_dns_is_no_gateway(tmp_path: Path):
    value, found = config_of(tmp_path, service("istio-ingressgateway", type="ExternalName", externalName="a.example"))

    assert "expose" not in value
    assert left_over(found) == [f"Service istio-ingressgateway in {HOME}"]


def test_the_mark_by_which_the_operator_passes_over_a_note_goes_with_its_name(tmp_path: Path):
    config = tmp_path / "shop" / "meshgen.yaml"
    marked = operator({"tag": "1.20.3"}, name="installed-state", annotations={IGNORED: "true", "team": "net"})

    found = imported(config, marked, version=None)

    (obj,) = rendered(found, config).values()
    assert obj["metadata"]["annotations"] == {"team": "net"}


def test_the_mark_on_another_istiooperator_is_warned_of(tmp_path: Path):
    found = imported(tmp_path / "meshgen.yaml", operator({}, annotations={IGNORED: "true"}))

    assert [(one.rule, one.severity) for one in found.findings] == [("MG207", "warning")]


def test_a_note_beside_the_mesh_that_it_is_about_is_left_out(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    note = operator({"tag": "1.11.3", "profile": "demo"}, name="installed-state")

    found = imported(config, export(note, operator({"tag": "1.11.3"}, name="shop")), version=None)

    assert value_of(found, config)["istio"] == {"version": "1.11.3", "tag": "1.11.3"}
    assert [(one.rule, one.severity) for one in found.findings] == [("MG803", "info")]
