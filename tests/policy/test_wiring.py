"""The policy of a config has its say wherever something is found."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from meshgen.errors import InputError
from meshgen.render import build_mesh
from tests.policy.ownrule import RULE

MESH = """\
apiVersion: meshgen.dev/v1
kind: Mesh
metadata: {name: shop}
istio: {version: 1.30.3, values: {defaultRevision: default}}
addons: {kiali: {}}
expose: {kiali: {type: LoadBalancer}}
"""


def said(folder: Path, policy: str = "", overlays: dict[str, str] | None = None) -> list[tuple[str, str, str | None]]:
    (folder / "meshgen.yaml").write_text(MESH + policy, encoding="utf-8")
    for name, text in (overlays or {}).items():
        (folder / "overlays").mkdir(exist_ok=True)
        head = f"apiVersion: meshgen.dev/v1\nkind: Overlay\nmetadata: {{name: {name}}}\nclusters: {{{name}-1: {{}}}}\n"
        (folder / "overlays" / f"{name}.yaml").write_text(head + text, encoding="utf-8")
    try:
        findings = build_mesh(folder / "meshgen.yaml", date(2026, 11, 25)).findings
    except InputError as error:
        findings = error.findings
    return [(one.rule, one.severity, one.path) for one in findings]


def test_a_severity_reaches_rules_that_are_built_elsewhere(tmp_path: Path) -> None:
    assert said(tmp_path) == [("MG501", "warning", "/expose/kiali")]
    assert said(tmp_path, "policy: {severity: {MG501: error}}\n") == [("MG501", "error", "/expose/kiali")]


def test_a_suppression_names_the_namespace_wherever_an_object_is_found(tmp_path: Path) -> None:
    manifests = "".join(
        f"""\
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web{where}}}
spec:
  replicaz: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: "web:latest"}}]}}
"""
        for where in (", namespace: shop", "")
    )
    (tmp_path / "web.yaml").write_text(manifests, encoding="utf-8")
    policy = "resources: {web: {path: web.yaml}}\npolicy: {suppress: {"

    def left(named: str) -> set[tuple[str, str | None]]:
        entries = (f"n{rule}: {{rule: MG{rule}, reason: why, object: {named}}}" for rule in (420, 560))
        kept = said(tmp_path, policy + ", ".join(entries) + ", n444: {rule: MG444, reason: why}}}\n")
        return {(rule, path) for rule, _, path in kept if rule in ("MG420", "MG560", "MG593")}

    assert left("Deployment/web") == set()
    assert {rule for rule, _ in left("Deployment/web.shop")} == {"MG420", "MG560"}
    assert {rule for rule, _ in left("Deployment/web.other")} == {"MG420", "MG560", "MG593"}


def test_an_overlay_overrides_a_suppression_by_its_name(tmp_path: Path) -> None:
    policy = "policy: {suppress: {open: {rule: MG501, reason: a tutorial}}}\n"
    production = "patch: {policy: {suppress: {open: null}}}\n"

    assert said(tmp_path, policy) == []
    assert said(tmp_path, policy, {"dev": "", "stage": production}) == [("MG501", "warning", "/expose/kiali")]


def test_a_suppression_ends_and_is_not_forgotten(tmp_path: Path) -> None:
    policy = 'policy: {suppress: {open: {rule: MG501, reason: a tutorial, until: "2026-11-24"}}}\n'

    assert said(tmp_path, policy) == [("MG592", "error", "/policy/suppress/open/until")]


def test_a_suppression_that_serves_one_cluster_is_used(tmp_path: Path) -> None:
    policy = "policy: {suppress: {open: {rule: MG501, reason: a tutorial, cluster: dev-1}}}\n"

    assert said(tmp_path, policy, {"dev": "", "stage": ""}) == [("MG501", "warning", "/expose/kiali")]
    assert said(tmp_path, policy.replace("MG501", "MG514"), {"dev": "", "stage": ""})[-1][:2] == ("MG593", "info")


def test_a_rule_of_ones_own_finds_what_others_do(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "balancer.yaml").write_text(RULE, encoding="utf-8")

    assert ("OWN-BALANCER", "warning", "/expose/kiali") in said(tmp_path)
    assert ("OWN-BALANCER", "info", "/expose/kiali") in said(tmp_path, "policy: {severity: {OWN-BALANCER: info}}\n")


def test_a_rule_of_ones_own_that_matches_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    rule = tmp_path / "policy" / "balancer.yaml"
    rule.write_text(RULE.replace("{kinds: [Service]}", "{kinds: [Servce], environments: [prdo]}"), encoding="utf-8")

    assert {one for one in said(tmp_path, overlays={"prod": ""}) if one[0] == "MG594"} == {
        ("MG594", "error", "/match/environments/0"),
        ("MG594", "info", "/match/kinds/0"),
    }


@pytest.mark.parametrize("rule", ["MG205", "MG999", "OWN-NONE"])
def test_a_rule_that_can_not_be_changed_is_an_error(tmp_path: Path, rule: str) -> None:
    assert said(tmp_path, f"policy: {{severity: {{{rule}: info}}}}\n")[-1] == (
        "MG590",
        "error",
        f"/policy/severity/{rule}",
    )
