"""Lays the layers of a config over each other: what each environment and each cluster really asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshgen.config.document import Document
from meshgen.config.extends import extended
from meshgen.config.load import Config
from meshgen.config.merge import merge
from meshgen.errors import InputError
from meshgen.finding import Finding, Severity
from meshgen.yaml import NOWHERE, at_pointer

DEFAULT_SERVER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Layer:
    """A part of a file that is laid over what lies below it."""

    document: Document
    prefix: str
    value: dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """One cluster, resolved: everything that its objects depend on."""

    name: str
    environment: str
    cloud: str
    kubernetes: str | None
    server: str
    settings: dict[str, Any]
    layers: tuple[Layer, ...]
    entry: Layer | None

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its entry; a null is none."""
        said = self.entry.value.get("labels") if self.entry else None
        return {key: value for key, value in (said or {}).items() if value is not None}

    def finding(
        self,
        rule: str,
        message: str,
        pointer: str,
        *,
        hint: str | None = None,
        severity: Severity = "error",
        at_key: bool = False,
    ) -> Finding:
        """A finding at the place where the uppermost layer sets what `pointer` names in the resolved settings."""
        layer = self._setting_layer(pointer)
        where = layer.prefix + pointer
        return layer.document.finding(rule, message, where, hint=hint, severity=severity, at_key=at_key)

    def entry_finding(
        self, rule: str, message: str, pointer: str, *, hint: str | None = None, severity: Severity = "error"
    ) -> Finding:
        """A finding about the cluster itself, at its entry in the overlay (in the mesh where there is no overlay)."""
        layer = self.entry or self.layers[0]
        where = layer.prefix + pointer if self.entry else ""
        return layer.document.finding(rule, message, where, hint=hint, severity=severity)

    def _setting_layer(self, pointer: str) -> Layer:
        while pointer:
            for layer in reversed(self.layers):
                if at_pointer(layer.value, pointer) is not NOWHERE:
                    return layer
            pointer = pointer.rpartition("/")[0]
        return self.layers[0]


@dataclass(frozen=True)
class Environment:
    """One environment: what its clusters share, and the clusters."""

    name: str
    settings: dict[str, Any]
    clusters: tuple[Cluster, ...]

    @property
    def cloud(self) -> str | None:
        """The cloud that all of its clusters stand on; None where they differ."""
        clouds = {cluster.cloud for cluster in self.clusters}
        return clouds.pop() if len(clouds) == 1 else None


@dataclass(frozen=True)
class Mesh:
    """The whole config, resolved."""

    name: str
    folder: Path
    settings: dict[str, Any]
    environments: tuple[Environment, ...]

    @property
    def clusters(self) -> Iterator[Cluster]:
        """Every cluster of every environment."""
        return (cluster for environment in self.environments for cluster in environment.clusters)


def resolve(config: Config) -> Mesh:
    """Lay mesh, overlays (what they extend first) and cluster patches over each other.

    Raises InputError where two clusters have one name.
    """
    name = config.mesh.value["metadata"]["name"]
    ground = {key: value for key, value in config.mesh.value.items() if key not in ("apiVersion", "kind", "metadata")}
    mesh_layer = Layer(config.mesh, "", ground)
    settings = merge({}, ground)
    if not config.overlays:
        cluster = Cluster(name, name, "generic", None, DEFAULT_SERVER, settings, (mesh_layer,), None)
        return Mesh(name, config.folder, settings, (Environment(name, settings, (cluster,)),))
    environments = []
    for environment in config.overlays:
        layers = (mesh_layer, *_overlay_layers(environment, config))
        environments.append(_environment(environment, config.overlays[environment], layers, settings))
    _refuse_namesakes(environments)
    inhabited = tuple(environment for environment in environments if environment.clusters)
    return Mesh(name, config.folder, settings, inhabited)


def _overlay_layers(environment: str, config: Config) -> Iterator[Layer]:
    """The patches that an environment stands on, lowest first, its own last."""
    for name in extended(environment, config.overlays):
        for document in config.overlays[name]:
            if patch := document.value.get("patch"):
                yield Layer(document, "/patch", patch)


def _environment(
    name: str, documents: tuple[Document, ...], layers: tuple[Layer, ...], ground: dict[str, Any]
) -> Environment:
    settings = ground
    for layer in layers[1:]:
        settings = merge(settings, layer.value)
    clusters = tuple(
        _cluster(cluster, name, document, layers, settings)
        for document in documents
        for cluster in document.value.get("clusters") or {}
    )
    return Environment(name, settings, clusters)


def _cluster(
    name: str, environment: str, document: Document, layers: tuple[Layer, ...], settings: dict[str, Any]
) -> Cluster:
    # No name of a cluster needs escaping in a JSON pointer: it is a DNS-1123 label.
    entry = Layer(document, f"/clusters/{name}", document.value["clusters"][name] or {})
    patch = entry.value.get("patch")
    if patch:
        layers = (*layers, Layer(document, f"{entry.prefix}/patch", patch))
        settings = merge(settings, patch)
    return Cluster(
        name=name,
        environment=environment,
        cloud=entry.value.get("cloud") or "generic",
        kubernetes=entry.value.get("kubernetesVersion"),
        server=entry.value.get("server") or DEFAULT_SERVER,
        settings=settings,
        layers=layers,
        entry=entry,
    )


def _refuse_namesakes(environments: list[Environment]) -> None:
    seen: dict[str, Cluster] = {}
    findings = []
    for environment in environments:
        for cluster in environment.clusters:
            first = seen.setdefault(cluster.name, cluster)
            if first.entry and first is not cluster:
                where = first.entry.document.where(first.entry.prefix)
                message = f'cluster "{cluster.name}" is also in environment {first.environment}: {where}'
                hint = "names of clusters are unique in a mesh: rename one of them"
                findings.append(cluster.entry_finding("MG202", message, "", hint=hint))
    if findings:
        raise InputError(findings)
