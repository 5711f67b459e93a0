"""Says one environment's settings as a patch of what all share."""

from __future__ import annotations

from typing import Any


def patch_between(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """The patch that `config.merge` makes `upper` of: what differs, and null for what is gone."""
    patch: dict[str, Any] = {key: None for key in lower if key not in upper}
    for key, value in upper.items():
        below = lower.get(key)
        if key in lower and value == below:
            continue
        patch[key] = patch_between(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return patch
