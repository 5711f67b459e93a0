"""ResourceQuotas and LimitRanges.

Source: ValidateResourceQuotaSpec and ValidateLimitRange in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.quantity import amount_of
from meshgen.check.refused.names import is_qualified
from meshgen.check.refused.quantities import is_extended
from meshgen.check.refused.refusal import Path, Refusal, Refusals, given, strings
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping, placed, text

_COUNTED = (
    *("configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets"),
    *("services", "services.loadbalancers", "services.nodeports"),
)
_MEASURED = (
    *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"),
    *("requests.storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage"),
)
_PAGES = ("hugepages-", "requests.hugepages-")
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
# What is not above what, of a LimitRange.
_ORDER = (
    ("min", "max"),
    ("min", "defaultRequest"),
    ("min", "default"),
    ("defaultRequest", "max"),
    ("defaultRequest", "default"),
    ("default", "max"),
)


def quota(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a ResourceQuota."""
    spec, at = mapping(obj, "spec"), ("spec",)
    for name, value in mapping(spec, "hard").items():
        yield from _hard(str(name), value, (*at, "hard", name))
    scopes = {scope for _, scope in strings(spec, "scopes")}
    selected = {text(one, "scopeName") for _, one in placed(spec, "scopeSelector", "matchExpressions")}
    for where, said in (((*at, "scopes"), scopes), ((*at, "scopeSelector"), selected)):
        for one, other in _OPPOSITES:
            if {one, other} <= said:
                yield Refusal(where, f"{one} and {other} exclude each other", "keep one of them", at_key=True)


def _hard(name: str, value: object, at: Path) -> Refusals:
    amount = amount_of(value)
    known = (*_MEASURED, *_COUNTED)
    if not is_qualified(name) or ("/" not in name and name not in known and not name.startswith(_PAGES)):
        hint = guess(name, known) or f"quotas count {', '.join(_COUNTED[:3])} and others; of a CRD count/PLURAL.GROUP"
        yield Refusal(at, f"a quota has no resource {plain(name)}", hint, at_key=True)
    elif amount is not None and amount < 0:
        yield Refusal(at, "the amount is negative", "say 0 or more")
    elif amount is not None and amount.denominator != 1 and (name in _COUNTED or is_extended(name)):
        yield Refusal(at, f"{plain(name)} is not given in parts", "say a whole number")


def limits(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a LimitRange."""
    seen: set[str] = set()
    for index, limit in placed(obj, "spec", "limits"):
        here, type_ = ("spec", "limits", index), text(limit, "type")
        if type_ and type_ in seen:
            yield Refusal((*here, "type"), f"{plain(type_)} is there twice", "put both into one entry")
        seen.add(type_)
        yield from _defaults(limit, here, type_)
        yield from _order(limit, here)


def _defaults(limit: Map, at: Path, type_: str) -> Refusals:
    if type_ == "Pod":
        for key in given(limit, "default", "defaultRequest"):
            if limit[key]:
                hint = "say it of type: Container"
                yield Refusal((*at, key), "a pod has no defaults, its containers have", hint, at_key=True)
    has_size = any("storage" in mapping(limit, key) for key in ("min", "max"))
    if type_ == "PersistentVolumeClaim" and not has_size:
        yield Refusal(at, "it limits no storage", "add max.storage or min.storage")


def _order(limit: Map, at: Path) -> Refusals:
    if text(limit, "type") == "Pod":
        limit = {key: value for key, value in limit.items() if not key.startswith("default")}
    for lower, upper in _ORDER:
        for name in _both(mapping(limit, lower), mapping(limit, upper)):
            less, more = amount_of(limit[lower][name]), amount_of(limit[upper][name])
            if less is not None and more is not None and less > more:
                yield Refusal((*at, lower, name), f"it is above {upper}", f"say at most what {upper} has")


def _both(one: Map, other: Map) -> Iterator[str]:
    return (name for name in one if name in other)
