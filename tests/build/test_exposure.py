from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from meshgen.build.exposure import open_services
from meshgen.build.manifests import Manifests
from meshgen.build.stage import Memory, Remark, Stage
from meshgen.build.stages import build

ADDONS: dict[str, Any] = {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {}}
SETTINGS: dict[str, Any] = {"istio": {"version": "1.11.3"}, "addons": ADDONS}
OFFICE = ["10.0.0.0/8"]
AWS = "service.beta.kubernetes.io/aws-load-balancer"
AZURE_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


def service(name: str = "own", **spec: Any) -> dict[str, Any]:
    """A Service of the user's own manifests."""
    ports = [{"name": "http", "port": 80}, {"name": "http-metrics", "port": 9090}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "istio-system"},
        "spec": {"selector": {"app": name}, "ports": ports, **spec},
    }


def expose(key: str, exposure: dict[str, Any], *clouds: str) -> tuple[dict[str, Any], list[Remark]]:
    """Open a Service of the built-in addons; gives the Service and what there is to say."""
    built = build("msa", {**SETTINGS, "expose": {key: exposure}}, clouds or ("azure",), Manifests(), Memory())
    found = [
        obj for obj in built.objects if obj["kind"] == "Service" and obj["metadata"]["name"] == key.partition(".")[0]
    ]
    return found[0], list(built.remarks)


def expose_own(own: dict[str, Any], exposure: dict[str, Any]) -> tuple[dict[str, Any], list[Remark]]:
    """Open a Service of the user's own manifests."""
    name = own["metadata"]["name"]
    stages, remarks = open_services((Stage("addons", (own,)),), {name: exposure}, ("azure",), "istio-system", ())
    return stages[0].objects[0], list(remarks)


def rules(remarks: list[Remark]) -> list[str]:
    return [remark.rule for remark in remarks]


