"""Reads rules of the user's own: `policy/*.yaml` beside the config, one rule a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from meshgen.config import problems
from meshgen.config.document import Document, read_file
from meshgen.errors import InputError
from meshgen.finding import Finding, Severity

FOLDER = "policy"
_SCHEMA = Path(__file__).with_name("ownrule.schema.json")


@dataclass(frozen=True)
class Case:
    """One test of a rule: an object, the cluster that it is for, and whether the rule lets it pass."""

    object: dict[str, Any]
    cluster: dict[str, Any]
    passes: bool


@dataclass(frozen=True, eq=False)
class OwnRule:
    """A rule of the user's own; an empty `kinds`, `stages` or `environments` leaves nothing out."""

    id: str
    severity: Severity
    title: str
    hint: str
    expression: str
    message_expression: str | None
    document: Document
    kinds: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    params: dict[str, Any] = field(default_factory=dict)
    tests: tuple[Case, ...] = ()

    def matches(self, kind: str, stage: str, environment: str) -> bool:
        """Whether it is about objects of that kind, stage and environment."""
        asked = ((self.kinds, kind), (self.stages, stage), (self.environments, environment))
        return all(not wanted or given in wanted for wanted, given in asked)


def read_own_rules(folder: Path) -> tuple[OwnRule, ...]:
    """The rules in `policy/` of a config's folder, by their file's name; none where there is no such folder.

    Raises InputError with every problem of every file.
    """
    findings: list[Finding] = []
    rules = [rule for file in _files(folder / FOLDER, findings) for rule in _read(file, folder, findings)]
    findings += _namesakes(rules)
    if findings:
        raise InputError(findings)
    return tuple(rules)


def _files(folder: Path, findings: list[Finding]) -> list[Path]:
    if not folder.exists():
        return []
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        hint = "policy/ is a folder that you may read, or it is not there"
        findings.append(Finding("MG002", "error", f"cannot be read: {error.strerror}", file=FOLDER, hint=hint))
        return []
    return [entry for entry in entries if entry.suffix == ".yaml"]


def _read(file: Path, folder: Path, findings: list[Finding]) -> Iterator[OwnRule]:
    document, found = read_file(file, file.relative_to(folder).as_posix())
    if document is not None:
        found = _wrong(document)
        if not found:
            yield _rule(document)
    findings += found


def _wrong(document: Document) -> list[Finding]:
    """What a file says that a rule has no place for."""
    import jsonschema

    extend: Any = jsonschema.validators.extend
    validator = extend(jsonschema.Draft7Validator, {"pattern": problems._pattern})
    errors = validator(_schema()).iter_errors(document.value)
    found = [finding for error in errors for finding in problems._explain(document, error)]
    return [one if one.hint and "meshgen explain" not in one.hint else replace(one, hint=_HINT) for one in found]


_HINT = "docs/policy.md shows what the file of a rule holds"


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return schema


def _rule(document: Document) -> OwnRule:
    said = document.value
    match = said.get("match") or {}
    return OwnRule(
        id=said["id"],
        severity=said.get("severity") or "warning",
        title=said["title"],
        hint=said["hint"],
        expression=said["expression"],
        message_expression=said.get("messageExpression"),
        document=document,
        kinds=frozenset(match.get("kinds") or ()),
        stages=frozenset(match.get("stages") or ()),
        environments=frozenset(match.get("environments") or ()),
        params=said.get("params") or {},
        tests=tuple(Case(one["object"], one.get("cluster") or {}, one["passes"]) for one in said["tests"]),
    )


def _namesakes(rules: list[OwnRule]) -> Iterator[Finding]:
    first: dict[str, OwnRule] = {}
    for rule in rules:
        other = first.setdefault(rule.id, rule)
        if other is not rule:
            message = f"{rule.id} is also in {other.document.file}"
            yield rule.document.finding("MG202", message, "/id", hint="give one of them another id")
