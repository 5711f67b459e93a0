from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.build.stage import Memory, Remark
from meshgen.catalog import minors, release
from meshgen.check.settings import settings_remarks

OLD, NEW = "1.11.3", "1.31.0"
# What istioctl 1.11.3 refuses although its manifest calls it accepted: these tests of Istio pass --force, or decode
# values alone and without looking for unknown fields.
FORCED = {"flag_force.yaml", "global.yaml"}


def remarks(version: str, install: str = "manifests", **istio: Any) -> list[Remark]:
    said = settings_remarks({"istio": {"version": version, "install": install, **istio}}, Memory())
    # What values mean is another's story.
    return [one for one in said if one.rule not in ("MG218", "MG219")]


def found(version: str, **istio: Any) -> list[tuple[str, str, str]]:
    return [(one.rule, one.severity, one.pointer.removeprefix("/istio")) for one in remarks(version, **istio)]


def pilot(version: str, **k8s: Any) -> list[tuple[str, str, str]]:
    return [
        (rule, severity, at.removeprefix("/components/pilot/k8s"))
        for rule, severity, at in found(version, components={"pilot": {"k8s": k8s}})
    ]


@pytest.mark.parametrize("version", [OLD, NEW])
def test_an_unknown_value_is_an_error_that_names_the_one_that_was_meant(version: str) -> None:
    (said,) = remarks(version, values={"pilot": {"autoscaleEnable": True}})

    assert (said.rule, said.severity, said.at_key) == ("MG205", "error", True)
    assert said.message.startswith("istio.values.pilot.autoscaleEnable: IstioOperator has no such field at Istio 1.")
    assert said.hint
    assert said.hint.startswith('did you mean "autoscaleEnabled"?')
    assert said.hint.endswith("values of charts of your own go under unvalidatedValues")


@pytest.mark.parametrize(
    ("version", "istio", "hint"),
    [
        (OLD, {"values": {"pilot": {"trustedZtunnelNamespace": "a"}}}, "take it out: Istio has it from 1.23.0 on"),
        (NEW, {"values": {"pilot": {"useMCP": True}}}, "take it out: Istio had it until 1.22"),
        (OLD, {"components": {"pilot": {"k8s": {"service": {"ipFamilies": []}}}}}, "Istio has it from 1.24.0 on"),
        (OLD, {"compatibilityVersion": "1.10"}, "take it out: Istio has it from 1.21.0 on"),
        (OLD, {"components": {"ztunnel": {"enabled": True}}}, "take it out: Istio has it from 1.18.0 on"),
        (NEW, {"meshConfig": {"thriftConfig": {}}}, "take it out: Istio had it until 1.16"),
    ],
)
def test_a_field_of_other_versions_is_called_so(version: str, istio: dict[str, Any], hint: str) -> None:
    (said,) = remarks(version, **istio)

    assert said.rule == "MG205"
    assert hint in str(said.hint)


def test_a_field_that_was_backported_is_there_from_a_patch_of_each_minor_on() -> None:
    values = {"gateways": {"securityContext": {}}}
    having = "in 1.20 from 1.20.8 on, in 1.21 from 1.21.4 on and from 1.22.2 on"

    for version in ("1.20.7", "1.21.0", "1.21.3", "1.22.1"):
        assert having in str([one.hint for one in remarks(version, values=values)])
    for version in ("1.20.8", "1.20.99", "1.21.4", "1.22.2", "1.23.0"):
        assert found(version, values=values) == []


@pytest.mark.parametrize(
    ("version", "severity"), [("1.11.3", "error"), ("1.23.6", "error"), ("1.24.0", "warning"), ("1.31.0", "warning")]
)
@pytest.mark.parametrize("place", [("meshConfig",), ("values", "meshConfig")])
def test_istiod_ignores_an_unknown_key_of_the_mesh_config_from_1_24_on(
    version: str, severity: str, place: tuple[str, ...]
) -> None:
    config: Any = {"defaultConfig": {"concurency": 2}}
    for key in reversed(place):
        config = {key: config}

    assert found(version, **config) == [("MG205", severity, f"/{'/'.join(place)}/defaultConfig/concurency")]


