"""What istioctl says of an IstioOperator's values, at the versions that say it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.build.stage import Remark
from meshgen.catalog import minors
from meshgen.check.meaning import meaning_remarks
from tests.objects import text_of
from tests.tools import tool

NEWEST = "1.31.0"
DISCOVERY = "istiod.istio-system.svc:15012"


def said(version: str = "1.11.3", **istio: Any) -> list[tuple[str, str]]:
    return [(remark.rule, remark.pointer) for remark in remarks(version, **istio)]


def remarks(version: str = "1.11.3", **istio: Any) -> list[Remark]:
    return list(meaning_remarks({"version": version, **istio}))


def proxy(**values: Any) -> dict[str, Any]:
    return {"values": {"global": {"proxy": values}}}


def gateway(*ports: Any, kind: str = "ingressGateways", **values: Any) -> dict[str, Any]:
    listed = [{"name": "edge", "k8s": {"service": {"ports": list(ports)}}}]
    return {"components": {kind: listed}, "values": {"gateways": values}}


def ingress_ports(*ports: Any) -> dict[str, Any]:
    return {"values": {"gateways": {"istio-ingressgateway": {"ingressPorts": list(ports)}}}}


HUBS = {
    "docker.io/istio": (True, True),
    "localhost:5000/istio": (True, True),
    "registry.example.com/a.b/c__d/e---f": (True, True),
    "istio": (True, True),
    "docker.io:tag/istio": (False, False),
    "docker.io/Istio": (False, False),
    "Docker.io/istio": (True, True),
    # Either grammar takes what the other refuses.
    "a/b..c": (False, True),
    "a.b/c___d": (False, True),
    "docker.io/istio/": (False, True),
    "docker.io/istio:1.2": (True, False),
    "docker.io/" + "a" * 250: (True, False),
}


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_is_what_the_version_takes_for_an_image_repository(hub: str):
    old, new = HUBS[hub]

    for version, right in {"1.11.3": old, "1.23.6": old, "1.24.0": new, NEWEST: new}.items():
        assert said(version, hub=hub) == ([] if right else [("MG218", "/istio/hub")])


def test_a_long_hub_is_looked_at_in_no_time():
    assert said(hub="docker.io/" + "a" * 5000 + "A") == [("MG218", "/istio/hub")]


# (text, accepted up to 1.11, up to 1.15, up to 1.18, up to 1.23, from 1.24 on)
RANGES = [
    ("10.0.0.0/8", True, True, True, True, True),
    ("10.0.0.0/8,2001:db8::/32", True, True, True, True, True),
    ("*", True, True, True, True, True),
    ("", True, True, True, True, True),
    ("*,10.0.0.0/8", False, False, False, False, False),
    ("1.2.3/16", False, False, False, False, False),
    ("10.0.0.0", False, False, False, False, False),
    ("10.0.0.0/33", False, False, False, False, False),
    ("fe80::1%eth0/64", False, False, False, False, False),
    ("10.0.0.0/8, 11.0.0.0/8", True, True, True, False, False),
    ("10.0.0.0/08", True, True, True, True, False),
    ("010.0.0.0/8", True, False, False, False, False),
    ("::ffff:10.0.0.0/104", True, True, True, True, True),
]


@pytest.mark.parametrize("case", RANGES, ids=str)
@pytest.mark.parametrize("key", ["includeIPRanges", "excludeIPRanges"])
def test_an_address_range_is_what_the_version_reads(key: str, case: tuple[Any, ...]):
    text, *accepted = case

    for version, right in zip(("1.11.8", "1.15.7", "1.18.7", "1.23.6", "1.24.0"), accepted, strict=True):
        assert bool(said(version, **proxy(**{key: text}))) != right, version


def test_each_wrong_piece_of_a_list_is_named():
    first, second = remarks(**proxy(includeIPRanges="1.2.3/16,10.0.0.0/8,x"))

    assert first.message == 'istio.values.global.proxy.includeIPRanges: invalid CIDR address "1.2.3/16"'
    assert '"x"' in second.message


@pytest.mark.parametrize("text", ["80", "80,443", "", "*", "0", "65535", "+80", "080", "80,*"])
def test_inbound_ports_are_numbers_or_a_star(text: str):
    for version in ("1.11.3", NEWEST):
        assert said(version, **proxy(includeInboundPorts=text)) == []


@pytest.mark.parametrize("text", ["-1", "65536", "222x", "8_0", "99999999999", "٣", "80-90"])
def test_other_inbound_ports_are_refused(text: str):
    for version in ("1.11.3", NEWEST):
        found = said(version, **proxy(excludeInboundPorts=text))
        assert found == [("MG218", "/istio/values/global/proxy/excludeInboundPorts")]


def test_spaces_between_ports_count_from_1_19_on():
    assert said("1.18.7", **proxy(includeInboundPorts="80, 443")) == []
    assert said("1.19.0", **proxy(includeInboundPorts="80, 443")) != []


# (port, opened by root alone)
GATEWAY_PORTS = [
    ({"port": 80, "targetPort": 8080}, False),
    ({"port": 80, "targetPort": 1024}, False),
    ({"port": 80, "targetPort": "http"}, False),
    ({"port": 80, "targetPort": "80"}, False),
    ({"port": 1025}, False),
    ({"port": 15021, "targetPort": 0}, False),
    ({"port": 80, "targetPort": 90}, True),
    ({"port": 8080, "targetPort": 1023}, True),
    ({"port": 80}, True),
    ({"port": 80, "targetPort": None}, True),
    ({"port": 1024}, True),
    ({"targetPort": 80}, True),
]


@pytest.mark.parametrize(("port", "wrong"), GATEWAY_PORTS)
def test_a_gateway_port_that_only_root_may_open_is_refused(port: dict[str, Any], wrong: bool):
    for version in ("1.11.3", NEWEST):
        for kind in ("ingressGateways", "egressGateways"):
            assert bool(said(version, **gateway(port, kind=kind))) == wrong


def test_root_may_open_a_low_port_on_gateways_of_its_kind():
    port = {"name": "http2", "port": 80}

    assert said(**gateway(port, **{"istio-ingressgateway": {"runAsRoot": True}})) == []
    assert said(**gateway(port, **{"istio-egressgateway": {"runAsRoot": True}})) != []


def test_a_gateway_of_a_map_is_named_by_its_key():
    entry = {"enabled": False, "k8s": {"service": {"ports": [{"name": "http2", "port": 80}]}}}
    (remark,) = remarks(components={"egressGateways": {"out": entry, "off": None}})

    assert "port http2/80 in gateway out: targetPort is not set" in remark.message
    assert remark.pointer == "/istio/components/egressGateways/out/k8s/service/ports/0"
    assert "values.gateways.istio-egressgateway.runAsRoot" in (remark.hint or "")


def test_a_name_that_no_gateway_may_have_is_refused():
    for version in ("1.11.3", NEWEST):
        assert said(version, components={"ingressGateways": {"a@b": {}, "a.b-c": {}}}) == [
            ("MG218", "/istio/components/ingressGateways/a@b")
        ]
        assert said(version, components={"ingressGateways": [{"name": "a@b"}, {"name": ""}, {}]}) == [
            ("MG218", "/istio/components/ingressGateways/0/name")
        ]


@pytest.mark.parametrize(("port", "wrong"), [(port, wrong) for port, wrong in GATEWAY_PORTS if "port" in port])
def test_ports_in_the_values_follow_the_same_rule_even_for_root(port: dict[str, Any], wrong: bool):
    istio = ingress_ports(port)
    istio["values"]["gateways"]["istio-ingressgateway"]["runAsRoot"] = True

    for version in ("1.11.3", NEWEST):
        assert bool(said(version, **istio)) == wrong


def replicas(count: int, **values: Any) -> dict[str, Any]:
    edge = {"edge": {"k8s": {"replicaCount": count}}}
    return {"components": {"pilot": {"k8s": {"replicaCount": count}}, "ingressGateways": edge}, "values": values}


PILOT = ("MG219", "/istio/components/pilot/k8s/replicaCount")
EDGE = ("MG219", "/istio/components/ingressGateways/edge/k8s/replicaCount")


@pytest.mark.parametrize("minor", minors())
def test_replicas_beside_autoscaling_are_warned_of_where_the_profile_scales(minor: str):
    number = int(minor.split(".")[1])

    assert said(f"{minor}.0", **replicas(2)) == ([PILOT, EDGE] if 14 <= number <= 20 else [])
    assert said(f"{minor}.0", profile="demo", **replicas(2)) == []


@pytest.mark.parametrize("minor", minors())
def test_replicas_beside_autoscaling_are_warned_of_where_the_user_scales(minor: str):
    on = {"autoscaleEnabled": True}
    istio = replicas(2, pilot=on, gateways={"istio-ingressgateway": on})

    assert said(f"{minor}.0", **istio) == ([PILOT, EDGE] if int(minor.split(".")[1]) >= 14 else [])


def test_switching_autoscaling_off_or_away_quiets_the_warning():
    for off in (False, None):
        values = {"pilot": {"autoscaleEnabled": off}, "gateways": {"istio-ingressgateway": {"autoscaleEnabled": off}}}
        assert said("1.17.8", **replicas(3, **values)) == []
    assert said("1.17.8", **replicas(3, pilot=None, gateways=None)) == []


def test_profiles_of_ones_own_are_not_guessed_at():
    assert said("1.17.8", installPackagePath="/charts", **replicas(3)) == []


def test_one_replica_of_istiod_is_none_from_1_14_4_on():
    assert said("1.14.3", **replicas(1)) == [PILOT, EDGE]
    assert said("1.14.4", **replicas(1)) == [EDGE]


def test_a_version_that_is_not_known_is_not_spoken_for():
    for version in ("1.99.0", "1.10.6", "latest", None, 1.11):
        assert list(meaning_remarks({"version": version, "hub": "A/B"})) == []
    assert list(meaning_remarks({"hub": "A/B"})) == []


def test_the_minor_to_be_assumed_is_the_one_that_is_asked():
    spaced = proxy(includeInboundPorts="80, 443")

    assert said("1.99.0", assumeMinor="1.18", **spaced) == []
    assert said("1.99.0", assumeMinor="1.31", **spaced) != []


@pytest.mark.parametrize("minor", minors())
def test_a_setting_of_the_wrong_type_is_passed_over(minor: str):
    shared = proxy(includeIPRanges="*", includeInboundPorts="*")["values"]
    whole = {"hub": "docker.io/istio", **replicas(3, pilot={"autoscaleEnabled": True}, **shared)}
    whole["components"]["egressGateways"] = gateway({"port": 8080})["components"]["ingressGateways"]
    whole["values"]["gateways"] = ingress_ports({"port": 8080})["values"]["gateways"]
    whole["meshConfig"] = {"proxyListenPort": 15001, "defaultConfig": {"discoveryAddress": DISCOVERY}}

    for wrong in ([1], {"a": 1}, "text", 7, 1.5, True, None, [None], [[]], [{}], {"a": None}):
        for istio in replaced(whole, wrong):
            assert all(remark.message for remark in remarks(f"{minor}.0", **istio))


def replaced(value: Any, wrong: Any) -> Iterator[Any]:
    """The value with one of its parts replaced, for every part."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for part in (wrong, *replaced(value[key], wrong)):
            copy: Any = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = part
            yield copy


