"""A cluster as the order check sees it: its stages in their order, and what brings a thing first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meshgen.build.istiooperator import install_method, namespace
from meshgen.build.manifests import Places
from meshgen.build.stage import ISTIO, OPERATOR, KubernetesObject, Memory, Stage
from meshgen.catalog import Version, minor_key
from meshgen.delivery.wiring import deployments
from meshgen.order.part import Part
from meshgen.order.thing import KIND, SIDECARS, Source, Thing, space_of
from meshgen.policy.injection import reads_words
from meshgen.policy.reading import Map, mapping, selects
from meshgen.values import value_at

# What every cluster has.
_GIVEN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
# istiod writes it to every namespace.
_ROOT_CERTIFICATE = "istio-ca-root-cert"
# From these on istiod makes sidecars that end with their pod, unless it is told otherwise.
_NATIVE_SINCE, _NATIVE_ON = Version.parse("1.27.0"), (1, 33)
NATIVE_SWITCH = "ENABLE_NATIVE_SIDECARS"


@dataclass(frozen=True)
class Running:
    """A Service, the pods behind it, and the stage from which on they can answer."""

    stage: int
    service: KubernetesObject
    pods: KubernetesObject | None


class Scene:
    """A cluster's stages in their order, with its settings; `kubernetes` is its version.

    Scenes are equal where the check can't tell them apart, so that of many clusters few are looked at.
    """

    def __init__(self, mesh: str, parts: tuple[Part, ...], settings: dict[str, Any], kubernetes: str) -> None:
        self.mesh, self.parts, self.settings, self.kubernetes = mesh, parts, settings, kubernetes
        self._found: dict[Thing, Source | None] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scene) and self._face == other._face

    def __hash__(self) -> int:
        return hash(self._face)

    @cached_property
    def _face(self) -> tuple[Any, ...]:
        """Everything that the check asks of a scene."""
        asking = any(obj["kind"].endswith("WebhookConfiguration") for _, obj in self.own)
        parts = tuple(
            part if asking or part.own or part.pods else (part.stage.name, part.things) for part in self.parts
        )
        of_istio = tuple(source and (source.stage, source.words) for source in (self._istiod, self._crds))
        delivery = json.dumps(self.settings.get("delivery"), default=str)
        sidecars = (self.revisions, self.reads_words, self.native_sidecars)
        return (self.mesh, self.kubernetes, parts, of_istio, delivery, self.home, *sidecars)

    def stage(self, number: int) -> str:
        """The name of a stage."""
        return self.parts[number].stage.name

    def number(self, name: str) -> int | None:
        """The place of a stage; None where the cluster has none of that name."""
        return next((part.number for part in self.parts if part.stage.name == name), None)

    @property
    def home(self) -> str:
        """The control plane's namespace."""
        return namespace(self.settings["istio"])

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """What a namespace's label may say to mean this istiod: its revision, and the tags that point at it."""
        istio = self.settings["istio"]
        tags = value_at(istio, ("values", "revisionTags"))
        return (istio.get("revision") or "default", *map(str, tags if isinstance(tags, list) else ()))

    @cached_property
    def reads_words(self) -> bool:
        """Whether injection takes other words than true for yes."""
        return reads_words(Version.parse(self.settings["istio"]["version"]))

    @cached_property
    def native_sidecars(self) -> bool:
        """Whether sidecars are Kubernetes' own kind of them, which end with the work of their pod."""
        istio = self.settings["istio"]
        said = str(value_at(istio, ("values", "pilot", "env", NATIVE_SWITCH))).lower()
        able = Version.parse(istio["version"]) >= _NATIVE_SINCE and minor_key(self.kubernetes) >= _NATIVE_ON
        return said == "true" or (able and said != "false")

    @property
    def own(self) -> Iterator[tuple[int, KubernetesObject]]:
        """The user's own objects, each with the place of its stage."""
        return ((part.number, obj) for part in self.parts for obj in part.own)

    @cached_property
    def unseen(self) -> bool:
        """Whether the user's own objects make others that no tree shows."""
        return any(part.unseen for part in self.parts)

    def source(self, thing: Thing) -> Source | None:
        """What brings a thing first; None where nothing in the tree does."""
        if thing not in self._found:
            self._found[thing] = self._source(thing)
        return self._found[thing]

    def _source(self, thing: Thing) -> Source | None:
        wider = Thing(KIND, "", thing.space) if thing.kind == KIND else thing
        found = [part.sources.get(thing) or part.sources.get(wider) for part in self.parts]
        first = next((source for source in found if source), None)
        of_istio = self._of_istio(thing)
        if first is None or (of_istio is not None and of_istio.stage < first.stage):
            return of_istio
        return first

    def _of_istio(self, thing: Thing) -> Source | None:
        if thing == Thing(SIDECARS) or thing[:2] == ("ConfigMap", _ROOT_CERTIFICATE):
            return self._istiod
        if thing.kind == KIND and thing.space.endswith(".istio.io") and thing.space != "install.istio.io":
            return self._crds
        if thing.kind == KIND and thing.space == "sailoperator.io":
            return self._said(OPERATOR, "the Sail operator's chart")
        return None

    @cached_property
    def _istiod(self) -> Source | None:
        there = any(name.startswith("istiod") for _, name in deployments(self.settings["istio"]))
        return self._said(ISTIO, "istiod") if there else None

    @cached_property
    def _crds(self) -> Source | None:
        """What brings Istio's kinds, where they are no objects of the tree."""
        method = install_method(self.settings["istio"])
        if method == "sail":
            return self._said(OPERATOR, "the Sail operator's chart")
        if method == "operator":
            return self._said(ISTIO, "Istio's operator")
        number = self.number(ISTIO)
        releases = () if number is None else self.parts[number].stage.releases
        with_base = any(release.chart.name == "base" for release in releases)
        return self._said(ISTIO, "Istio's chart base") if with_base else None

    def _said(self, stage: str, words: str) -> Source | None:
        number = self.number(stage)
        return None if number is None else Source(number, words=words, runs=True)

    def is_given(self, space: str) -> bool:
        """Whether a namespace is there without the tree: every cluster's, or that of an engine or an operator."""
        delivery = self.settings.get("delivery") or {}
        flux, argocd = delivery.get("flux"), delivery.get("argocd")
        homes = {(flux or {}).get("namespace") or "flux-system", (argocd or {}).get("namespace") or "argocd"}
        return space in _GIVEN | homes | {self.home}

    def labels_of(self, space: str) -> Map | None:
        """The labels of a namespace; None for one that the tree does not make."""
        source = self.source(Thing("Namespace", space))
        if source is None or source.by is None or source.by["kind"] != "Namespace":
            return None
        return mapping(source.by, "metadata", "labels")

    def behind(self, space: str, service: str) -> Running | None:
        """What answers at a Service; None where the tree does not have it, or can't tell."""
        source = self.source(Thing("Service", service, space))
        if source is None or source.by is None:
            return None
        selector = mapping(source.by, "spec", "selector")
        for number, obj, template in self.pods_in(space):
            if selects(selector, mapping(template, "metadata", "labels")):
                return Running(max(number, source.stage), source.by, obj)
        # Behind a Service that the tree shows without pods may be those of a chart.
        return Running(source.stage, source.by, None)

    def pods_in(self, space: str) -> Iterator[tuple[int, KubernetesObject, Map]]:
        """Everything that keeps pods running in a namespace: the place of its stage, the object, the template."""
        for part in self.parts:
            for obj, template in part.pods:
                if space_of(obj) == space:
                    yield part.number, obj, template


def scene_of(
    mesh: str, stages: Iterable[Stage], settings: dict[str, Any], kubernetes: str, places: Places, memory: Memory
) -> Scene:
    """The scene that a cluster's stages are; stages that clusters share are looked through once."""
    parts = tuple(memory.recall(Part, stage, number, places) for number, stage in enumerate(stages))
    return Scene(mesh, parts, settings, kubernetes)
