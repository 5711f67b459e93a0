"""Formats findings and errors: the one place that knows how meshgen speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from meshgen.errors import EnvironmentFailure, InputError, MeshgenError
from meshgen.finding import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def finding_text(finding: Finding) -> str:
    """One finding as text: file:line:column, severity, rule, message, and the hint below it."""
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity], bold=True)
    text = f"{place}: " * bool(place) + f"{severity} {finding.rule}: {finding.message}"
    return text + (f"\n  hint: {finding.hint}" if finding.hint else "")


def report_findings(findings: Iterable[Finding], *, err: bool = True) -> None:
    """Print findings, each once, to stderr; to stdout where they are the result."""
    for finding in findings:
        echo(finding_text(finding), err=err)


def report_error(error: MeshgenError) -> None:
    """Print an expected error."""
    if isinstance(error, InputError):
        report_findings(error.findings)
        return
    echo(f"{click.style('error', fg='red', bold=True)}: {error}", err=True)
    if isinstance(error, EnvironmentFailure) and error.hint:
        echo(f"  hint: {error.hint}", err=True)


def report_environment(error: OSError) -> None:
    """Say what the system refused: most often to take the result, as the files are looked after where they are used."""
    what = f"cannot use {error.filename}" if error.filename else "cannot write to stdout"
    echo(f"{click.style('error', fg='red', bold=True)}: {what}: {error.strerror}", err=True)
    echo("  hint: make room or permission there, and run it again", err=True)


def report_bug(error: BaseException) -> None:
    """Say in one line that meshgen itself is wrong, and where the traceback was saved."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="meshgen-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as log:
            traceback.print_exception(error, file=log)
        saved = f"the traceback is in {log.name}"
    except OSError as failure:
        saved = f"its traceback could not be saved ({failure.strerror}), --debug shows it"
    kind = type(error).__name__
    echo(f"meshgen has a bug ({kind}); {saved}: please report it with `meshgen --version`", err=True)


def print_json(value: Any) -> None:
    """Print a result as JSON; escaped to ASCII, which every locale carries."""
    with suppress(BrokenPipeError):
        click.echo(json.dumps(value, indent=2))


def echo(text: str, *, err: bool = False) -> None:
    """Print text; in colour only on a terminal, and not where NO_COLOR is set.

    A reader that has gone, as `head` does, changes nothing: the exit code still says how it went.
    """
    import os

    with suppress(BrokenPipeError):
        click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)
