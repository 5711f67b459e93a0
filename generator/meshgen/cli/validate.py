"""`meshgen validate`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.render import validate


@click.command("validate")
@options.config
@options.reported
@options.quiet
@options.debug
def command(config: Path, output: str, quiet: bool) -> int:
    """Check the config, and everything that it renders to; write nothing."""
    try:
        findings: Sequence[Finding] = validate(config, date.today())
    except InputError as error:
        findings = error.findings
    errors = [finding for finding in findings if finding.severity == "error"]
    status = 1 if errors else 0
    if output == "json":
        print_json({"findings": [finding.to_json() for finding in findings]})
        return status
    if output != "text":
        from meshgen.cli.findingformats import formatted

        click.echo(formatted(findings, output, config.parent), nl=False)
        return status
    report_findings(errors if quiet else findings, err=False)
    if not quiet:
        warnings = sum(finding.severity == "warning" for finding in findings)
        echo(f"{config}: {len(errors)} error(s), {warnings} warning(s)", err=True)
    return status
