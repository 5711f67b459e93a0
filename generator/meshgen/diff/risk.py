"""How risky a change is, and why, in words. What no rule knows is taken for a restart, never for cosmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from meshgen.diff.admission import admitted
from meshgen.diff.change import RISKS, Risk
from meshgen.diff.entrances import entered
from meshgen.diff.fields import Field, leaves
from meshgen.diff.granted import granted, let_all, let_in, let_out
from meshgen.diff.kinds import followed
from meshgen.diff.locks import unlocked
from meshgen.diff.objects import Key, Placed, Project
from meshgen.diff.pods import permitted
from meshgen.diff.reach import Verdict, chart_of, opened
from meshgen.diff.replacement import replaced
from meshgen.diff.security import weakened
from meshgen.diff.wiring import rewired


class Facts(NamedTuple):
    """What else becomes of a cluster: (kind, name) of control planes that are there on one side only.

    `project` says what Argo CD may still delete, where that is known, and `registry_only` whether workloads reach only
    the hosts that the mesh knows: `mesh_registry_only` where the mesh says so, not some Sidecar. `allowing` are the
    namespaces that had an ALLOW AuthorizationPolicy before, `alone` the engines that delete nothing of the old wiring.
    """

    gone: frozenset[tuple[str, str]] = frozenset()
    come: frozenset[tuple[str, str]] = frozenset()
    project: Project | None = None
    registry_only: bool = False
    mesh_registry_only: bool = False
    allowing: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()


def assess(
    key: Key, action: str, old: Placed, new: Placed, fields: tuple[Field, ...], facts: Facts
) -> tuple[Risk, tuple[str, ...]]:
    """The risk of a change and the reasons for it: those of the worst risk, each once."""
    if key.space == "istioctl":
        return "cosmetic", ("nothing in the cluster reads istioctl's input: the objects made of it are compared",)
    whole = (Field((), "added", None, new.object),) if action == "added" else fields
    apart = tuple(one for one in leaves(whole) if not _unread(key, new.object or old.object, one))
    verdicts = list(_verdicts(key, action, old, new, apart, facts))
    risk: Risk = min((risk for risk, _ in verdicts), key=RISKS.index)
    reasons = dict.fromkeys(reason for found, reason in verdicts if found == risk)
    return risk, tuple(reasons)


def _unread(key: Key, obj: dict[str, Any], one: Field) -> bool:
    """Whether it is a part of the mesh config in the values of the chart `base`, which holds no control plane."""
    spec = obj.get("spec") or {}
    return key.kind in ("HelmRelease", "HelmChartRelease") and "meshConfig" in one.path and chart_of(spec) == "base"


def _verdicts(
    key: Key, action: str, old: Placed, new: Placed, fields: tuple[Field, ...], facts: Facts
) -> Iterator[Verdict]:
    if key.space:
        yield from rewired(key, action, old, fields, facts.alone)
        return
    yield from opened(old.object, new.object)
    yield from entered(key.kind, key.group, action, old.object, new.object)
    if action == "added":
        yield from granted(key.kind, new.object, beside=key.namespace in facts.allowing)
    if key.kind == "ServiceEntry" and action != "removed" and facts.registry_only:
        yield from let_out(old.object, new.object)
    yield from let_in(key.kind, old.object, new.object) if action in ("changed", "moved") else ()
    yield from unlocked(key.kind, old.object, new.object)
    yield from admitted(key.kind, action, old.object, new.object)
    yield from permitted(old.object, new.object)
    if key.kind == "Sidecar" and action == "removed" and not facts.mesh_registry_only:
        yield from let_all(old.object)
    yield from weakened(key.kind, action, old.object, new.object, fields)
    if action == "moved":
        yield "replacement", f"it moves from stage {old.stage} to {new.stage}: Flux deletes it and makes it anew"
    yield from _renamed(key, action, facts)
    yield from replaced(key, action, old, fields, facts.project)
    yield from followed(key, action, old, fields, facts.project)


def _renamed(key: Key, action: str, facts: Facts) -> Iterator[Verdict]:
    others = facts.come if action == "removed" else facts.gone if action == "added" else frozenset()
    for kind, name in sorted(others):
        if kind == key.kind:
            was, now = (key.name, name) if action == "removed" else (name, key.name)
            yield "replacement", f"{kind} {was} becomes {now}: a second control plane is installed, the first one stays"
