"""Typing errors of a mesh that cause outages: found where the tree holds enough to know, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.test_exact import istio, made, rules
from tests.policy.test_quiet import space, workload

Object = dict[str, Any]
SECURITY, TELEMETRY = "security.istio.io", "telemetry.istio.io"


def custom(provider: str, **more: Any) -> Object:
    return made("AuthorizationPolicy", {"action": "CUSTOM", "provider": {"name": provider}, **more}, group=SECURITY)


def telemetry(provider: str) -> Object:
    return made("Telemetry", {"tracing": [{"providers": [{"name": provider}]}]}, group=TELEMETRY)


def with_providers(*names: str) -> Object:
    return {"meshConfig": {"extensionProviders": [{"name": name} for name in names]}}


def told(*some: Object, **settings: Any) -> bool:
    return "MG595" in rules(*some, **istio(**settings))


@pytest.mark.parametrize("name", ["prometheus", "stackdriver", "envoy"])
def test_providers_of_istiod_itself_are_there(name: str) -> None:
    assert not told(telemetry(name))
    assert told(telemetry(f"{name}x"))


@pytest.mark.parametrize("version", ["1.11.3", "1.20.0", "1.30.3"])
def test_providers_of_the_profile_are_there(version: str) -> None:
    assert not told(telemetry("otel"), version=version, profile="demo")
    assert told(telemetry("otel"), version=version, profile="default")


@pytest.mark.parametrize("path", [(), ("values",), ("unvalidatedValues",)])
def test_providers_are_said_wherever_the_mesh_config_is(path: tuple[str, ...]) -> None:
    said = with_providers("authz")
    for key in reversed(path):
        said = {key: said}

    assert not told(custom("authz"), **said)
    assert told(custom("auth"), **said)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"profile": "remote"},
        {"profile": "empty"},
        {"components": {"pilot": {"enabled": False}}},
        {"values": {"pilot": {"env": {"SHARED_MESH_CONFIG": "shared"}}}},
        {"values": {"pilot": {"configMap": False}}},
        {"components": {"pilot": {"k8s": {"env": [{"name": "SHARED_MESH_CONFIG", "value": "shared"}]}}}},
        {"components": {"pilot": {"k8s": {"overlays": [{"kind": "ConfigMap", "name": "istio"}]}}}},
        {"meshConfig": {"extensionProviders": {"authz": {}}}},
    ],
)
def test_providers_that_come_from_elsewhere_are_not_known(elsewhere: Object) -> None:
    assert not told(custom("authz"), **elsewhere)


def test_providers_of_a_config_map_of_ones_own_are_not_known() -> None:
    config = made("ConfigMap", {}, "istio", "istio-system", "")

    assert told(custom("authz"), config)
    assert not told(custom("authz"), {**config, "data": {"mesh": "extensionProviders: []"}})


def test_only_what_asks_a_provider_names_one() -> None:
    assert not told(made("AuthorizationPolicy", {"action": "CUSTOM", "provider": {}}, group=SECURITY))
    assert not told({**custom("authz"), "spec": {"action": "DENY", "provider": {"name": "authz"}}})
    assert not told(made("Telemetry", {"tracing": [{"randomSamplingPercentage": 1}]}, group=TELEMETRY))


def routed(name: str = "reviews", **delegate: str) -> Object:
    spec = {"hosts": ["shop.example.com"], "http": [{"delegate": {"name": name, **delegate}}]}
    return made("VirtualService", spec, "shop")


def test_a_delegate_of_another_tree_is_not_missed() -> None:
    there = made("VirtualService", {"http": []}, "reviews", "reviews")
    release = made("HelmRelease", {}, group="helm.toolkit.fluxcd.io")

    assert rules(routed(namespace="reviews"), there) == []
    assert rules(routed("review", namespace="reviews")) == []
    assert rules(routed("review", namespace="reviews"), there) == ["MG596"]
    assert rules(routed("review", namespace="reviews"), there, release) == []


def test_a_delegate_without_a_namespace_is_the_routes_own() -> None:
    there = made("VirtualService", {"http": []}, "reviews")

    assert rules(routed(), there) == []
    assert rules(routed()) == ["MG596"]


@pytest.mark.parametrize(
    ("value", "found"), [("enabled", False), ("disabled", False), ("enabeld", True), ("true", True), ("Enabled", True)]
)
def test_injection_is_asked_for_by_two_words(value: str, found: bool) -> None:
    labels = {"istio-injection": value}

    assert ("MG597" in rules(space(**labels))) is found
    assert ("MG597" in rules(workload({"labels": {"app": "cart", **labels}}))) is found


def policy(selector: Object | None = None, namespace: str = "shop", **rule: Any) -> Object:
    spec: Object = {"rules": [rule]}
    if selector:
        spec["selector"] = {"matchLabels": selector}
    return made("AuthorizationPolicy", spec, namespace=namespace, group=SECURITY)


@pytest.mark.parametrize(
    ("method", "found"),
    [("get", True), ("Get", True), ("delete*", True), ("GET", False), ("*", False), ("purge", False), ("PURGE", False)],
)
@pytest.mark.parametrize("key", ["methods", "notMethods"])
def test_methods_of_http_are_in_capitals(key: str, method: str, found: bool) -> None:
    said = policy(to=[{"operation": {key: ["POST", method]}}])

    assert rules(said) == (["MG598"] if found else [])


CLAIMS = {"when": [{"key": "request.auth.claims[groups]", "values": ["staff"]}]}
PRINCIPALS = {"from": [{"source": {"requestPrincipals": ["*"]}}]}


def reader(selector: Object | None = None, namespace: str = "shop", **spec: Any) -> Object:
    spec = {"jwtRules": [{"issuer": "https://login.example.com"}], **spec}
    if selector:
        spec["selector"] = {"matchLabels": selector}
    return made("RequestAuthentication", spec, namespace=namespace, group=SECURITY)


@pytest.mark.parametrize("rule", [CLAIMS, PRINCIPALS, {"from": [{"source": {"notRequestPrincipals": ["*"]}}]}])
@pytest.mark.parametrize(
    ("readers", "found"),
    [
        ([], True),
        ([reader()], False),
        ([reader({"app": "cart"})], False),
        ([reader({"version": "v1"})], False),
        ([reader({"app": "other"}), workload({"labels": {"app": "other"}})], True),
        ([reader(namespace="istio-system")], False),
        ([reader(namespace="other")], True),
    ],
)
def test_claims_need_a_request_authentication_that_applies(rule: Object, readers: list[Object], found: bool) -> None:
    said = policy({"app": "cart"}, **rule)

    assert ("MG599" in rules(said, workload(), *readers)) is found


def test_claims_are_nobodys_business_where_the_tree_does_not_have_the_workloads() -> None:
    assert rules(policy({"app": "cart"}, **CLAIMS)) == []
    assert "MG599" in rules(policy({"app": "cart"}, **CLAIMS), workload())
    assert "MG599" in rules(policy({"istio": "ingressgateway"}, "istio-system", **PRINCIPALS))


def test_claims_may_be_read_by_a_filter_or_by_what_a_chart_brings() -> None:
    patch = {"patch": {"value": {"name": "envoy.filters.http.jwt_authn"}}}
    other = made("EnvoyFilter", {"workloadSelector": {"labels": {"app": "cart"}}, "configPatches": [{}]})
    jwt = made("EnvoyFilter", {"workloadSelector": {"labels": {"app": "cart"}}, "configPatches": [patch]})
    release = made("HelmRelease", {}, group="helm.toolkit.fluxcd.io")
    said = (policy(**CLAIMS), workload())

    assert rules(*said, other) == ["MG599"]
    assert rules(*said, jwt) == []
    assert rules(*said, release) == []


def test_claims_of_a_waypoint_are_read_for_the_same_target() -> None:
    gateway = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
    said = policy(**CLAIMS)
    said["spec"]["targetRefs"] = [gateway]

    assert "MG599" not in rules(said, workload(), reader(targetRefs=[gateway]))
    assert "MG599" in rules(said, workload(), reader(targetRefs=[{**gateway, "name": "other"}]))


def test_other_conditions_ask_for_no_token() -> None:
    said = policy(when=[{"key": "request.headers[x]", "values": ["a"]}])

    assert rules(said, workload()) == []
