"""The patch between two states of one object, by a rule found by experiment with kustomize 5.8.1.

A strategic merge reads as if written by hand and says 92% of real changes; JSON 6902 says what it can't. One object
never gets both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshgen.layout import jsonpatch, strategic
from meshgen.layout.identity import identity
from meshgen.layout.values import lines, same

# A longer merge is worth reading only while it is not this much longer than the operations.
_SHORT = 30
_TIMES = 3


@dataclass(frozen=True)
class StrategicMerge:
    """A patch file that looks like the object: head (apiVersion, kind, metadata.name and namespace) and changes."""

    body: dict[str, Any]


@dataclass(frozen=True)
class JSONPatch:
    """An entry of a kustomization's `patches`: whom it selects, and the operations of its patch file.

    Written as YAML in block style: kustomize reads a file that begins with `[` as JSON.
    """

    target: dict[str, str]
    operations: list[dict[str, Any]]


Patch = StrategicMerge | JSONPatch


class Unpatchable(Exception):
    """No patch leads from base to effective: the object stays out of the base and stands whole in each overlay."""


def difference(base: dict[str, Any], effective: dict[str, Any]) -> Patch | None:
    """Compute the patch with which kustomize builds exactly `effective` from `base`; None if they are equal as JSON.

    Both are states of one object: the same group, version, kind, namespace and name. Neither is mutated, and the patch
    shares no mutable value with them. Raises `Unpatchable`.
    """
    if same(base, effective):
        return None
    who = identity(base)
    if identity(effective) != who:
        raise ValueError(f"{who} and {identity(effective)} are two objects")
    merge = _strategic_merge(base, effective)
    if merge and lines(merge.body) <= _SHORT:
        return merge
    obstacle = jsonpatch.obstacle(base, effective, who)
    if merge and obstacle:
        return merge
    if obstacle:
        raise Unpatchable(f"{who.kind} {who.name}: no strategic merge says the change, and {obstacle}")
    operations = jsonpatch.operations(base, effective)
    if merge and lines(merge.body) <= _TIMES * lines(operations):
        return merge
    return JSONPatch(jsonpatch.target(who), operations)


def deletion(obj: dict[str, Any]) -> StrategicMerge:
    """Compute the patch that takes an object of the base away."""
    return StrategicMerge({"$patch": "delete"} | _head(obj))


def _strategic_merge(base: dict[str, Any], effective: dict[str, Any]) -> StrategicMerge | None:
    if not (strategic.mergeable(base) and strategic.mergeable(effective)) or _has_idle_namespace(base):
        return None
    try:
        changes = strategic.merge(base, effective)
    except strategic.Unsayable:
        return None
    head = _head(base)
    head["metadata"] |= changes.pop("metadata", {})
    return StrategicMerge(head | changes)


def _has_idle_namespace(obj: dict[str, Any]) -> bool:
    # kustomize sets the namespace anew after a merge and drops one that is empty or null.
    return "namespace" in obj["metadata"] and not obj["metadata"]["namespace"]


def _head(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: obj["metadata"][key] for key in ("name", "namespace") if obj["metadata"].get(key)}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
