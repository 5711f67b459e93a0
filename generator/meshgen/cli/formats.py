"""JSON Schemas (draft-07) of what commands print with `-o json`."""

from __future__ import annotations

from typing import Any

from meshgen.cli.hydration import HYDRATED
from meshgen.commit.report import FORMAT as _COMMIT
from meshgen.diff.report import FORMAT as _DIFF
from meshgen.fleet import FORMAT as _FLEET
from meshgen.formats import COUNT, DRAFT, FINDING, STRING, closed
from meshgen.provenance.format import FORMAT as _EXPLAIN

_FINDINGS = {"type": "array", "items": FINDING}
_STAGE = closed(
    {"name": STRING, "path": {"type": "string", "description": "A Kustomize directory, relative to `output`."}}
)
_CLUSTER = closed(
    {
        "name": STRING,
        "environment": STRING,
        "wiring": {
            "type": "object",
            "properties": {"flux": STRING, "argocd": STRING},
            "additionalProperties": False,
            "description": "The directory that bootstraps the cluster, by engine.",
        },
        "stages": {"type": "array", "items": _STAGE, "description": "In the order in which they are applied."},
    }
)
_DIFFERENCE = closed(
    {
        "object": {"type": "string", "description": "Its kind, and its name where there may be several."},
        "path": {"type": "string", "description": "The field, such as metadata.name."},
        "read": STRING,
        "rendered": STRING,
        "why": {"type": "string", "description": "Empty where nothing explains it: then something was lost."},
    }
)

_RENDER = closed(
    {
        "output": STRING,
        "written": COUNT,
        "unchanged": COUNT,
        "deleted": COUNT,
        "clusters": {"type": "array", "items": _CLUSTER},
        "findings": _FINDINGS,
    }
)
# Only where it is asked for.
_RENDER["properties"]["hydrated"] = HYDRATED

FORMATS: dict[str, dict[str, Any]] = {
    "commit": _COMMIT,
    "diff": _DIFF,
    "explain": _EXPLAIN,
    "fleet": _FLEET,
    "render": {**DRAFT, "title": "meshgen render -o json", **_RENDER},
    "import": {
        **DRAFT,
        "title": "meshgen import -o json",
        **closed(
            {
                "written": {"type": "boolean", "description": "False with --dry-run."},
                "files": {"type": "array", "items": closed({"path": STRING, "text": STRING})},
                "findings": _FINDINGS,
                "differences": {"type": "array", "items": _DIFFERENCE},
            }
        ),
    },
    "validate": {**DRAFT, "title": "meshgen validate -o json", **closed({"findings": _FINDINGS})},
}
