"""What a reviewer has to be told of a way to install, and what would break it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.build.charts import istio_releases
from meshgen.build.translate import translate
from meshgen.catalog import release_of
from meshgen.errors import InputError
from meshgen.render import build_mesh, render
from tests.objects import Object, mesh, write_config

HELM: Object = {"version": "1.30.3", "values": {"defaultRevision": "default"}}


def found(folder: Path, istio: Object, **more: Any) -> list[tuple[str, str, str]]:
    """(rule, severity, path) of all findings."""
    config = write_config(folder, mesh(istio=istio, **more))
    try:
        findings = build_mesh(config).findings
    except InputError as error:
        findings = error.findings
    return [(finding.rule, finding.severity, finding.path or "") for finding in findings]


def pilot(**k8s: Any) -> Object:
    return {**HELM, "components": {"pilot": {"k8s": k8s}}}


def overlay(kind: str, name: str, path: str, value: Any) -> Object:
    return pilot(overlays=[{"kind": kind, "name": name, "patches": [{"path": path, "value": value}]}])


@pytest.mark.parametrize(
    ("istio", "rule", "severity"),
    [
        ({**HELM, "revision": "canary"}, "MG407", "warning"),
        ({"version": "1.30.3"}, "MG407", "warning"),
        (pilot(service={"type": "LoadBalancer"}), "MG501", "warning"),
        (pilot(env=[{"value": "x"}]), "MG104", "error"),
        (pilot(service={"ports": [{"name": "x"}]}), "MG104", "error"),
        (overlay("Deployment", "istio", "spec.replicas", 2), "MG215", "warning"),
        (
            overlay("Deployment", "istiod", "spec.template.spec.containers.[name:discovry].image", "x/y:1"),
            "MG215",
            "error",
        ),
    ],
)
def test_what_would_go_wrong_is_told(tmp_path: Path, istio: Object, rule: str, severity: str):
    assert (rule, severity) in [(one, how) for one, how, _ in found(tmp_path, istio)]


@pytest.mark.parametrize(
    "istio",
    [
        HELM,
        {**HELM, "revision": "canary", "values": {"defaultRevision": "canary"}},
        overlay("Deployment", "istiod", "spec.template.spec.containers.[name:discovery].image", "x/y:1"),
        overlay("Deployment", "istiod", "spec.template.spec.containers.[name:mine]", {"image": "x/y:1"}),
    ],
)
def test_what_is_right_is_not_told_of(tmp_path: Path, istio: Object):
    assert found(tmp_path, istio) == []


def test_a_credential_among_the_values_of_a_chart_is_told_without_its_value(tmp_path: Path):
    config = write_config(
        tmp_path,
        mesh(istio=HELM, addons={"grafana": {"source": "helm", "values": {"adminPassword": "hunter2"}}}),
    )

    with pytest.raises(InputError) as raised:
        build_mesh(config)

    (finding,) = raised.value.findings
    assert (finding.rule, finding.path) == ("MG537", "/addons/grafana/values/adminPassword")
    assert "hunter2" not in f"{finding.message} {finding.hint}"


def test_a_chart_whose_values_open_a_service_is_told_of(tmp_path: Path):
    addons = {"kiali": {"source": "helm", "values": {"deployment": {"service_type": "LoadBalancer"}}}}

    assert found(tmp_path, HELM, addons=addons) == [("MG501", "warning", "/addons/kiali/values")]


def test_expose_wins_over_the_values_of_a_chart(tmp_path: Path):
    values = {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["0.0.0.0/0"]}}
    config = write_config(
        tmp_path,
        mesh(
            istio=HELM,
            addons={"grafana": {"source": "helm", "values": values}},
            expose={"grafana": {"sourceRanges": ["10.0.0.0/8"]}},
        ),
    )

    (release,) = (
        one for one in objects(config) if one["kind"] == "HelmRelease" and one["metadata"]["name"] == "grafana"
    )

    service = release["spec"]["values"]["service"]
    assert (service["type"], service["loadBalancerSourceRanges"]) == ("LoadBalancer", ["10.0.0.0/8"])


def test_values_that_take_an_exposed_service_away_are_refused(tmp_path: Path):
    addons = {"jaeger": {"source": "helm", "values": {"extraObjects": []}}}
    expose = {"tracing": {"sourceRanges": ["10.0.0.0/8"]}}

    assert ("MG215", "error", "/expose/tracing") in found(tmp_path, HELM, addons=addons, expose=expose)


def test_null_takes_what_the_chart_sets_away():
    istio = {"version": "1.30.3", "components": {"pilot": {"k8s": {"resources": None, "hpaSpec": None}}}}
    known = release_of(istio)
    releases, _ = istio_releases(translate(istio, hub=known.hub), istio, known)

    changes = [patch.change for release in releases for patch in release.patches]

    container = {"name": "discovery", "resources": None}
    assert changes == [{"spec": {"template": {"spec": {"containers": [container]}}}}, {"spec": None}]


def test_a_gateway_gets_its_quantities_as_text_for_the_chart_wants_no_number():
    k8s = {"resources": {"requests": {"cpu": 1}}}
    istio = {**HELM, "components": {"ingressGateways": {"edge": {"k8s": k8s}}}}
    known = release_of(istio)
    releases, _ = istio_releases(translate(istio, hub=known.hub), istio, known)

    (edge,) = (one for one in releases if one.name == "edge")

    assert edge.values["resources"] == {"requests": {"cpu": "1"}}


def test_a_profile_without_anything_makes_no_stage_of_istio(tmp_path: Path):
    rendering = render(write_config(tmp_path, mesh(istio={"version": "1.30.3", "profile": "empty"})))

    assert [stage.name for tree in rendering.clusters for stage in tree.stages] == ["namespaces"]


def objects(config: Path) -> list[Object]:
    return [obj for one in build_mesh(config).clusters for obj in one.built.objects]
