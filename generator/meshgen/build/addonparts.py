"""What a built-in addon would have set, one part at a time, for a chart that takes the same elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from typing import Any

from meshgen.build.addons import addon_objects
from meshgen.catalog import release
from meshgen.yaml import read_document

Values = dict[str, Any]

_NO_SIDECAR = {"sidecar.istio.io/inject": "false"}


@dataclass(frozen=True, eq=False)
class Builtin:
    """A built-in addon as it was built: the objects are the facts from which the chart's values are taken.

    `minor` is the Istio that runs beside it, such as "1.30"; `shape` are the catalogue's facts about the chart.
    """

    name: str
    objects: tuple[Values, ...]
    secret: str
    minor: str
    shape: Mapping[str, Any]

    def first(self, *kinds: str) -> Values | None:
        """The first object of these kinds."""
        return next((item for item in self.objects if item["kind"] in kinds), None)

    @property
    def workload(self) -> Values:
        """The Deployment or StatefulSet."""
        return self.first("Deployment", "StatefulSet") or {}

    @property
    def pod(self) -> Values:
        """The spec of the workload's pod."""
        spec: Values = self.workload["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Values:
        """The addon's own container."""
        first: Values = self.pod["containers"][0]
        return first

    @property
    def claim(self) -> Values:
        """The spec of the volume's claim; empty where there is none."""
        stands_alone = self.first("PersistentVolumeClaim")
        templates = [stands_alone] if stands_alone else self.workload["spec"].get("volumeClaimTemplates") or []
        return templates[0]["spec"] if templates else {}

    def text(self, key: str) -> str:
        """A file of the addon's ConfigMap."""
        named = (item for item in self.objects if item["kind"] == "ConfigMap" and item["metadata"]["name"] == self.name)
        return str(next(named)["data"][key])

    def document(self, key: str) -> Any:
        """A YAML file of the addon's ConfigMap, read."""
        return read_document(self.text(key).encode())


def build_in(
    name: str,
    settings: Mapping[str, Any],
    shape: Mapping[str, Any],
    *,
    namespace: str,
    addons: Mapping[str, Any],
    minor: str,
    alike: str,
) -> Builtin:
    """Build the addon as the built-in of the Istio minor `alike`, whose sample runs about the chart's version.

    Of its settings only resources, storage and secret count.
    """
    # An image decides nothing here, but that of Jaeger: which of its two kinds of config it reads.
    own: Values = {"image": f"{name}:{shape.get('imageMajor', 1)}.0.0"}
    own |= {key: settings[key] for key in ("resources", "storage", "secret") if settings.get(key)}
    if not (own.get("storage") or {}).get("size"):
        own.pop("storage", None)
    images = release(alike).addons
    objects = addon_objects(name, own, images=images, namespace=namespace, addons=addons, minor=alike)
    return Builtin(name, tuple(objects), str(settings.get("secret") or name), minor, shape)


def without_sidecar(minor: str) -> tuple[Values, Values]:
    """Labels and annotations that keep the proxy out of a pod: Istio 1.11 knows only the annotation."""
    return ({}, _NO_SIDECAR) if minor == "1.11" else (_NO_SIDECAR, {})


def _container_security(built: Builtin) -> Values:
    # Where the chart takes no security context of the pod, the container's says what it can of it.
    of_pod = {} if "podSecurity" in built.shape["from"] else built.pod["securityContext"]
    kept = {key: value for key, value in of_pod.items() if not key.startswith("fsGroup")}
    return {**kept, **built.container["securityContext"]}


def _ini(built: Builtin) -> Values:
    parser = ConfigParser(interpolation=None)
    parser.read_string(built.text("grafana.ini"))
    return {section: dict(parser[section]) for section in parser.sections()}


def _dashboards(built: Builtin) -> Values:
    maps = [item for item in built.objects if item["kind"] == "ConfigMap" and item["metadata"]["name"] != built.name]
    files = {file: text for item in maps for file, text in item["data"].items()}
    return {file.removesuffix(".json"): {"json": text} for file, text in files.items()}


def _by_job(built: Builtin) -> Values:
    # Under keys of their own: the chart merges a job into its own of the same key.
    return {f"mesh-{job['job_name']}": job for job in built.document("prometheus.yml")["scrape_configs"]}


def _volumes(built: Builtin) -> list[Values]:
    return [volume for volume in built.pod["volumes"] if "configMap" not in volume]


def _mounts(built: Builtin) -> list[Values]:
    names = {volume["name"] for volume in _volumes(built)}
    return [mount for mount in built.container["volumeMounts"] if mount["name"] in names]


def _environment(built: Builtin) -> Values:
    return {entry["name"]: entry["value"] for entry in built.container["env"] if entry["name"] != "STORAGE_TYPE"}


def _objects(built: Builtin) -> list[Values]:
    """The Services that the chart lacks, for the chart's pods, and the claim that it only names."""
    facts = built.shape["objects"]
    made = [
        {**item, "spec": {**item["spec"], "selector": facts["selector"]}}
        for item in built.objects
        if item["kind"] == "Service" and item["metadata"]["name"] in facts["services"]
    ]
    claim = built.first("PersistentVolumeClaim") if facts.get("claim") else None
    return [*made, claim] if claim else made


# By the names that the catalogue uses. What is None or empty is left to the chart.
PARTS: dict[str, Callable[[Builtin], Any]] = {
    "podLabels": lambda built: without_sidecar(built.minor)[0],
    "podAnnotations": lambda built: without_sidecar(built.minor)[1],
    "resources": lambda built: built.container["resources"],
    "podSecurity": lambda built: built.pod["securityContext"],
    "containerSecurity": _container_security,
    "sidecarResources": lambda built: built.pod["containers"][1]["resources"],
    "sidecarSecurity": lambda built: built.pod["containers"][1]["securityContext"],
    "strategy": lambda built: built.workload["spec"].get("strategy"),
    "storage": lambda built: bool(built.claim),
    "storageSize": lambda built: built.claim["resources"]["requests"]["storage"] if built.claim else None,
    "storageClass": lambda built: built.claim.get("storageClassName"),
    "secret": lambda built: built.secret,
    "signingKey": lambda built: f"secret:{built.secret}:login-token-signing-key",
    "config": lambda built: built.document("config.yaml"),
    "schemaConfig": lambda built: built.document("config.yaml")["schema_config"],
    "scrapeGlobal": lambda built: built.document("prometheus.yml")["global"],
    "scrapeConfigs": lambda built: built.document("prometheus.yml")["scrape_configs"],
    "scrapeConfigsByJob": _by_job,
    "ini": _ini,
    "datasources": lambda built: built.document("datasources.yaml"),
    "providers": lambda built: built.document("dashboards.yaml"),
    "dashboards": _dashboards,
    "environment": _environment,
    "dataVolumes": _volumes,
    "dataMounts": _mounts,
    "objects": _objects,
}
