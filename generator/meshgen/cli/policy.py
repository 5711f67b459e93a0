"""`meshgen policy`."""

from __future__ import annotations

from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json, report_findings


@click.group("policy")
def command() -> None:
    """List the rules that a config's `policy` may change, and test rules of your own."""


@command.command("list")
@options.config
@options.output
@options.debug
def list_command(config: Path, output: str) -> None:
    """List the rules: id, severity unless `policy` says otherwise, and title."""
    from meshgen.policy.listing import listed

    rules = listed(config.parent)
    if output == "json":
        print_json([{"rule": rule, "severity": severity, "title": title} for rule, severity, title in rules])
        return
    width = max(len(rule) for rule, _, _ in rules)
    for rule, severity, title in rules:
        echo(f"{rule:<{width}}  {severity:<7}  {title}")


@command.command("test")
@options.config
@options.output
@options.debug
def test_command(config: Path, output: str) -> int:
    """Run the tests of your own rules, those in policy/ beside the config."""
    from meshgen.policy.matching import environment_names, kind_findings, match_findings
    from meshgen.policy.own import try_rules
    from meshgen.policy.ownrules import read_own_rules

    rules = read_own_rules(config.parent)
    outcomes, findings = try_rules(rules)
    findings += [*match_findings(rules, environment_names(config.parent)), *kind_findings(rules, ())]
    failed = [one for one in outcomes if one.problem]
    if output == "json":
        results = [{"rule": one.rule, "test": one.number, "problem": one.problem} for one in outcomes]
        print_json({"tests": results, "findings": [one.to_json() for one in findings]})
    else:
        report_findings(findings, err=False)
        for one in failed:
            echo(f"{one.rule}: test {one.number} {one.problem}")
        echo(f"{len(rules)} rule(s), {len(outcomes)} test(s), {len(failed)} failed", err=True)
    return 1 if failed or any(one.severity == "error" for one in findings) else 0
