"""What follows from a change of Flux's and Argo CD's own objects: what is applied, from where, and what is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.delivery.argocd import KEPT as KEPT_BY_ARGOCD
from meshgen.delivery.flux import KEPT as KEPT_BY_FLUX
from meshgen.delivery.fluxhub import flux_of
from meshgen.diff.fields import Field
from meshgen.diff.objects import CLUSTER, Key, Placed
from meshgen.diff.reach import Verdict
from meshgen.diff.sides import SideCluster

_SOURCES = {"url", "ref", "repoURL", "targetRevision", "sourceRepos", "secretRef"}
_UNAPPLIED = "nothing applies the stage any more"
_HOW = "it changes how stages are applied, not what"
_FOLLOWS = "goes on with the stages that it shares with its environment, and deletes there what leaves them"
# How what applies a cluster is taken away without what it applied.
_LEFT = {
    "Kustomization": ": suspend it first, for else it takes along what it applied",
    "Application": ": with `argocd app delete --cascade=false`, which leaves what it applied",
    "ApplicationSet": ": with `kubectl delete --cascade=orphan`, which leaves its Applications",
}


def left_alone(old: SideCluster, new: SideCluster) -> frozenset[str]:
    """The engines that delete nothing of a cluster's old wiring, whatever leaves it."""
    return frozenset(engine for engine in old.homes if not _deletes(engine, old, new))


def left_behind(old: SideCluster, directories: frozenset[str]) -> str:
    """What becomes of a cluster that leaves the fleet; `directories` are those of the stages that are still there.

    What applies a stage looks at the directory of the stage, which may be its environment's.
    """
    if any(_is_foreign(engine, old) for engine in old.homes):
        return "what applies its wiring may delete the stages, with what they applied: suspend its Kustomizations first"
    if old.homes and old.directories & directories:
        return "; ".join(_goes_on(engine, old) for engine in old.homes)
    return "its stages leave the tree: no commit reaches it any more, and what runs there stays as it is"


def _goes_on(engine: str, old: SideCluster) -> str:
    if engine == "flux":
        return f"Flux {_FOLLOWS}: suspend its Kustomizations first, then delete them"
    how = "delete its Applications with --cascade=false"
    if old.cluster.settings["delivery"][engine].get("applicationSet"):
        return f"nothing deletes its Applications, and a sync {_FOLLOWS.replace('goes on', 'may go on')}: {how}"
    return f"Argo CD {_FOLLOWS}: {how}"


def _is_foreign(engine: str, old: SideCluster) -> bool:
    """Whether a Flux wiring does not apply itself: it may be part of what a Kustomization of the user's own prunes."""
    said = old.cluster.settings["delivery"][engine]
    return engine == "flux" and said.get("selfManaged") is False and flux_of(old.cluster) is None


def _deletes(engine: str, old: SideCluster, new: SideCluster) -> bool:
    """Whether something deletes what leaves the wiring: a root does, unless its whole directory leaves the tree."""
    if _is_foreign(engine, old):
        return True
    said = old.cluster.settings["delivery"][engine]
    stays = new.homes.get(engine) == old.homes[engine]
    return stays and said.get("prune") is not False and not said.get("applicationSet")


def rewired(key: Key, action: str, old: Placed, fields: tuple[Field, ...], alone: frozenset[str]) -> Iterator[Verdict]:
    """What follows; one verdict at least."""
    if action == "added":
        yield "cosmetic", "it is new, so nothing that runs reads it yet"
    elif action == "removed":
        yield _removed(key, old.object, alone)
    else:
        yield from (_field(key, one) for one in fields)
        if not fields:
            yield "cosmetic", "none of its fields that are read changes"


def _removed(key: Key, obj: dict[str, Any], alone: frozenset[str]) -> Verdict:
    if key.space in alone or _outlives(key, obj):
        harmless = key.kind == "Kustomization" and not obj["spec"].get("prune")
        how = "" if harmless else _LEFT.get(key.kind, "")
        return "cosmetic", f"nothing deletes it, so it stays until you delete it{how}"
    if key.kind == "Kustomization":
        pruned = (obj.get("spec") or {}).get("prune")
        return "replacement", "Flux deletes what the stage applied" if pruned else _UNAPPLIED
    if key.kind == "Application":
        cascades = obj["metadata"].get("finalizers")
        return "replacement", "its root deletes it, and Argo CD what it applied" if cascades else _UNAPPLIED
    return "restart", "its users miss it"


def _outlives(key: Key, obj: dict[str, Any]) -> bool:
    """Whether it is marked to stay, or stands where nothing is ever deleted: above the clusters."""
    marks = (obj["metadata"].get("annotations") or {}).items()
    above = key.name.endswith((CLUSTER, f"{CLUSTER}.root")) or ("." in key.name and CLUSTER not in key.name)
    return above or not marks.isdisjoint({*KEPT_BY_FLUX.items(), *KEPT_BY_ARGOCD.items()})


def _field(key: Key, one: Field) -> Verdict:
    path = one.path
    if path[0] == "metadata":
        return "cosmetic", _HOW
    if path[-1] == "targetRevision" and "[0]" in path:
        # The first of an Application's sources is its chart, the second the repository with its values.
        return "restart", "another version of the chart is installed"
    if _SOURCES & set(path):
        return "security", "the cluster takes its objects from another source"
    if key.kind == "AppProject":
        return "cosmetic", "it changes what Argo CD may apply; what it does apply is compared by itself"
    return _setting(one)


def _setting(one: Field) -> Verdict:
    key = one.path[-1]
    if key == "prune" and one.new is True:
        return "replacement", "what leaves the tree is deleted from now on"
    if key in ("server", "destination"):
        return "replacement", "the objects go to another cluster or namespace"
    if key == "suspend" and one.new is True:
        return "traffic", "nothing is applied while it is suspended"
    return "cosmetic", _HOW
