"""What the policy looks at: one cluster with its settings, and the objects that it gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from meshgen.build.gatewayexposure import open_gateways
from meshgen.build.istiooperator import installed_gateways, namespace
from meshgen.build.manifests import Places
from meshgen.build.stage import CHARTS, GATEWAYS, ISTIO, OPERATOR, KubernetesObject, Stage
from meshgen.catalog import Version
from meshgen.config.resolve import Cluster
from meshgen.policy.reading import mapping
from meshgen.values import value_at
from meshgen.yaml import pointer

# Stages whose objects meshgen, a chart or istioctl makes: the settings that they are made of are what a rule looks at.
MADE = frozenset({OPERATOR, ISTIO, GATEWAYS, CHARTS})
_PRODUCTION = frozenset({"prod", "production"})


@dataclass(frozen=True, eq=False)
class Subject:
    """One cluster, its effective objects as (stage, object), and istioctl's input where there is one.

    `places` knows where those of the user's own are written.
    """

    cluster: Cluster
    objects: tuple[tuple[str, KubernetesObject], ...]
    istioctl_input: KubernetesObject | None = None
    places: Places = field(default_factory=Places)

    @property
    def settings(self) -> dict[str, Any]:
        """The cluster's resolved settings."""
        return self.cluster.settings

    @cached_property
    def istio(self) -> dict[str, Any]:
        """The settings of Istio, with its gateways opened as `expose` asks."""
        istio, expose = mapping(self.settings.get("istio")), mapping(self.settings.get("expose"))
        return open_gateways(istio, expose, (self.cluster.cloud,))[0] if expose else istio

    @cached_property
    def gateways(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """(kind, settings) of every gateway that Istio's installation brings, each with its name."""
        return tuple(installed_gateways(self.istio))

    @property
    def home(self) -> str:
        """The control plane's namespace, which is Istio's root namespace unless the mesh config says otherwise."""
        return namespace(self.istio)

    @property
    def root_namespace(self) -> str:
        """The namespace whose policies hold for the whole mesh."""
        named = self.mesh_config("rootNamespace")
        return named if isinstance(named, str) and named else self.home

    @property
    def version(self) -> Version:
        """The version of Istio."""
        return Version.parse(self.istio["version"])

    @cached_property
    def production(self) -> bool:
        """Whether the cluster is production's: its environment is called so, or a label of its entry says so."""
        if self.cluster.environment.lower() in _PRODUCTION:
            return True
        entry = self.cluster.entry.value if self.cluster.entry else {}
        return any(str(label).lower() in _PRODUCTION for label in mapping(entry.get("labels")).values())

    def of_objects(self) -> Subject:
        """The subject as rules about objects alone see it: without what Istio itself is made of."""
        kept = {key: self.settings.get(key) for key in ("addons", "expose", "delivery")}
        istio = {key: value for key, value in self.istio.items() if key in ("version", "namespace", "meshConfig")}
        shared = {"istioNamespace": self.setting("values", "global", "istioNamespace")}
        istio["values"] = {"global": shared, "meshConfig": self.setting("values", "meshConfig")}
        objects = tuple((stage, obj) for stage, obj in self.objects if stage not in MADE)
        cluster = replace(self.cluster, settings={**kept, "istio": istio})
        return Subject(cluster, objects, None, self.places)

    def setting(self, *path: str) -> Any:
        """What the settings of Istio say at a path; None where nothing is said."""
        return value_at(self.istio, path)

    def mesh_config(self, *path: str) -> Any:
        """What the mesh config says at a path, `meshConfig` before `values.meshConfig`; None where nothing is said."""
        own = value_at(self.istio, ("meshConfig", *path))
        return value_at(self.istio, ("values", "meshConfig", *path)) if own is None else own

    @cached_property
    def own(self) -> tuple[KubernetesObject, ...]:
        """The objects that the user wrote, or that meshgen's own addons are made of."""
        return tuple(obj for stage, obj in self.objects if stage not in MADE)

    @cached_property
    def _kinds(self) -> dict[tuple[str, str], list[KubernetesObject]]:
        kinds: dict[tuple[str, str], list[KubernetesObject]] = {}
        for obj in self.own:
            group, slash, _ = obj["apiVersion"].partition("/")
            kinds.setdefault((group if slash else "", obj["kind"]), []).append(obj)
        return kinds

    def of(self, kind: str, group: str = "") -> list[KubernetesObject]:
        """The own objects of a kind, in the order of the stages; the core API's group is empty."""
        return self._kinds.get((group, kind), [])

    @cached_property
    def spaces(self) -> frozenset[str]:
        """Namespaces that own objects stand in: there, what is not in the tree is probably nowhere.

        Not so the control plane's, where the addons are, and others put what the whole mesh shares.
        """
        named = (obj["metadata"].get("namespace") for obj in self.own)
        return frozenset(name for name in named if isinstance(name, str)) - {self.home, "kube-system"}

    def origin(self, obj: KubernetesObject) -> str:
        """The pointer to the setting that brings an object which the user did not write: its addon, else all addons.

        What `expose` opens is its own.
        """
        addons, name = mapping(self.settings.get("addons")), obj["metadata"]["name"]
        if obj["kind"] == "Service" and (key := self.exposed_as(name, space_of(obj))):
            return pointer(["expose", key])
        return pointer(["addons", name]) if name in addons else "/addons"

    def exposed_as(self, name: str, space: str) -> str | None:
        """The key of `expose` that means a Service; None where none does."""
        expose = mapping(self.settings.get("expose"))
        return next((key for key in (name, f"{name}.{space}") if key in expose), None)


def subject_of(
    cluster: Cluster, stages: Iterable[Stage], istioctl_input: KubernetesObject | None, places: Places
) -> Subject:
    """The subject that a built cluster is."""
    objects = tuple((stage.name, obj) for stage in stages for obj in stage.objects)
    return Subject(cluster, objects, istioctl_input, places)


def space_of(obj: KubernetesObject) -> str:
    """The namespace that an object stands in, `default` where none is named."""
    space = obj["metadata"].get("namespace")
    return space if isinstance(space, str) and space else "default"
