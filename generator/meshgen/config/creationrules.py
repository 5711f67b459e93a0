"""Reads SOPS' own config, `.sops.yaml`: which files it would encrypt."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meshgen.build.manifests import Manifest, Manifests
from meshgen.build.stage import KubernetesObject
from meshgen.config.document import Document, read_regular, reading_problems, unreadable
from meshgen.finding import Finding
from meshgen.sops import is_encrypted
from meshgen.yaml import ReadError, read_documents

NAME = ".sops.yaml"
# Where a rule, or one of its key groups, names keys (config/config.go in getsops/sops).
_KEYS = ("age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault_transit_uri")
_KEYS_OF_A_GROUP = ("age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault", "merge")


@dataclass(frozen=True, eq=False)
class CreationRules:
    """The creation rules of a `.sops.yaml`, and what is wrong with them; equal to itself only.

    `folder` is what the rules' paths are relative to, `home` the config's folder, which findings name files from.
    """

    document: Document
    folder: Path
    home: Path
    findings: tuple[Finding, ...] = ()
    _rules: tuple[tuple[str, re.Pattern[str] | None], ...] = field(default=(), repr=False)

    def rule_for(self, file: str) -> str | None:
        """A pointer to the rule by which SOPS encrypts a file, named from the config's folder; the first one holds."""
        path = os.path.abspath(self.home / file)
        path = path.removeprefix(f"{self.folder}{os.sep}")
        for pointer, regex in self._rules:
            # What Go may read and Python doesn't could hold for any file.
            if regex is None:
                return None
            if regex.search(path):
                return pointer
        return None


def read_creation_rules(home: Path, manifests: Manifests) -> CreationRules | None:
    """Read the nearest `.sops.yaml`, of the config's folder or of one above it in the same Git repository.

    None where there is none, or where no manifest is one that it could be about. SOPS looks further up, but what lies
    outside of the repository is no input of the tree.
    """
    if not any(_is_secret(one.object) for one in _own(manifests)):
        return None
    folder = next((one for one in _folders(Path(os.path.abspath(home))) if (one / NAME).exists()), None)
    if folder is None:
        return None
    document, findings = _read(folder / NAME, os.path.relpath(folder / NAME, os.path.abspath(home)))
    rules = document.value.get("creation_rules") or []
    if findings:
        return CreationRules(document, folder, home, findings)
    problems = tuple(one for index, rule in enumerate(rules) for one in _problems(document, rule, index))
    return CreationRules(document, folder, home, problems, tuple(_compiled(rules)))


def _read(path: Path, name: str) -> tuple[Document, tuple[Finding, ...]]:
    """The file, which may say nothing, and what keeps it from being read."""
    empty = Document(name, b"", {})
    try:
        data = read_regular(path)
        # SOPS reads the first document alone.
        value = next(iter(read_documents(data)), None)
    except OSError as error:
        return empty, (unreadable(error, name),)
    except ReadError as error:
        return empty, tuple(reading_problems(error, name))
    hint = "say creation_rules: [{path_regex: ..., age: ...}]"
    if not isinstance(value, dict | None):
        return empty, (Finding("MG456", "error", "the config of SOPS is a map", name, 1, 1, "", hint),)
    document = Document(name, data, value or {})
    rules = document.value.get("creation_rules") or []
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        return document, (document.finding("MG456", "creation_rules is a list of maps", "/creation_rules", hint=hint),)
    return document, ()


def _own(manifests: Manifests) -> Iterator[Manifest]:
    for by_path in (manifests.of_addons, manifests.of_resources):
        yield from (one for holding in by_path.values() for one in holding)


def _is_secret(obj: KubernetesObject) -> bool:
    return obj["kind"] == "Secret" or is_encrypted(obj)


def _folders(home: Path) -> Iterator[Path]:
    """The config's folder and those above it, up to the root of its Git repository."""
    above = [home, *home.parents]
    root = next((index for index, folder in enumerate(above) if (folder / ".git").exists()), 0)
    yield from above[: root + 1]


def _problems(document: Document, rule: Mapping[str, Any], index: int) -> Iterator[Finding]:
    from meshgen.policy.re2 import problem

    at = f"/creation_rules/{index}"
    regex = rule.get("path_regex")
    wrong = "it is no text" if not isinstance(regex, str | None) else problem(regex or "")
    if wrong:
        message = f"creation_rules[{index}].path_regex can't be compiled: {wrong}"
        hint = "SOPS stops at it for every file that no rule before it takes; write it in RE2's syntax"
        yield document.finding("MG456", message, f"{at}/path_regex", hint=hint)
    if not _has_key(rule):
        message = f"creation_rules[{index}] names no key to encrypt with"
        hint = f"say age, or one of {', '.join(_KEYS[1:])} and key_groups"
        yield document.finding("MG456", message, at, hint=hint, severity="warning")


def _has_key(rule: Mapping[str, Any]) -> bool:
    groups = rule.get("key_groups")
    return any(rule.get(key) for key in _KEYS) or any(
        isinstance(group, dict) and any(group.get(key) for key in _KEYS_OF_A_GROUP)
        for group in (groups if isinstance(groups, list) else ())
    )


def _compiled(rules: list[dict[str, Any]]) -> Iterator[tuple[str, re.Pattern[str] | None]]:
    for index, rule in enumerate(rules):
        regex = rule.get("path_regex") or ""
        try:
            compiled = re.compile(regex) if isinstance(regex, str) else None
        except re.error:
            compiled = None
        yield f"/creation_rules/{index}", compiled
