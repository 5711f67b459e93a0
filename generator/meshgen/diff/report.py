"""A difference as JSON, and the JSON Schema of it."""

from __future__ import annotations

from typing import Any

from meshgen.diff.change import RISKS, Change, Difference, FieldChange, Group


def to_json(difference: Difference) -> dict[str, Any]:
    """The object that `meshgen diff -o json` prints."""
    return {
        "old": difference.old,
        "new": difference.new,
        "clusters": difference.total,
        "risks": dict(difference.risks),
        "fleet": [
            {
                "kind": one.kind,
                "action": one.action,
                "name": one.name,
                "risk": one.risk,
                "reason": one.reason,
                "clusters": list(one.clusters),
            }
            for one in difference.fleet
        ],
        "changes": [_change(one) for one in difference.groups],
        "findings": [finding.to_json() for finding in difference.findings],
    }


def _change(group: Group) -> dict[str, Any]:
    change = group.change
    return {
        "risk": change.risk,
        "reasons": list(change.reasons),
        "action": change.action,
        "group": change.key.group,
        "kind": change.key.kind,
        "namespace": change.key.namespace,
        "name": change.key.name,
        "stage": _stages(change),
        "clusters": list(group.clusters),
        "differing": list(group.differing),
        "fields": [_field(one) for one in change.fields],
    }


def _stages(change: Change) -> dict[str, str | None]:
    return {"old": change.old_stage, "new": change.new_stage}


def _field(one: FieldChange) -> dict[str, Any]:
    return {"path": one.path, "action": one.action, "old": one.old, "new": one.new, "lines": list(one.lines)}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_STRING = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_OPTIONAL = {"type": ["string", "null"]}
_POSITION = {"type": ["integer", "null"], "minimum": 1}
_NAMES = {"type": "array", "items": _STRING}
_RISK = {"enum": list(RISKS)}
_FIELD = _closed(
    {
        "path": {"type": "string", "description": "Such as spec.ports[port=80,protocol=TCP].targetPort."},
        "action": {"enum": ["added", "removed", "changed", "order"]},
        "old": {"description": "The value; a secret, a long or a binary text is a text in brackets that says so."},
        "new": {},
        "lines": {**_NAMES, "description": "Of texts of several lines: those that differ, with + or - in front."},
    }
)
_CHANGE = _closed(
    {
        "risk": _RISK,
        "reasons": {**_NAMES, "minItems": 1},
        "action": {"enum": ["added", "removed", "changed", "moved"]},
        "group": _STRING,
        "kind": {"type": "string", "description": "HelmChartRelease is a chart that Argo CD installs."},
        "namespace": _STRING,
        "name": {"type": "string", "description": "In Argo CD's objects, CLUSTER stands for the cluster's name."},
        "stage": {
            **_closed({"old": _OPTIONAL, "new": _OPTIONAL}),
            "description": "flux and argocd are the wiring; null is istioctl's input, or a side without the object.",
        },
        "clusters": {**_NAMES, "minItems": 1},
        "differing": {**_NAMES, "description": "Clusters in which the same object changes otherwise."},
        "fields": {"type": "array", "items": _FIELD},
    }
)
_FLEET = _closed(
    {
        "kind": {"enum": ["environment", "cluster"]},
        "action": {"enum": ["added", "removed", "moved"]},
        "name": _STRING,
        "risk": _RISK,
        "reason": _STRING,
        "clusters": _NAMES,
    }
)
_FINDING = _closed(
    {
        "rule": {"type": "string", "pattern": "^MG[0-9]{3}$"},
        "severity": {"enum": ["error", "warning", "info"]},
        "message": _STRING,
        "file": _OPTIONAL,
        "line": _POSITION,
        "column": _POSITION,
        "path": _OPTIONAL,
        "hint": _OPTIONAL,
    }
)
FORMAT: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "meshgen diff -o json",
    **_closed(
        {
            "old": _STRING,
            "new": _STRING,
            "clusters": {**_COUNT, "description": "Those that both sides have."},
            "risks": _closed(dict.fromkeys(RISKS, _COUNT)),
            "fleet": {"type": "array", "items": _FLEET},
            "changes": {"type": "array", "items": _CHANGE, "description": "Riskiest first."},
            "findings": {"type": "array", "items": _FINDING, "description": "Warnings that only the new side has."},
        }
    ),
}
