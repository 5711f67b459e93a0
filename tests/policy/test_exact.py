"""Where a rule stays silent, for nobody can know, and where it must not be fooled."""

from __future__ import annotations

from typing import Any

import pytest

from meshgen.policy import policy_remarks
from meshgen.policy.hosts import destinations
from tests.policy.subjects import subject

Object = dict[str, Any]


def made(
    kind: str, spec: Object, name: str = "cart", namespace: str = "shop", group: str = "networking.istio.io"
) -> Object:
    version = f"{group}/v1" if group else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def service(name: str = "cart", namespace: str = "shop", **spec: Any) -> Object:
    return made("Service", {"selector": {"app": name}, **spec}, name, namespace, "")


def rules(*some: Object, environment: str = "dev", **settings: Any) -> list[str]:
    return [remark.rule for remark in policy_remarks(subject(some, settings, environment=environment))]


def istio(version: str = "1.30.3", **settings: Any) -> Object:
    return {"istio": {"version": version, **settings}}


def routed(host: str = "cart", subset: str = "v2") -> Object:
    return made(
        "VirtualService", {"hosts": [host], "http": [{"route": [{"destination": {"host": host, "subset": subset}}]}]}
    )


def test_subset_of_a_host_that_is_somebody_elses_is_not_known() -> None:
    assert rules(routed()) == []
    assert rules(routed(), service()) == ["MG542"]


def test_subset_may_be_said_by_its_full_host() -> None:
    rule = made("DestinationRule", {"host": "cart.shop.svc.cluster.local", "subsets": [{"name": "v2"}]})

    assert rules(routed(), service(), rule) == []


def test_subset_may_come_from_two_rules_or_a_wildcard() -> None:
    one = made("DestinationRule", {"host": "cart", "subsets": [{"name": "v1"}]})
    two = made("DestinationRule", {"host": "cart", "subsets": [{"name": "v2"}]}, "two")
    wild = made("DestinationRule", {"host": "*.shop.svc.cluster.local", "subsets": [{"name": "v2"}]})

    assert rules(routed(), service(), one, two) == []
    assert rules(routed(), service(), wild) == []


def test_host_is_looked_for_only_where_the_services_are_in_the_tree() -> None:
    rule = made("DestinationRule", {"host": "kart"})

    assert rules(rule) == []
    assert rules(rule, service(namespace="other")) == []
    assert rules(rule, service()) == ["MG543"]
    assert rules(made("DestinationRule", {"host": "api.example.com"}), service()) == []
    assert (
        rules(
            made(
                "DestinationRule",
                {
                    "host": "istiod",
                },
                namespace="istio-system",
            ),
            service("a", "istio-system"),
        )
        == []
    )


def test_host_may_be_a_service_entrys() -> None:
    entry = made("ServiceEntry", {"hosts": ["*.shop.svc.cluster.local"]})

    assert rules(made("DestinationRule", {"host": "kart"}), service(), entry) == []


def test_gateway_of_another_tree_is_not_known() -> None:
    spec = {"hosts": ["shop.example.com"], "gateways": ["edge/shop"]}

    assert rules(made("VirtualService", spec)) == []
    assert rules(made("VirtualService", spec), service(namespace="edge")) == ["MG545"]
    assert rules(made("VirtualService", {**spec, "gateways": ["mesh"]})) == []


def gateway(**server: Any) -> Object:
    one = {"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["shop.example.com"], **server}
    return made("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": [one]})


@pytest.mark.parametrize(
    "exposure",
    [{"internal": True}, {"sourceRanges": ["10.0.0.0/8"]}, {"type": "ClusterIP"}],
)
def test_gateway_that_is_not_public_may_speak_http(exposure: Object) -> None:
    from dataclasses import replace

    settings = {**istio(), "expose": {"istio-ingressgateway": exposure}}
    inside = subject([gateway()], settings)
    azure = replace(inside, cluster=replace(inside.cluster, cloud="azure"))

    assert [remark.rule for remark in policy_remarks(azure)] == []
    assert rules(gateway()) == ["MG514"]


