"""The charts of the addons: which, where from, and how their values are called at each version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from meshgen.catalog import Version, at_version, load_facts, minor_key


@dataclass(frozen=True, eq=False)
class AddonChart:
    """The facts of one addon's chart.

    `versions` maps an Istio minor to the chart's version from which its sample was made, or that runs what it runs.
    `known` are ranges of versions, both ends included, whose values were read. `image_of_sample` says that the chart's
    own image is another than the sample's.
    """

    chart: str
    repository: str
    origin: str
    versions: Mapping[str, str]
    known: tuple[tuple[Version, Version], ...]
    image_of_sample: bool
    shapes: tuple[dict[str, Any], ...]

    def knows(self, version: Version) -> bool:
        """Whether the values at that version of the chart are those that `shape` gives."""
        return any(first <= version <= last for first, last in self.known)

    def shape(self, version: Version) -> dict[str, Any]:
        """How values are called at a version of the chart: a copy, with the keys that `sources` tells of.

        A version that was not read has the shape of the one before it, or of the first.
        """
        at = max(version, self.known[0][0])
        shape: dict[str, Any] = at_version(list(self.shapes), at)[0]
        return shape

    def alike(self, version: Version) -> str:
        """The newest Istio minor whose sample is of that version of the chart or an older one; else the oldest."""
        older = [minor for minor, of_sample in self.versions.items() if Version.parse(of_sample) <= version]
        return max(older or (min(self.versions, key=minor_key),), key=minor_key)


@cache
def addon_chart(name: str) -> AddonChart:
    """Give the facts of an addon's chart; an addon without one is a KeyError."""
    facts = load_facts("addon_charts")["charts"][name]
    return AddonChart(
        chart=facts["chart"],
        repository=facts["repository"],
        origin=facts["origin"],
        versions=facts["versions"],
        known=tuple((Version.parse(first), Version.parse(last)) for first, last in facts["known"]),
        image_of_sample=facts.get("imageOfSample", False),
        shapes=tuple(facts["shapes"]),
    )
