"""Says each change once, and for which clusters it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from meshgen.diff.change import RISKS, Change, Group
from meshgen.diff.objects import Key

# As many names as a line holds.
_FEW = 3


def grouped(changes: Mapping[str, Sequence[Change]], environments: Mapping[str, Sequence[str]]) -> tuple[Group, ...]:
    """The changes of all clusters, riskiest first; `changes` has every cluster that both sides have."""
    first: dict[str, Change] = {}
    holders: dict[str, list[str]] = {}
    by_object: dict[Key, dict[str, None]] = {}
    for cluster, found in changes.items():
        for change in found:
            first.setdefault(change.content, change)
            holders.setdefault(change.content, []).append(cluster)
            by_object.setdefault(change.key, {})[cluster] = None
    there = {name: tuple(one for one in clusters if one in changes) for name, clusters in environments.items()}
    groups = [_group(first[content], clusters, by_object, changes, there) for content, clusters in holders.items()]
    return tuple(sorted(groups, key=_order))


def _group(
    change: Change,
    clusters: Sequence[str],
    by_object: Mapping[Key, Iterable[str]],
    every: Mapping[str, object],
    environments: Mapping[str, Sequence[str]],
) -> Group:
    holds = set(clusters)
    differing = tuple(one for one in by_object[change.key] if one not in holds)
    return Group(change, tuple(clusters), differing, _where(clusters, differing, tuple(every), environments))


def _where(
    clusters: Sequence[str], differing: Sequence[str], every: Sequence[str], environments: Mapping[str, Sequence[str]]
) -> str:
    """Which clusters these are, in words."""
    if len(every) == 1:
        return f"cluster {clusters[0]}"
    if len(clusters) == len(every):
        return f"all {len(every)} clusters"
    holds = set(clusters)
    whole = [name for name, inside in environments.items() if inside and holds.issuperset(inside)]
    if len(whole) <= _FEW and sum(len(environments[name]) for name in whole) == len(clusters) > _FEW:
        return f"all {len(clusters)} clusters of {', '.join(whole)}" + _others(differing, "differ")
    if len(clusters) <= _FEW:
        return f"{', '.join(clusters)}" + _others(differing, "differ")
    others = [one for one in every if one not in holds]
    without = [one for one in others if one not in set(differing)]
    text = f"{len(clusters)} of {len(every)} clusters" + _others(differing, "differ")
    return text + (_others(without, "do not have it") if len(without) <= _FEW else "")


def _others(clusters: Sequence[str], verb: str) -> str:
    if not clusters:
        return ""
    named = ", ".join(clusters[:_FEW]) + ", …" * (len(clusters) > _FEW)
    if len(clusters) == 1:
        verb = {"differ": "differs", "do not have it": "does not have it"}[verb]
    return f"; {len(clusters)} {verb}: {named}"


def _order(group: Group) -> tuple[int, int, str, Key, str]:
    """By risk, then what holds for most clusters, then by stage and name."""
    change = group.change
    return RISKS.index(change.risk), -len(group.clusters), change.stage or "", change.key, change.content