def test_the_place_that_a_setting_has_now_is_named() -> None:
    values = {"global": {"localityLbSetting": {"enabled": True}, "mtls": {"auto": True}}, "grafana": {"enabled": True}}

    hints = [one.hint for one in remarks(OLD, values=values) if one.rule == "MG205"]

    assert hints == [
        "use meshConfig.localityLbSetting instead",
        "use meshConfig.enableAutoMtls instead",
        "use addons: {grafana: {}} instead",
    ]


def test_what_istioctl_calls_deprecated_is_a_warning_unless_it_is_the_default() -> None:
    said = remarks(OLD, values={"global": {"jwtPolicy": "first-party-jwt", "tracer": {"lightstep": {"address": ""}}}})

    assert [(one.rule, one.severity, one.hint) for one in said] == [
        ("MG217", "warning", "use values.global.jwtPolicy=third-party-jwt instead")
    ]
    assert found("1.30.3", values={"global": {"jwtPolicy": "first-party-jwt"}}) == []


def test_addons_of_istio_operator_are_refused() -> None:
    addons = {"tracing": {"enabled": True}, "kiali": {"enabled": False}, "istiocoredns": {"enabled": True}}

    said = [one for one in remarks(OLD, addonComponents=addons) if one.rule == "MG217"]

    assert [(one.severity, one.pointer) for one in said] == [
        ("warning", "/istio/addonComponents/istiocoredns/enabled"),
        ("error", "/istio/addonComponents/tracing/enabled"),
    ]
    assert said[1].hint == "use addons: {jaeger: {}} instead"


def test_what_the_proto_alone_marks_as_deprecated_is_an_info_while_the_operator_translates() -> None:
    values = {"pilot": {"resources": {"requests": {"cpu": "1"}}, "nodeSelector": {}}}

    (said,) = remarks(OLD, values=values)

    assert (said.rule, said.severity, said.hint) == ("MG217", "info", "use components.pilot.k8s.resources instead")
    assert found(NEW, values=values) == []


