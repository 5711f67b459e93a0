"""Computes bases and overlays: what is shared stands once, and every difference is a patch that a reviewer sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.stage import Memory, Stage
from meshgen.layout.identity import Identity, identity
from meshgen.layout.kustomization import Directory
from meshgen.layout.patch import Patch, Unpatchable, deletion, difference

KubernetesObject = dict[str, Any]
Objects = dict[Identity, KubernetesObject]


class MustStandWhole(Exception):
    """An object of a stage that no patch can change as it would have to be."""

    def __init__(self, stage: str, key: Identity) -> None:
        self.object = (stage, key)
        super().__init__(f"{key.kind} {key.name} of stage {stage} can't be patched")


@dataclass(frozen=True)
class Ground:
    """A directory that others may stand on, and the objects that it builds."""

    path: str
    objects: Objects


@dataclass
class Overlays:
    """The directories of all stages, each laid out once, as they are asked for.

    `kept_out` are (stage, object) pairs that no patch can change as it would have to be: they stay out of what lies
    below and stand whole in each overlay.
    """

    kept_out: frozenset[tuple[str, Identity]] = frozenset()
    directories: dict[str, Directory] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def base(self, path: str, stage: Stage) -> Ground:
        """The directory that environments share."""
        objects = self._shared(stage)
        if objects:
            self.directories[path] = Directory(path, None, tuple(objects.values()))
        return Ground(path, objects)

    def overlay(self, path: str, ground: Ground, stage: Stage, *, shared: bool) -> Ground:
        """The directory of a stage that stands on another; `shared` where yet another may stand on it.

        Raises MustStandWhole for an object that can't be patched.
        """
        objects = self._shared(stage) if shared else self.memory.recall(_by_identity, stage)
        resources, patches = self.memory.recall_same(_differences, stage.name, ground.objects, objects)
        if ground.objects or resources:
            below = ground.path if ground.objects else None
            self.directories[path] = Directory(path, below, resources, patches)
        return Ground(path, objects)

    def is_whole(self, stage: Stage) -> bool:
        """Whether a shared directory of this stage holds all of its objects."""
        return not self.kept_out or len(self._shared(stage)) == len(stage.objects)

    def _shared(self, stage: Stage) -> Objects:
        objects = self.memory.recall(_by_identity, stage)
        return self.memory.recall(_without, stage, self.kept_out) if self.kept_out else objects


def _by_identity(stage: Stage) -> Objects:
    return {identity(obj).registered: obj for obj in stage.objects}


def _without(stage: Stage, kept_out: frozenset[tuple[str, Identity]]) -> Objects:
    return {key: obj for key, obj in _by_identity(stage).items() if (stage.name, key) not in kept_out}


def _differences(
    stage: str, lower: Mapping[Identity, KubernetesObject], upper: Mapping[Identity, KubernetesObject]
) -> tuple[tuple[KubernetesObject, ...], tuple[tuple[KubernetesObject, Patch], ...]]:
    """New objects, and a patch for each one that changed or is gone."""
    patches: list[tuple[KubernetesObject, Patch]] = []
    for key, below in lower.items():
        above = upper.get(key)
        if above is None:
            patches.append((below, deletion(below)))
        elif above is not below:
            if identity(above) != identity(below):
                # The namespace `default`, written and not: one object to kustomize, which no patch can rename.
                raise MustStandWhole(stage, key)
            try:
                patch = difference(below, above)
            except Unpatchable as error:
                raise MustStandWhole(stage, key) from error
            if patch is not None:
                patches.append((below, patch))
    return tuple(obj for key, obj in upper.items() if key not in lower), tuple(patches)
