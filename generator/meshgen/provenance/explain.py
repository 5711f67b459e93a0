"""The whole story: which clusters are asked for, what each of them has at the field, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as File

from meshgen.build.manifests import Manifests
from meshgen.build.stage import Memory
from meshgen.config.manifests import read_manifests
from meshgen.config.problems import guess
from meshgen.config.resolve import Cluster
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.layout.tree import Layout
from meshgen.provenance.absent import no_field
from meshgen.provenance.answer import Answer, Setting, grouped
from meshgen.provenance.builtin import BuiltIn, built_in
from meshgen.provenance.carrier import carriers, removers
from meshgen.provenance.field import Missing, Path, Step, find, parse, written
from meshgen.provenance.layers import Statement, statements, taken
from meshgen.provenance.probe import REBUILDS, Budget, Probe, known_manifests, tree_of
from meshgen.provenance.secrecy import of_object, of_setting
from meshgen.provenance.target import Target, select, unmatched
from meshgen.provenance.trace import Influence, Trace, trace
from meshgen.render import BuiltCluster, BuiltMesh, build_mesh, layout_of
from meshgen.yaml import NOWHERE

# Beyond this many rebuilds, clusters are asked only for what those before them depend on: a mesh may have a thousand.
FIRST_REBUILDS = 600
ALL_REBUILDS = 2400


def explain(config: File, selector: str, asked_field: str, cluster: str | None = None) -> tuple[Answer, ...]:
    """Say where a field of an object comes from in a cluster, or in all of them, alike ones together.

    Raises InputError for a cluster, an object or a field that is not there, with what is there instead.
    """
    steps = parse(asked_field)
    question = _Question.of(build_mesh(config), selector, steps)
    asked = _asked(question.mesh, cluster)
    answers = [answer for one in asked if (answer := question.answer(one)) is not None]
    if not answers:
        raise InputError([unmatched(selector, [one.built for one in asked])])
    if not any(_says_something(answer) for answer in answers):
        raise InputError([no_field(question.target_in(asked), steps, answers[0])])
    return grouped(answers)


def _says_something(answer: Answer) -> bool:
    return answer.value is not NOWHERE or any(one.role == "takes away" for one in answer.settings)


def _asked(mesh: BuiltMesh, name: str | None) -> list[BuiltCluster]:
    clusters = list(mesh.clusters)
    names = [one.cluster.name for one in clusters]
    if name is not None and name not in names:
        raise InputError([Finding("MG701", "error", f'there is no cluster "{name}"', hint=guess(name, names))])
    return [one for one in clusters if name in (None, one.cluster.name)]


@dataclass
class _Question:
    """What is asked of each cluster, and what the answers share."""

    mesh: BuiltMesh
    selector: str
    steps: tuple[Step, ...]
    manifests: Manifests
    layout: Layout
    memory: Memory
    known: dict[str, tuple[Probe, Trace]] = field(default_factory=dict)
    among: set[Path] = field(default_factory=set)
    spent: int = 0

    @classmethod
    def of(cls, mesh: BuiltMesh, selector: str, steps: tuple[Step, ...]) -> _Question:
        return cls(mesh, selector, steps, read_manifests(mesh.mesh), layout_of(mesh), Memory())

    def target_in(self, clusters: Sequence[BuiltCluster]) -> Target:
        """The object in the first of these clusters that has it."""
        found = (select(one.built, self.selector) for one in clusters)
        return next(target for target in found if target is not None)

    def answer(self, one: BuiltCluster) -> Answer | None:
        """What holds in one cluster; None where the object is not there, and no null is why."""
        target = select(one.built, self.selector)
        elsewhere = target or self._elsewhere()
        if elsewhere is None:
            return None
        probe, found = self._traced(one, elsewhere)
        if target is None and not any(influence.role == "takes away" for influence in found.influences):
            return None
        return self._told(one.cluster, probe, target, found)

    def _elsewhere(self) -> Target | None:
        """The object as another cluster, or a base, has it."""
        builds = [*(one.built for one in self.mesh.clusters), *self.mesh.bases.values()]
        return next((target for built in builds if (target := select(built, self.selector)) is not None), None)

    def _traced(self, one: BuiltCluster, target: Target) -> tuple[Probe, Trace]:
        """What the field depends on; asked once of clusters that are the same in all."""
        back = taken(one.cluster)
        key = repr((one.cluster.cloud, one.cluster.settings, target, back))
        if key not in self.known:
            probe = self._probe(one, target)
            # The first clusters are asked for everything, the others for what those depend on.
            is_first = self.spent < FIRST_REBUILDS
            found = trace(probe, back, None if is_first else self.among)
            self.spent += probe.budget.spent
            probe.budget.short |= not is_first
            self.among |= {*found.unset, *(influence.path for influence in found.influences)}
            self.known[key] = probe, found
        return self.known[key]

    def _probe(self, one: BuiltCluster, target: Target) -> Probe:
        name = self.mesh.mesh.name
        manifests = known_manifests(name, one.cluster, one.built, self.manifests)
        budget = Budget(min(REBUILDS, max(ALL_REBUILDS - self.spent, 0)))
        return Probe(tree_of(name, one.cluster), target, self.steps, manifests, budget, self.memory)

    def _told(self, cluster: Cluster, probe: Probe, target: Target | None, found: Trace) -> Answer:
        path = find(probe.target.object, self.steps)
        there = path if isinstance(path, tuple) else _said(path, self.steps)
        own = built_in(cluster, probe.target, there, found, self.manifests)
        obj = probe.target.object
        return Answer(
            clusters=(cluster.name,),
            object=probe.target.name,
            field=written(there),
            stage=probe.target.stage,
            value=of_object(obj, there, probe.now.value),
            has_object=target is not None,
            files={cluster.name: self._files(cluster, probe, there, target)},
            built_in=own and BuiltIn(of_object(obj, there, own.value), own.source),
            settings=tuple(_setting(cluster, one) for one in found.influences),
            unset=tuple(written(one) for one in found.unset),
            is_complete=not probe.budget.short,
        )

    def _files(self, cluster: Cluster, probe: Probe, path: Path, target: Target | None) -> tuple[str, ...]:
        if target is None:
            return removers(self.layout, cluster.name, probe.target, ())
        if probe.now.value is NOWHERE:
            return removers(self.layout, cluster.name, target, path)
        return carriers(self.layout, cluster.name, target, path)


def _said(missing: Missing, steps: tuple[Step, ...]) -> Path:
    """The path of a field that is not there, as far as it can be one."""
    rest = steps[len(missing.path) :]
    return (*missing.path, *(step for step in rest if isinstance(step, str | int)))


def _setting(cluster: Cluster, influence: Influence) -> Setting:
    said = statements(cluster, influence.path)
    return Setting(written(influence.path), influence.role, tuple(_kept(cluster, influence.path, one) for one in said))


def _kept(cluster: Cluster, path: Path, one: Statement) -> Statement:
    value = of_setting(cluster.settings, path, one.value)
    return Statement(one.file, one.line, one.column, value, one.own, one.wins)
