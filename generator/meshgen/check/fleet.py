"""What clusters that one engine applies have to agree on, and where waves can't wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from meshgen.build.stage import STAGES, Memory, Remark
from meshgen.check.delivery import cluster_remarks
from meshgen.check.waves import wave_remarks
from meshgen.config.resolve import Cluster, Environment, Mesh
from meshgen.delivery.fluxhub import Hub, flux_of

Said = Iterator[tuple[Cluster, Remark]]
_LABEL = 63
# As many Applications as one ApplicationSet should hold: it keeps about 1 KB of each, and etcd takes 1.5 MB an object.
_LISTED = 1000


def delivery_remarks(mesh: Mesh, memory: Memory) -> Said:
    """What is wrong with the delivery of each cluster, and of them all; pointers lead into a cluster's settings."""
    for cluster in mesh.clusters:
        yield from ((cluster, remark) for remark in cluster_remarks(cluster, memory))
    labels = {cluster.name: cluster.labels for cluster in mesh.clusters}
    for environment in mesh.environments:
        yield from wave_remarks(environment, labels, memory)
        yield from _hub(mesh.name, environment)
        yield from _argocd(mesh.name, environment)
    yield from _servers(mesh)
    yield from _names(mesh)


def server_remarks(mesh: Mesh) -> Said:
    """Clusters that name the API server of another one; the pointers lead into the cluster's entry."""
    first: dict[str, Cluster] = {}
    for cluster in _by_argocd(mesh):
        said = cluster.entry.value.get("server") if cluster.entry else None
        if said and first.setdefault(said, cluster) is not cluster:
            message = f"server: cluster {cluster.name} has the API server of cluster {first[said].name}"
            hint = "name its own: else each takes back what the other applies"
            yield cluster, Remark("MG432", message, "/server", hint)


def _servers(mesh: Mesh) -> Said:
    unsaid = [
        cluster
        for cluster in _by_argocd(mesh)
        if not (cluster.entry and cluster.entry.value.get("server")) and not _argocd_of(cluster).get("ownCluster")
    ]
    for cluster in unsaid if len(unsaid) > 1 else ():
        message = "delivery.argocd: several clusters have no `server`, so one Argo CD would apply them all to its own"
        hint = "give each its `server`; where each runs an Argo CD of its own, say delivery.argocd.ownCluster: true"
        yield cluster, Remark("MG432", message, "/delivery/argocd", hint, "warning", at_key=True)


def _names(mesh: Mesh) -> Said:
    """A cluster's root Application that is called like another cluster's stage."""
    clusters = {cluster.name: cluster for cluster in _by_argocd(mesh)}
    for name, cluster in clusters.items():
        for stage in STAGES:
            if name.endswith(f"-{stage}") and name.removesuffix(f"-{stage}") in clusters:
                other = name.removesuffix(f"-{stage}")
                message = (
                    f"delivery.argocd: the Application of this cluster and that of {other}'s {stage} have one name"
                )
                yield cluster, Remark("MG202", message, "/delivery/argocd", "rename the cluster", at_key=True)


def _by_argocd(mesh: Mesh) -> Iterator[Cluster]:
    return (cluster for cluster in mesh.clusters if _argocd_of(cluster))


def _argocd_of(cluster: Cluster) -> dict[str, Any]:
    return (cluster.settings.get("delivery") or {}).get("argocd") or {}


def _hub(mesh: str, environment: Environment) -> Said:
    hub = Hub(mesh, environment)
    clusters = [cluster for cluster, _ in hub.clusters]
    if not clusters:
        return
    keys = ("url", "branch", "ref", "path", "namespace", "provider", "secretRef", "verify", "alerts")
    yield from _disagreeing(clusters, "flux", keys, lambda one: flux_of(one) or {})
    secrets = Counter(place.kubeconfig for place in hub.places().values())
    for name, place in hub.places().items():
        if place.kubeconfig is not None and secrets[place.kubeconfig] > 1:
            message = "delivery.flux.kubeConfig: several clusters have one kubeconfig, so all would be applied to one"
            cluster = next(one for one in clusters if one.name == name)
            hint = "leave secretRef out: it is CLUSTER-kubeconfig then; or give each its own"
            yield cluster, Remark("MG436", message, "/delivery/flux/kubeConfig", hint)
    yield from _standing_still(hub)
    for long in (hub.name, *(hub.gate(wave) for wave in hub.waves)):
        if len(long) > _LABEL:
            message = f"delivery.flux: {long} is too long for a label"
            hint = f"shorten the mesh's, the environment's or the wave's name: a label holds {_LABEL} characters"
            yield clusters[0], Remark("MG214", message, "/delivery/flux", hint, at_key=True)


def _standing_still(hub: Hub) -> Said:
    """Clusters that hold back the waves after theirs for as long as they are suspended."""
    moving = [wave.order for wave in hub.waves if not all(_is_suspended(one) for one in wave.clusters)]
    for wave in hub.waves:
        for cluster in wave.clusters if any(order > wave.order for order in moving) else ():
            if _is_suspended(cluster):
                message = f"delivery.flux.suspend: no wave after {wave.name} begins while this cluster is suspended"
                hint = "take it out, or move the cluster into the last wave for as long"
                yield cluster, Remark("MG431", message, "/delivery/flux/suspend", hint, "warning")


def _is_suspended(cluster: Cluster) -> bool:
    return bool((flux_of(cluster) or {}).get("suspend"))


def _argocd(mesh: str, environment: Environment) -> Said:
    clusters = [cluster for cluster in environment.clusters if _argocd_of(cluster)]
    waves = (environment.settings.get("delivery") or {}).get("waves")
    sets = [cluster for cluster in clusters if _argocd_of(cluster).get("applicationSet")]
    if not (sets or waves) or not clusters:
        return
    keys = ("url", "path", "namespace", "applicationSet", "selfManaged")
    yield from _disagreeing(clusters, "argocd", keys, _argocd_of)
    if len(sets) * len(STAGES[:4]) > _LISTED:
        message = f"delivery.argocd.applicationSet: {len(sets)} clusters are more than one ApplicationSet holds"
        hint = "divide the environment in two, or leave applicationSet out"
        yield clusters[0], Remark("MG437", message, "/delivery/argocd/applicationSet", hint, "warning")


def _disagreeing(
    clusters: list[Cluster], engine: str, keys: tuple[str, ...], settings: Callable[[Cluster], dict[str, Any]]
) -> Said:
    """Clusters of an environment that differ where one object of the engine's serves them all."""
    first = settings(clusters[0])
    for cluster in clusters[1:]:
        own = settings(cluster)
        if own is first:
            continue
        for key in keys:
            if own.get(key) != first.get(key):
                message = (
                    f"delivery.{engine}.{key} is not that of cluster {clusters[0].name}, and one object serves both"
                )
                hint = "say it for the environment, or make another environment of this cluster"
                yield cluster, Remark("MG436", message, f"/delivery/{engine}/{key}", hint)
