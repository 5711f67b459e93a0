"""What is wrong with the waves of an environment, and where nothing would wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import Memory, Remark
from meshgen.config.labels import unlabelled
from meshgen.config.problems import guess
from meshgen.config.resolve import Cluster, Environment
from meshgen.delivery.waves import taking, wave_settings, waves_of
from meshgen.yaml import pointer

Said = Iterator[tuple[Cluster, Remark]]


def wave_remarks(environment: Environment, known: dict[str, dict[str, str]], memory: Memory) -> Said:
    """What is wrong with the waves of an environment; `known` are the labels of the mesh's clusters by name."""
    settings = wave_settings(environment)
    found = [remark for name, wave in settings.items() for remark in memory.recall(_settings, name, wave, known)]
    ground = (environment.settings.get("delivery") or {}).get("waves") or {}
    for cluster in environment.clusters:
        yield from ((cluster, remark) for remark in found)
        delivery = cluster.settings.get("delivery") or {}
        if (delivery.get("waves") or {}) != ground:
            message = "delivery.waves: a cluster's own patch can't change the waves of its environment"
            yield cluster, Remark("MG430", message, "/delivery/waves", "say it in the overlay's patch")
        elif settings:
            yield from ((cluster, remark) for remark in _membership(taking(cluster, settings)))
    yield from _waiting(environment)


def _settings(name: str, wave: dict[str, Any], known: dict[str, dict[str, str]]) -> list[Remark]:
    return list(_setting_remarks(name, wave, known))


def _setting_remarks(name: str, wave: dict[str, Any], known: dict[str, dict[str, str]]) -> Iterator[Remark]:
    at = pointer(["delivery", "waves", name])
    if wave.get("order") is None:
        yield Remark("MG104", f'delivery.waves.{name}: "order" is missing', at, "say order: 1, for one")
    for index, cluster in enumerate(wave.get("clusters") or ()):
        if cluster not in known:
            message = f'delivery.waves.{name}.clusters: there is no cluster "{cluster}"'
            yield Remark("MG430", message, f"{at}/clusters/{index}", guess(cluster, sorted(known)))
    # No error as for a name: clusters with the labels may be still to come.
    if absent := unlabelled(wave.get("labels") or {}, known.values()):
        message, hint = f"delivery.waves.{name}.labels: no cluster has {absent[0]}", absent[1]
        yield Remark("MG430", message, f"{at}/labels", hint, "warning", at_key=True)


def _membership(waves: list[str]) -> Iterator[Remark]:
    if not waves:
        message = "delivery.waves: no wave takes this cluster"
        hint = "add one without clusters and labels, such as `rest: {order: 9}`: it takes all others"
        yield Remark("MG430", message, "/delivery/waves", hint, at_key=True)
    elif len(waves) > 1:
        message = f"delivery.waves: {' and '.join(waves)} take the same cluster"
        yield Remark("MG430", message, "/delivery/waves", "change the labels or clusters of one", at_key=True)


def _waiting(environment: Environment) -> Said:
    """Clusters that would not wait for the wave before theirs, whatever its health."""
    waves = waves_of(environment)
    if len({wave.order for wave in waves}) < 2:
        return
    for wave in waves:
        # Before the first there is none, and who merges into a branch waits himself.
        waits = wave.order > waves[0].order and not wave.branch
        for cluster in wave.clusters:
            delivery = cluster.settings.get("delivery") or {}
            at = pointer(["delivery", "waves", wave.name, "branch"])
            if flux := delivery.get("flux"):
                yield from ((cluster, remark) for remark in _by_flux(flux, wave.branch, at, waits=waits))
            if waits and (argocd := delivery.get("argocd")):
                yield cluster, _by_argocd(argocd)


_BRANCH = "give each later wave a `branch`, and promote by merging"


def _by_flux(flux: dict[str, Any], branch: str | None, at: str, *, waits: bool) -> Iterator[Remark]:
    if branch and (flux.get("kubeConfig") is not None or flux.get("ref")):
        why = (
            "its source is that of all waves" if flux.get("kubeConfig") is not None else "delivery.flux.ref goes first"
        )
        message = f"delivery.waves: Flux would not follow the branch of a wave: {why}"
        yield Remark("MG430", message, at, "take one of the two out")
    elif waits and flux.get("kubeConfig") is None:
        message = "delivery.waves: the Flux of a cluster knows no other cluster, so none waits for another"
        hint = f"say delivery.flux.kubeConfig, to apply from a management cluster; or {_BRANCH}"
        yield Remark("MG431", message, "/delivery/waves", hint, "warning", at_key=True)


def _by_argocd(argocd: dict[str, Any]) -> Remark:
    hint = _BRANCH
    if argocd.get("ownCluster"):
        message = "delivery.waves: the Argo CD of a cluster knows no other cluster, so none waits for another"
        hint = f"let one Argo CD apply them all, each with its `server`; or {_BRANCH}"
    elif argocd.get("applicationSet"):
        message = "delivery.waves: a wave does not wait where Argo CD looks at a commit on its clusters first"
    else:
        message = "delivery.waves: Argo CD's sync waves hold back a cluster that is new, but no later commit"
    return Remark("MG431", message, "/delivery/waves", hint, "warning", at_key=True)
