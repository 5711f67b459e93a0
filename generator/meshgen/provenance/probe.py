"""Rebuilds one cluster with other settings, and looks at one field of one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from meshgen.build.istiooperator import install_method
from meshgen.build.manifests import Manifests, generated_key
from meshgen.build.stage import ISTIO, KubernetesObject, Memory, Remark
from meshgen.build.stages import Built, build, istioctl_input
from meshgen.check.settings import settings_remarks
from meshgen.config.resolve import Cluster
from meshgen.config.schema import is_valid
from meshgen.errors import MeshgenError
from meshgen.layout.values import same
from meshgen.provenance.edits import Edit, Tree, at_path, edited
from meshgen.provenance.field import Missing, Step, find
from meshgen.provenance.target import Target
from meshgen.yaml import NOWHERE

# What a build depends on beside the settings, under the names that the config has for it.
CLOUD, MESH = ("cloud",), ("metadata", "name")
REBUILDS = 150


@dataclass
class Budget:
    """How many rebuilds, and questions before them, may still be spent; a trace that wants more is incomplete."""

    rebuilds: int = REBUILDS
    questions: int = 600
    spent: int = 0
    short: bool = False

    def ask(self) -> bool:
        """Whether there is one more question; it is spent then."""
        self.questions -= 1
        self.short |= self.questions < 0
        return not self.short

    def rebuild(self) -> bool:
        """Whether there is one more rebuild; it is spent then."""
        self.short |= self.spent >= self.rebuilds
        self.spent += not self.short
        return not self.short


@dataclass(frozen=True)
class Seen:
    """What a build made of the field: `object` is None where it is gone, `value` NOWHERE where the field is."""

    object: KubernetesObject | None
    value: Any

    def differs(self, other: Seen) -> bool:
        """Whether another build made something else of it."""
        if (self.object is None) != (other.object is None) or (self.value is NOWHERE) != (other.value is NOWHERE):
            return True
        return self.value is not NOWHERE and not same(self.value, other.value)


@dataclass(frozen=True)
class Refusal:
    """No answer: these settings can't be. `pointers` lead to what was refused, as far as that is known."""

    pointers: tuple[str, ...] = ()


@dataclass
class Probe:
    """Asks what one field of one object is under other settings of a cluster."""

    tree: Tree
    target: Target
    steps: tuple[Step, ...]
    manifests: Manifests
    budget: Budget
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self._valid = _is_valid(self.tree)
        self._before = self._build(self.tree)
        self.now = self._look(self._before)

    def may_be(self, edits: list[Edit]) -> bool:
        """Whether the schema takes these edits."""
        return not self._valid or _is_valid(edited(self.tree, edits))

    def ask(self, edits: list[Edit]) -> Seen | Refusal:
        """What the field is with these edits, or what stands against them where no valid config says so."""
        if not self.budget.ask() or not self.may_be(edits):
            return Refusal()
        tree = edited(self.tree, edits)
        try:
            if refused := _errors(settings_remarks(_settings(tree), self.memory)):
                return Refusal(refused)
            if not self._is_generated(tree) or not self.budget.rebuild():
                return Refusal()
            built = self._build(tree)
        except MeshgenError:
            return Refusal()
        # What is refused stays closed, which is nothing that a config could say.
        refused = _errors(built.remarks)
        return Refusal(refused) if refused else self._look(built)

    def _build(self, tree: Tree) -> Built:
        return build(tree["metadata"]["name"], _settings(tree), (tree["cloud"],), self.manifests, self.memory)

    def _is_generated(self, tree: Tree) -> bool:
        """Whether what istioctl makes of these settings is known: no trace runs it."""
        settings = _settings(tree)
        if install_method(settings["istio"]) != "manifests":
            return True
        resource = istioctl_input(tree["metadata"]["name"], settings, (tree["cloud"],), self.memory)
        return generated_key(settings["istio"]["version"], resource) in self.manifests.generated

    def _look(self, built: Built) -> Seen:
        obj = self.target.again(self._before, built)
        path = find(obj, self.steps) if obj is not None else ()
        return Seen(obj, NOWHERE if isinstance(path, Missing) else at_path(obj, path) if obj is not None else NOWHERE)


def tree_of(mesh: str, cluster: Cluster) -> Tree:
    """All that a cluster's objects depend on, as one tree."""
    return {**cluster.settings, "metadata": {"name": mesh}, "cloud": cluster.cloud}


def _settings(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if key not in ("metadata", "cloud")}


def _is_valid(tree: Tree) -> bool:
    clouds = ("azure", "aws", "gcp", "generic")
    document = {"apiVersion": "meshgen.dev/v1", "kind": "Mesh", "metadata": tree["metadata"], **_settings(tree)}
    return tree["cloud"] in clouds and is_valid(document, "mesh")


def _errors(remarks: Iterable[Remark]) -> tuple[str, ...]:
    return tuple(remark.pointer for remark in remarks if remark.severity == "error")


def known_manifests(mesh: str, cluster: Cluster, built: Built, own: Manifests) -> Manifests:
    """What no builder makes, as the cluster's own build got it."""
    generated = {}
    if install_method(cluster.settings["istio"]) == "manifests":
        resource = istioctl_input(mesh, cluster.settings, (cluster.cloud,), Memory())
        made = tuple(obj for stage in built.stages if stage.name == ISTIO for obj in stage.objects)
        generated[generated_key(cluster.settings["istio"]["version"], resource)] = made
    return replace(own, generated=generated)
