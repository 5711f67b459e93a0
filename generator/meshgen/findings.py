"""What is found on the way through a mesh, in the order and the words in which it is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from meshgen.build.stage import Remark
from meshgen.config.resolve import Cluster, Mesh
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.policy.verdict import Found, judge, unused_suppressions


class Findings:
    """Collects what is found on the way, each problem once however many clusters have it, as the policy wants it."""

    def __init__(self, mesh: Mesh, today: date | None = None, own: tuple[str, ...] = ()) -> None:
        self.mesh, self.today, self.own = mesh, today, own
        self._used: set[str] = set()
        self._clusters = sum(1 for _ in mesh.clusters)
        # The clusters that each finding holds for, none where it is about no cluster.
        self._found: dict[Finding, dict[str, None]] = {}
        # Findings whose position names their cluster.
        self._placed: set[Finding] = set()

    def add(self, cluster: Cluster, remarks: Iterable[Remark]) -> None:
        """Take remarks whose pointers lead into a cluster's settings."""
        for remark in self._judged(cluster, remarks):
            finding = (remark.document or cluster).finding(
                remark.rule,
                remark.message,
                remark.pointer,
                hint=remark.hint,
                severity=remark.severity,
                at_key=remark.at_key,
            )
            self._found.setdefault(finding, {})[cluster.name] = None

    def add_entry(self, cluster: Cluster, remarks: Iterable[Remark]) -> None:
        """Take remarks whose pointers lead into a cluster's own entry."""
        for remark in self._judged(cluster, remarks):
            said = remark.document.finding if remark.document else cluster.entry_finding
            finding = said(remark.rule, remark.message, remark.pointer, hint=remark.hint, severity=remark.severity)
            self._found.setdefault(finding, {})[cluster.name] = None
            if not remark.document:
                self._placed.add(finding)

    def _judged(self, cluster: Cluster, remarks: Iterable[Remark]) -> Iterable[Remark]:
        """The remarks as the cluster's policy wants them."""
        policy = cluster.settings.get("policy")
        if not policy:
            return remarks
        verdict = judge((Found(remark, cluster.name) for remark in remarks), policy, self.today)
        self._used |= verdict.used
        return [one.remark for one in verdict.findings]

    def add_whole(self, findings: Iterable[Finding]) -> None:
        """Take findings that have their position already."""
        self._found.update((finding, {}) for finding in findings)

    def add_unused(self) -> None:
        """Tell of suppressions that took nothing away on any cluster."""
        for cluster in self.mesh.clusters:
            policy = cluster.settings.get("policy")
            if policy:
                self.add(cluster, unused_suppressions([policy], frozenset(self._used), self.today))

    def all(self) -> tuple[Finding, ...]:
        """Everything found, in the order of the files; a message names the clusters where it holds for some only."""
        said = [self._said(finding, list(clusters)) for finding, clusters in self._found.items()]
        return tuple(sorted(said, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.rule)))

    def _said(self, finding: Finding, clusters: list[str]) -> Finding:
        message = finding.message
        if clusters and len(clusters) < self._clusters and finding not in self._placed:
            named = ", ".join(clusters) if len(clusters) <= 3 else f"{len(clusters)} of {self._clusters} clusters"
            message = f"{message} (on {named})"
        return replace(finding, message=message, clusters=tuple(clusters))

    def stop_at_errors(self) -> None:
        """Raise InputError where something is an error."""
        if any(finding.severity == "error" for finding in self._found):
            raise InputError(self.all())
