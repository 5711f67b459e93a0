"""Claims to volumes.

Source: ValidatePersistentVolumeClaimSpec in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.build.quantity import amount_of
from meshgen.check.refused.names import SUBDOMAIN, bad_selector, misnamed
from meshgen.check.refused.refusal import Path, Refusal, Refusals, strings
from meshgen.policy.reading import Map, mapping

_ALONE = "ReadWriteOncePod"


def claim(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a PersistentVolumeClaim."""
    yield from claim_refusals(mapping(obj, "spec"), ("spec",))


def claim_refusals(spec: Map, at: Path) -> Refusals:
    """What is wrong with the spec of a claim."""
    yield from modes_refusals(spec, at)
    requests = mapping(spec, "resources", "requests")
    size = amount_of(requests.get("storage"))
    if requests.get("storage") is None:
        yield Refusal(at, "it asks for no storage", "add resources.requests.storage, as 1Gi", at_key=True)
    elif size is not None and size <= 0:
        yield Refusal((*at, "resources", "requests", "storage"), "it asks for no storage", "say a size such as 1Gi")
    yield from misnamed(spec, at, "storageClassName", SUBDOMAIN)
    yield from bad_selector(mapping(spec, "selector"), (*at, "selector"))


def modes_refusals(spec: Map, at: Path) -> Refusals:
    """What is wrong with how a claim or a volume is accessed."""
    modes = [mode for _, mode in strings(spec, "accessModes")]
    if not spec.get("accessModes"):
        yield Refusal(at, "it says no access mode", "add accessModes, as [ReadWriteOnce]", at_key=True)
    if _ALONE in modes and set(modes) != {_ALONE}:
        yield Refusal((*at, "accessModes"), f"{_ALONE} goes with no other mode", "keep one of them", at_key=True)
