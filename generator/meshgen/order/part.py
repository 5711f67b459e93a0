"""One stage in its place, looked through once: what it brings, and what the user's own objects in it need."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Stage
from meshgen.order.needs import needs_of
from meshgen.order.pods import runs_pods
from meshgen.order.sources import Index, makes_unseen, stage_sources
from meshgen.order.thing import Need, Thing
from meshgen.policy.reading import Map


class Part:
    """A stage in its place in the order; equal to itself only."""

    def __init__(self, stage: Stage, number: int, places: Places) -> None:
        self.stage, self.number, self._places = stage, number, places

    @cached_property
    def sources(self) -> Index:
        """What its objects bring."""
        return stage_sources(self.stage, self.number)

    @cached_property
    def things(self) -> frozenset[Thing]:
        """The names of what its objects bring."""
        return frozenset(self.sources)

    @cached_property
    def own(self) -> tuple[KubernetesObject, ...]:
        """The objects that the user wrote: those that there is something to say about."""
        return tuple(obj for obj in self.stage.objects if self._places.of(obj))

    @cached_property
    def needs(self) -> tuple[tuple[KubernetesObject, tuple[Need, ...]], ...]:
        """What each of the user's own objects needs."""
        # What is named in several places is needed once, as the first of them says.
        return tuple((obj, tuple(_first(needs_of(obj)))) for obj in self.own)

    @cached_property
    def unseen(self) -> bool:
        """Whether its objects make others that no tree shows."""
        return any(makes_unseen(obj) for obj in self.own)

    @cached_property
    def pods(self) -> tuple[tuple[KubernetesObject, Map], ...]:
        """Every object that keeps pods running, with their template."""
        return tuple((obj, template) for obj in self.stage.objects if (template := runs_pods(obj)))


def _first(needs: Iterable[Need]) -> Iterable[Need]:
    found: dict[Thing, Need] = {}
    for need in needs:
        found.setdefault(need.thing, need)
    return found.values()
