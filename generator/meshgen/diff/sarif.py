"""A difference as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from meshgen import __version__
from meshgen.config.resolve import Cluster, Mesh
from meshgen.diff.change import RISKS, Change, Difference, FleetChange, Group, Risk
from meshgen.diff.objects import own
from meshgen.diff.written import field_lines, fleet_text, heading, stage_text
from meshgen.yaml import pointer

_LEVELS: dict[Risk, str] = {
    "exposure": "error",
    "security": "error",
    "replacement": "error",
    "restart": "warning",
    "traffic": "warning",
    "cosmetic": "note",
}
_RULES: dict[Risk, str] = {
    "exposure": "A Service or a gateway opens to more addresses.",
    "security": "Encryption, authorization or a check gets weaker.",
    "replacement": "An object is deleted and made anew, or can't be changed so.",
    "restart": "Pods restart, or are run otherwise.",
    "traffic": "Requests take another way.",
    "cosmetic": "Nothing that runs reads it.",
}
# As many fields as a message holds.
_FIELDS = 10


def sarif(difference: Difference, config: PurePosixPath) -> dict[str, Any]:
    """The log: a result for each change, at the line of the config that it comes from as far as that is known.

    `config` is what the config is called from the repository's root.
    """
    rules = [{"id": risk, "shortDescription": {"text": _RULES[risk]}} for risk in RISKS]
    driver = {"name": "meshgen diff", "version": __version__, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                # Columns are counted as Python does.
                "columnKind": "unicodeCodePoints",
                "results": list(_results(difference, config)),
            }
        ],
    }


def _results(difference: Difference, config: PurePosixPath) -> Iterator[dict[str, Any]]:
    places = _Places(difference.mesh, config)
    for one in difference.fleet:
        text = f"{fleet_text(one)} is {one.action}: {one.reason}"
        yield _result(one.risk, text, places.of_cluster(one), f"{one.kind}/{one.name}/{one.action}")
    for group in difference.groups:
        yield _result(group.change.risk, _message(group), places.of_change(group), _identity(group))


def _result(risk: Risk, text: str, location: dict[str, Any], identity: str) -> dict[str, Any]:
    return {
        "ruleId": risk,
        "ruleIndex": RISKS.index(risk),
        "level": _LEVELS[risk],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"change/v1": identity},
    }


def _identity(group: Group) -> str:
    change = group.change
    # The same change of the same object keeps its name from run to run.
    return "/".join([*change.key, change.action, *sorted({one.path for one in change.fields})[:_FIELDS]])


def _message(group: Group) -> str:
    change = group.change
    lines = [f"{heading(group)} ({stage_text(change)}, {group.where}) is {change.action}: {'; '.join(change.reasons)}"]
    lines += [line for one in change.fields[:_FIELDS] for line in field_lines(one)]
    if len(change.fields) > _FIELDS:
        lines.append(f"… {len(change.fields) - _FIELDS} more field(s)")
    return "\n".join(lines)


class _Places:
    """Finds the lines of a config that changes come from."""

    def __init__(self, mesh: Mesh | None, config: PurePosixPath) -> None:
        self._config = config
        self._clusters = {one.name: one for one in mesh.clusters} if mesh else {}

    def of_cluster(self, one: FleetChange) -> dict[str, Any]:
        cluster = self._clusters.get(one.clusters[0]) if one.clusters else None
        if cluster is None:
            return self._place(None, None)
        found = cluster.entry_finding("MG702", "", "")
        return self._place(found.file, found.line, found.column)

    def of_change(self, group: Group) -> dict[str, Any]:
        cluster = self._clusters.get(group.clusters[0])
        if cluster is None:
            return self._place(None, None)
        found = cluster.finding("MG702", "", _setting(group.change, cluster))
        return self._place(found.file, found.line, found.column)

    def _place(self, file: str | None, line: int | None, column: int | None = None) -> dict[str, Any]:
        path = self._config if file is None else self._config.parent / file
        region: dict[str, Any] = {"startLine": line or 1}
        if column:
            region["startColumn"] = column
        return {"artifactLocation": {"uri": quote(posixpath.normpath(path))}, "region": region}


def _setting(change: Change, cluster: Cluster) -> str:
    """The setting that a change most likely comes from; where it is not set, the nearest above it is."""
    settings, key = cluster.settings, change.key
    if key.space in ("flux", "argocd"):
        return pointer(["delivery", key.space])
    for name in (key.name, f"{key.name}.{key.namespace}"):
        if name in (settings.get("expose") or {}):
            return pointer(["expose", name])
    if key.kind == "IstioOperator" and change.fields:
        steps = change.fields[0].path.split(".")
        return pointer(["istio", *steps[1:]]) if steps[0] == "spec" else pointer(["istio", *steps[:1]])
    for name in settings.get("addons") or {}:
        if name in own(key.name, cluster.name).split("-"):
            return pointer(["addons", name])
    return "/addons" if change.stage in ("addons", "charts") else "/istio"