@pytest.mark.parametrize("minor", minors())
def test_what_may_be_a_secret_is_in_no_message(minor: str):
    tracing = {"lightstep": {"address": "https://bot:s3cr3t@host", "accessToken": "s3cr3t"}}
    tracing["tlsSettings"] = {"mode": "MUTUAL", "credentialName": "s3cr3t", "caCertificates": "s3cr3t"}
    config = {"trustDomain": "s3cr3t!", "connectTimeout": "0s", "defaultConfig": {"tracing": tracing}}
    config["tlsDefaults"] = {"ecdhCurves": ["s3cr3t"]}
    found = remarks(f"{minor}.0", hub="bot:s3cr3t@host/Istio", meshConfig=config, values={"meshConfig": config})

    assert len(found) > 5
    assert not [remark for remark in found if "s3cr3t" in f"{remark.message}{remark.hint}"]


# Cases of Istio's own tests, at 1.11.3.

# What Istio's message is like, and what ours has to name: the field, and the thing that is wrong with it.
SHARED, INGRESS = "istio.values.global.proxy", "istio.values.gateways.istio-ingressgateway"
NAMED = (
    (r'invalid discovery address: unable to split "(\w+)": .*(missing port)', "defaultConfig.discoveryAddress"),
    (r"^invalid value Hub: (.*)", "istio.hub"),
    (r"^invalid value Components.IngressGateways\[0\].Name: (.*)", "istio.components.ingressGateways[0].name"),
    (r"^global.proxy.includeIPRanges invalid CIDR address: (.*)", f"{SHARED}.includeIPRanges"),
    (r"^global.proxy.excludeIPRanges invalid CIDR address: (.*)", f"{SHARED}.excludeIPRanges"),
    (r'^global.proxy.excludeInboundPorts : .*ParseInt: parsing "(.*?)"', f"{SHARED}.excludeInboundPorts"),
    (r"^value global.proxy.excludeInboundPorts:(\S+) falls outside", f"{SHARED}.excludeInboundPorts"),
    (r"^(port http2/80 in gateway \S+) invalid: targetPort is set to (9?)0", "k8s.service.ports[1]"),
    (r"^(port 80) is invalid: targetPort is set to (9?)0", f"{INGRESS}.ingressPorts[0]"),
)
# Names, types and deprecated keys are another check's.
NOT_MEANT = re.compile(r"unknown field|is deprecated")