def test_gateway_of_pods_that_nobody_knows_may_speak_http() -> None:
    own = gateway()
    own["spec"]["selector"] = {"istio": "inner-gateway"}

    assert "MG514" not in rules(own)


def test_gateway_without_an_ingress_gateway_is_not_public() -> None:
    assert rules(gateway(), **istio(profile="minimal")) == []


def test_tcp_servers_have_no_hosts() -> None:
    assert rules(gateway(port={"number": 31400, "protocol": "TCP"}, hosts=["*"]), **istio(profile="demo")) == []


@pytest.mark.parametrize(
    ("version", "weights", "told"),
    [
        ("1.11.3", [2, 1], True),
        ("1.30.3", [2, 1], False),
        ("1.30.3", [90, 5], True),
        ("1.30.3", [0, 0], True),
        ("1.30.3", [90, 10], False),
        ("1.30.3", [90], False),
    ],
)
def test_weights_are_relative_since_1_15(version: str, weights: list[int], told: bool) -> None:
    route = [{"destination": {"host": "cart"}, "weight": weight} for weight in weights]
    spec = {"hosts": ["cart"], "http": [{"route": route}]}

    assert rules(made("VirtualService", spec), **istio(version)) == (["MG544"] if told else [])


def test_plain_text_to_a_host_outside_of_the_mesh_may_be_meant() -> None:
    def clear(host: str) -> Object:
        return made("DestinationRule", {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}})

    closed = {"meshConfig": {"accessLogFile": "/dev/stdout", "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}}

    assert rules(clear("api.example.com"), environment="prod", **istio(**closed)) == []
    assert rules(clear("*.local"), environment="prod", **istio(**closed)) == ["MG521"]
    assert rules(clear("*.local"), **istio(**closed)) == []


def test_knative_services_and_gateways_of_the_gateway_api_are_other_kinds() -> None:
    knative = made(
        "Service", {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}, group="serving.knative.dev"
    )
    other = made(
        "Gateway", {"servers": [{"port": {"protocol": "HTTP"}, "hosts": ["*"]}]}, group="gateway.networking.k8s.io"
    )

    assert rules(knative, other) == []


def test_budget_of_an_autoscaled_workload_is_not_known() -> None:
    budget = made(
        "PodDisruptionBudget", {"minAvailable": 1, "selector": {"matchLabels": {"app": "cart"}}}, group="policy"
    )
    template = {"metadata": {"labels": {"app": "cart"}}, "spec": {}}
    workload = made("Deployment", {"template": template}, group="apps")
    scaler = made(
        "HorizontalPodAutoscaler", {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}}, group="autoscaling"
    )

    assert rules(budget, workload) == ["MG550"]
    assert rules(budget, workload, scaler) == []


def test_egress_gateway_of_a_profile_is_nobodys_wish() -> None:
    named = {"egressGateways": [{"name": "istio-egressgateway", "enabled": True}]}

    assert rules(**istio(profile="demo")) == []
    assert rules(**istio(components=named)) == ["MG525"]


def test_sidecar_for_the_mesh_closes_it_too() -> None:
    named = {"egressGateways": [{"name": "istio-egressgateway", "enabled": True}]}
    closed = made("Sidecar", {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}, namespace="istio-system")

    assert rules(closed, **istio(components=named)) == []


def test_variables_are_flux_own_business_without_post_build() -> None:
    dashboard = made("ConfigMap", {}, group="") | {"data": {"a": "${datasource} $${kept}"}}
    kustomization = made(
        "Kustomization",
        {"path": "output/x", "postBuild": {"substitute": {"a": "1"}}},
        group="kustomize.toolkit.fluxcd.io",
    )
    elsewhere = made(
        "Kustomization", {"path": "apps", "postBuild": {"substitute": {"a": "1"}}}, group="kustomize.toolkit.fluxcd.io"
    )
    flux = {"flux": {"url": "https://example.com", "path": "./output"}}

    assert rules(dashboard, delivery=flux) == []
    assert rules(dashboard, elsewhere, delivery=flux) == []
    assert rules(dashboard, kustomization, delivery=flux) == ["MG570"]


def test_a_variable_that_is_given_is_what_post_build_is_for() -> None:
    mine = made("ConfigMap", {}, group="") | {"data": {"a": "${region} ${REGION}", "b": "${zone} ${REGION} ${region}"}}

    def told(**build: Any) -> list[tuple[str, str]]:
        flux = {"flux": {"url": "https://example.com", "postBuild": build}}
        return [(one.severity, one.message) for one in policy_remarks(subject([mine], {"delivery": flux}))]

    everything = {"region": "kr", "REGION": "KR", "zone": "1"}
    assert told(substitute=everything) == []
    ((severity, message),) = told(substitute={"region": "kr", "zone": None})
    assert severity == "warning"
    assert "${REGION}, ${zone} in it" in message
    # What the cluster's ConfigMap holds is not known here.
    ((severity, message),) = told(substitute={"region": "kr"}, substituteFrom={"vars": {}})
    assert severity == "info"
    assert "${REGION}, ${zone} in it" in message
    assert told(substitute={"gone": None}) == []


def test_default_of_a_variable_is_not_printed() -> None:
    dashboard = made("ConfigMap", {}, group="") | {"data": {"a": "${PASSWORD:=xK9-mPq4vR7z}"}}
    kustomization = made(
        "Kustomization",
        {"path": "output", "postBuild": {"substitute": {"a": "1"}}},
        group="kustomize.toolkit.fluxcd.io",
    )

    told = list(policy_remarks(subject([dashboard, kustomization])))

    assert [remark.rule for remark in told] == ["MG570"]
    assert "xK9" not in told[0].message


def test_messages_name_no_value_of_a_credential() -> None:
    values = {"pilot": {"env": {"VAULT_TOKEN": "hvs.CAESIJ9qRt7xW2"}}}
    told = list(policy_remarks(subject((), istio(values=values))))

    assert [(remark.rule, remark.pointer) for remark in told] == [("MG537", "/istio/values/pilot/env/VAULT_TOKEN")]
    assert "CAESIJ" not in told[0].message + (told[0].hint or "")


def test_digest_is_a_pinned_tag() -> None:
    def pod(image: str) -> Object:
        return made("Pod", {"containers": [{"name": "a", "image": image}]}, group="")

    assert rules(pod("registry.example.com:5000/a")) == ["MG560"]
    assert rules(pod("registry.example.com:5000/a@sha256:" + "0" * 64)) == []
    assert rules(pod("auto")) == []


def test_the_image_of_a_volume_is_one_too() -> None:
    volume = {"name": "v", "image": {"reference": "r.example.net/vol"}}
    pod = made("Pod", {"containers": [], "volumes": [volume]}, group="")

    told = list(policy_remarks(subject([pod], {**istio(), "policy": {"allowedHubs": ["docker.io/istio"]}})))

    assert [(remark.rule, remark.message) for remark in told if remark.rule in ("MG560", "MG561")] == [
        ("MG560", "Pod cart in shop: image r.example.net/vol of volume v has no tag"),
        ("MG561", "Pod cart in shop: image r.example.net/vol comes from a registry that is not allowed"),
    ]


@pytest.mark.parametrize(
    ("values", "exposure", "told"),
    [
        ({"auth": {"strategy": "anonymous"}}, {"kiali.istio-system": {"internal": True}}, ["MG510"]),
        ({"auth": {"strategy": "token"}}, {"kiali": {}}, []),
        ({"auth": {"strategy": "anonymous"}}, {"kiali": {"type": "ClusterIP"}}, []),
        ({"auth": {"strategy": "anonymous"}}, {}, []),
    ],
)
def test_a_chart_may_let_everyone_in_too(values: Object, exposure: Object, told: list[str]) -> None:
    assert rules(addons={"kiali": {"source": "helm", "values": values}}, expose=exposure) == told


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("[auth.anonymous]\nenabled = true\n", ["MG511"]),
        ("[auth.anonymous]\nenabled = false\n", []),
        ("[auth.anonymous]\nenabled\n", []),
        ("[auth.anonymous\nenabled = true", []),
    ],
)
def test_grafana_may_say_it_in_its_file(ini: str, told: list[str]) -> None:
    config = made("ConfigMap", {}, "grafana", group="") | {"data": {"grafana.ini": ini}}
    volumes = [{"name": "config", "configMap": {"name": "grafana"}}]
    template = {"metadata": {"labels": {"app": "grafana"}}, "spec": {"volumes": volumes}}
    workload = made("Deployment", {"template": template}, "grafana", group="apps")
    balancer = service("grafana", type="LoadBalancer")

    assert rules(config, workload, balancer) == told
    assert rules(config, workload, service("grafana")) == []


