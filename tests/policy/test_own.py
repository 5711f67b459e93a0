"""Rules of one's own: read from `policy/`, tried by their tests, applied to the objects of clusters."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import click
import pytest

from meshgen.cli.policy import command
from meshgen.errors import InputError
from meshgen.policy.bounded import bounded
from meshgen.policy.matching import environment_names, kind_findings, match_findings
from meshgen.policy.own import own_findings, try_rules
from meshgen.policy.ownrules import read_own_rules
from tests.policy.subjects import subject
from tests.tools import PROJECT

RULE = """\
apiVersion: meshgen.dev/v1
kind: Rule
id: OWN-REPLICAS
severity: error
title: a Deployment of production runs once
hint: say replicas of 2 or more
match: {kinds: [Deployment], environments: [prod]}
params: {least: 2}
expression: has(object.spec.replicas) && object.spec.replicas >= params.least
messageExpression: "'runs ' + string(object.spec.replicas) + ' of ' + string(params.least)"
tests:
  - {object: {spec: {replicas: 2}}, passes: true}
  - {object: {spec: {replicas: 1}}, passes: false}
"""
# The words that a test changes.
CHECK = "has(object.spec.replicas) && object.spec.replicas >= params.least"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "replicas.yaml").write_text(RULE, encoding="utf-8")
    return tmp_path


def change(folder: Path, *pairs: tuple[str, str]) -> Path:
    text = RULE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (folder / "policy" / "replicas.yaml").write_text(text, encoding="utf-8")
    return folder


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart"}, "spec": spec}


def applied(folder: Path, *some: dict[str, Any], environment: str = "prod") -> list[tuple[str, str, str | None]]:
    found, wrong = own_findings(read_own_rules(folder), [subject(some, environment=environment)])
    assert wrong == []
    return [(one.remark.rule, one.remark.message, one.object) for one in found]


def refused(folder: Path, *some: dict[str, Any]) -> list[tuple[str, str]]:
    _, wrong = own_findings(read_own_rules(folder), [subject(some, environment="prod")])
    return [(one.rule, one.message) for one in wrong]


def test_without_a_folder_there_are_no_rules(tmp_path: Path) -> None:
    assert read_own_rules(tmp_path) == ()
    assert own_findings((), [subject([deployment()])]) == ([], [])


def test_a_rule_finds_the_object_that_breaks_it(folder: Path) -> None:
    assert applied(folder, deployment(replicas=3)) == []
    assert applied(folder, deployment(replicas=1)) == [
        ("OWN-REPLICAS", "Deployment cart: runs 1 of 2", "Deployment/cart")
    ]


def test_a_rule_is_about_what_it_matches(folder: Path) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart"}}

    assert applied(folder, deployment(replicas=1), environment="dev") == []
    assert applied(folder, service) == []


def test_a_rule_may_look_at_the_cluster(folder: Path) -> None:
    change(folder, (CHECK, "cluster.environment != 'prod' || cluster.istio == '1.30.3'"))
    assert applied(folder, deployment(replicas=1)) == []
    change(folder, (CHECK, "cluster.istio.startsWith('1.31.')"))
    assert len(applied(folder, deployment(replicas=1))) == 1


@pytest.mark.parametrize(
    ("expression", "passes"),
    [
        ("object.spec.template.spec.containers.all(c, c.image.matches('^registry[.]example[.]com/'))", True),
        ("object.spec.template.spec.containers.exists(c, c.image.endsWith(':latest'))", False),
        ("!has(object.spec.template.spec.hostNetwork)", True),
        ("'app' in object.spec.template.metadata.labels", True),
        ("size(object.spec.template.spec.containers) == 1", True),
        ("object.spec.template.spec.containers.filter(c, has(c.ports)).map(c, c.name).join(',') == ''", True),
    ],
)
def test_cel_is_what_kubernetes_has(folder: Path, expression: str, passes: bool) -> None:
    template = {
        "metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "cart", "image": "registry.example.com/cart:1"}]},
    }
    change(folder, (CHECK, json.dumps(expression)))

    assert (applied(folder, deployment(replicas=1, template=template)) == []) is passes


def test_what_can_not_be_told_is_an_error_at_the_rule(folder: Path) -> None:
    change(folder, (CHECK, "object.spec.replicas >= 2"))

    assert refused(folder, deployment()) == [
        ("MG594", 'OWN-REPLICAS: can\'t tell of Deployment cart: Key not found in map : "replicas"')
    ]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("object.spec.replicas >=", "Syntax error"),
        ("objekt.spec.replicas >= 2", "undeclared reference to 'objekt"),
        ("1 + 'a' == 2", "no matching overload"),
    ],
)
def test_an_expression_that_means_nothing_is_an_error_at_its_place(folder: Path, expression: str, reason: str) -> None:
    change(folder, (CHECK, json.dumps(expression)))
    _, wrong = own_findings(read_own_rules(folder), [])

    assert [(one.rule, one.line, one.file) for one in wrong] == [("MG594", 9, "policy/replicas.yaml")]
    assert reason in wrong[0].message


def test_the_rule_that_the_document_prints_holds_for_objects_without_the_field(folder: Path) -> None:
    blocks = (PROJECT / "docs" / "policy.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
    printed = next(block.partition("```")[0] for block in blocks if "kind: Rule" in block)
    (folder / "policy" / "replicas.yaml").write_text(printed, encoding="utf-8")

    assert [one.problem for one in try_rules(read_own_rules(folder))[0]] == [None, None, None]
    assert [message for _, message, _ in applied(folder, deployment())] == ["Deployment cart: runs 1 of 2"]


def test_a_message_that_has_no_value_is_the_title_and_the_rule_is_told_so(folder: Path) -> None:
    found, wrong = own_findings(read_own_rules(folder), [subject([deployment(), deployment()], environment="prod")])

    assert {one.remark.message for one in found} == {"Deployment cart: a Deployment of production runs once"}
    assert [(one.rule, one.severity, one.path, one.line) for one in wrong] == [
        ("MG594", "info", "/messageExpression", 10)
    ]
    assert 'Key not found in map : "replicas"' in wrong[0].message


def test_a_test_without_a_message_is_told_and_does_not_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, ("spec: {replicas: 1}", "spec: {}"))

    assert run(folder, "test") == 0
    said = capsys.readouterr()
    assert "info MG594: OWN-REPLICAS: messageExpression has no value for test 2" in said.out
    assert said.err == "1 rule(s), 2 test(s), 0 failed\n"


def matched(folder: Path, match: str, *environments: str) -> list[tuple[str, str, str | None, str | None]]:
    """(severity, message, path, hint) of what is wrong with a rule's `match`, in a mesh with these environments."""
    change(folder, ("match: {kinds: [Deployment], environments: [prod]}", f"match: {match}"))
    rules = read_own_rules(folder)
    findings = [*match_findings(rules, environments), *kind_findings(rules, {"Deployment", "Gateway", "Mine"})]
    assert {one.rule for one in findings} <= {"MG594"}
    return [(one.severity, one.message, one.path, one.hint) for one in findings]


