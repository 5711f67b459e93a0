"""The values that a comparison is made of: changes, groups of clusters, and the whole difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from meshgen.config.resolve import Mesh
from meshgen.diff.objects import Key
from meshgen.finding import Finding

Risk = Literal["exposure", "security", "replacement", "restart", "traffic", "cosmetic"]
# Riskiest first.
RISKS: tuple[Risk, ...] = ("exposure", "security", "replacement", "restart", "traffic", "cosmetic")
# What no report leaves out.
HIGH: tuple[Risk, ...] = ("exposure", "security", "replacement")


@dataclass(frozen=True)
class FieldChange:
    """A field as it may be shown: no value is a secret. `lines` are those of a text that differ, each with its sign."""

    path: str
    action: str
    old: Any = None
    new: Any = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Change:
    """What becomes of one object: `added`, `removed`, `changed`, or `moved` from one stage to another.

    `reasons` are those of its risk, in words; `content` is equal for changes that are the same.
    """

    key: Key
    action: str
    old_stage: str | None
    new_stage: str | None
    fields: tuple[FieldChange, ...]
    risk: Risk
    reasons: tuple[str, ...]
    content: str

    @property
    def stage(self) -> str | None:
        """The stage that has it now, or had it."""
        return self.old_stage if self.action == "removed" else self.new_stage


@dataclass(frozen=True)
class Group:
    """One change and the clusters that it holds for; `differing` change the same object otherwise.

    `where` says it in words.
    """

    change: Change
    clusters: tuple[str, ...]
    differing: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class FleetChange:
    """An environment or a cluster that came (`added`), went (`removed`), or changed its environment (`moved`)."""

    kind: Literal["environment", "cluster"]
    action: Literal["added", "removed", "moved"]
    name: str
    risk: Risk
    reason: str
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """All that differs between two sides, riskiest first; `total` counts the clusters that both have."""

    old: str
    new: str
    total: int
    fleet: tuple[FleetChange, ...]
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    mesh: Mesh | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the sides are the same."""
        return not self.fleet and not self.groups

    @property
    def risks(self) -> dict[Risk, int]:
        """How many changes there are of each risk."""
        found = [*(one.risk for one in self.fleet), *(one.change.risk for one in self.groups)]
        return {risk: found.count(risk) for risk in RISKS}

    def reaches(self, risk: Risk) -> bool:
        """Whether a change is of this risk or of a worse one."""
        return any(self.risks[one] for one in RISKS[: RISKS.index(risk) + 1])


def worst(risks: Iterable[Risk]) -> Risk:
    """The riskiest of some; `cosmetic` where there are none."""
    return min(risks, key=RISKS.index, default="cosmetic")
