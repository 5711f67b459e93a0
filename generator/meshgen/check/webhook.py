"""What Istio's validation webhook refuses of an object, where nothing simpler is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from meshgen.catalog import Version
from meshgen.catalog import kinds as catalog
from meshgen.catalog.kinds import ISTIO
from meshgen.check.kinds import Problem
from meshgen.config.problems import dotted, plain
from meshgen.finding import Severity
from meshgen.yaml import pointer

# The groups whose objects the webhook is asked about.
_ASKED = tuple(f"{group}.istio.io/" for group in ("networking", "security", "telemetry", "extensions"))


def refused_problems(obj: dict[str, Any], istio: Version, found: Sequence[Problem]) -> Iterator[Problem]:
    """What the webhook refuses of an object; `found` is what the API server does, which is not said again.

    A warning for an Istio that is newer than all that is known: its webhook may let pass what others refuse.
    """
    if not str(obj.get("apiVersion")).startswith(_ASKED) or any(one.rule == "MG423" for one in found):
        return
    from meshgen.check.istiovalidation import istio_problems

    newest = Version.parse(str(catalog.newest(ISTIO)))
    severity: Severity = "warning" if istio.numbers[:2] > newest.numbers[:2] else "error"
    for one in istio_problems(obj, istio.numbers):
        at = pointer(one.path)
        if not any(_is_part(at, other.pointer) for other in found):
            what = f"{dotted(one.path)}: Istio's webhook refuses it: {one.text}"
            message = f"{plain(obj['kind'])} {plain(obj['metadata'].get('name'))}: {what}"
            yield Problem("MG424", at, message, one.hint, severity=severity)


def _is_part(at: str, other: str) -> bool:
    """Whether a place is another or within it, or holds it: a key that is misspelled there is what is missing here."""
    return at == other or at.startswith(f"{other}/") or other.rpartition("/")[0] == at
