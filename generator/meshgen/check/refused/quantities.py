"""Amounts of resources: what containers and claims may ask for.

Source: validateResourceRequirements in k8s.io/kubernetes pkg/apis/core.
"""

from __future__ import annotations

from fractions import Fraction

from meshgen.build.quantity import amount_of
from meshgen.check.refused.names import is_qualified
from meshgen.check.refused.refusal import Path, Refusal, Refusals
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_PAGES = "hugepages-"


def resource_refusals(holder: Map, at: Path) -> Refusals:
    """Requests and limits of a container that don't go together, and resources that containers don't have."""
    resources, at = mapping(holder, "resources"), (*at, "resources")
    requests, limits = mapping(resources, "requests"), mapping(resources, "limits")
    for key, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            yield from _single(str(name), amount_of(value), (*at, key, name))
    for name, value in requests.items():
        asked, allowed = amount_of(value), amount_of(limits.get(name))
        there = (*at, "requests", name)
        if allowed is None:
            if _is_fixed(name) and name not in limits and asked is not None:
                yield Refusal(there, f"{plain(name)} has no limit", "say the same limit: it can't be overcommitted")
        elif asked is not None and asked > allowed:
            yield Refusal(there, "the request is more than the limit", "ask for less, or raise the limit")
        elif asked is not None and asked != allowed and _is_fixed(name):
            yield Refusal(there, "the request is not the limit", "say the same limit: it can't be overcommitted")


def _single(name: str, amount: Fraction | None, at: Path) -> Refusals:
    if not is_qualified(name):
        yield Refusal(at, "no resource can be called so", f"containers have {', '.join(_STANDARD)}", at_key=True)
    elif "/" not in name and name not in _STANDARD and not name.startswith(_PAGES):
        hint = guess(name, _STANDARD) or f"containers have {', '.join(_STANDARD)}, and others with a domain"
        yield Refusal(at, f"containers have no resource {plain(name)}", hint, at_key=True)
    if amount is not None and amount < 0:
        yield Refusal(at, "the amount is negative", "say an amount such as 500m or 1Gi")
    elif amount is not None and is_extended(name) and amount.denominator != 1:
        yield Refusal(at, f"{plain(name)} is not given in parts", "say a whole number")


def is_extended(name: str) -> bool:
    """Whether a resource is somebody's own, which is counted in whole numbers."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def _is_fixed(name: str) -> bool:
    """Whether a node gives no more of a resource than it has: huge pages, devices."""
    return is_extended(name) or name.startswith(_PAGES)
