"""Says where a render takes an image from what Flux chose, or to it: the config's objects don't tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meshgen.build.imagepolicies import references
from meshgen.build.stage import Stage
from meshgen.finding import Finding
from meshgen.imagemarks import written
from meshgen.render import Rendering
from meshgen.tree.movedimages import FILE, images_of
from meshgen.tree.plan import Plan


@dataclass(frozen=True)
class ImageMove:
    """An image that a directory has at `old` on the disk and at `new` after a render; Flux chose one of them.

    `old` is None where nothing was set before; `by_flux` says that Flux chose it.
    """

    directory: str
    image: str
    old: str | None
    new: str
    by_flux: bool

    @property
    def title(self) -> str:
        """What becomes of the image, for where there is no room."""
        return f"{self.image} {self.old} -> {self.new}" if self.old else f"{self.image} at {self.new}"

    @property
    def text(self) -> str:
        """What becomes of the image."""
        if self.old is None:
            return f"{self.image} begins at {self.new}, where Flux moved it in another directory"
        if self.by_flux:
            return f"{self.image} leaves {self.old}, where Flux moved it, for {self.new}"
        return f"{self.image} leaves {self.old} for {self.new}, where Flux moved it in another directory"


def image_moves(rendering: Rendering, plan: Plan) -> dict[ImageMove, tuple[str, ...]]:
    """What a plan does to images that Flux moved, each with the clusters that the directory is applied to."""
    moves: dict[ImageMove, tuple[str, ...]] = {}
    if not plan.found:
        return moves
    wired = {path.rpartition("/")[0] for path in plan.owned}
    stages = {(one.cluster.name, stage.name): stage for one in rendering.built.clusters for stage in one.built.stages}
    # A cluster that is new leaves nothing.
    for cluster in (one for one in rendering.clusters if not wired.isdisjoint(one.wiring.values())):
        for stage in cluster.stages:
            own, shared = f"clusters/{cluster.name}/{stage.name}", f"environments/{cluster.environment}/{stage.name}"
            before = next((path for path in (own, shared) if f"{path}/{FILE}" in plan.found), None)
            if before and stage.path:
                for move in _moves(plan, before, stage.path, stages[cluster.name, stage.name]):
                    moves[move] = (*moves.get(move, ()), cluster.name)
    return moves


def findings_of(moves: dict[ImageMove, tuple[str, ...]], root: Path) -> tuple[Finding, ...]:
    """What there is to say of moves in the tree at `root`."""
    return tuple(
        Finding(
            "MG606",
            "info",
            move.text,
            file=str(root / move.directory / FILE),
            hint=f"where {move.old} is to stay, ask for it in the config" if move.old else None,
            clusters=clusters,
        )
        for move, clusters in moves.items()
    )


def _moves(plan: Plan, before: str, directory: str, stage: Stage) -> Iterator[ImageMove]:
    """What becomes of a stage's images that was built by the directory `before`."""
    was, now = images_of(before, plan.found.get), images_of(directory, plan.desired.get)
    by_flux, to_flux = ({name for name, place in places.items() if place.is_moved} for places in (was, now))
    if not (by_flux or to_flux):
        return
    there = references(stage.objects)
    for name in sorted((by_flux | to_flux) & there.keys()):
        old = written(was[name].at) if name in was else None
        new = ", ".join(sorted(map(written, [now[name].at] if name in now else there[name])))
        if old != new:
            yield ImageMove(directory, name, old, new, name in by_flux)
