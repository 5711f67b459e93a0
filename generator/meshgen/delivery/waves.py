"""Waves: which clusters of an environment change first, and which wait until those are healthy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshgen.config.resolve import Cluster, Environment


@dataclass(frozen=True)
class Wave:
    """Clusters that change together; those of a lower `order` go before. With a `branch`, they follow that one."""

    name: str
    order: int
    branch: str | None
    clusters: tuple[Cluster, ...]


def wave_settings(environment: Environment) -> dict[str, dict[str, Any]]:
    """What `delivery.waves` says of an environment, by name."""
    waves = (environment.settings.get("delivery") or {}).get("waves") or {}
    return {name: wave or {} for name, wave in waves.items()}


def waves_of(environment: Environment) -> tuple[Wave, ...]:
    """The waves that have clusters, in their order; none where all clusters change at once."""
    settings = wave_settings(environment)
    members: dict[str, list[Cluster]] = {name: [] for name in settings}
    for cluster in environment.clusters:
        for name in taking(cluster, settings)[:1]:
            members[name].append(cluster)
    waves = [
        Wave(name, wave.get("order") or 0, wave.get("branch"), tuple(members[name]))
        for name, wave in settings.items()
        if members[name]
    ]
    return tuple(sorted(waves, key=lambda wave: wave.order))


def taking(cluster: Cluster, settings: dict[str, dict[str, Any]]) -> list[str]:
    """The names of the waves that take a cluster: one, where the config is right."""
    chosen = [name for name, wave in settings.items() if not takes_rest(wave) and _selects(wave, cluster)]
    return chosen or [name for name, wave in settings.items() if takes_rest(wave)]


def takes_rest(wave: dict[str, Any]) -> bool:
    """Whether a wave takes the clusters that no other takes."""
    return not (wave.get("clusters") or wave.get("labels"))


def _selects(wave: dict[str, Any], cluster: Cluster) -> bool:
    if cluster.name in (wave.get("clusters") or ()):
        return True
    labels = wave.get("labels") or {}
    return bool(labels) and all(cluster.labels.get(key) == value for key, value in labels.items())
