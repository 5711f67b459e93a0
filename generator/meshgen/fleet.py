"""The clusters of a mesh at a glance: what their settings say, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from meshgen.build.clouds import cloud_annotations
from meshgen.build.gatewayexposure import SERVICE_TYPES
from meshgen.build.istiooperator import install_method, installed_gateways, namespace
from meshgen.build.ranges import cover_everything
from meshgen.build.stage import Memory
from meshgen.catalog import release_of
from meshgen.config.labels import unlabelled
from meshgen.config.load import load
from meshgen.config.problems import guess
from meshgen.config.resolve import Cluster, Environment, Mesh, resolve
from meshgen.delivery.waves import waves_of
from meshgen.delivery.wiring import ENGINES
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.formats import DRAFT, OPTIONAL, STRING, STRINGS, closed
from meshgen.review import check_settings

# Whom an open Service can be reached by, the widest first.
REACHES = ("public", "restricted", "nodes", "internal")


@dataclass(frozen=True)
class Opened:
    """A Service that is reached from outside of its cluster, and by whom.

    `public` is every address, `restricted` those of its source ranges, `nodes` whoever reaches a port of the nodes, and
    `internal` the cloud's own network.
    """

    service: str
    type: str
    reach: str


@dataclass(frozen=True)
class Member:
    """A cluster as the list of a fleet shows it."""

    name: str
    environment: str
    cloud: str
    kubernetes: str
    istio: str
    revision: str | None
    install: str
    wave: str | None
    engines: tuple[str, ...]
    exposure: tuple[Opened, ...]
    labels: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Give the object that `-o json` prints."""
        return {**asdict(self), "engines": list(self.engines), "exposure": [asdict(one) for one in self.exposure]}


_OPENED = closed({"service": STRING, "type": {"enum": ["LoadBalancer", "NodePort"]}, "reach": {"enum": [*REACHES]}})
FORMAT = {
    **DRAFT,
    "title": "meshgen fleet -o json",
    "type": "array",
    "items": closed(
        {
            "name": STRING,
            "environment": STRING,
            "cloud": STRING,
            "kubernetes": {"type": "string", "description": "As the config says; else the newest that Istio supports."},
            "istio": {"type": "string", "description": "The version."},
            "revision": OPTIONAL,
            "install": {"enum": ["operator", "helm", "sail", "manifests"]},
            "wave": OPTIONAL,
            "engines": {**STRINGS, "description": "flux, argocd, or both."},
            "exposure": {"type": "array", "items": _OPENED, "description": "Services that are reached from outside."},
            "labels": {"type": "object", "additionalProperties": STRING},
        }
    ),
}


def fleet(
    config: Path, *, labels: Mapping[str, str], environments: Sequence[str]
) -> tuple[tuple[Member, ...], tuple[Finding, ...]]:
    """The clusters that have all of these labels, of these environments where some are named, and what was found.

    Where there is none, what was found says so. Raises InputError for a config with errors, and for an environment that
    is not there.
    """
    mesh = resolve(load(config))
    findings = check_settings(mesh)
    memory = Memory()
    members = [member for one in _chosen(mesh, environments) for member in _members(one, memory)]
    if absent := unlabelled(labels, [one.labels for one in members]):
        cluster = f"no cluster of {', '.join(environments)}" if environments else "no cluster"
        findings += (Finding("MG701", "warning", f"{cluster} has {absent[0]}", hint=absent[1]),)
    return tuple(one for one in members if labels.items() <= one.labels.items()), findings


def _chosen(mesh: Mesh, names: Sequence[str]) -> list[Environment]:
    known = {environment.name: environment for environment in mesh.environments}
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(
            [
                Finding("MG701", "error", f'there is no environment "{name}" with clusters', hint=guess(name, known))
                for name in missing
            ]
        )
    return [one for one in mesh.environments if not names or one.name in names]


def _members(environment: Environment, memory: Memory) -> Iterator[Member]:
    waves = {cluster.name: wave.name for wave in waves_of(environment) for cluster in wave.clusters}
    for cluster in environment.clusters:
        yield _member(cluster, waves.get(cluster.name), memory)


def _member(cluster: Cluster, wave: str | None, memory: Memory) -> Member:
    istio, delivery = cluster.settings["istio"], cluster.settings.get("delivery") or {}
    return Member(
        name=cluster.name,
        environment=cluster.environment,
        cloud=cluster.cloud,
        kubernetes=cluster.kubernetes or release_of(istio).kubernetes[1],
        istio=istio["version"],
        revision=istio.get("revision"),
        install=install_method(istio),
        wave=wave,
        engines=tuple(engine for engine in ENGINES if delivery.get(engine)),
        exposure=memory.recall_same(_exposure, istio, cluster.settings.get("expose") or _NONE, cluster.cloud),
        labels=cluster.labels,
    )


_NONE: dict[str, Any] = {}


def _exposure(istio: dict[str, Any], expose: dict[str, Any], cloud: str) -> tuple[Opened, ...]:
    """What `expose` opens, and gateways that are open as their charts make them."""
    asked = {key: exposure or {} for key, exposure in expose.items()}
    opened = [_opened(key, exposure.get("type") or "LoadBalancer", exposure) for key, exposure in asked.items()]
    for kind, gateway in installed_gateways(istio):
        name, home = gateway["name"], gateway.get("namespace") or namespace(istio)
        if name not in asked and f"{name}.{home}" not in asked:
            opened.append(_gateway(name, kind, gateway.get("k8s") or {}, cloud))
    return tuple(one for one in opened if one is not None)


def _gateway(name: str, kind: str, k8s: dict[str, Any], cloud: str) -> Opened | None:
    service = k8s.get("service") or {}
    marks = cloud_annotations(cloud, "LoadBalancer", {"internal": True})
    internal = bool(marks) and marks.items() <= (k8s.get("serviceAnnotations") or {}).items()
    said = {"internal": internal, "sourceRanges": service.get("loadBalancerSourceRanges")}
    return _opened(name, service.get("type") or SERVICE_TYPES[kind], said)


def _opened(service: str, kind: str, exposure: dict[str, Any]) -> Opened | None:
    if kind == "NodePort":
        return Opened(service, kind, "nodes")
    if kind != "LoadBalancer":
        return None
    ranges = exposure.get("sourceRanges") or []
    narrow = bool(ranges) and not cover_everything(ranges)
    reach = "internal" if exposure.get("internal") else "restricted" if narrow else "public"
    return Opened(service, kind, reach)
