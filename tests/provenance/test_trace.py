"""What a trace finds where settings stand in each other's way, and where it may not go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.build.manifests import Manifests
from meshgen.layout.values import same
from meshgen.provenance.edits import Edit, edited
from meshgen.provenance.explain import explain
from meshgen.provenance.field import parse
from meshgen.provenance.probe import Budget, Probe, known_manifests, tree_of
from meshgen.provenance.target import select
from meshgen.provenance.trace import Trace, trace
from meshgen.render import build_mesh
from meshgen.yaml import NOWHERE
from tests.objects import mesh, overlay, text_of, write_config


def traced(folder: Path, config: dict[str, Any], selector: str, field: str, budget: Budget | None = None) -> Trace:
    built = build_mesh(write_config(folder, config))
    (one,) = built.clusters
    target = select(one.built, selector)
    assert target is not None
    manifests = known_manifests("msa", one.cluster, one.built, Manifests())
    return trace(Probe(tree_of("msa", one.cluster), target, parse(field), manifests, budget or Budget()), [])


def roles(found: Trace) -> dict[str, str]:
    return {".".join(str(part) for part in one.path): one.role for one in found.influences}


def test_type_is_found_though_other_settings_forbid_another_one(tmp_path: Path):
    exposure = {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"], "loadBalancerIP": "10.1.2.3"}
    config = mesh(addons={"kiali": {}}, expose={"kiali": exposure})
    assert roles(traced(tmp_path, config, "Service/kiali", "spec.type"))["expose.kiali.type"] == "sets"


def test_entry_alone_opens_a_service_by_its_default(tmp_path: Path):
    config = mesh(addons={"jaeger": {}}, expose={"tracing": {"public": "a reason"}})
    found = traced(tmp_path, config, "Service/tracing", "spec.type")
    assert roles(found) == {"expose.tracing": "decides", "addons.jaeger": "brings"}
    assert found.own is not None
    assert found.own.value == "ClusterIP"
    assert ("expose", "tracing", "type") in found.unset


def test_spent_budget_is_said(tmp_path: Path):
    budget = Budget(rebuilds=3)
    traced(tmp_path, mesh(addons={"kiali": {}}), "Service/kiali", "spec", budget)
    assert budget.short
    assert budget.spent == 3


def test_trace_changes_no_setting(tmp_path: Path):
    config = mesh(addons={"kiali": {}}, expose={"kiali": {"internal": False, "sourceRanges": ["10.0.0.0/8"]}})
    path = write_config(tmp_path, config)
    (one,) = build_mesh(path).clusters
    before = text_of(one.cluster.settings)
    target = select(one.built, "Service/kiali")
    assert target is not None
    manifests = known_manifests("msa", one.cluster, one.built, Manifests())
    trace(Probe(tree_of("msa", one.cluster), target, parse("spec"), manifests, Budget()), [])
    assert text_of(one.cluster.settings) == before


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([Edit(("a", 0), NOWHERE), Edit(("a", 1), NOWHERE)], {"a": [3], "b": {"c": 1}}),
        ([Edit(("b", "c"), 2), Edit(("x", "y"), 1)], {"a": [1, 2, 3], "b": {"c": 2}, "x": {"y": 1}}),
        ([Edit(("b", "c"), NOWHERE), Edit(("b",), NOWHERE), Edit(("z", "z"), NOWHERE)], {"a": [1, 2, 3]}),
    ],
)
def test_edits_are_made_together(edits: list[Edit], after: dict[str, Any]):
    before = {"a": [1, 2, 3], "b": {"c": 1}}
    assert same(edited(before, edits), after)
    assert before == {"a": [1, 2, 3], "b": {"c": 1}}


def test_gateway_that_a_list_says_below_a_map_is_found_by_its_name(tmp_path: Path):
    listed = {"ingressGateways": [{"name": "second", "enabled": True}, {"name": "edge", "label": {"app": "x"}}]}
    named = {"ingressGateways": {"edge": {"enabled": False}}}
    config = mesh(istio={"version": "1.11.3", "components": listed})
    path = write_config(
        tmp_path, config, overlay("dev", clusters={"dev": None}, patch={"istio": {"components": named}})
    )
    field = "spec.components.ingressGateways[name=edge]"
    (label,) = explain(path, "IstioOperator/msa", f"{field}.label.app")
    (enabled,) = explain(path, "IstioOperator/msa", f"{field}.enabled")
    assert [(one.role, one.layers[0].file, one.layers[0].value) for one in label.settings] == [
        ("sets", "meshgen.yaml", "x")
    ]
    assert [(one.role, one.layers[0].file) for one in enabled.settings] == [("sets", "overlays/dev.yaml")]


def test_manifest_of_the_users_own_is_named_as_the_source(tmp_path: Path):
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}, "data": {"a": "b"}}
    (tmp_path / "own.yaml").write_text(text_of(obj))
    path = write_config(tmp_path, mesh(addons={"kiali": {"source": "own.yaml"}}))
    (answer,) = explain(path, "ConfigMap/own", "data.a")
    assert answer.built_in is not None
    assert (answer.built_in.value, answer.built_in.source) == ("b", "the manifest in own.yaml:8:8")
    assert [(one.name, one.role) for one in answer.settings] == [("addons.kiali.source", "brings")]
