"""What Istio refuses of a mesh config and warns of, at the versions that do."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meshgen.catalog import minors
from meshgen.check.meaning import meaning_remarks
from meshgen.check.setting import duration, integer
from tests.check.test_meaning import NEWEST, accepted_by_istioctl
from tests.objects import text_of
from tests.tools import tool

OLDEST = "1.11.3"


def said(version: str, config: Any, **values: Any) -> list[tuple[str, str]]:
    found = meaning_remarks({"version": version, "meshConfig": config, "values": values})
    return [(remark.rule, remark.pointer) for remark in found]


def accepted(version: str, config: Any) -> bool:
    return "MG218" not in [rule for rule, _ in said(version, config)]


def proxy(**keys: Any) -> dict[str, Any]:
    return {"defaultConfig": keys}


def tracing(**keys: Any) -> dict[str, Any]:
    return proxy(tracing=keys)


def tls(**keys: Any) -> dict[str, Any]:
    return tracing(tlsSettings=keys)


def spread(*distribute: Any, **keys: Any) -> dict[str, Any]:
    return {"localityLbSetting": {"distribute": list(distribute), **keys}}


def to(**weights: int) -> dict[str, Any]:
    return {"from": "us", "to": weights}


def beside(first: str, second: str) -> dict[str, Any]:
    return spread(*({"from": source, "to": {"eu": 100}} for source in (first, second)))


def fails(source: str, target: str, key: str = "localityLbSetting", **keys: Any) -> dict[str, Any]:
    return {key: {"failover": [{"from": source, "to": target}], **keys}}


def pool(**keys: Any) -> dict[str, Any]:
    return {"defaultTrafficPolicy": {"connectionPool": keys}}


def outliers(**keys: Any) -> dict[str, Any]:
    return {"defaultTrafficPolicy": {"outlierDetection": keys}}


REGION = "topology.kubernetes.io/region"
ADDRESSES = {
    "istiod.istio-system.svc:15012": True,
    "a:1": True,
    "a.b.:80": True,
    "A.B:65535": True,
    "1.2.3.4:80": True,
    "[::1]:80": True,
    "a:+80": True,
    "missingport": False,
    "[::1]": False,
    "::1:80": False,
    "a:0": False,
    "a:65536": False,
    "a:http": False,
    ":80": False,
    "a_b:80": False,
    "a.1:80": False,
    "-a:80": False,
    "1.2.3.04:80": False,
    "[a]b:80": False,
    "http://a:80": False,
    f"{'a' * 64}:80": False,
}

# A mesh config, and whether every version accepts it or none does.
ALWAYS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"proxyListenPort": 15001}, True),
    ({"proxyListenPort": None}, True),
    ({"proxyListenPort": 0}, False),
    ({"proxyListenPort": "65536"}, False),
    ({"proxy_listen_port": 0}, False),
    ({"connectTimeout": "10s"}, True),
    ({"connectTimeout": "0s"}, False),
    ({"connectTimeout": "1.0001s"}, False),
    ({"connectTimeout": "2h"}, False),
    ({"protocolDetectionTimeout": "0s"}, True),
    ({"protocolDetectionTimeout": "-1s"}, True),
    ({"protocolDetectionTimeout": "100us"}, False),
    ({"trustDomain": "example.com"}, True),
    ({"trustDomain": "1"}, True),
    ({"trustDomain": ""}, False),
    ({"trustDomain": "a_b"}, False),
    ({"trustDomainAliases": ["a.", "b"]}, True),
    ({"trustDomainAliases": ["a", "*.b"]}, False),
    ({"serviceSettings": [{"hosts": ["*", "*.foo.svc.cluster.local", "*-a.b"]}]}, True),
    ({"serviceSettings": [{"hosts": ["a.*"]}]}, False),
    ({"serviceSettings": [{"hosts": [""]}]}, False),
    (proxy(discoveryAddress=None), True),
    (proxy(discoveryAddress=""), False),
    *((proxy(discoveryAddress=text), right) for text, right in ADDRESSES.items()),
    *((proxy(**{key: ""}), True) for key in ("statsdUdpAddress", "envoyMetricsServiceAddress")),
    *((proxy(**{key: "a"}), False) for key in ("statsdUdpAddress", "envoyMetricsServiceAddress")),
    *((proxy(**{key: {"address": ""}}), True) for key in ("envoyMetricsService", "envoyAccessLogService")),
    *((proxy(**{key: {"address": "a"}}), False) for key in ("envoyMetricsService", "envoyAccessLogService")),
    *((proxy(**{key: ""}), False) for key in ("configPath", "binaryPath", "serviceCluster")),
    *((proxy(**{key: 15000}), True) for key in ("proxyAdminPort", "statusPort")),
    *((proxy(**{key: -1}), False) for key in ("proxyAdminPort", "statusPort")),
    *((proxy(controlPlaneAuthPolicy=policy), True) for policy in ("NONE", "MUTUAL_TLS", 0)),
    *((proxy(controlPlaneAuthPolicy=policy), False) for policy in ("INHERIT", 7)),
    (proxy(drainDuration="0s"), False),
    (proxy(drainDuration="1500ms"), False),
    (proxy(drainDuration="30s"), True),
    (tracing(sampling=10), True),
    (tracing(zipkin={}), False),
    (tracing(zipkin={"address": "$(HOST_IP):9411"}), True),
    (tracing(datadog={"address": "$(HOST_IP):8126"}), True),
    (tracing(datadog={"address": "a"}), False),
    (tracing(lightstep={"address": "a:1", "accessToken": "t"}), True),
    (tracing(lightstep={"address": "a:1"}), False),
    (tracing(lightstep={"accessToken": "t"}), False),
    (tracing(lightstep={"address": "$(HOST_IP):1", "accessToken": "t"}), False),
    (tls(mode="SIMPLE", credentialName="a"), True),
    (tls(mode="SIMPLE", credentialName="a", caCertificates="b"), False),
    (tls(mode="ISTIO_MUTUAL", credentialName="a", caCertificates="b"), True),
    (tls(mode=2, clientCertificate="a", privateKey="b"), True),
    (tls(mode="MUTUAL", clientCertificate="a"), False),
    (spread(to(us=80, eu=20)), True),
    (spread(to(us=80)), False),
    (spread(to(us=100, eu=0)), False),
    (spread({"from": "us"}), False),
    (spread(to(us=100), failover=[{"from": "a", "to": "b"}]), False),
    (beside("us/a", "us/b"), True),
    (beside("us/a/*", "us/a/b"), False),
    (beside("us", "us/b"), False),
    (beside("us/a", "us"), False),
    (beside("us/a", "us/*"), True),
    (beside("*", "us"), False),
    (beside("u*s", "eu"), False),
    (beside("us//a", "eu"), False),
    (fails("us", "eu"), True),
    (fails("us", "us"), False),
    (fails("us", "*"), False),
]

# A mesh config, the first version that refuses it, and the first that does not any more.
BETWEEN: list[tuple[dict[str, Any], str, str | None]] = [
    (fails("us/a", "eu"), "1.13.0", None),
    (fails("*", "eu"), "1.13.0", None),
    (fails("us", "eu", failoverPriority=[REGION]), "1.20.0", None),
    (tracing(customTags={"a": None}), "1.13.3", "1.14.0"),
    (proxy(privateKeyProvider={}), "1.14.0", None),
    (proxy(privateKeyProvider={"cryptomb": {}}), "1.14.0", None),
    (proxy(privateKeyProvider={"cryptomb": {"pollDelay": "0s"}}), "1.14.0", None),
    (proxy(privateKeyProvider={"qat": {}}), "1.17.0", None),
    (proxy(drainDuration="60s"), "1.11.0", "1.17.0"),
    (proxy(drainDuration="3601s", parentShutdownDuration="3700s"), "1.11.0", "1.22.0"),
    (proxy(drainDuration="3601s"), "1.11.0", "1.22.0"),
    (proxy(parentShutdownDuration="45s"), "1.11.0", "1.17.0"),
    (proxy(parentShutdownDuration="60.5s"), "1.11.0", "1.17.0"),
    ({"meshMTLS": {"ecdhCurves": ["P-256"]}}, "1.18.0", None),
    (tls(mode="SIMPLE", insecureSkipVerify=True, caCertificates="a"), "1.19.0", None),
    (tls(mode="SIMPLE", insecureSkipVerify=True, subjectAltNames=["a"]), "1.19.0", None),
    (tls(mode="SIMPLE", credentialName="a", caCrl="b"), "1.22.0", None),
    (tls(credentialName="configmap://a"), "1.26.0", None),
    (proxy(connectionSettings={"httpMaxConcurrentStreams": 0}), "1.31.0", None),
    (proxy(connectionSettings={"http2InitialStreamWindowSize": 65534}), "1.31.0", None),
    (proxy(connectionSettings={"listenerPerConnectionBufferLimitBytes": -1}), "1.31.0", None),
    (proxy(connectionSettings={"httpIdleTimeout": "-1s"}), "1.31.0", None),
    (fails("us", "eu/a", key="zoneAwareLbSetting"), "1.31.0", None),
    (fails("us", "us", key="zoneAwareLbSetting"), "1.31.0", None),
    ({"zoneAwareLbSetting": {"failoverPriority": [REGION]}}, "1.31.0", None),
    (pool(), "1.31.0", None),
    (pool(http={"maxRetries": -1}), "1.31.0", None),
    (pool(http={"idleTimeout": "0s"}), "1.31.0", None),
    (pool(http={"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}), "1.31.0", None),
    (pool(tcp={"maxConnections": -1}), "1.31.0", None),
    (pool(tcp={"connectTimeout": "0s"}), "1.31.0", None),
    (pool(tcp={"idleTimeout": "-1s"}), "1.31.0", None),
    (pool(tcp={"tcpKeepalive": {"time": "100us"}}), "1.31.0", None),
    (outliers(interval="0s"), "1.31.0", None),
    (outliers(consecutiveLocalOriginFailures=1), "1.31.0", None),
    (outliers(maxEjectionPercent=101), "1.31.0", None),
]

# What no version refuses, though it comes close.
RIGHT: list[dict[str, Any]] = [
    {"localityLbSetting": {"failoverPriority": [REGION]}},
    fails("us", "eu", failoverPriority=["app"]),
    proxy(privateKeyProvider={"cryptomb": {"pollDelay": "10ms"}}),
    proxy(drainDuration="30s"),
    {"meshMTLS": {"ecdhCurves": []}},
    tls(mode="MUTUAL", insecureSkipVerify=True, clientCertificate="a", privateKey="b"),
    tls(mode="DISABLE", insecureSkipVerify=True, caCertificates="a"),
    proxy(connectionSettings={"httpMaxConcurrentStreams": 1, "httpIdleTimeout": "0s"}),
    fails("us", "eu", key="zoneAwareLbSetting"),
    pool(http={}),
    pool(tcp={"idleTimeout": "100us"}),
    pool(http={"h2UpgradePolicy": "DEFAULT", "useClientProtocol": True}),
    outliers(consecutiveLocalOriginFailures=1, splitExternalLocalOriginErrors=True),
    outliers(maxEjectionPercent=100, minHealthPercent=0),
    {
        "extensionProviders": [{"name": "", "zipkin": {"service": "", "port": 0}}],
        "defaultProviders": {"tracing": ["a"]},
    },
]


@pytest.mark.parametrize(("config", "right"), ALWAYS, ids=str)
def test_what_every_version_says_of_a_mesh_config(config: dict[str, Any], right: bool):
    for version in [OLDEST, *(f"{minor}.0" for minor in minors())]:
        # Go 1.16 still read leading zeros.
        old = "1.2.3.04" in str(config) and version.startswith("1.11.")
        assert accepted(version, config) == (right or old), version


@pytest.mark.parametrize(("config", "since", "until"), BETWEEN, ids=str)
def test_what_is_refused_by_some_versions_alone(config: dict[str, Any], since: str, until: str | None):
    edges = [since, before(since), *([until, before(until)] if until else [])]

    for version in [*(f"{minor}.0" for minor in minors()), *edges]:
        refused = numbers(since) <= numbers(version) and (until is None or numbers(version) < numbers(until))
        assert accepted(version, config) != refused, version


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def before(version: str) -> str:
    """A version that came before, of the same minor if there is one."""
    major, minor, patch = numbers(version)
    return f"{major}.{minor}.{patch - 1}" if patch else f"{major}.{minor - 1}.99"


@pytest.mark.parametrize("config", RIGHT, ids=str)
def test_what_no_version_refuses(config: dict[str, Any]):
    assert [minor for minor in minors() if not accepted(f"{minor}.0", config)] == []


def test_the_longest_connect_timeout_grew_in_patches_of_two_minors():
    config = {"connectTimeout": "31s"}
    right = [version for version in ("1.20.5", "1.20.6", "1.21.1", "1.21.2", "1.22.0") if accepted(version, config)]

    assert right == ["1.20.6", "1.21.2", "1.22.0"]
    assert all(accepted(version, {"connectTimeout": "30s"}) for version in ("1.11.3", "1.21.1"))


def test_an_address_with_a_zone_is_read_from_1_16_on():
    config = proxy(discoveryAddress="[fe80::1%eth0]:80")

    assert [version for version in ("1.15.7", "1.16.0", NEWEST) if accepted(version, config)] == ["1.16.0", NEWEST]


def test_weights_are_refused_only_where_every_order_of_a_map_is():
    assert accepted(OLDEST, spread({"from": "us", "to": {"*": 50, "us": 50}}))
    assert not accepted(OLDEST, spread({"from": "us", "to": {"us/a": 50, "us": 50}}))


def test_parent_shutdown_and_drain_are_compared_with_each_others_default():
    assert said(OLDEST, proxy(drainDuration="60s")) == [("MG218", "/istio/meshConfig/defaultConfig/drainDuration")]
    assert said(OLDEST, proxy(drainDuration="60s", parentShutdownDuration="61s")) == []


def test_the_mesh_config_of_the_values_is_looked_at_by_itself_up_to_1_23():
    below = {"meshConfig": {"proxyListenPort": 0}}

    for version in (OLDEST, "1.23.6"):
        assert said(version, {"proxyListenPort": 1}, **below) == [("MG218", "/istio/values/meshConfig/proxyListenPort")]


def test_from_1_24_on_the_mesh_config_is_laid_over_that_of_the_values():
    below = {"meshConfig": {"proxyListenPort": 0, "trustDomain": ""}}

    for version in ("1.24.0", NEWEST):
        assert said(version, {"proxyListenPort": 1}, **below) == [("MG218", "/istio/values/meshConfig/trustDomain")]
        assert said(version, {"proxyListenPort": 0}) == [("MG218", "/istio/meshConfig/proxyListenPort")]
        assert said(version, None, **below) == [
            ("MG218", "/istio/values/meshConfig/proxyListenPort"),
            ("MG218", "/istio/values/meshConfig/trustDomain"),
        ]


CURVES = {"tlsDefaults": {"ecdhCurves": ["P-256", "X25519", "P-256", "P-256", "secp"]}}


@pytest.mark.parametrize("minor", minors())
def test_curves_that_are_unknown_or_twice_there_are_warned_of(minor: str):
    at = "/istio/meshConfig/tlsDefaults/ecdhCurves"
    wanted = [("MG219", f"{at}/2"), ("MG219", f"{at}/4")]

    assert said(f"{minor}.0", CURVES) == (wanted if numbers(f"{minor}.0") >= [1, 18, 0] else [])


def test_the_curves_that_istio_knows_changed():
    curves = {"CECPQ2": ["1.18.0", "1.22.8"], "X25519Kyber768Draft00": ["1.23.0", NEWEST], "X25519MLKEM768": ["1.26.0"]}

    for curve, versions in curves.items():
        assert [v for v in versions if said(v, {"tlsDefaults": {"ecdhCurves": [curve]}})] == []
    assert said("1.23.0", {"tlsDefaults": {"ecdhCurves": ["CECPQ2"]}}) != []
    assert said("1.25.5", {"tlsDefaults": {"ecdhCurves": ["X25519MLKEM768"]}}) != []


def test_the_old_allocation_of_addresses_is_warned_of_from_1_25_on():
    config = proxy(proxyMetadata={"ISTIO_META_DNS_AUTO_ALLOCATE": "true"})

    assert said("1.24.6", config) == []
    assert [rule for rule, _ in said("1.25.0", config)] == ["MG219"]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10s", 10**10),
        ("1m30s", 90 * 10**9),
        ("1.5h", 5400 * 10**9),
        (".5ms", 500_000),
        ("-1s", -(10**9)),
        ("0", 0),
        ("10 s", None),
        ("10", None),
        ("", None),
        ("s", None),
        ("1d", None),
    ],
)
def test_a_duration_is_what_go_reads(text: str, nanoseconds: int | None):
    assert duration(text) == nanoseconds


def test_a_whole_number_is_what_go_reads():
    texts = ["0", "-0", "+7", "007", "-12", "1_0", " 1", "٣", "", "9" * 19, "0" * 5000 + "1"]

    assert [integer(text) for text in texts] == [0, 0, 7, 7, -12, None, None, None, None, None, 1]


# The real istioctl of the newest line.


@pytest.mark.realtools
@pytest.mark.parametrize(
    "config",
    [*(config for config, _ in ALWAYS), *(config for config, *_ in BETWEEN), *RIGHT, CURVES],
    ids=str,
)
@pytest.mark.parametrize("place", ["meshConfig", "values"])
def test_istioctl_agrees_on_what_is_refused(tmp_path: Path, place: str, config: dict[str, Any]):
    # 1.17 took this field away: what is unknown is refused, which is another check's.
    known = json.loads(json.dumps(config).replace("parentShutdownDuration", "terminationDrainDuration"))
    spec = {"meshConfig": known} if place == "meshConfig" else {"values": {"meshConfig": known}}
    found = list(meaning_remarks({"version": NEWEST, **spec}))

    assert accepted_by_istioctl(tmp_path, spec) == (not [remark for remark in found if remark.rule == "MG218"])


@pytest.mark.realtools
def test_istioctl_agrees_on_what_it_warns_of(tmp_path: Path):
    spec = {"meshConfig": {**CURVES, **proxy(proxyMetadata={"ISTIO_META_DNS_AUTO_ALLOCATE": "true"})}}
    path = tmp_path / "operator.yaml"
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    path.write_text(text_of(operator), encoding="utf-8")
    run = subprocess.run(
        [tool("istioctl"), "validate", "-f", path],
        env={"KUBECONFIG": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )

    for words in ("ISTIO_META_DNS_AUTO_ALLOCATE", "unrecognized ECDH curve", "duplicate ECDH curve"):
        assert words in run.stderr
    assert [rule for rule, _ in said(NEWEST, spec["meshConfig"])] == ["MG219"] * 3
