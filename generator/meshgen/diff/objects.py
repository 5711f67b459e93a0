"""Every object of a cluster by what it is: those that stages apply, charts, istioctl's input, and the wiring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from meshgen.build.chart import ChartRelease
from meshgen.build.stage import KubernetesObject, Stage
from meshgen.config.resolve import DEFAULT_SERVER
from meshgen.diff.sides import SideCluster
from meshgen.layout.identity import CLUSTER_SCOPED, identity
from meshgen.yaml import read_documents

# Stands in the wiring for a cluster's own name and address: no cluster can be called so, for names are lowercase.
CLUSTER, SERVER = "CLUSTER", "SERVER"


class Key(NamedTuple):
    """What an object is, whatever its API version. `space` is `flux` or `argocd` for their own, else empty.

    An IstioOperator that only istioctl reads is in the space `istioctl`.
    """

    space: str
    group: str
    kind: str
    namespace: str
    name: str


class Placed(NamedTuple):
    """An object, and the stage that applies it; None for istioctl's input."""

    stage: str | None
    object: KubernetesObject


Objects = Mapping[Key, Placed]


class Project(NamedTuple):
    """What an AppProject lets Argo CD delete: (group, kind) outside and inside of namespaces, and the namespaces."""

    cluster_wide: frozenset[tuple[str, str]]
    namespaced: frozenset[tuple[str, str]]
    namespaces: frozenset[str]

    def allows(self, key: Key) -> bool:
        """Whether Argo CD may delete an object."""
        kind = (key.group, key.kind)
        if kind in self.cluster_wide and (kind in CLUSTER_SCOPED or not key.namespace):
            return True
        return kind in self.namespaced and (key.namespace or "default") in self.namespaces


@dataclass
class Reader:
    """Gives the objects of clusters; what clusters share is read once, and is the very same object each time."""

    _stages: dict[int, dict[Key, Placed]] = field(default_factory=dict)
    _releases: dict[int, KubernetesObject] = field(default_factory=dict)
    _texts: dict[str, tuple[KubernetesObject, ...]] = field(default_factory=dict)

    def applied(self, cluster: SideCluster) -> dict[Key, Placed]:
        """What stages and charts bring, and istioctl's input."""
        found: dict[Key, Placed] = {}
        for stage in cluster.built.built.stages:
            if (known := self._stages.get(id(stage))) is None:
                known = self._stages[id(stage)] = dict(self._of_stage(stage))
            found.update(known)
        given = cluster.built.built.istioctl_input
        if given is not None:
            found[_key("istioctl", given)] = Placed(None, given)
        return found

    def _of_stage(self, stage: Stage) -> Iterator[tuple[Key, Placed]]:
        for obj in stage.objects:
            yield _key("", obj), Placed(stage.name, obj)
        for release in () if stage.objects else stage.releases:
            obj = self._releases.setdefault(id(release), _release(release))
            yield _key("", obj), Placed(stage.name, obj)

    def wiring(self, old: SideCluster, new: SideCluster) -> tuple[Objects, Objects]:
        """Flux's and Argo CD's objects of both sides that are not written alike; names of the cluster stand as CLUSTER.

        So clusters whose wiring differs by their names alone share one change.
        """
        before, after = (_parts(old, new), _parts(new, old)) if old.wiring != new.wiring else ({}, {})
        return self._parsed(before, after), self._parsed(after, before)

    def project(self, old: SideCluster, new: SideCluster) -> Project | None:
        """What Argo CD may still delete; None where Flux prunes too, or no project says it."""
        if any(engine == "flux" for engine, _ in new.wiring):
            return None
        for text in _parts(new, old).get("argocd", ()):
            if "kind: AppProject\n" in text and (found := self._project(text, f"{new.mesh}-{CLUSTER}")):
                return found
        return None

    def _project(self, text: str, name: str) -> Project | None:
        for obj in self._read(text):
            if obj["kind"] == "AppProject" and obj["metadata"]["name"] == name:
                spec = obj["spec"]
                cluster_wide, namespaced = (
                    frozenset((one["group"], one["kind"]) for one in spec[f"{scope}ResourceWhitelist"])
                    for scope in ("cluster", "namespace")
                )
                return Project(cluster_wide, namespaced, frozenset(one["namespace"] for one in spec["destinations"]))
        return None

    def _parsed(self, mine: Mapping[str, set[str]], others: Mapping[str, set[str]]) -> dict[Key, Placed]:
        found: dict[Key, Placed] = {}
        for engine, texts in mine.items():
            for text in texts - others.get(engine, set()):
                found.update((_key(engine, obj), Placed(engine, obj)) for obj in self._read(text))
        return dict(sorted(found.items(), key=lambda one: one[0]))

    def _read(self, text: str) -> tuple[KubernetesObject, ...]:
        if text not in self._texts:
            self._texts[text] = tuple(one for one in read_documents(text.encode()) if one)
        return self._texts[text]


def _key(space: str, obj: KubernetesObject) -> Key:
    known = identity(obj)
    return Key(space, known.group, known.kind, known.namespace, known.name)


def _release(release: ChartRelease) -> KubernetesObject:
    """A chart that Argo CD installs, as if it were an object: no object of the tree's own stands for it."""
    chart = release.chart
    return {
        "apiVersion": "meshgen.dev/v1",
        "kind": "HelmChartRelease",
        "metadata": {"name": release.name, "namespace": release.namespace},
        "spec": {
            "chart": chart.name,
            "version": chart.version,
            "repository": chart.repository,
            "values": release.values,
        },
    }


def _parts(cluster: SideCluster, other: SideCluster) -> dict[str, set[str]]:
    """The documents of the wiring by engine. The emitter writes `---` in a line's beginning between documents only."""
    name = cluster.cluster.name
    replaced = [
        # Not the beginning of another name.
        (rf"{re.escape(f'{cluster.mesh}-{name}')}(?![a-z0-9])", f"{cluster.mesh}-{CLUSTER}"),
        (re.escape(f"clusters/{name}/"), f"clusters/{CLUSTER}/"),
        (rf'(?m)^( +(?:name|meshgen\.dev/cluster): "?){re.escape(name)}(?="?$|-kubeconfig"?$)', rf"\1{CLUSTER}"),
    ]
    if cluster.cluster.server == other.cluster.server != DEFAULT_SERVER:
        replaced.append((re.escape(cluster.cluster.server), SERVER))
    parts: dict[str, set[str]] = {}
    for (engine, file), text in cluster.wiring.items():
        # What serves a whole environment is the same text for each of its clusters as it is.
        common = text if file.startswith("environment/") else _replaced(text, replaced)
        parts.setdefault(engine, set()).update(common.split("\n---\n"))
    return parts


def _replaced(text: str, patterns: Sequence[tuple[str, str]]) -> str:
    for own_name, common_name in patterns:
        text = re.sub(own_name, common_name, text)
    return text


def own(text: str, cluster: str) -> str:
    """A name of the wiring as it is for one cluster."""
    return text.replace(CLUSTER, cluster)


def values_of(obj: KubernetesObject) -> dict[str, Any]:
    """The Helm values that an object holds, if any."""
    spec = obj.get("spec")
    values = spec.get("values") if isinstance(spec, dict) else None
    return values if isinstance(values, dict) else {}
