"""Where the rules about one's own manifests stay silent, and what they must not be fooled by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.build.stage import Remark
from meshgen.policy import policy_remarks
from meshgen.policy.istioannotations import expected, is_istios, known_annotations
from meshgen.policy.re2 import problem
from meshgen.policy.services import protocol_of
from tests.policy.subjects import subject
from tests.policy.test_exact import istio, made, rules, service
from tests.policy.test_shapes import values

Object = dict[str, Any]


@pytest.mark.parametrize(
    "expression",
    [
        r"cart\b+",
        "^*cart",
        "cart*(?i){2,3}",
        "[(?i)]",
        r"\(?i",
        "(?P<1>a)",
        "(" * 300 + ")" * 300,
        "[A-Z]+",
        r"/v[12]/(cart|order)(/.*)?",
        "(?i)mozilla.*",
        r"^(?P<user>\w+)@(?<host>[^@]+)\z",
        r"\pL\p{Greek}[[:alpha:]_]+[^[:space:]]",
        r"\Q(?!\E.*",
        r"[(?=]a\(\?!b\)",
        r"\x{10FFFF}\123",
        "a{2,5}?b*?",
    ],
)
def test_expressions_of_re2_are_taken(expression: str) -> None:
    assert problem(expression) is None


@pytest.mark.parametrize(
    "expression", ["[A-Z", "(?!a)b", "a(?<=b)", r"(a)\1", "a++", "(?>a)", "a**", "(unclosed", "(?P=user)", "*a"]
)
def test_expressions_that_envoy_refuses_are_told(expression: str) -> None:
    assert problem(expression)


@pytest.mark.parametrize(
    ("port", "protocol"),
    [
        ({"name": "http"}, "http"),
        ({"name": "HTTP2-web"}, "http2"),
        ({"name": "grpc-web-gateway"}, "grpc-web"),
        ({"name": "web", "appProtocol": "kubernetes.io/h2c"}, "http2"),
        ({"name": "http-web", "appProtocol": "mine"}, None),
        ({"name": "dns", "protocol": "UDP"}, "udp"),
        ({"name": "database", "port": 3306}, "tcp"),
        ({"name": "httpserver"}, None),
        ({}, None),
    ],
)
def test_protocol_of_a_port_is_read_as_istio_reads_it(port: Object, protocol: str | None) -> None:
    assert protocol_of(port) == protocol


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("traffic.sidecar.istio.io/excludeInboundPorts", ["", "80", "80, 443"], ["http", "70000", "*"]),
        ("traffic.sidecar.istio.io/includeInboundPorts", ["*", "80"], ["all"]),
        ("traffic.sidecar.istio.io/includeOutboundIPRanges", ["*", "10.0.0.0/8,fd00::/8"], ["10.0.0.1", "10.0.0.0/40"]),
        ("readiness.status.sidecar.istio.io/periodSeconds", ["2"], ["2s", "-1", "1.5"]),
        ("sidecar.istio.io/interceptionMode", ["TPROXY", "NONE"], ["tproxy"]),
        ("prometheus.istio.io/merge-metrics", ["false", "T"], ["no"]),
    ],
)
def test_values_of_annotations_are_checked_as_injection_does(name: str, good: list[str], bad: list[str]) -> None:
    assert [expected(name, value) for value in good] == [None] * len(good)
    assert all(expected(name, value) for value in bad)


def test_annotations_of_others_are_nobodys_business() -> None:
    assert not any(map(is_istios, ["helm.sh/hook", "istio.io", "notistio.io/rev", "kiali.io/runtimes"]))
    assert all(map(is_istios, known_annotations()))


def workload(template: Object | None = None, namespace: str = "shop", **container: Any) -> Object:
    pod = {"containers": [{"name": "cart", "image": "registry.example.com/cart:1", **container}]}
    spec = {"template": {"metadata": {"labels": {"app": "cart"}, **(template or {})}, "spec": pod}}
    return made("Deployment", spec, namespace=namespace, group="apps")


def marked(obj: Object, name: str, value: str = "x") -> Object:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {name: value}}}


def test_annotation_is_known_from_the_version_that_brought_it() -> None:
    annotation = {"annotations": {"sidecar.istio.io/statsCompression": "gzip"}}

    assert rules(workload(annotation), **istio("1.30.3")) == ["MG575"]
    assert rules(workload(annotation), **istio("1.11.3")) == ["MG574"]
    assert rules(workload({"annotations": {"sidecar.istio.io/inject": "true"}})) == []


def test_annotation_may_belong_to_any_kind() -> None:
    assert rules(marked(service(), "galley.istio.io/analyze-suppress")) == []


def gateway(selector: Object, port: int = 443) -> Object:
    server = {"port": {"number": port, "name": "https", "protocol": "HTTPS"}, "hosts": ["shop.example.com"]}
    return made("Gateway", {"selector": selector, "servers": [{**server, "tls": {"credentialName": "shop"}}]})


def test_pods_of_gateways_have_more_labels_than_are_known() -> None:
    assert rules(gateway({"istio": "ingressgateway", "release": "istio"})) == []
    assert rules(gateway({"istio": "eastwest"})) == ["MG577"]
    assert rules(gateway({"istio": "eastwest"}), **istio(profile="minimal")) == []
    assert rules(gateway({"gateway.networking.k8s.io/gateway-name": "shop"})) == []


def test_pods_of_a_gateway_may_be_the_trees_own() -> None:
    own = workload({"labels": {"istio": "eastwest"}})
    opened = service(selector={"istio": "eastwest"}, ports=[{"name": "tls", "port": 15443, "targetPort": 443}])

    assert rules(gateway({"istio": "eastwest"}), own) == []
    assert rules(gateway({"istio": "eastwest"}), own, opened) == []
    assert rules(gateway({"istio": "eastwest"}, 9443), own, opened) == ["MG576"]


def test_ports_of_a_gateway_may_be_said_or_patched() -> None:
    def mesh(**k8s: Any) -> Object:
        return istio(components={"ingressGateways": [{"name": "istio-ingressgateway", "enabled": True, "k8s": k8s}]})

    asked = gateway({"istio": "ingressgateway"}, 9443)

    assert rules(asked, **mesh()) == ["MG576"]
    assert rules(asked, **mesh(service={"ports": [{"name": "https", "port": 9443}]})) == []
    assert rules(asked, **mesh(overlays=[{"kind": "Service", "name": "istio-ingressgateway"}])) == []


def test_tree_that_installs_more_than_it_shows_is_not_judged_by_it() -> None:
    release = made("HelmRelease", {}, group="helm.toolkit.fluxcd.io")
    policy = made("PeerAuthentication", {"selector": {"matchLabels": {"app": "other"}}}, group="security.istio.io")

    assert rules(gateway({"istio": "eastwest"}), release) == []
    assert rules(policy, workload()) == ["MG581"]
    assert rules(policy, workload(), release) == []
    assert rules(policy) == []


def test_virtual_machines_are_workloads_too() -> None:
    policy = made("PeerAuthentication", {"selector": {"matchLabels": {"app": "other"}}}, group="security.istio.io")
    machine = made("WorkloadEntry", {"address": "192.0.2.1", "labels": {"app": "other"}})

    assert rules(policy, workload(), machine) == []


def test_certificate_is_missed_beside_others_alone() -> None:
    def secret(name: str, kind: str = "Secret", group: str = "", **spec: Any) -> Object:
        return made(kind, spec, name, "istio-system", group)

    asked = gateway({"istio": "ingressgateway"})
    other = made("Gateway", {"selector": {"istio": "ingressgateway"}, "servers": []}, "other")
    other["spec"]["servers"] = [{"hosts": ["b.example.com"], "port": {"number": 443}, "tls": {"credentialName": "b"}}]

    assert rules(asked, other) == []
    assert rules(asked, other, secret("unrelated")) == []
    assert rules(asked, other, secret("b")) == ["MG577"]
    assert rules(asked, other, secret("b"), secret("any", "Certificate", "cert-manager.io", secretName="shop")) == []


def routed(host: str, namespace: str = "shop", **destination: Any) -> Object:
    route = {"route": [{"destination": {"host": host, **destination}}]}
    return made("VirtualService", {"hosts": [host], "http": [route]}, namespace=namespace)


def test_host_of_another_tree_or_the_world_is_not_missed() -> None:
    there = service(ports=[{"name": "http", "port": 80}])
    entry = made("ServiceEntry", {"hosts": ["*.example.com"], "exportTo": ["."]}, namespace="egress")

    assert rules(routed("kart")) == []
    assert rules(routed("kart"), there) == ["MG582"]
    assert rules(routed("kart.other.svc.cluster.local"), there) == []
    assert rules(routed("api.example.com"), there, entry) == []


def test_host_is_seen_where_it_is_exported_to() -> None:
    there = marked(service(ports=[{"name": "http", "port": 80}]), "networking.istio.io/exportTo", "pay, .")

    assert rules(routed("cart"), there) == []
    assert rules(routed("cart.shop.svc.cluster.local", "pay"), there) == []
    assert rules(routed("cart.shop.svc.cluster.local", "other"), there) == ["MG582"]


def test_port_is_asked_for_where_a_service_has_several() -> None:
    there = service(ports=[{"name": "http", "port": 80}, {"name": "grpc", "port": 81}])

    assert rules(routed("cart"), there) == ["MG582"]
    assert rules(routed("cart", port={"number": 81}), there) == []
    assert rules(routed("cart", port={"number": 82}), there) == ["MG582"]


def test_match_of_another_port_method_or_case_has_its_turn() -> None:
    def matched(*matches: Object) -> list[str]:
        http = [{"match": [match], "route": []} for match in matches]
        return rules(made("VirtualService", {"hosts": ["cart"], "http": http}))

    wide, narrow = {"uri": {"prefix": "/api"}}, {"uri": {"prefix": "/api/v2"}}

    assert matched(wide, narrow) == ["MG586"]
    assert matched(narrow, wide) == []
    assert matched(wide, {**narrow, "method": {"exact": "GET"}}) == ["MG586"]
    assert matched({**wide, "method": {"exact": "GET"}}, narrow) == []
    assert matched({**wide, "port": 80}, {**narrow, "port": 81}) == []
    assert matched(wide, {**narrow, "ignoreUriCase": True}) == []
    assert matched(wide, {**wide, "name": "again"}) == ["MG547"]


def test_gateways_may_be_named_in_the_old_way() -> None:
    there = made("Gateway", {"servers": [{"port": {"number": 443}, "hosts": ["./shop.example.com"]}]}, "edge", "shop")
    for named in ("edge", "./edge", "shop/edge", "edge.shop", "edge.shop.svc.cluster.local"):
        spec = {"hosts": ["shop.example.com"], "gateways": [named]}
        assert rules(made("VirtualService", spec), there) == []
    assert rules(
        made("VirtualService", {"hosts": ["shop.example.com"], "gateways": ["shop/edge"]}, "a", "other"), there
    )


def test_servers_certificate_is_verified_since_1_21_or_where_it_is_asked_for() -> None:
    rule = made("DestinationRule", {"host": "api.example.com", "trafficPolicy": {"tls": {"mode": "SIMPLE"}}})
    verified = {"pilot": {"env": {"VERIFY_CERTIFICATE_AT_CLIENT": "true"}}}

    assert rules(rule, **istio("1.20.0")) == ["MG585"]
    assert rules(rule, **istio("1.20.0", values=verified)) == []
    assert rules(rule, **istio("1.21.0")) == []


def test_entry_has_an_address_where_the_mesh_gives_one() -> None:
    entry = made("ServiceEntry", {"hosts": ["a.example.com"], "ports": [{"number": 5432, "protocol": "TCP"}]})
    captured = {"meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}}}

    assert rules(entry) == ["MG587"]
    assert rules(entry, **istio(**captured)) == []
    assert rules(entry, **istio("1.11.3", **captured)) == ["MG587"]
    assert rules(entry, **istio(profile="ambient")) == []


def test_services_disagree_only_where_there_is_a_sidecar() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    named = [
        service(name, selector={"app": "cart"}, ports=[{"name": protocol, "port": 80}])
        for name, protocol in (("a", "http"), ("b", "tcp"), ("c", "http2"))
    ]

    assert rules(workload(), *named) == ["MG583"]
    assert rules(workload(), named[0], named[2]) == []
    assert rules(workload(), *named, namespace) == []
    assert rules(workload({"labels": {"app": "cart", "sidecar.istio.io/inject": "false"}}), *named) == []


def space(name: str = "shop", **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@pytest.mark.parametrize(
    ("some", "told"),
    [
        ([], True),
        ([space(**{"istio-injection": "disabled"})], False),
        ([space()], False),
        ([space(**{"istio-injection": "enabled"})], True),
        ([space(**{"istio.io/rev": "canary"})], True),
        ([space(**{"istio.io/dataplane-mode": "ambient"})], True),
        ([space("other", **{"istio-injection": "disabled"})], True),
        ([space(), workload({"labels": {"app": "cart", "sidecar.istio.io/inject": "true"}})], True),
        ([space(), workload({"labels": {"app": "cart", "istio.io/dataplane-mode": "ambient"}})], True),
        ([workload({"labels": {"app": "cart"}, "annotations": {"sidecar.istio.io/inject": "false"}})], False),
        ([workload({"labels": {"app": "other", "sidecar.istio.io/inject": "false"}})], True),
        ([made("ServiceEntry", {"hosts": ["cart.shop.svc.cluster.local"], "resolution": "DNS"})], False),
        ([made("ServiceEntry", {"hosts": ["cart.shop.svc.cluster.local"], "location": "MESH_INTERNAL"})], True),
    ],
)
@pytest.mark.parametrize("host", ["cart", "cart.shop.svc.cluster.local"])
def test_plain_text_is_right_where_the_server_has_no_proxy(some: list[Object], told: bool, host: str) -> None:
    rule = made("DestinationRule", {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}})
    settings = istio(meshConfig={"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "accessLogFile": "/dev/stdout"})
    there = service(ports=[{"name": "http", "port": 80}])

    found = rules(rule, there, *some, environment="prod", **settings)

    assert ("MG521" in found) is told


@pytest.mark.parametrize(
    "spec", [{"type": "ExternalName", "externalName": "db.example.com"}, {"selector": {}, "ports": [{"port": 5432}]}]
)
def test_plain_text_is_right_where_a_service_leads_outside(spec: Object) -> None:
    rule = made("DestinationRule", {"host": "cart", "trafficPolicy": {"tls": {"mode": "DISABLE"}}})

    assert "MG521" not in rules(rule, service(**spec), environment="prod")


def test_plain_text_to_a_namespace_without_the_mesh_is_right_though_its_services_are_elsewhere() -> None:
    host = "db.legacy.svc.cluster.local"
    rule = made("DestinationRule", {"host": host, "trafficPolicy": {"tls": {"mode": "DISABLE"}}})

    assert "MG521" in rules(rule, environment="prod")
    assert "MG521" not in rules(rule, space("legacy", **{"istio-injection": "disabled"}), environment="prod")


def test_user_of_the_proxy_matters_only_beside_a_sidecar() -> None:
    user = {"securityContext": {"runAsUser": 1337}}

    assert rules(workload(**user)) == ["MG589"]
    assert rules(workload({"labels": {"sidecar.istio.io/inject": "false"}}, **user)) == []
    assert rules(workload(**user, name="istio-proxy")) == []


@pytest.mark.parametrize(
    ("version", "mark", "value", "there", "told"),
    [
        ("1.26.4", "annotations", "yes", "disabled", True),
        ("1.26.4", "annotations", "maybe", "enabled", False),
        ("1.26.4", "labels", "on", "disabled", False),
        ("1.26.4", "labels", "on", "enabled", True),
        ("1.26.4", "labels", "true", "disabled", True),
        ("1.27.0", "annotations", "yes", "disabled", False),
        ("1.27.0", "annotations", "yes", "enabled", True),
        ("1.27.0", "annotations", "maybe", "enabled", True),
        ("1.27.0", "annotations", "false", "enabled", False),
    ],
)
def test_what_a_pod_says_of_injection_is_read_as_its_istio_does(
    version: str, mark: str, value: str, there: str, told: bool
) -> None:
    template = {"metadata": {"labels": {"app": "cart"}}}
    template["metadata"] |= {mark: {**template["metadata"].get(mark, {}), "sidecar.istio.io/inject": value}}
    one = workload(template["metadata"], securityContext={"runAsUser": 1337})
    namespace = space("shop", **{"istio-injection": there})

    assert ("MG589" in rules(one, namespace, **istio(version))) is told


KINDS = [
    ("v1", "Service"),
    ("v1", "Namespace"),
    ("apps/v1", "Deployment"),
    ("networking.istio.io/v1", "Gateway"),
    ("networking.istio.io/v1", "VirtualService"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("networking.istio.io/v1", "ServiceEntry"),
    ("networking.istio.io/v1", "Sidecar"),
    ("security.istio.io/v1", "AuthorizationPolicy"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
]
KEYS = [
    *("servers", "selector", "workloadSelector", "http", "tcp", "hosts", "exportTo", "gateways", "ports", "host"),
    *("addresses", "trafficPolicy", "rules", "template", "outboundTrafficPolicy"),
]
listed = st.lists(
    st.dictionaries(st.sampled_from(["match", "port", "tls", "hosts", "from", "route"]), values, max_size=2), max_size=2
)
SHAPED = st.dictionaries(
    st.sampled_from(["spec", "webhooks"]),
    st.dictionaries(st.sampled_from(KEYS), values | listed, max_size=3),
    max_size=2,
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), SHAPED, values), max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_shape_breaks_a_rule(some: list[tuple[tuple[str, str], Object, Any]]) -> None:
    objects = [
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": "a", "labels": labels, "annotations": labels},
            **rest,
        }
        for (version, kind), rest, labels in some
    ]

    assert all(isinstance(remark, Remark) and remark.hint for remark in policy_remarks(subject(objects)))


def test_a_service_of_another_namespace_is_named_as_the_next_move() -> None:
    web = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    other = {**web, "metadata": {"name": "db", "namespace": "shop"}}
    spec = {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "web"}}]}]}
    routes = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }
    (hint,) = (one.hint for one in policy_remarks(subject([web, other, routes])) if one.rule == "MG582")
    assert hint == "web is in namespace default: say its namespace there, or the whole host"
