"""Findings for other programs: SARIF for code scanning, GitHub's annotations, and Markdown for a comment."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from meshgen import __version__
from meshgen.finding import Finding

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """A log of SARIF 2.1.0 with one run; a finding without a file has no location."""
    rules = sorted({finding.rule for finding in findings})
    driver = {"name": "meshgen", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    results = [_result(finding, rules.index(finding.rule)) for finding in findings]
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message + (f"\nhint: {finding.hint}" if finding.hint else "")
    result: dict[str, Any] = {"ruleId": finding.rule, "ruleIndex": index, "level": _LEVELS[finding.severity]}
    result["message"] = {"text": text}
    if finding.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file)}}
        if finding.line:
            place["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
        result["locations"] = [{"physicalLocation": place}]
    if finding.clusters:
        result["properties"] = {"clusters": list(finding.clusters)}
    return result


def github(findings: Sequence[Finding]) -> str:
    """Workflow commands, one a line, that GitHub shows beside the lines of a pull request."""
    return "".join(f"{_command(finding)}\n" for finding in findings)


def _command(finding: Finding) -> str:
    places = {"file": finding.file, "line": finding.line, "col": finding.column, "title": f"meshgen {finding.rule}"}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in places.items() if value)
    text = finding.message + (f"\nhint: {finding.hint}" if finding.hint else "")
    return f"::{_COMMANDS[finding.severity]} {said}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(findings: Sequence[Finding]) -> str:
    """A table for a comment, the errors first; a line where there is nothing to say."""
    if not findings:
        return "meshgen found nothing.\n"
    order = list(_LEVELS)
    rows = [_row(finding) for finding in sorted(findings, key=lambda one: order.index(one.severity))]
    return "".join(["| severity | rule | where | what |\n|---|---|---|---|\n", *rows])


def _row(finding: Finding) -> str:
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    what = _cell(finding.message) + (f"<br>hint: {_cell(finding.hint)}" if finding.hint else "")
    return f"| {finding.severity} | {finding.rule} | {_cell(place)} | {what} |\n"


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def _cell(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").translate(_MARKS)


def formatted(findings: Sequence[Finding], name: str, folder: Path) -> str:
    """The text of findings in a format: sarif, github or markdown.

    Their files, which lie below the config's `folder`, are named from where meshgen runs: mostly the repository's root.
    """
    return _FORMATS[name]([_from_here(finding, folder) for finding in findings])


def _from_here(finding: Finding, folder: Path) -> Finding:
    return replace(finding, file=(folder / finding.file).as_posix()) if finding.file else finding


def _sarif_text(findings: Sequence[Finding]) -> str:
    return json.dumps(sarif(findings), indent=2) + "\n"


_FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "sarif": _sarif_text,
    "github": github,
    "markdown": markdown,
}