@pytest.mark.parametrize(
    "config",
    [
        {"enable_tracing": True, "connectTimeout": "1m30s", "accessLogEncoding": "JSON", "proxyListenPort": "15001"},
        {"accessLogEncoding": 1, "defaultConfig": {"concurrency": 2.0, "tracing": {"sampling": "NaN"}}},
        {"defaultConfig": {"proxyMetadata": {"A": "b"}, "proxy_metadata": None}, "extensionProviders": [None]},
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_mesh_config_is_read_as_generously_as_by_protocol_buffers(version: str, config: dict[str, Any]) -> None:
    assert found(version, meshConfig=config, values={"meshConfig": config}) == []


@pytest.mark.parametrize(
    ("config", "rule", "at"),
    [
        ({"enableTracing": "true"}, "MG103", "enableTracing"),
        ({"connectTimeout": 10}, "MG103", "connectTimeout"),
        ({"connectTimeout": "10 s"}, "MG101", "connectTimeout"),
        ({"proxyListenPort": 1.5}, "MG103", "proxyListenPort"),
        ({"proxyListenPort": 2**31}, "MG103", "proxyListenPort"),
        ({"accessLogFile": 1}, "MG103", "accessLogFile"),
        ({"accessLogEncoding": "json"}, "MG101", "accessLogEncoding"),
        ({"accessLogEncoding": True}, "MG103", "accessLogEncoding"),
        ({"trustDomainAliases": "a"}, "MG103", "trustDomainAliases"),
        ({"defaultConfig": []}, "MG103", "defaultConfig"),
        ({"defaultConfig": {"proxyMetadata": {"A": True}}}, "MG103", "defaultConfig/proxyMetadata/A"),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_wrong_type_in_the_mesh_config_is_refused(version: str, config: dict[str, Any], rule: str, at: str) -> None:
    assert found(version, meshConfig=config) == [(rule, "error", f"/meshConfig/{at}")]


def test_from_1_24_on_components_are_read_by_their_exact_types() -> None:
    assert pilot(OLD, replicaCount="2", env=[{"name": "A", "value": "b"}]) == []
    assert pilot("1.24.0", replicaCount="2") == [("MG103", "error", "/replicaCount")]
    assert pilot(OLD, hpa_spec={}, hpaspec={}) == [("MG205", "error", "/hpaspec")]
    assert pilot(NEW, hpaSPEC={}, hpa_spec={}) == [("MG205", "error", "/hpa_spec")]


def test_kubernetes_types_in_values_are_checked_since_istioctl_does() -> None:
    values = {"pilot": {"tolerations": [{"value": 1, "efect": "NoSchedule"}]}}

    assert found("1.21.6", values=values, install="manifests") == [("MG217", "info", "/values/pilot/tolerations")]
    assert found(NEW, values=values) == [("MG205", "error", "/values/pilot/tolerations/0/efect")]


def test_an_embedded_field_may_be_written_both_ways_while_protocol_buffers_read_it() -> None:
    for reference in ({"name": "a", "key": "b"}, {"localObjectReference": {"name": "a"}, "key": "b"}):
        assert pilot(OLD, env=[{"name": "A", "valueFrom": {"secretKeyRef": reference}}]) == []
    for volume in ({"name": "a", "configMap": {"name": "b"}}, {"name": "a", "volumeSource": {"configMap": {}}}):
        assert pilot(OLD, volumes=[volume]) == []


def test_gateways_are_looked_at_as_a_map_or_a_list() -> None:
    wrong = {"k8s": {"env": 1}}

    assert found(NEW, components={"egressGateways": {"edge": wrong, "none": None}}) == [
        ("MG103", "error", "/components/egressGateways/edge/k8s/env")
    ]
    assert found(NEW, components={"egressGateways": [{"name": "a", **wrong}]}) == [
        ("MG103", "error", "/components/egressGateways/0/k8s/env")
    ]


def test_unvalidated_values_may_be_anything_to_istioctl() -> None:
    assert found(NEW, unvalidatedValues={"pilot": 1, "anything": ["x"], "global": None}) == []


def test_a_newer_patch_and_a_newer_minor_have_the_fields_of_the_newest_known() -> None:
    wrong = {"pilot": {"nonsense": 1}}

    for version in ("1.30.99", "1.31.7", "1.31.0-alpha.1"):
        assert found(version, values=wrong) == [("MG205", "error", "/values/pilot/nonsense")]
    said = remarks("1.99.0", assumeMinor=minors()[-1], values=wrong)
    assert [one.rule for one in said] == ["MG203", "MG205"]


@pytest.mark.parametrize("minor", minors())
def test_the_fields_of_each_minor_are_those_of_its_facts(minor: str) -> None:
    from meshgen.catalog.fields import fields_at

    known = release(minor)
    fields = fields_at(known.latest_patch)

    def names(message: str) -> set[str]:
        return {name for name, field in fields.of(message).items() if field.type[0] != "="}

    assert names(fields.root) == set(known.spec_fields)
    assert names("operator.IstioComponentSetSpec") == set(known.components)


def test_no_message_holds_a_value() -> None:
    values: dict[str, Any] = {"global": {"hub": ["hunter2"], "proxy": "hunter2", "nosuch": "hunter2"}}
    mesh = {"accessLogEncoding": "hunter2", "connectTimeout": "hunter2", "enableTracing": "hunter2"}

    said = remarks(NEW, values=values, meshConfig=mesh)

    assert len(said) == 6
    assert "hunter2" not in str(said)


def test_clusters_that_share_settings_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from meshgen.check import fields

    calls = []
    monkeypatch.setattr(fields, "field_remarks", lambda istio, own: calls.append(istio) or [])
    memory, values = Memory(), {"pilot": {}}

    for _ in range(3):
        settings_remarks({"istio": {"version": NEW, "values": values}}, memory)

    assert len(calls) == 1


# What meshgen translates itself: helm and sail.


def translated(**istio: Any) -> list[tuple[str, str]]:
    said = remarks("1.30.3", "helm", **istio)
    return [(one.rule, one.pointer.removeprefix("/istio").removeprefix("/components/pilot/k8s")) for one in said]


def translated_pilot(**k8s: Any) -> list[tuple[str, str]]:
    return translated(components={"pilot": {"k8s": k8s}})


@pytest.mark.parametrize("value", [None, "text", 1, True, []])
def test_global_values_are_a_map_and_never_taken_away(value: Any) -> None:
    assert translated(values={"global": value}) == [("MG103", "/values/global")]
    assert translated(unvalidatedValues={"global": value}) == [("MG103", "/unvalidatedValues/global")]


@pytest.mark.parametrize(
    ("k8s", "at"),
    [
        ({"hpaSpec": 1}, "/hpaSpec"),
        ({"env": {"A": "b"}}, "/env"),
        ({"service": "NodePort"}, "/service"),
        ({"overlays": {}}, "/overlays"),
        ({"resources": []}, "/resources"),
        ({"replicaCount": "2"}, "/replicaCount"),
        ({"replicaCount": True}, "/replicaCount"),
        ({"replicaCount": 2.0}, "/replicaCount"),
        ({"podAnnotations": ["a"]}, "/podAnnotations"),
        ({"podDisruptionBudget": 3}, "/podDisruptionBudget"),
        ({"priorityClassName": 5}, "/priorityClassName"),
        ({"env": [{"name": "A", "value": "b"}, {"name": "B", "value": True}]}, "/env/1/value"),
        ({"env": [None]}, "/env/0"),
        ({"tolerations": [None]}, "/tolerations/0"),
        ({"resources": {"limits": 1}}, "/resources/limits"),
        ({"service": {"ports": [{"port": "80"}]}}, "/service/ports/0/port"),
        ({"overlays": [{"kind": "Deployment", "patches": ["x"]}]}, "/overlays/0/patches/0"),
        ({"hpaSpec": {"minReplicas": "1"}}, "/hpaSpec/minReplicas"),
    ],
)
def test_a_setting_that_is_translated_has_its_type(k8s: dict[str, Any], at: str) -> None:
    assert translated_pilot(**k8s) == [("MG103", at)]


def test_a_setting_that_is_translated_has_its_name_letter_by_letter() -> None:
    assert translated_pilot(hpaspec={}) == [("MG205", "/hpaspec")]
    assert translated_pilot(env=[{"value": "a"}]) == [("MG104", "/env/0")]
    assert translated_pilot(service={"ports": [{"name": "a"}]}) == [("MG104", "/service/ports/0")]


def test_null_takes_any_setting_away() -> None:
    assert translated_pilot(hpaSpec=None, env=None, resources={"limits": None}, replicaCount=None) == []


def test_values_without_a_type_have_the_shape_that_the_translation_reads() -> None:
    assert translated(values={"ztunnel": 1}) == [("MG103", "/values/ztunnel")]
    assert translated(unvalidatedValues={"cni": 1, "own": "y", "pilot": {"env": 1}}) == [
        ("MG103", "/unvalidatedValues/cni")
    ]


def specs(path: Path) -> list[dict[str, Any]]:
    documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return [one["spec"] for one in documents if one and one.get("kind") == "IstioOperator" and one.get("spec")]


def problems(path: Path) -> list[Remark]:
    from meshgen.check.fields import field_remarks

    return [
        one for spec in specs(path) for one in field_remarks({"version": OLD, **spec}, False) if one.severity != "info"
    ]


def listed(cases: Path, verdict: str, *folders: str) -> list[tuple[Path, dict[str, Any]]]:
    folder = cases / "istio-1.11.3"
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    found = [one for one in files if one["path"].startswith(folders) and one["expect"].get("verdict") == verdict]
    return [(folder / one["path"], one["expect"]) for one in found if one["path"].endswith(".yaml")]


@pytest.mark.upstream
def test_what_istioctl_takes_is_taken(cases: Path) -> None:
    taken = listed(cases, "accept", "profiles", "manifest-generate/input/", "iop-other", "iop-validate")
    paths = [path for path, _ in taken] + sorted((cases / "istio-1.11.3/istioctl-output").glob("*dump-[!s]*.yaml"))

    said = {path.name: problems(path) for path in paths if path.name not in FORCED}

    assert sum(bool(specs(path)) for path in paths) > 70
    assert {name: found for name, found in said.items() if found} == {}


@pytest.mark.upstream
def test_unknown_fields_that_istioctl_forces_or_reads_over_are_refused(cases: Path) -> None:
    paths = [path for path, _ in listed(cases, "accept", "manifest-generate", "iop-validate") if path.name in FORCED]

    assert {path.name for path in paths} == FORCED
    for path in paths:
        assert [one.rule for one in problems(path) if one.severity == "error"] == ["MG205"]


@pytest.mark.upstream
def test_unknown_fields_and_wrong_types_are_refused_as_istioctl_does(cases: Path) -> None:
    words = ("unknown field", "cannot unmarshal", "is deprecated")
    refused = listed(cases, "reject", "iop-other", "iop-validate")
    ours = [path for path, expect in refused if any(word in str(expect) for word in words)]

    assert len(ours) == 6
    for path in ours:
        assert any(one.severity == "error" for one in problems(path)), path
