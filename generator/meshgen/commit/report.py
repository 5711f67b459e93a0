"""A commit as JSON, and the JSON Schema of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.commit.outcome import Committed
from meshgen.commit.scope import display
from meshgen.finding import Finding
from meshgen.formats import DRAFT, FINDING, OPTIONAL, STRING, STRINGS, closed


def to_json(
    done: Committed | None, findings: Sequence[Finding], *, problem: str | None = None, hint: str | None = None
) -> dict[str, Any]:
    """The object that `meshgen commit -o json` prints; without `done` findings or a problem stood in the way."""
    request = done.request if done else None
    return {
        "branch": done.branch if done else None,
        "commit": done.commit if done else None,
        "message": done.message if done else None,
        "files": [{"path": display(one.path), "action": one.action} for one in done.entries] if done else [],
        "pushed": done.pushed if done else None,
        "request": {"platform": request.platform, "command": request.text, "url": (done and done.url) or None}
        if request
        else None,
        "notes": list(done.notes) if done else [],
        "problem": {"message": problem, "hint": hint} if problem else None,
        "findings": [finding.to_json() for finding in findings],
    }


_FILE = closed({"path": STRING, "action": {"enum": ["added", "changed", "deleted"]}})
_REQUEST = closed(
    {
        "platform": {"enum": ["github", "gitlab", "azure"]},
        "command": {"type": "string", "description": "For a shell, in the repository."},
        "url": {**OPTIONAL, "description": "Where --pr made the request."},
    }
)
_PROBLEM = closed({"message": STRING, "hint": OPTIONAL})
FORMAT: dict[str, Any] = {
    **DRAFT,
    "title": "meshgen commit -o json",
    **closed(
        {
            "branch": OPTIONAL,
            "commit": {**OPTIONAL, "description": "Null with --dry-run, and where there is nothing to commit."},
            "message": OPTIONAL,
            "files": {"type": "array", "items": _FILE, "description": "From the repository's root."},
            "pushed": {**OPTIONAL, "description": "The remote."},
            "request": {"anyOf": [_REQUEST, {"type": "null"}]},
            "notes": STRINGS,
            "problem": {
                "anyOf": [_PROBLEM, {"type": "null"}],
                "description": "What Git, the repository or a remote did not allow.",
            },
            "findings": {"type": "array", "items": FINDING},
        }
    ),
}
