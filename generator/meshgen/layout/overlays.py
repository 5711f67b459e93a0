"""Computes bases and overlays: what is shared stands once, and every difference is a patch that a reviewer sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.stage import Memory, Stage
from meshgen.imagemarks import MarkedImage
from meshgen.layout.identity import Identity, identity
from meshgen.layout.images import ImageChanges, image_changes, marks
from meshgen.layout.kustomization import Directory
from meshgen.layout.patch import Patch, Unpatchable, deletion, difference
from meshgen.layout.values import same
from meshgen.sops import is_encrypted

KubernetesObject = dict[str, Any]
Objects = dict[Identity, KubernetesObject]


# (directory, object): what stays out of a directory, and stands whole in each one that stands on it.
KeptOut = frozenset[tuple[str, Identity]]


class MustStandWhole(Exception):
    """Objects of a directory that no patch can change as they would have to be, above it."""

    def __init__(self, ground: str, keys: tuple[Identity, ...]) -> None:
        self.objects: KeptOut = frozenset((ground, key) for key in keys)
        super().__init__(f"{', '.join(f'{key.kind} {key.name}' for key in keys)} of {ground} can't be patched")


@dataclass(frozen=True)
class Ground:
    """A directory that others may stand on, the objects that it builds, and the images among them that Flux moves."""

    path: str
    objects: Objects
    images: tuple[MarkedImage, ...] = ()


@dataclass
class Overlays:
    """The directories of all stages, each laid out once, as they are asked for."""

    kept_out: KeptOut = frozenset()
    directories: dict[str, Directory] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def base(self, path: str, stage: Stage) -> Ground:
        """The directory that environments share."""
        objects = self._shared(path, stage)
        images = self.memory.recall_same(marks, stage.images, objects)
        if objects:
            self.directories[path] = Directory(path, None, tuple(objects.values()), images=images)
        return Ground(path, objects, images)

    def overlay(self, path: str, ground: Ground, stage: Stage, *, shared: bool) -> Ground:
        """The directory of a stage that stands on another; `shared` where yet another may stand on it.

        Raises MustStandWhole for objects of the ground that can't be patched, or that are kept out of this directory.
        """
        objects = self._shared(path, stage) if shared else self.memory.recall(_by_identity, stage)
        kept = tuple(key for at, key in self.kept_out if at == path and key in ground.objects)
        resources, patches, whole = self.memory.recall_same(_differences, ground.objects, objects)
        images = self.memory.recall_same(marks, stage.images, objects)
        changed = ImageChanges()
        if images or ground.images:
            written = [*resources, *(patch for _, patch in patches)]
            changed = image_changes(ground.images, images, ground.objects, objects, written)
        if kept or whole or changed.whole:
            raise MustStandWhole(ground.path, (*kept, *whole, *changed.whole))
        if ground.objects or resources:
            below = ground.path if ground.objects else None
            self.directories[path] = Directory(path, below, resources, patches, changed.entries)
        return Ground(path, objects, images)

    def _shared(self, path: str, stage: Stage) -> Objects:
        kept_out = frozenset(key for at, key in self.kept_out if at == path)
        return self.memory.recall(_without, stage, kept_out) if kept_out else self.memory.recall(_by_identity, stage)


def _by_identity(stage: Stage) -> Objects:
    return {identity(obj).registered: obj for obj in stage.objects}


def _without(stage: Stage, kept_out: frozenset[Identity]) -> Objects:
    return {key: obj for key, obj in _by_identity(stage).items() if key not in kept_out}


_Patches = tuple[tuple[KubernetesObject, Patch], ...]


def _differences(
    lower: Mapping[Identity, KubernetesObject], upper: Mapping[Identity, KubernetesObject]
) -> tuple[tuple[KubernetesObject, ...], _Patches, tuple[Identity, ...]]:
    """New objects, a patch for each one that changed or is gone, and those that can't be patched."""
    patches: list[tuple[KubernetesObject, Patch]] = []
    whole: list[Identity] = []
    for key, below in lower.items():
        above = upper.get(key)
        if above is None:
            patches.append((below, deletion(below)))
        elif above is not below:
            try:
                patch = _patch(below, above)
            except Unpatchable:
                whole.append(key)
                continue
            if patch is not None:
                patches.append((below, patch))
    return tuple(obj for key, obj in upper.items() if key not in lower), tuple(patches), tuple(whole)


def _patch(below: KubernetesObject, above: KubernetesObject) -> Patch | None:
    if identity(above) != identity(below):
        raise Unpatchable(
            "the namespace `default`, written and not: one object to kustomize, which no patch can rename"
        )
    if (is_encrypted(above) or is_encrypted(below)) and not same(below, above):
        # A patch of ciphertext can't be read, and SOPS can neither decrypt nor edit what stands in two files.
        raise Unpatchable("what SOPS encrypted stands whole")
    return difference(below, above)
