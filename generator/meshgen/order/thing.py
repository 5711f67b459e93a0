"""The words of the order check: a thing that has to be there, the need of it, and what brings it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.layout.identity import CLUSTER_SCOPED
from meshgen.policy.reading import text

# What a need is for: `taken`, the API server refuses the object before; `ready`, the object has no healthy state
# before; `meshed`, its pods start before all the same, but without what they should have.
Purpose = Literal["taken", "ready", "meshed"]
KIND = "(kind)"
SIDECARS = "(sidecars)"


class Thing(NamedTuple):
    """Something that objects may need: an object, a kind (`KIND`, its name, its group), or `SIDECARS`.

    A kind without a name stands for all kinds of its group.
    """

    kind: str
    name: str = ""
    space: str = ""

    def __str__(self) -> str:
        if self.kind == SIDECARS:
            return "sidecar injection"
        if self.kind == KIND:
            return f"the kind {plain(self.name)} of {plain(self.space)}"
        return f"{self.kind} {plain(self.name)}"


@dataclass(frozen=True)
class Need:
    """What an object needs, what for, and where in it that is said."""

    thing: Thing
    purpose: Purpose
    at: tuple[str | int, ...] = ("metadata", "name")


@dataclass(frozen=True, eq=False)
class Source:
    """What brings a thing, in which stage.

    Where it `runs`, applying `by` is not enough: it has to be up. It is not `sure` where only its name tells what it
    brings. `words` name it where no object does.
    """

    stage: int
    by: KubernetesObject | None = None
    words: str = ""
    runs: bool = False
    sure: bool = True

    def __str__(self) -> str:
        return self.words or ("" if self.by is None else named(self.by))


def group_of(obj: KubernetesObject) -> str:
    """The group of an object's kind; the core API's is empty."""
    group, slash, _ = obj["apiVersion"].partition("/")
    return str(group) if slash else ""


def space_of(obj: KubernetesObject) -> str:
    """The namespace that an object stands in, `default` where it says none; empty for a kind known to stand in none."""
    if (group_of(obj), obj["kind"]) in CLUSTER_SCOPED:
        return ""
    return text(obj, "metadata", "namespace") or "default"


def thing_of(obj: KubernetesObject) -> Thing:
    """The thing that an object itself is."""
    return Thing(obj["kind"], obj["metadata"]["name"], space_of(obj))


def named(obj: KubernetesObject) -> str:
    """An object as messages name it."""
    space = text(obj, "metadata", "namespace")
    return f"{plain(obj['kind'])} {plain(obj['metadata']['name'])}" + (f" in {plain(space)}" if space else "")
