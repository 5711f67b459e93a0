"""The whole story of a comparison: two configs in, what differs between their objects out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshgen.config.problems import guess
from meshgen.diff.change import RISKS, Difference
from meshgen.diff.compare import Comparer
from meshgen.diff.fleet import fleet_changes
from meshgen.diff.group import grouped
from meshgen.diff.sides import Side, read_both
from meshgen.diff.sources import sources
from meshgen.errors import InputError
from meshgen.finding import Finding


def diff(argument: str | None, config: Path, *, clusters: Sequence[str] = ()) -> Difference:
    """Compare what `argument` names with the config, or the two revisions that it names.

    Raises InputError with the findings of both sides where one has errors, and where no such revision, config or
    cluster is there; EnvironmentFailure without Git or a repository.
    """
    return compare(*read_both(*sources(argument, config)), clusters=clusters)


def compare(old: Side, new: Side, *, clusters: Sequence[str] = ()) -> Difference:
    """What differs between two sides; of the clusters named, where some are."""
    _known(clusters, old, new)
    both = [name for name in new.clusters if name in old.clusters and (not clusters or name in clusters)]
    comparer = Comparer()
    changes = {name: comparer.changes(old.clusters[name], new.clusters[name]) for name in both}
    fleet = sorted(fleet_changes(old, new, clusters), key=lambda one: RISKS.index(one.risk))
    return Difference(
        old=old.name,
        new=new.name,
        total=len(both),
        fleet=tuple(fleet),
        groups=grouped(changes, new.environments),
        findings=_new_findings(old, new),
        notes=() if old.mesh else (f"{old.name} has no such config, so all of it is new",),
        mesh=new.mesh,
    )


def _known(clusters: Sequence[str], old: Side, new: Side) -> None:
    known = [*dict.fromkeys((*new.clusters, *old.clusters))]
    findings = [
        Finding("MG701", "error", f'no cluster is called "{name}" on either side', hint=guess(name, known))
        for name in clusters
        if name not in known
    ]
    if findings:
        raise InputError(findings)


def _new_findings(old: Side, new: Side) -> tuple[Finding, ...]:
    """The warnings that the new side has and the old one had not."""
    said = {(one.rule, one.message) for one in old.findings}
    return tuple(one for one in new.findings if (one.rule, one.message) not in said)
