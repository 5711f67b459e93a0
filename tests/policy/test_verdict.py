"""What `policy` makes of findings: severities, and suppressions that give a reason and may end."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from meshgen.build.stage import Remark
from meshgen.policy.listing import listed
from meshgen.policy.registry import is_changeable
from meshgen.policy.verdict import Found, apply_policy, judge, policy_problems, unused_suppressions
from tests.tools import PROJECT

TODAY = date(2026, 11, 25)


def found(
    rule: str = "MG514", cluster: str = "dev", object_: str | None = "Gateway/shop", namespace: str | None = None
) -> Found:
    return Found(Remark(rule, "said", "/addons", "do", "warning", True, object=object_, namespace=namespace), cluster)


def suppress(**entry: Any) -> dict[str, Any]:
    return {"suppress": {"mine": {"rule": "MG514", "reason": "decided", **entry}}}


def said(policy: dict[str, Any], *some: Found) -> list[tuple[str, str]]:
    return [(one.remark.rule, one.remark.severity) for one in apply_policy(some, policy, TODAY)]


def problems(policy: dict[str, Any], *own: str) -> list[tuple[str, str]]:
    return [(one.rule, one.pointer) for one in policy_problems(policy, TODAY, own)]


def test_without_a_policy_everything_stays() -> None:
    findings = (found(), found("MG101"))

    assert apply_policy(findings, None, TODAY) == findings


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_a_severity_is_changed(severity: str) -> None:
    assert said({"severity": {"MG514": severity}}, found()) == [("MG514", severity)]


def test_off_silences_a_rule() -> None:
    assert said({"severity": {"MG514": "off"}}, found(), found("MG513")) == [("MG513", "warning")]


def test_rules_of_the_form_stay_as_they_are() -> None:
    wrong = Found(Remark("MG205", "said", "/istio", "do"), "dev")
    policy = {"severity": {"MG205": "off"}, "suppress": {"mine": {"rule": "MG205", "reason": "please"}}}

    assert said(policy, wrong) == [("MG205", "error")]
    assert problems(policy) == [("MG590", "/policy/severity/MG205"), ("MG590", "/policy/suppress/mine/rule")]


ROWS = dict(
    re.findall(r"^\| (MG\d{3}) \| ([a-z ]+) \|", (PROJECT / "docs/reference/rules.md").read_text("utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("rule", ROWS)
def test_every_rule_can_be_changed_or_says_why_not(rule: str) -> None:
    by_severity = list(policy_problems({"severity": {rule: "info"}}, TODAY))
    by_suppression = list(policy_problems(suppress(rule=rule), TODAY))

    if is_changeable(rule):
        assert (by_severity, by_suppression) == ([], [])
    else:
        assert [one.message.partition(" it ")[0] for one in (*by_severity, *by_suppression)] == [
            f"policy.severity: {rule} can't be changed:",
            f"policy.suppress: {rule} can't be suppressed:",
        ]
        assert "meshgen policy list" in (by_severity[0].hint or "")


def test_the_document_says_exactly_which_rules_of_mg4_can_be_changed() -> None:
    text = (PROJECT / "docs/policy.md").read_text("utf-8").replace("\n", " ")
    listed = text.partition("and of MG4 ")[2].partition(". ")[0]
    said: set[str] = set()
    for first, last in re.findall(r"MG(\d{3})(?: to MG(\d{3}))?", listed):
        said.update(f"MG{number}" for number in range(int(first), int(last or first) + 1))

    assert said == {rule for rule in ROWS if rule.startswith("MG4") and is_changeable(rule)}
    assert {rule for rule in ROWS if rule.startswith("MG5") and not is_changeable(rule)} == {
        f"MG59{digit}" for digit in range(5)
    }


def test_listed_severities_are_those_of_the_reference(tmp_path: Path) -> None:
    for rule, severity, _ in listed(tmp_path):
        assert severity == next(one for one in ("error", "warning", "info") if one in ROWS[rule]), rule


def test_an_error_about_what_a_cluster_takes_can_be_changed() -> None:
    refused = Found(Remark("MG423", "said", "/apiVersion", "do"), "dev")

    assert said({"severity": {"MG423": "info"}}, refused) == [("MG423", "info")]


def test_a_suppression_takes_its_rule_away() -> None:
    assert said(suppress(), found(), found("MG513")) == [("MG513", "warning")]


@pytest.mark.parametrize(
    ("entry", "taken"),
    [
        ({"cluster": "dev"}, True),
        ({"cluster": "prod"}, False),
        ({"object": "Gateway/shop"}, True),
        ({"object": "gateway/shop"}, True),
        ({"object": "Gateway/other"}, False),
        ({"cluster": "dev", "object": "Gateway/other"}, False),
    ],
)
def test_a_suppression_may_be_for_one_cluster_or_object(entry: dict[str, str], taken: bool) -> None:
    rules = [rule for rule, _ in said(suppress(**entry), found())]

    assert rules == ([] if taken else ["MG514", "MG593"])


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ("Deployment/web", []),
        ("Deployment/web.shop", ["default", None]),
        ("deployment/WEB.Shop", ["default", None]),
        ("Deployment/web.default", ["shop"]),
        ("Deployment/web.other", ["shop", "default", None]),
    ],
)
def test_a_suppression_may_be_for_the_object_of_one_namespace(named: str, left: list[str | None]) -> None:
    some = [found(object_="Deployment/web", namespace=space) for space in ("shop", "default", None)]

    findings = judge(some, suppress(object=named), TODAY).findings

    assert [one.remark.namespace for one in findings] == left


def test_a_name_with_dots_is_one_name() -> None:
    gateway = found(object_="Gateway/a.b", namespace="shop")

    assert said(suppress(object="Gateway/a.b"), gateway) == []
    assert said(suppress(object="Gateway/a.b.shop"), gateway) == []
    assert said(suppress(object="Gateway/a"), gateway)[0] == ("MG514", "warning")


@pytest.mark.parametrize(
    ("key", "named", "taken"),
    [
        ("kiali", "Service/kiali", True),
        ("kiali.istio-system", "Service/kiali.istio-system", True),
        ("kiali.istio-system", "Service/kiali.shop", False),
    ],
)
def test_an_open_service_is_an_object_that_a_suppression_names(key: str, named: str, taken: bool) -> None:
    opened = Found(Remark("MG501", "said", f"/expose/{key}", "do", "warning", True), "dev")
    policy = {"suppress": {"mine": {"rule": "MG501", "reason": "decided", "object": named}}}

    assert (judge([opened], policy, TODAY).findings == ()) is taken


def test_a_suppression_holds_on_its_last_day_and_no_longer() -> None:
    assert said(suppress(until="2026-11-25"), found()) == []
    assert problems(suppress(until="2026-11-25")) == []
    assert said(suppress(until="2026-11-24"), found()) == [("MG514", "warning")]
    assert problems(suppress(until="2026-11-24")) == [("MG592", "/policy/suppress/mine/until")]
    assert "mine" in next(policy_problems(suppress(until="2026-11-24"), TODAY)).message


@pytest.mark.parametrize("entry", [{"reason": " "}, {"reason": None}, {"rule": None}, {"until": "2027-02-30"}])
def test_a_suppression_that_is_not_whole_suppresses_nothing_and_is_an_error(entry: dict[str, Any]) -> None:
    assert said(suppress(**entry), found()) == [("MG514", "warning")]
    assert {rule for rule, _ in problems(suppress(**entry))} == {"MG591"}


def test_an_unknown_rule_is_an_error_with_a_guess() -> None:
    remark = next(policy_problems({"severity": {"MG5144": "off"}}, TODAY))

    assert (remark.rule, remark.severity) == ("MG590", "error")
    assert (remark.hint or "").startswith('did you mean "MG5')


def test_a_rule_of_ones_own_is_known_by_its_file() -> None:
    policy = {"severity": {"OWN-REPLICAS": "info"}}

    assert problems(policy) == [("MG590", "/policy/severity/OWN-REPLICAS")]
    assert problems(policy, "OWN-REPLICAS") == []


def test_a_suppression_that_serves_any_cluster_is_not_called_unused() -> None:
    policy = suppress(cluster="dev")

    used = judge([found()], policy, TODAY).used | judge([found(cluster="prod")], policy, TODAY).used

    assert unused_suppressions([policy, policy], used, TODAY) == []
    assert [one.severity for one in unused_suppressions([policy, policy], frozenset(), TODAY)] == ["info"]


@pytest.mark.parametrize("policy", [{"severity": None}, {"suppress": None}, {"suppress": {"mine": None}}, {}])
def test_nulls_say_nothing(policy: dict[str, Any]) -> None:
    assert said(policy, found())[0] == ("MG514", "warning")
