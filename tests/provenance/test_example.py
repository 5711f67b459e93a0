"""What `meshgen explain` says of the project's own example, whose tree lies in output/."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from meshgen.errors import InputError
from meshgen.provenance.answer import Answer
from meshgen.provenance.edits import at_path
from meshgen.provenance.explain import explain
from meshgen.yaml import NOWHERE
from tests.objects import read_yaml
from tests.tools import PROJECT

AZURE = "service.beta.kubernetes.io/azure-load-balancer-internal"
# Who sets it, and what the layers say: file, line, column, value.
Said = dict[str, tuple[str, list[tuple[str, int, int, Any]]]]


@cache
def ask(cluster: str, selector: str, field: str) -> Answer:
    (answer,) = explain(PROJECT / "meshgen.yaml", selector, field, cluster)
    assert answer.is_complete
    return answer


def said(answer: Answer) -> Said:
    return {
        one.name: (one.role, [(layer.file, layer.line, layer.column, layer.value) for layer in one.layers])  # type: ignore[misc]
        for one in answer.settings
    }


def held(answer: Answer, path: tuple[str | int, ...]) -> Any:
    """What the one file that is named holds, in the tree that is committed."""
    ((file,),) = answer.files.values()
    (content,) = read_yaml((PROJECT / "output" / file).read_text(encoding="utf-8"))
    return at_path(content, path)


KIALI = ("brings", [("meshgen.yaml", 17, 10, {})])


def test_type_of_an_opened_service():
    answer = ask("prod-kr", "Service/kiali", "spec.type")
    assert answer.value == "LoadBalancer"
    assert said(answer) == {
        "expose.kiali.type": ("sets", [("meshgen.yaml", 20, 17, "LoadBalancer")]),
        "addons.kiali": KIALI,
    }
    assert answer.files == {"prod-kr": ("clusters/prod-kr/addons/service-kiali.patch.yaml",)}
    assert held(answer, ("spec", "type")) == "LoadBalancer"
    assert answer.built_in is not None
    assert answer.built_in.value is NOWHERE


def test_source_ranges_of_a_cluster_that_changes_what_its_environment_extends():
    answer = ask("prod-us", "service/KIALI", "spec.loadBalancerSourceRanges")
    assert answer.value == ["10.64.0.0/10"]
    layers = [("overlays/staging.yaml", 17, 51, ["10.0.0.0/8"]), ("overlays/prod.yaml", 28, 31, ["10.64.0.0/10"])]
    assert said(answer) == {"expose.kiali.sourceRanges": ("sets", layers), "addons.kiali": KIALI}
    assert [layer.wins for layer in answer.settings[0].layers] == [False, True]
    assert held(answer, ("spec", "loadBalancerSourceRanges")) == ["10.64.0.0/10"]


def test_source_ranges_that_a_lower_overlay_sets():
    answer = ask("prod-kr", "Service/kiali.istio-system", "spec.loadBalancerSourceRanges")
    layers = [("overlays/staging.yaml", 17, 51, ["10.0.0.0/8"])]
    assert said(answer) == {"expose.kiali.sourceRanges": ("sets", layers), "addons.kiali": KIALI}
    assert answer.files == {"prod-kr": ("clusters/prod-kr/addons/service-kiali.patch.yaml",)}


def test_annotation_is_decided_by_a_setting_and_by_the_cloud():
    answer = ask("prod-kr", "Service/kiali", f'metadata.annotations["{AZURE}"]')
    assert answer.value == "true"
    assert said(answer) == {
        "cloud": ("decides", [("overlays/prod.yaml", 10, 12, "azure")]),
        "expose.kiali.internal": ("decides", [("overlays/staging.yaml", 17, 31, True)]),
        "addons.kiali": KIALI,
    }
    assert held(answer, ("metadata", "annotations", AZURE)) == "true"


def test_service_that_is_open_in_one_environment_is_carried_by_its_patch():
    answer = ask("dev", "Service/tracing", "spec.type")
    assert said(answer) == {
        "expose.tracing.type": ("sets", [("meshgen.yaml", 21, 19, "LoadBalancer")]),
        "addons.jaeger": ("brings", [("meshgen.yaml", 16, 11, {})]),
    }
    assert answer.files == {"dev": ("environments/dev/addons/service-tracing.patch.yaml",)}
    assert held(answer, ("spec", "type")) == "LoadBalancer"
    assert answer.built_in is not None
    assert answer.built_in.value == "ClusterIP"


def test_null_that_closes_a_service_is_a_layer():
    answer = ask("prod-kr", "Service/tracing", "spec.type")
    assert answer.value == "ClusterIP"
    layers = [("meshgen.yaml", 21, 12, {"type": "LoadBalancer"}), ("overlays/staging.yaml", 19, 14, None)]
    assert said(answer)["expose.tracing"] == ("takes away", layers)
    assert answer.files == {"prod-kr": ("base/1.11-operator/addons/service-tracing.yaml",)}
    assert answer.unset == ("expose.tracing.type",)


def test_object_that_a_cluster_took_away():
    answer = ask("prod-us", "Deployment/jaeger", "spec.replicas")
    assert answer.value is NOWHERE
    assert not answer.has_object
    layers = [("meshgen.yaml", 16, 11, {}), ("overlays/prod.yaml", 26, 24, None)]
    assert said(answer) == {"addons.jaeger": ("takes away", layers)}
    assert held(answer, ("$patch",)) == "delete"


def test_object_that_one_of_five_clusters_took_away():
    others, without = explain(PROJECT / "meshgen.yaml", "Deployment/jaeger", "spec.replicas")
    assert (others.clusters, others.value) == (("dev", "prod-kr", "prod-eu", "staging"), 1)
    assert without.clusters == ("prod-us",)


def test_hub_is_the_layer_above_the_profile():
    answer = ask("prod-kr", "IstioOperator/msa", "spec.hub")
    assert said(answer) == {"istio.hub": ("sets", [("meshgen.yaml", 11, 8, "gcr.io/istio-release")])}
    assert answer.built_in is not None
    assert (answer.built_in.value, answer.built_in.source) == ("docker.io/istio", "Istio 1.11.3, profile default")
    assert answer.files == {"prod-kr": ("base/1.11-operator/istio/istiooperator-msa.yaml",)}
    assert held(answer, ("spec", "hub")) == "gcr.io/istio-release"


def test_null_of_the_environment_takes_away_what_the_lower_one_set():
    answer = ask("prod-kr", "IstioOperator/msa", "spec.meshConfig.accessLogFile")
    layers = [("overlays/staging.yaml", 15, 22, "/dev/stdout"), ("overlays/prod.yaml", 34, 22, None)]
    assert answer.value is NOWHERE
    assert said(answer) == {"istio.meshConfig.accessLogFile": ("takes away", layers)}


def test_map_that_one_setting_says_whole():
    answer = ask(
        "prod-eu", "IstioOperator/msa", "spec.components.ingressGateways[name=istio-ingressgateway].k8s.hpaSpec"
    )
    name = "istio.components.ingressGateways.istio-ingressgateway.k8s.hpaSpec"
    hpa = {"minReplicas": 2, "maxReplicas": 10}
    assert said(answer) == {name: ("sets", [("overlays/prod.yaml", 40, 22, hpa)])}


def test_namespace_is_built_in_and_follows_a_setting_that_is_not_there():
    (answer,) = explain(PROJECT / "meshgen.yaml", "Namespace/istio-system", "metadata.name")
    assert len(answer.clusters) == 5
    assert said(answer) == {}
    assert answer.unset == ("istio.namespace",)
    assert set(answer.files.values()) == {("base/1.11-operator/namespaces/namespace-istio-system.yaml",)}


def test_image_follows_the_version_of_istio():
    answer = ask("prod-kr", "Deployment/kiali", "spec.template.spec.containers[name=kiali].image")
    assert said(answer) == {
        "istio.version": ("decides", [("meshgen.yaml", 9, 12, "1.11.3")]),
        "addons.kiali": KIALI,
    }
    assert set(answer.unset) == {"addons.kiali.image", "addons.kiali.version"}


def test_image_is_made_of_two_settings():
    answer = ask("dev", "Deployment/istio-operator", "spec.template.spec.containers[0].image")
    assert {name: role for name, (role, _) in said(answer).items()} == {
        "istio.hub": "is part of",
        "istio.version": "is part of",
    }


@pytest.mark.parametrize(
    ("cluster", "selector", "field", "message", "hint"),
    [
        ("prod-xx", "Service/kiali", "spec", 'there is no cluster "prod-xx"', "prod-us"),
        ("dev", "Service/kial", "spec", "no object matches Service/kial", 'did you mean "kiali"?'),
        ("dev", "kiali", "spec", "no object matches kiali", "say its kind before its name"),
        ("dev", "Service/kiali", "spec.typ", "has no spec.typ: spec has", 'did you mean "type"?'),
        ("dev", "Service/kiali", "spec.ports[7]", "spec.ports is a list of 1: http", None),
        ("dev", "Service/kiali", "spec.loadBalancerIP", "has no spec.loadBalancerIP", "expose.kiali.loadBalancerIP"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    cluster: str, selector: str, field: str, message: str, hint: str | None
):
    with pytest.raises(InputError) as caught:
        explain(PROJECT / "meshgen.yaml", selector, field, cluster)
    (finding,) = caught.value.findings
    assert message in finding.message
    assert (hint or "") in (finding.hint or "")


@pytest.mark.parametrize(("field", "files"), [("spec", 2), ("metadata", 2), ("metadata.namespace", 1)])
def test_map_is_carried_by_all_files_that_say_a_part_and_a_name_by_its_object(field: str, files: int):
    answer = ask("prod-kr", "Service/kiali", field)
    named = answer.files["prod-kr"]
    assert named[-1] == "base/1.11-operator/addons/service-kiali.yaml"
    assert len(named) == files
    assert all(Path(PROJECT, "output", file).is_file() for file in named)
