"""Compares the objects of clusters; whatever clusters share is compared once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.stage import PRUNED
from meshgen.diff.change import Change, FieldChange
from meshgen.diff.fields import Field, Item, differences
from meshgen.diff.mask import is_checksum, shown
from meshgen.diff.objects import Key, Objects, Placed, Project, Reader
from meshgen.diff.risk import Facts, assess
from meshgen.diff.sides import SideCluster
from meshgen.diff.wiring import left_alone
from meshgen.policy.reading import text
from meshgen.values import value_at

_NOTHING = Placed(None, {})


@dataclass
class Comparer:
    """Compares clusters of one mesh, and remembers what it has compared."""

    reader: Reader = field(default_factory=Reader)
    _clusters: dict[tuple[int, ...], tuple[Change, ...]] = field(default_factory=dict)
    _differences: dict[tuple[int, int], tuple[Field, ...]] = field(default_factory=dict)
    _changes: dict[tuple[Any, ...], Change] = field(default_factory=dict)

    def changes(self, old: SideCluster, new: SideCluster) -> tuple[Change, ...]:
        """What becomes of a cluster's objects: those that are applied, and the wiring."""
        token = (*_token(old), 0, *_token(new))
        applied = self._clusters.get(token)
        if applied is None:
            applied = tuple(self._compared(self.reader.applied(old), self.reader.applied(new)))
            self._clusters[token] = applied
        if any(one.action == "removed" and one.old_stage in PRUNED for one in applied) and (
            project := self.reader.project(old, new)
        ):
            applied = tuple(self._compared(self.reader.applied(old), self.reader.applied(new), project))
        return (*applied, *self._compared(*self.reader.wiring(old, new), alone=left_alone(old, new)))

    def _compared(
        self, old: Objects, new: Objects, project: Project | None = None, alone: frozenset[str] = frozenset()
    ) -> Iterator[Change]:
        facts = _facts(old, new, project)._replace(alone=alone)
        for key, before in old.items():
            after = new.get(key)
            if after is None:
                yield self._change(key, "removed", before, _NOTHING, facts)
            elif before.stage != after.stage:
                yield self._change(key, "moved", before, after, facts)
            elif before.object is not after.object and self._fields(before, after):
                yield self._change(key, "changed", before, after, facts)
        for key, after in new.items():
            if key not in old:
                yield self._change(key, "added", _NOTHING, after, facts)

    def _fields(self, old: Placed, new: Placed) -> tuple[Field, ...]:
        pair = (id(old.object), id(new.object))
        found = self._differences.get(pair)
        if found is None:
            found = self._differences[pair] = differences(old.object, new.object)
        return found

    def _change(self, key: Key, action: str, old: Placed, new: Placed, facts: Facts) -> Change:
        token = (key, action, old.stage, new.stage, id(old.object), id(new.object), facts)
        known = self._changes.get(token)
        if known is None:
            fields = self._fields(old, new) if action in ("changed", "moved") else ()
            known = self._changes[token] = _made(key, action, old, new, fields, facts)
        return known


def _token(cluster: SideCluster) -> tuple[int, ...]:
    built = cluster.built.built
    return (*map(id, built.stages), id(built.istioctl_input))


def _facts(old: Objects, new: Objects, project: Project | None) -> Facts:
    """What one change has to know of the others: what is there on one side only, and what then can be deleted."""
    gone = frozenset((key.kind, key.name) for key in old.keys() - new.keys() if _is_control_plane(key))
    come = frozenset((key.kind, key.name) for key in new.keys() - old.keys() if _is_control_plane(key))
    keeping = {key.kind for key, one in new.items() if _keeps_in(key, one.object)}
    allowing = frozenset(key.namespace for key, one in old.items() if _allows(key, one.object))
    return Facts(gone, come, project, bool(keeping), bool(keeping - {"Sidecar"}), allowing)


def _keeps_in(key: Key, obj: dict[str, Any]) -> bool:
    """Whether an object says that workloads reach only the hosts that the mesh knows."""
    if key.kind == "ConfigMap":
        return "REGISTRY_ONLY" in text(obj, "data", "mesh")
    if key.kind not in ("IstioOperator", "Istio", "HelmRelease", "HelmChartRelease", "Sidecar"):
        return False
    paths = (("spec", "values", "meshConfig"), ("spec", "meshConfig"), ("spec",))
    return any(value_at(obj, (*path, "outboundTrafficPolicy", "mode")) == "REGISTRY_ONLY" for path in paths)


def _allows(key: Key, obj: dict[str, Any]) -> bool:
    """Whether an object is an AuthorizationPolicy that refuses what it does not name."""
    return key.kind == "AuthorizationPolicy" and text(obj, "spec", "action") in ("", "ALLOW")


def _is_control_plane(key: Key) -> bool:
    return key.kind in ("IstioOperator", "Istio") and not key.space


def _made(key: Key, action: str, old: Placed, new: Placed, fields: tuple[Field, ...], facts: Facts) -> Change:
    risk, reasons = assess(key, action, old, new, fields, facts)
    told = tuple(_told(one, key.kind) for one in fields)
    # Values themselves, for secrets that are not the same may be shown alike.
    raw = [(one.path, one.action, _stable(one)) for one in fields]
    whole = [old.object, new.object] if action in ("added", "removed") else None
    content = json.dumps([key, action, old.stage, new.stage, risk, reasons, raw, whole], sort_keys=True)
    return Change(key, action, old.stage, new.stage, told, risk, reasons, content)


def _stable(one: Field) -> Any:
    """What tells two fields apart: a checksum follows what it is of, and says nothing of its own."""
    return "checksum" if is_checksum(one) else [one.old, one.new]


def _told(one: Field, kind: str) -> FieldChange:
    old, new, lines = shown(one, kind)
    return FieldChange(written(one.path), one.action, old, new, lines)


_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def written(path: tuple[str, ...]) -> str:
    """A path as people write it: `spec.ports[port=80]`, `metadata.annotations["example.com/a"]`."""
    said = ""
    for step in path:
        if isinstance(step, Item):
            said += step
        elif _PLAIN.fullmatch(step):
            said += f".{step}" if said else step
        else:
            said += f"[{json.dumps(step, ensure_ascii=False)}]"
    return said
