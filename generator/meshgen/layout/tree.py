"""Lays a whole mesh out: bases, environments, clusters, and for each cluster the directories that are applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.stage import Stage
from meshgen.build.stages import Built
from meshgen.layout.overlays import Ground, KeptOut, MustStandWhole, Overlays
from meshgen.yaml import emit

KubernetesObject = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Something that has stages: a base, an environment or a cluster, and the key of the base that it stands on."""

    name: str
    built: Built
    base: str


@dataclass
class Layout:
    """The files of all stages, and by cluster the (stage, directory) pairs in the order in which they are applied."""

    files: dict[str, str] = field(default_factory=dict)
    paths: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    istioctl_inputs: dict[str, str] = field(default_factory=dict)


def lay_out(bases: Mapping[str, Built], environments: Sequence[tuple[Part | None, Sequence[Part]]]) -> Layout:
    """Give the tree of all stages.

    `environments` holds for each environment what its clusters share (None where they share no base) and the clusters.
    A cluster of another minor or install method than its environment stands on a base of its own.
    """
    kept_out: KeptOut = frozenset()
    while True:
        try:
            return _lay_out(bases, environments, Overlays(kept_out))
        except MustStandWhole as error:
            # Few objects need this, and those of a directory come at once: laying all out anew is cheap enough.
            kept_out |= error.objects


def _lay_out(
    bases: Mapping[str, Built], environments: Sequence[tuple[Part | None, Sequence[Part]]], overlays: Overlays
) -> Layout:
    layout = Layout()
    grounds = {
        (key, stage.name): overlays.base(f"base/{key}/{stage.name}", stage)
        for key, built in bases.items()
        for stage in _with_objects(built)
    }
    for environment, clusters in environments:
        shared: dict[str, Ground] = {}
        for stage in _with_objects(environment.built) if environment else ():
            assert environment is not None
            ground = grounds.get((environment.base, stage.name), _NOTHING)
            shared[stage.name] = overlays.overlay(
                f"environments/{environment.name}/{stage.name}", ground, stage, shared=True
            )
        for cluster in clusters:
            layout.paths[cluster.name] = tuple(
                (stage.name, _directory(overlays, grounds, shared, environment, cluster, stage))
                for stage in _with_objects(cluster.built)
            )
            _istioctl_input(layout, environment, cluster)
    for directory in overlays.directories.values():
        layout.files.update(directory.files(overlays.memory))
    return layout


_NOTHING = Ground("", {})


def _directory(
    overlays: Overlays,
    grounds: Mapping[tuple[str, str], Ground],
    shared: Mapping[str, Ground],
    environment: Part | None,
    cluster: Part,
    stage: Stage,
) -> str:
    """The directory that builds a cluster's stage: its environment's, or one of its own where it differs."""
    path = f"clusters/{cluster.name}/{stage.name}"
    if environment is None or environment.base != cluster.base:
        ground = grounds.get((cluster.base, stage.name), _NOTHING)
    else:
        ground = shared.get(stage.name, _NOTHING)
        if _stage(environment.built, stage.name) is stage and len(ground.objects) == len(stage.objects):
            return ground.path
        alike = ground.objects and list(ground.objects.values()) == list(stage.objects)
        if alike and ground.images == stage.images:
            return ground.path
    return overlays.overlay(path, ground, stage, shared=False).path


def _with_objects(built: Built) -> Iterator[Stage]:
    """The stages that have a directory: there is none where nothing is, or where Argo CD installs charts instead."""
    return (stage for stage in built.stages if stage.objects)


def _stage(built: Built, name: str) -> Stage | None:
    return next((stage for stage in built.stages if stage.name == name), None)


def _istioctl_input(layout: Layout, environment: Part | None, cluster: Part) -> None:
    """From 1.24 on an IstioOperator is istioctl's input: it stands beside the stages, where nothing applies it."""
    resource = cluster.built.istioctl_input
    if resource is None:
        return
    path = f"clusters/{cluster.name}/istioctl/istiooperator.yaml"
    if environment is not None and environment.built.istioctl_input == resource:
        path = f"environments/{environment.name}/istioctl/istiooperator.yaml"
    if path not in layout.files:
        layout.files[path] = emit(resource)
    layout.istioctl_inputs[cluster.name] = path