def test_a_stage_that_is_not_there_is_an_error(folder: Path) -> None:
    ((severity, message, path, hint),) = matched(folder, "{stages: [addons, resource]}")

    assert (severity, message, path) == ("error", 'OWN-REPLICAS: there is no stage "resource"', "/match/stages/1")
    assert (hint or "").startswith('did you mean "resources"?')


def test_an_environment_with_a_typo_is_an_error(folder: Path) -> None:
    assert matched(folder, "{environments: [dev, prdo]}", "dev", "prod") == [
        (
            "error",
            'OWN-REPLICAS: there is no environment "prdo"',
            "/match/environments/1",
            'did you mean "prod"?',
        )
    ]


def test_a_rule_may_be_shared_by_configs_of_other_environments(folder: Path) -> None:
    assert matched(folder, "{environments: [prod, prd, production]}", "dev", "prod") == []
    assert matched(folder, "{environments: [stage, staging]}", "dev", "staging") == []
    assert matched(folder, "{environments: [nobody-knows]}") == []
    assert [one[0] for one in matched(folder, "{environments: [live]}", "dev", "prod")] == ["warning"]


def test_a_kind_that_no_object_has_is_told_where_it_resembles_one(folder: Path) -> None:
    assert matched(folder, "{kinds: [Deployment, Service, Mine, Rollout, VirtualServce]}") == [
        (
            "info",
            'OWN-REPLICAS: no object is of kind "VirtualServce"',
            "/match/kinds/4",
            'did you mean "VirtualService"?',
        )
    ]


def test_environments_are_files_folders_and_those_without_a_cluster(tmp_path: Path) -> None:
    assert environment_names(tmp_path) == frozenset()
    (tmp_path / "overlays" / "prod").mkdir(parents=True)
    for name in ("dev.yaml", "README.md", ".hidden.yaml"):
        (tmp_path / "overlays" / name).write_text("", encoding="utf-8")

    assert environment_names(tmp_path) == {"dev", "prod"}


def test_a_folder_that_can_not_be_read_has_no_known_environments(tmp_path: Path) -> None:
    # Longer than any file system takes: to ask for it is an error, for root too.
    assert environment_names(tmp_path / ("a" * 5000)) == frozenset()


