"""Merges the layers of a config: maps by key, everything else replaced, null takes away."""

from __future__ import annotations

from typing import Any

from meshgen.catalog import DEFAULT_GATEWAYS

# Inside these subtrees of `istio`, and in a chart's values, a null that no lower layer overrides is a value of its own:
# istioctl and Helm read it as "without the default".
_KEEPS_NULL = frozenset({"meshConfig", "values", "unvalidatedValues", "components"})


def merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Lay `upper` (all of a mesh's config, or a patch) over `lower`; neither is changed.

    What `upper` does not touch is shared with the result, so that a thousand clusters that patch one value each cost
    a few small maps.
    """
    return _merge(lower, upper, ())


def _merge(lower: dict[str, Any], upper: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(lower)
    keeps_null = _keeps_null(path)
    for key, value in upper.items():
        below = lower.get(key)
        if value is None:
            if key in lower:
                del merged[key]
            elif keeps_null and not _is_gateways(path):
                merged[key] = None
        elif isinstance(value, dict):
            child = (*path, key)
            if isinstance(below, list) and _is_gateways(child):
                below = by_name(below, key)
            merged[key] = _merge(below if isinstance(below, dict) else {}, value, child)
        else:
            merged[key] = value
    return merged


def _keeps_null(path: tuple[str, ...]) -> bool:
    if path[:1] == ("addons",):
        return path[2:3] == ("values",)
    return path[:1] == ("istio",) and len(path) >= 2 and path[1] in _KEEPS_NULL


def _is_gateways(path: tuple[str, ...]) -> bool:
    return len(path) == 3 and path[:2] == ("istio", "components") and path[2] in DEFAULT_GATEWAYS


def by_name(gateways: list[Any], kind: str) -> dict[str, Any]:
    """IstioOperator's list of gateways of a kind as a map by name, which merges."""
    return {gateway.get("name") or DEFAULT_GATEWAYS[kind]: gateway for gateway in gateways if isinstance(gateway, dict)}