def test_a_gateway_in_the_control_planes_namespace_may_be_anyones() -> None:
    spec = {"hosts": ["shop.example.com"], "gateways": ["istio-system/shared"]}

    assert rules(made("VirtualService", spec), service("kiali", "istio-system")) == []


def test_objects_without_a_namespace_make_no_namespace_known() -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}}

    assert subject([role]).spaces == frozenset()


def test_sidecars_may_not_be_newer_than_istiod() -> None:
    assert rules(**istio(components={"pilot": {"tag": "1.29.1"}})) == ["MG566"]
    assert rules(**istio(components={"pilot": {"tag": "1.29.1"}}, tag="1.29.1")) == []
    assert rules(**istio(tag="1.31.0")) == []


def test_the_api_server_has_no_sidecar() -> None:
    rule = made(
        "DestinationRule",
        {"host": "kubernetes.default.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    )

    assert "MG521" not in rules(rule, environment="prod")


def test_what_expose_opens_is_told_at_its_key() -> None:
    settings = {"expose": {"istio-ingressgateway": {"type": "NodePort"}}}
    told = {one.rule: one.pointer for one in policy_remarks(subject((), settings, environment="prod"))}

    assert told["MG515"] == "/expose/istio-ingressgateway"


def test_what_the_user_wrote_is_told_where_it_is_written() -> None:
    from dataclasses import replace

    from meshgen.build.manifests import Manifest, Places
    from meshgen.config.document import Document

    pod = made("Pod", {"containers": [{"name": "a", "image": "a"}]}, group="")
    document = Document("own.yaml", b"", {})
    one = replace(subject([pod]), places=Places([Manifest(pod, document)]))

    said = [(remark.pointer, remark.document) for remark in policy_remarks(one)]
    assert said == [("/spec/containers/0/image", document)]


def test_a_destination_is_told_where_it_stands_mirrors_too() -> None:
    target = {"host": "cart", "subset": "v2"}
    route = {
        "route": [{"destination": {"host": "cart"}}, {"destination": target}],
        "mirrors": [{"destination": target}],
    }
    routed = made("VirtualService", {"hosts": ["cart"], "tcp": [{}], "http": [{}, route, {"mirror": target}]})

    assert [path for path, one in destinations(routed) if one == target] == [
        ("spec", "http", 1, "route", 1, "destination"),
        ("spec", "http", 1, "mirrors", 0, "destination"),
        ("spec", "http", 2, "mirror"),
    ]


def test_a_namespace_without_injection_has_no_revision_to_choose() -> None:
    def space(injection: str) -> Object:
        labels = {"istio-injection": injection, "istio.io/rev": "default"}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}

    assert rules(space("enabled")) == ["MG527"]
    assert rules(space("disabled")) == []
