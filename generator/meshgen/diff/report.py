"""A difference as JSON, and the JSON Schema of it."""

from __future__ import annotations

from typing import Any

from meshgen.diff.change import RISKS, Change, Difference, FieldChange, Group
from meshgen.formats import COUNT, DRAFT, FINDING, OPTIONAL, STRING, STRINGS, closed


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


_RISK = {"enum": list(RISKS)}
_FIELD = closed(
    {
        "path": {"type": "string", "description": "Such as spec.ports[port=80,protocol=TCP].targetPort."},
        "action": {"enum": ["added", "removed", "changed", "order"]},
        "old": {"description": "The value; a secret, a long or a binary text is a text in brackets that says so."},
        "new": {},
        "lines": {**STRINGS, "description": "Of texts of several lines: those that differ, with + or - in front."},
    }
)
_CHANGE = closed(
    {
        "risk": _RISK,
        "reasons": {**STRINGS, "minItems": 1},
        "action": {"enum": ["added", "removed", "changed", "moved"]},
        "group": STRING,
        "kind": {"type": "string", "description": "HelmChartRelease is a chart that Argo CD installs."},
        "namespace": STRING,
        "name": {"type": "string", "description": "In Argo CD's objects, CLUSTER stands for the cluster's name."},
        "stage": {
            **closed({"old": OPTIONAL, "new": OPTIONAL}),
            "description": "flux and argocd are the wiring; null is istioctl's input, or a side without the object.",
        },
        "clusters": {**STRINGS, "minItems": 1},
        "differing": {**STRINGS, "description": "Clusters in which the same object changes otherwise."},
        "fields": {"type": "array", "items": _FIELD},
    }
)
_FLEET = closed(
    {
        "kind": {"enum": ["environment", "cluster"]},
        "action": {"enum": ["added", "removed", "moved"]},
        "name": STRING,
        "risk": _RISK,
        "reason": STRING,
        "clusters": STRINGS,
    }
)
FORMAT: dict[str, Any] = {
    **DRAFT,
    "title": "meshgen diff -o json",
    **closed(
        {
            "old": STRING,
            "new": STRING,
            "clusters": {**COUNT, "description": "Those that both sides have."},
            "risks": closed(dict.fromkeys(RISKS, COUNT)),
            "fleet": {"type": "array", "items": _FLEET},
            "changes": {"type": "array", "items": _CHANGE, "description": "Riskiest first."},
            "findings": {"type": "array", "items": FINDING, "description": "Warnings that only the new side has."},
        }
    ),
}