def upstream_cases(cases: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(expectation, settings at 1.11.3) of each whole IstioOperator of the validation tests."""
    folder = cases / "istio-1.11.3"
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    whole = [one for one in listed if one["path"].startswith("iop-validate/") and one.get("kind") == "IstioOperator"]
    return [(one["expect"], yaml.safe_load((folder / one["path"]).read_bytes())["spec"]) for one in whole]


@pytest.mark.upstream
def test_every_error_and_warning_of_istios_own_cases_is_given(cases: Path):
    meant = 0
    listed = upstream_cases(cases)

    for expect, spec in listed:
        found = remarks(**spec)
        wanted = [error for error in expect["errors"] if not NOT_MEANT.search(error)]
        for error in wanted:
            assert any(names(remark, error) for remark in found), error
        assert [one.rule for one in found] == ["MG218"] * len(wanted), spec
        assert all(NOT_MEANT.search(warning) for warning in expect["warnings"])
        meant += len(wanted)
    assert (len(listed), meant) == (34, 20)


def names(remark: Remark, error: str) -> bool:
    """Say whether a remark names the field that Istio's error names, and what is wrong there."""
    for pattern, field in NAMED:
        if match := re.search(pattern, error):
            return field in remark.message and all(part in remark.message for part in match.groups())
    raise AssertionError(error)


@pytest.mark.upstream
def test_nothing_is_said_of_an_istiooperator_that_istio_takes(cases: Path):
    seen = 0
    for folder in ("profiles", "istioctl-output", "manifest-generate/input", "iop-other"):
        for path in sorted((cases / "istio-1.11.3" / folder).rglob("*.yaml")):
            for spec in operators(path):
                assert [one.message for one in remarks(**spec)] == [], path
                seen += 1
    assert seen > 60


def operators(path: Path) -> Iterator[dict[str, Any]]:
    """The specs of the IstioOperators in a file; templates of charts are none."""
    text = path.read_text(encoding="utf-8")
    documents = yaml.safe_load_all(text) if "{{" not in text else ()
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "IstioOperator":
            yield document.get("spec") or {}


# The real istioctl of the newest line.

SPECS: list[tuple[dict[str, Any], bool]] = [
    *(({"hub": hub}, right) for hub, (_, right) in HUBS.items()),
    *((proxy(includeIPRanges=text), right[-1]) for text, *right in RANGES),
    *((proxy(excludeIPRanges=text), False) for text in ("10.0.0.0/", "10.0.0.0/-1", "::/129")),
    *((proxy(includeInboundPorts=text), True) for text in ("80", "80,443", "", "*", "+80", "080", "65535")),
    *((proxy(excludeInboundPorts=text), False) for text in ("-1", "65536", "222x", "80, 443", "8_0", "99999999999")),
    *((gateway(port), not wrong) for port, wrong in GATEWAY_PORTS),
    *((gateway(port, kind="egressGateways"), not wrong) for port, wrong in GATEWAY_PORTS),
    (gateway({"port": 80}, **{"istio-ingressgateway": {"runAsRoot": True}}), True),
    (gateway({"port": 80}, **{"istio-egressgateway": {"runAsRoot": True}}), False),
    *((ingress_ports(port), not wrong) for port, wrong in GATEWAY_PORTS if "port" in port),
    ({"components": {"ingressGateways": [{"name": "a@b"}]}}, False),
    ({"components": {"ingressGateways": [{"name": "A"}]}}, False),
    ({"components": {"egressGateways": [{"name": "a.b-c", "enabled": False}]}}, True),
]


def accepted_by_istioctl(folder: Path, spec: dict[str, Any]) -> bool:
    """Whether the real istioctl renders an IstioOperator; components that need no rendering here are off."""
    off = {name: {"enabled": False} for name in ("base", "pilot")}
    components = {"ingressGateways": [], **off, **spec.get("components", {})}
    whole = {"hub": "docker.io/istio", "tag": NEWEST, **spec, "components": components}
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": whole}
    return _istioctl(folder, operator, "manifest", "generate").returncode == 0


def _istioctl(folder: Path, operator: dict[str, Any], *command: str) -> subprocess.CompletedProcess[str]:
    path = folder / "operator.yaml"
    path.write_text(text_of(operator), encoding="utf-8")
    # An empty KUBECONFIG, so that no cluster of the user's is asked.
    environment = {"KUBECONFIG": "/dev/null"}
    return subprocess.run(
        [tool("istioctl"), *command, "-f", path], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.realtools
@pytest.mark.parametrize(("spec", "accepted"), SPECS, ids=str)
def test_istioctl_agrees_on_what_is_refused(tmp_path: Path, spec: dict[str, Any], accepted: bool):
    assert (not said(NEWEST, **spec)) == accepted
    assert accepted_by_istioctl(tmp_path, spec) == accepted


@pytest.mark.realtools
@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("on", [True, False])
def test_istioctl_agrees_on_what_it_warns_of(tmp_path: Path, count: int, on: bool):
    values = {"pilot": {"autoscaleEnabled": on}, "gateways": {"istio-egressgateway": {"autoscaleEnabled": on}}}
    components = {
        "pilot": {"k8s": {"replicaCount": count}},
        "egressGateways": [{"name": "out", "k8s": {"replicaCount": count}}],
    }
    spec = {"components": components, "values": values}
    operator = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}

    run = _istioctl(tmp_path, operator, "validate")

    assert run.stderr.count("replicaCount should not be set") == len(said(NEWEST, **spec))
