"""One Flux for many clusters: their Kustomizations stand on a management cluster, where waves can wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshgen.config.resolve import Cluster, Environment
from meshgen.delivery.flux import Place, self_kustomization
from meshgen.delivery.fluxalerts import alert_objects
from meshgen.delivery.fluxsource import DEFAULT_NAMESPACE, source, source_kind
from meshgen.delivery.waves import Wave, waves_of
from meshgen.delivery.wiring import KubernetesObject, WiringFiles

_GROUP = "meshgen.dev"


def flux_of(cluster: Cluster) -> dict[str, Any] | None:
    """Flux's settings of a cluster that a management cluster's Flux applies; None for any other cluster."""
    flux: dict[str, Any] | None = (cluster.settings.get("delivery") or {}).get("flux")
    return flux if flux and flux.get("kubeConfig") is not None else None


def directory_on_hub(cluster: Cluster) -> str:
    """Where the wiring of a cluster stands that a management cluster's Flux applies.

    Not where a Flux of its own has it: that one still looks there, and must not take what it finds for a new state of
    its own wiring, for it would prune all that the hub calls otherwise.
    """
    return f"clusters/{cluster.name}/flux-hub"


@dataclass(frozen=True)
class Hub:
    """The clusters of an environment that one Flux applies. A dot in names keeps them apart from those of clusters."""

    mesh: str
    environment: Environment

    @property
    def name(self) -> str:
        """The name of the source and of the Kustomization that applies all else."""
        return f"{self.mesh}.{self.environment.name}"

    @property
    def clusters(self) -> tuple[tuple[Cluster, dict[str, Any]], ...]:
        """The clusters, each with Flux's settings."""
        found = ((cluster, flux_of(cluster)) for cluster in self.environment.clusters)
        return tuple((cluster, flux) for cluster, flux in found if flux is not None)

    @property
    def waves(self) -> tuple[Wave, ...]:
        """The waves of these clusters."""
        here = {cluster.name for cluster, _ in self.clusters}
        waves = (
            Wave(wave.name, wave.order, wave.branch, tuple(one for one in wave.clusters if one.name in here))
            for wave in waves_of(self.environment)
        )
        return tuple(wave for wave in waves if wave.clusters)

    def gate(self, wave: Wave) -> str:
        """The name of the Kustomization that is ready once a wave's clusters are."""
        return f"{self.name}.{wave.name}"

    def places(self) -> dict[str, Place]:
        """Where the Kustomizations of each cluster stand."""
        waves = self.waves
        own_waves = {cluster.name: wave for wave in waves for cluster in wave.clusters}
        found = {}
        for cluster, flux in self.clusters:
            own = own_waves.get(cluster.name)
            labels = self._labels(cluster=cluster.name, **({"wave": own.name} if own else {}))
            gates = tuple(self.gate(wave) for wave in _before(waves, own))
            found[cluster.name] = Place(
                f"{self.mesh}-{cluster.name}", self.name, _kubeconfig(cluster, flux), labels, gates
            )
        return found

    def files(self, last_stages: dict[str, str]) -> dict[str, WiringFiles]:
        """The files by directory: what is applied by hand once, and what the gates of waves apply.

        `last_stages` names the last Kustomization of each cluster.
        """
        flux = self.clusters[0][1]
        home = f"environments/{self.environment.name}/flux"
        root = {
            "source.yaml": (source(self.name, flux),),
            "root.yaml": (self._labelled(self_kustomization(self.name, flux, home, self.name)),),
            "clusters.yaml": tuple(self._roots()),
        }
        waves = self.waves
        directories: dict[str, WiringFiles] = {home: root}
        if waves:
            root["waves.yaml"] = tuple(self._gate(flux, home, wave, last_stages) for wave in waves)
            directories |= {f"{home}/waves/{wave.name}": {"wave.yaml": (self._mark(flux, wave),)} for wave in waves}
        if flux.get("alerts"):
            sources = ((source_kind(flux), self.name), ("Kustomization", "*"))
            root["alerts.yaml"] = alert_objects(self.name, flux, sources, dict(self._labels()))
        return directories

    def _roots(self) -> Iterator[KubernetesObject]:
        """A Kustomization for each cluster that applies its wiring here: so no build grows with the fleet.

        It prunes stages that leave, so it has to wait for the wave before as they do.
        """
        places = self.places()
        for cluster, flux in self.clusters:
            name, path = f"{self.mesh}-{cluster.name}.root", directory_on_hub(cluster)
            root = self_kustomization(name, flux, path, self.name, prune=True)
            if gates := places[cluster.name].gates:
                root["spec"]["dependsOn"] = [{"name": gate} for gate in gates]
            yield self._labelled(root, cluster=cluster.name)

    def _gate(self, flux: dict[str, Any], home: str, wave: Wave, last_stages: dict[str, str]) -> KubernetesObject:
        """Flux is done with it when the last stages of a wave's clusters are ready at the source's revision.

        It has to apply something to be ready at all: a ConfigMap.
        """
        made = self_kustomization(self.gate(wave), flux, f"{home}/waves/{wave.name}", self.name)
        made["spec"]["dependsOn"] = [{"name": last_stages[one.name]} for one in wave.clusters]
        return self._labelled(made, wave=wave.name)

    def _labelled(self, made: KubernetesObject, **labels: str) -> KubernetesObject:
        made["metadata"]["labels"] = dict(self._labels(**labels))
        return made

    def _labels(self, **labels: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (f"{_GROUP}/{key}", value) for key, value in {"environment": self.environment.name, **labels}.items()
        )

    def _mark(self, flux: dict[str, Any], wave: Wave) -> KubernetesObject:
        metadata = {"name": self.gate(wave), "namespace": flux.get("namespace") or DEFAULT_NAMESPACE}
        data = {"environment": self.environment.name, "wave": wave.name, "order": str(wave.order)}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _before(waves: Sequence[Wave], own: Wave | None) -> list[Wave]:
    """The waves right before a cluster's own; several where they have one order."""
    lower = [wave for wave in waves if own is not None and wave.order < own.order]
    return [wave for wave in lower if wave.order == lower[-1].order]


def _kubeconfig(cluster: Cluster, flux: dict[str, Any]) -> tuple[str, str | None] | None:
    said = flux["kubeConfig"]
    if said.get("local"):
        return None
    return said.get("secretRef") or f"{cluster.name}-kubeconfig", said.get("key")
