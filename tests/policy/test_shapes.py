"""Objects of any shape, and of any size: a rule says what it has to say, or nothing; it never fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.build.stage import Remark
from meshgen.credentials import looks_secret
from meshgen.policy import policy_remarks
from meshgen.policy.images import is_allowed
from tests.policy.subjects import subject


def _parted(text: str) -> list[str]:
    return text.split(" ")


KINDS = [
    ("v1", "Service ConfigMap Namespace Pod"),
    ("apps/v1", "Deployment StatefulSet DaemonSet ReplicaSet"),
    ("batch/v1", "Job CronJob"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding RoleBinding"),
    ("networking.istio.io/v1", "Gateway VirtualService DestinationRule ServiceEntry Sidecar EnvoyFilter"),
    ("security.istio.io/v1", "PeerAuthentication AuthorizationPolicy"),
    ("telemetry.istio.io/v1", "Telemetry"),
    ("gateway.networking.k8s.io/v1", "Gateway HTTPRoute GRPCRoute ReferenceGrant"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
]
EACH = [(version, kind) for version, kinds in KINDS for kind in kinds.split()]
# The words that rules look for, so that a random object comes deep.
WORDS = _parted(
    "spec data selector matchLabels app type LoadBalancer NodePort servers port protocol HTTP hosts host * tls mode "
    "DISABLE mtls PERMISSIVE portLevelMtls http route destination subset subsets name weight retries attempts timeout "
    "perTryTimeout 2s trafficPolicy outlierDetection maxEjectionPercent gateways shop shop/shop mesh match template "
    "metadata labels annotations containers image a:latest env value password volumes configMap hostPath hostNetwork "
    "securityContext privileged rules action ALLOW from source minAvailable 100% maxUnavailable replicas subjects "
    "roleRef cluster-admin system:anonymous workloadSelector egress tracing randomSamplingPercentage accessLogging "
    "parentRefs listeners allowedRoutes namespaces backendRefs namespace gatewayClassName istio infrastructure "
    "loadBalancerSourceRanges 10.0.0.0/8 istio.io/rev istio-injection postBuild path scaleTargetRef kind Deployment"
)
words = st.sampled_from(WORDS) | st.text(max_size=3)
leaves = st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | words
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5), max_leaves=30
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    version, kind = draw(st.sampled_from(EACH))
    metadata = draw(st.dictionaries(st.sampled_from(["labels", "annotations", "namespace"]), values, max_size=3))
    rest = draw(st.dictionaries(st.sampled_from(["spec", "data", "rules", "roleRef", "subjects"]), values, max_size=3))
    name = draw(st.sampled_from(["shop", "cart"]))
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "name": name}, **rest}


@given(st.lists(objects(), max_size=6), st.sampled_from(["prod", "dev"]))
@settings(max_examples=300, deadline=None)
def test_no_shape_of_an_object_breaks_a_rule(some: list[dict[str, Any]], environment: str) -> None:
    for remark in policy_remarks(subject(some, environment=environment)):
        assert isinstance(remark, Remark)
        assert "\n" not in remark.message
        assert remark.hint


@given(st.dictionaries(st.sampled_from(["meshConfig", "values", "components", "tag", "hub"]), values, max_size=4))
@settings(max_examples=200, deadline=None)
def test_no_shape_of_a_value_breaks_a_rule(istio: dict[str, Any]) -> None:
    whole = {"version": "1.30.3", **{key: value for key, value in istio.items() if key != "components"}}
    assert list(policy_remarks(subject((), {"istio": whole}, environment="prod"))) is not None


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big"}, "data": data}


def rules_of(*some: dict[str, Any], **settings_: Any) -> list[str]:
    return [remark.rule for remark in policy_remarks(subject(some, settings_))]


def test_annotations_that_are_too_long_are_told() -> None:
    long = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {"a": "x" * 262144}}}
    short = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {"a": "x" * 262143}}}

    assert rules_of(long) == ["MG571"]
    assert rules_of(short, delivery={"argocd": {"url": "https://example.com"}}) == []


def test_long_objects_are_told_where_kubectl_may_apply_them() -> None:
    assert rules_of(config_map(a="x" * 262144)) == ["MG571"]
    assert rules_of(config_map(a="x" * 262144), delivery={"argocd": {"url": "https://example.com"}}) == []


def test_a_config_map_over_a_mebibyte_is_told() -> None:
    delivery = {"argocd": {"url": "https://example.com"}}

    assert rules_of(config_map(a="é" * 524288), delivery=delivery) == []
    assert rules_of(config_map(a="é" * 524288, b="x"), delivery=delivery) == ["MG572"]


@pytest.mark.parametrize(
    ("environment", "labels", "production"),
    [
        ("prod", None, True),
        ("production", None, True),
        ("dev", {"stage": "production"}, True),
        ("pre-production", None, False),
        ("dev", {"stage": "staging"}, False),
        ("non-prod", None, False),
    ],
)
def test_production_is_said_by_name_or_label(environment: str, labels: dict[str, str] | None, production: bool) -> None:
    assert subject((), environment=environment, labels=labels).production is production


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DATABASE_PASSWORD", "xK9-mPq4vR7z", True),
        ("apiToken", "a8f5f167f44f4964e6c998dee827110c", True),
        ("anything", "AKIAIOSFODNN7EXAMPLE", True),
        ("url", "postgres://cart:xK9mPq4vR7z@db/cart", True),
        ("DATABASE_PASSWORD", "CHANGEME", False),
        ("signing_key", "CHANGEME", False),
        ("password", "$(DATABASE_PASSWORD)", False),
        ("password", "${DATABASE_PASSWORD}", False),
        ("imagePullSecret", "registry-credentials-v2", False),
        ("token", "/var/run/secrets/tokens/istio-token", False),
        ("secretName", "xK9-mPq4vR7z", False),
        ("passwordFile", "xK9-mPq4vR7z", False),
        ("monkey", "xK9-mPq4vR7z", False),
        ("jwksUri", "https://accounts.example.com/keys?v=3", False),
    ],
)
def test_credentials_are_told_from_names_of_them(name: str, value: str, secret: bool) -> None:
    assert looks_secret(name, value) is secret


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("registry.example.com/mesh/pilot:1", True),
        ("registry.example.com/meshes/pilot:1", False),
        ("registry.example.com.evil.org/mesh/pilot:1", False),
        ("grafana/grafana:9", True),
        ("docker.io/grafana/grafana:9", True),
        ("redis:7", False),
    ],
)
def test_an_allowed_hub_is_a_registry_or_a_whole_folder_of_one(image: str, allowed: bool) -> None:
    assert is_allowed(image, ["registry.example.com/mesh", "docker.io/grafana/"]) is allowed