def test_the_command_finds_what_checks_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, ("kinds: [Deployment], environments: [prod]", "stages: [resource], kinds: [Deploymnt]"))

    assert run(folder, "test") == 1
    assert re.findall(r"(?:error|info) MG594: OWN-REPLICAS: (.*)", capsys.readouterr().out) == [
        'there is no stage "resource"',
        'no object is of kind "Deploymnt"',
    ]


def test_a_result_that_is_no_boolean_is_an_error(folder: Path) -> None:
    change(folder, (CHECK, "object.spec.replicas"))

    assert refused(folder, deployment(replicas=1)) == [
        ("MG594", "OWN-REPLICAS: can't tell of Deployment cart: it is no true or false")
    ]


def test_a_macro_within_macros_comes_to_an_end(folder: Path) -> None:
    numbers = f"[{','.join('1' * 100)}]"
    change(folder, (CHECK, json.dumps(f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a + b + c > 0)))")))

    assert "Iteration budget exceeded" in refused(folder, deployment(replicas=1))[0][1]


def test_a_text_that_grows_without_end_is_stopped(folder: Path) -> None:
    bomb = "'aa'" + (".replace('a', '" + "a" * 50 + "')") * 8 + " == ''"
    change(folder, (CHECK, json.dumps(bomb)))
    start = time.monotonic()

    assert "was stopped: it took more than" in refused(folder, deployment(replicas=1))[0][1]
    assert time.monotonic() - start < 60


def test_time_is_bounded() -> None:
    def forever() -> Any:
        yield 1
        while True:
            pass

    assert bounded(forever, seconds=0.5, mebibytes=512) == ([1], "it took more than 0.5 seconds")


def test_work_that_fails_keeps_what_it_said() -> None:
    def fails() -> Any:
        yield {"a": [1]}
        raise ValueError

    values, ended = bounded(fails, seconds=5, mebibytes=512)

    assert values == [{"a": [1]}]
    assert ended is not None


def test_tests_of_rules_are_tried(folder: Path) -> None:
    outcomes, wrong = try_rules(read_own_rules(folder))

    assert wrong == []
    assert [one.problem for one in outcomes] == [None, None]


def test_a_test_that_goes_otherwise_is_told(folder: Path) -> None:
    change(folder, ("replicas: 1}}, passes: false", "replicas: 1}}, passes: true"), ("replicas: 2}}", "replicas: a}}"))

    outcomes, _ = try_rules(read_own_rules(folder))

    assert [one.problem for one in outcomes] == [
        "can't tell: No matching overloads found : _>=_(string, int64)",
        "does not: runs 1 of 2",
    ]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("id: OWN-REPLICAS", "id: MG999", "MG101"),
        ("severity: error", "severity: fatal", "MG101"),
        ("hint: say", "hints: say", "MG102"),
        ("passes: true", "passes: 'yes'", "MG103"),
        ("kind: Rule\n", "", "MG104"),
        ("kind: Rule", "kind: [", "MG001"),
    ],
)
def test_a_file_that_is_no_rule_is_explained(folder: Path, old: str, new: str, rule: str) -> None:
    change(folder, (old, new))

    with pytest.raises(InputError) as caught:
        read_own_rules(folder)

    assert rule in {one.rule for one in caught.value.findings}
    assert {one.file for one in caught.value.findings} == {"policy/replicas.yaml"}
    assert all(one.hint for one in caught.value.findings if rule != "MG001")


def test_two_rules_of_one_id_are_refused(folder: Path) -> None:
    (folder / "policy" / "same.yaml").write_text(RULE, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_own_rules(folder)

    assert [one.rule for one in caught.value.findings] == ["MG202"]


def run(folder: Path, *arguments: str) -> int:
    result = command.main([*arguments, "-c", str(folder / "meshgen.yaml")], standalone_mode=False)
    return result if isinstance(result, int) else 0


def test_the_command_runs_the_tests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "test") == 0
    assert capsys.readouterr().err == "1 rule(s), 2 test(s), 0 failed\n"

    change(folder, ("passes: false", "passes: true"))

    assert run(folder, "test") == 1
    assert capsys.readouterr().out == "OWN-REPLICAS: test 2 does not: runs 1 of 2\n"


def test_the_command_lists_rules_of_ones_own_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "list", "-o", "json") == 0

    rules = json.loads(capsys.readouterr().out)
    assert {"rule": "OWN-REPLICAS", "severity": "error", "title": "a Deployment of production runs once"} in rules
    assert {"rule": "MG501", "severity": "warning", "title": "A load balancer that is open to every address"} in rules
    assert isinstance(command, click.Group)