def annotations(obj: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("annotations") or {}
    return found


@pytest.mark.parametrize(
    ("cloud", "internal", "expected"),
    [
        ("azure", True, {AZURE_INTERNAL: "true"}),
        ("azure", False, {}),
        ("aws", True, {f"{AWS}-internal": "true", f"{AWS}-scheme": "internal"}),
        ("aws", False, {f"{AWS}-scheme": "internet-facing"}),
        ("gcp", True, {"networking.gke.io/load-balancer-type": "Internal"}),
        ("gcp", False, {}),
        ("generic", False, {}),
    ],
)
def test_cloud_is_told_whether_the_load_balancer_is_internal(
    cloud: str, internal: bool, expected: dict[str, str]
) -> None:
    closed, _ = expose("grafana", {"type": "ClusterIP"}, cloud)
    opened, _ = expose("grafana", {"internal": internal}, cloud)

    assert opened["spec"]["type"] == "LoadBalancer"
    assert {key: value for key, value in annotations(opened).items() if key not in annotations(closed)} == expected


def test_only_type_and_ports_change_of_a_service_that_is_opened() -> None:
    closed, _ = expose("grafana", {"type": "ClusterIP"})
    opened, _ = expose("grafana", {})

    assert {**opened, "spec": {**opened["spec"], "type": "ClusterIP"}} == closed
    assert opened["spec"]["selector"] == closed["spec"]["selector"]


def test_load_balancer_gets_everything_that_is_asked_of_it() -> None:
    asked = {
        "sourceRanges": OFFICE,
        "loadBalancerIP": "10.1.2.3",
        "loadBalancerClass": "service.k8s.aws/nlb",
        "externalTrafficPolicy": "Local",
    }

    opened, remarks = expose("kiali", asked)

    spec = opened["spec"]
    assert spec["loadBalancerSourceRanges"] == OFFICE
    assert (spec["loadBalancerIP"], spec["loadBalancerClass"]) == ("10.1.2.3", "service.k8s.aws/nlb")
    assert spec["externalTrafficPolicy"] == "Local"
    assert remarks == []


@pytest.mark.parametrize("wanted", [["http"], [20001], ["20001"], ["http", 20001]])
def test_ports_are_chosen_by_name_and_by_number(wanted: list[str | int]) -> None:
    opened, _ = expose("kiali", {"ports": wanted})

    assert [port["name"] for port in opened["spec"]["ports"]] == ["http"]


def test_chosen_ports_keep_the_order_of_the_service() -> None:
    opened, _ = expose("kiali", {"ports": ["http-metrics", "http"]})

    assert [port["name"] for port in opened["spec"]["ports"]] == ["http", "http-metrics"]


def test_missing_port_is_refused_at_its_place_in_the_list() -> None:
    opened, remarks = expose("kiali", {"ports": ["http", 443], "internal": True})

    assert [(remark.rule, remark.pointer) for remark in remarks] == [("MG304", "/expose/kiali/ports/1")]
    assert opened["spec"].get("type", "ClusterIP") == "ClusterIP"


@pytest.mark.parametrize("type_", [None, "LoadBalancer", "NodePort"])
def test_metrics_port_of_built_in_kiali_stays_inside(type_: str | None) -> None:
    asked = {"type": type_} if type_ else {}

    opened, remarks = expose("kiali", {**asked, "public": "demo"})

    assert [port["name"] for port in opened["spec"]["ports"]] == ["http"]
    assert remarks == []


def test_metrics_port_of_built_in_kiali_opens_when_it_is_asked_for() -> None:
    opened, _ = expose("kiali", {"ports": ["http", "http-metrics"]})

    assert [port["name"] for port in opened["spec"]["ports"]] == ["http", "http-metrics"]


def test_every_port_of_own_manifests_stays_with_a_warning() -> None:
    own = service("kiali")

    opened, remarks = expose_own(own, {"public": "demo"})

    assert opened["spec"]["ports"] == own["spec"]["ports"]
    assert [(remark.rule, remark.severity, remark.hint) for remark in remarks] == [
        ("MG502", "warning", "choose: ports: [http]")
    ]


def test_chosen_ports_of_own_manifests_need_no_warning() -> None:
    opened, remarks = expose_own(service(), {"public": "demo", "ports": [80]})

    assert [port["port"] for port in opened["spec"]["ports"]] == [80]
    assert remarks == []


@pytest.mark.parametrize("key", ["kiali", "tracing", "zipkin", "kiali.istio-system"])
def test_service_without_a_type_becomes_a_load_balancer(key: str) -> None:
    opened, _ = expose(key, {})

    assert opened["spec"]["type"] == "LoadBalancer"


def test_node_port_gets_no_annotation_of_a_cloud() -> None:
    closed, _ = expose("grafana", {"type": "ClusterIP"}, "aws")
    opened, remarks = expose("grafana", {"type": "NodePort", "externalTrafficPolicy": "Local"}, "aws")

    assert (opened["spec"]["type"], opened["spec"]["externalTrafficPolicy"]) == ("NodePort", "Local")
    assert annotations(opened) == annotations(closed)
    assert remarks == []


def test_cluster_ip_closes_a_service_that_was_open() -> None:
    balancer = {
        "type": "LoadBalancer",
        "loadBalancerIP": "10.1.2.3",
        "loadBalancerClass": "example.com/lb",
        "loadBalancerSourceRanges": OFFICE,
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 30000,
        "allocateLoadBalancerNodePorts": False,
    }

    closed, remarks = expose_own(service(**balancer), {"type": "ClusterIP"})

    assert closed["spec"] == service(type="ClusterIP")["spec"]
    assert remarks == []


@pytest.mark.parametrize("type_", ["ClusterIP", "NodePort"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("internal", True),
        ("sourceRanges", OFFICE),
        ("loadBalancerIP", "10.1.2.3"),
        ("loadBalancerClass", "example.com/lb"),
    ],
)
def test_what_only_a_load_balancer_has_is_refused_for_other_types(type_: str, key: str, value: Any) -> None:
    _, remarks = expose("grafana", {"type": type_, key: value})

    assert [(remark.rule, remark.pointer) for remark in remarks] == [("MG306", f"/expose/grafana/{key}")]


def test_own_annotations_win_over_the_clouds() -> None:
    asked = {"internal": True, "annotations": {f"{AWS}-scheme": "internet-facing", "example.com/team": "mesh"}}

    opened, _ = expose("grafana", asked, "aws")

    assert annotations(opened)[f"{AWS}-scheme"] == "internet-facing"
    assert annotations(opened)["example.com/team"] == "mesh"


def test_annotation_that_opens_an_internal_load_balancer_is_told() -> None:
    _, remarks = expose("grafana", {"internal": True, "annotations": {f"{AWS}-scheme": "internet-facing"}}, "aws")

    assert rules(remarks) == ["MG501"]


def test_annotations_of_own_manifests_stay() -> None:
    own = service()
    own["metadata"]["annotations"] = {"example.com/team": "mesh"}

    opened, _ = expose_own(own, {"internal": True})

    assert annotations(opened) == {"example.com/team": "mesh", AZURE_INTERNAL: "true"}


@pytest.mark.parametrize(
    "ranges",
    [
        None,
        ["0.0.0.0/0"],
        ["::/0"],
        ["10.0.0.0/8", "0.0.0.0/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["10.0.0.0/8", "::/1", "8000::/1"],
    ],
)
def test_load_balancer_for_every_address_is_told(ranges: list[str] | None) -> None:
    _, remarks = expose("kiali", {"sourceRanges": ranges} if ranges else {})

    assert [(remark.rule, remark.severity, remark.pointer) for remark in remarks] == [
        ("MG501", "warning", "/expose/kiali")
    ]


@pytest.mark.parametrize(
    "guard", [{"internal": True}, {"public": "demo"}, {"sourceRanges": OFFICE}, {"type": "NodePort"}]
)
def test_guarded_service_is_not_told_of(guard: dict[str, Any]) -> None:
    _, remarks = expose("kiali", guard)

    assert remarks == []


@pytest.mark.parametrize(
    ("cidr", "hint"),
    [
        ("10.0.0.1", "write 10.0.0.1/32 for this one address"),
        ("2001:db8::1", "write 2001:db8::1/128 for this one address"),
        ("10.1.2.3/8", "did you mean 10.0.0.0/8, or 10.1.2.3/32?"),
        ("10.0.0.0/33", "write a range as address/bits, say 10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "write a range as address/bits, say 10.0.0.0/8"),
        ("office", "write a range as address/bits, say 10.0.0.0/8"),
        ("fe80::1%eth0/64", "write a range as address/bits, say 10.0.0.0/8"),
        ("", "write a range as address/bits, say 10.0.0.0/8"),
    ],
)
def test_range_that_kubernetes_would_refuse_is_refused_here(cidr: str, hint: str) -> None:
    _, remarks = expose("kiali", {"sourceRanges": ["10.0.0.0/8", cidr]})

    assert [(remark.rule, remark.pointer, remark.hint) for remark in remarks] == [
        ("MG101", "/expose/kiali/sourceRanges/1", hint)
    ]


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"])
def test_range_that_kubernetes_takes_is_taken(cidr: str) -> None:
    opened, remarks = expose("kiali", {"sourceRanges": [cidr]})

    assert opened["spec"]["loadBalancerSourceRanges"] == [cidr]
    assert remarks == []


def test_internal_on_a_generic_cloud_is_refused() -> None:
    opened, remarks = expose("kiali", {"internal": True}, "generic")

    assert [(remark.rule, remark.severity) for remark in remarks] == [("MG305", "error")]
    assert opened["spec"].get("type", "ClusterIP") == "ClusterIP"


@pytest.mark.parametrize(
    ("own", "severities"),
    [
        ({"loadBalancerClass": "example.com/internal"}, []),
        ({"annotations": {"load-balancer.hetzner.cloud/use-private-ip": "true"}}, []),
        ({"annotations": {"example.com/team": "mesh"}}, ["error"]),
    ],
)
def test_internal_on_a_generic_cloud_needs_words_of_ones_own(own: dict[str, Any], severities: list[str]) -> None:
    _, remarks = expose("kiali", {"internal": True, **own}, "generic")

    assert [remark.severity for remark in remarks] == severities


def test_static_address_on_aws_is_told_to_mean_nothing() -> None:
    opened, remarks = expose("kiali", {"loadBalancerIP": "10.1.2.3", "public": "demo"}, "aws")

    assert [(remark.rule, remark.severity) for remark in remarks] == [("MG305", "warning")]
    assert opened["spec"]["type"] == "LoadBalancer"


def test_service_that_differs_from_cloud_to_cloud_stays_closed_in_what_clusters_share() -> None:
    differing, _ = expose("grafana", {"internal": True}, "aws", "azure")
    alike, _ = expose("grafana", {"public": "demo"}, "azure", "gcp")

    assert differing["spec"].get("type", "ClusterIP") == "ClusterIP"
    assert alike["spec"]["type"] == "LoadBalancer"


@pytest.mark.parametrize(("spec", "rule"), [({"clusterIP": "None"}, "MG302"), ({"type": "ExternalName"}, "MG303")])
@pytest.mark.parametrize("type_", ["LoadBalancer", "NodePort"])
def test_service_that_nothing_can_balance_is_refused_without_more_words(
    spec: dict[str, str], rule: str, type_: str
) -> None:
    own = service(**spec)

    untouched, remarks = expose_own(own, {"type": type_, "ports": ["none"]})

    assert rules(remarks) == [rule]
    assert untouched is own


def test_two_keys_for_one_service_are_refused() -> None:
    built = build(
        "msa",
        {**SETTINGS, "expose": {"kiali": {"public": "demo"}, "kiali.istio-system": {"internal": True}}},
        ("azure",),
        Manifests(),
        Memory(),
    )

    assert rules(list(built.remarks)) == ["MG307"]


def test_plain_name_means_the_service_of_the_control_planes_namespace_first() -> None:
    here, there = service(), service()
    there["metadata"]["namespace"] = "elsewhere"

    stages, remarks = open_services(
        (Stage("addons", (there, here)),), {"own": {"public": "demo", "ports": [80]}}, ("azure",), "istio-system", ()
    )

    assert stages[0].objects[0] is there
    assert stages[0].objects[1]["spec"]["type"] == "LoadBalancer"
    assert remarks == ()


@pytest.mark.parametrize("name", ["istiod", "istio-ingressgateway", "istio-egressgateway-eu"])
def test_services_of_istio_itself_are_never_guessed_or_opened(name: str) -> None:
    stages, remarks = open_services((Stage("addons", (service(),)),), {name: {}}, ("azure",), "istio-system", ())

    assert rules(list(remarks)) == ["MG301"]
    assert stages[0].objects == (service(),)


def test_what_nothing_changes_stays_the_same_object() -> None:
    own, other = service(), service("other")

    stages, _ = open_services(
        (Stage("addons", (own, other)), Stage("more", ())), {"own": {"internal": True}}, ("azure",), "istio-system", ()
    )

    assert stages[0].objects[1] is other


def test_opening_never_changes_what_it_was_given() -> None:
    own = service()
    before = deepcopy(own)

    expose_own(own, {"internal": True, "ports": ["http"], "sourceRanges": OFFICE, "annotations": {"a": "b"}})

    assert own == before


def test_what_belongs_to_another_type_goes():
    balancer = {
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "loadBalancerClass": "a/b",
        "externalTrafficPolicy": "Local",
    }
    ports = [{"name": "http", "port": 80, "nodePort": 30080}]
    mine = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "mine", "namespace": "istio-system"},
        "spec": {"type": "LoadBalancer", "ports": ports, **balancer},
    }

    specs = {
        kind: open_services((Stage("addons", (mine,)),), {"mine": {"type": kind}}, ("generic",), "istio-system", ())[0][
            0
        ].objects[0]["spec"]
        for kind in ("ClusterIP", "NodePort")
    }

    assert specs["ClusterIP"] == {"type": "ClusterIP", "ports": [{"name": "http", "port": 80}]}
    assert specs["NodePort"] == {"type": "NodePort", "ports": ports, "externalTrafficPolicy": "Local"}
