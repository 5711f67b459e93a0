"""Recognises what a cluster exports: addons by their workloads, and the Services that someone opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from meshgen.build.clouds import speaks_of_balancers
from meshgen.build.gatewayexposure import SERVICE_TYPES
from meshgen.build.istiooperator import installed_gateways, namespace
from meshgen.catalog import Release, release_of
from meshgen.config.document import Document
from meshgen.finding import Finding
from meshgen.importing.operators import own_metadata
from meshgen.importing.read import is_operator, name_of
from meshgen.importing.services import GATEWAY_PORTS, not_carried, open_metrics, opened, port_numbers
from meshgen.values import value_at

# The Services that each addon brings, and the last part of its image's name in any release.
_SERVICES = {
    "prometheus": ("prometheus",),
    "grafana": ("grafana",),
    "jaeger": ("tracing", "zipkin", "jaeger-collector"),
    "kiali": ("kiali",),
    "zipkin": ("tracing", "zipkin"),
    "loki": ("loki", "loki-headless", "loki-memberlist"),
}
_IMAGES = {"jaeger": ("all-in-one", "jaeger"), "zipkin": ("zipkin-slim", "zipkin")}
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
# What Istio installs itself, whatever the config says.
_OF_ISTIO = ("istiod", "istio-operator", "istio-cni-node", "ztunnel")
# Objects that a controller makes of others, and remakes.
_MADE = frozenset({"Pod", "ReplicaSet", "Endpoints", "EndpointSlice", "Event", "ControllerRevision"})


@dataclass
class Recognised:
    """What an export becomes: `addons` and `expose` of a config, where each came from, and the objects left over."""

    addons: dict[str, dict[str, Any]] = field(default_factory=dict)
    expose: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def istiod_version(objects: Iterable[Document]) -> str | None:
    """The tag of the image that istiod runs."""
    for part in objects:
        if part.value.get("kind") == "Deployment" and _name(part).startswith("istiod"):
            for image in _images(part):
                repository, tag = split_image(image)
                if tag and repository.endswith("/pilot"):
                    return tag
    return None


def recognise(objects: Iterable[Document], istio: dict[str, Any]) -> Recognised:
    """Find addons and opened Services among the objects of an export; `istio` are the settings of its mesh."""
    parts = [part for part in objects if not is_operator(part) and not _is_made(part)]
    home, known = namespace(istio), release_of(istio)
    found = Recognised()
    left = [part for part in parts if not (_is_of_istio(part, home) or _take_addon(part, home, known, found))]
    gateways = {gateway["name"]: (kind, gateway) for kind, gateway in installed_gateways(istio)}
    for part in left:
        if not (_take_gateway(part, gateways, istio, home, found) or _take_service(part, home, found)):
            found.findings.append(_left_over(part))
    return found


def _name(part: Document) -> str:
    name = value_at(part.value, ("metadata", "name"))
    return name if isinstance(name, str) else ""


def _home(part: Document) -> str:
    return str(value_at(part.value, ("metadata", "namespace")) or "default")


def _is_made(part: Document) -> bool:
    return part.value.get("kind") in _MADE or bool(value_at(part.value, ("metadata", "ownerReferences")))


def _is_of_istio(part: Document, home: str) -> bool:
    name = _name(part)
    own = any(name == one or name.startswith(f"{one}-") for one in _OF_ISTIO)
    closed = value_at(part.value, ("spec", "type")) in (None, "ClusterIP")
    where = (home, "istio-operator", "kube-system")
    return own and closed and _home(part) in where and part.value.get("kind") in (*_WORKLOADS, "Service")


def _images(part: Document) -> Iterator[str]:
    for container in value_at(part.value, ("spec", "template", "spec", "containers")) or []:
        image = container.get("image") if isinstance(container, dict) else None
        if isinstance(image, str):
            yield image


def split_image(image: str) -> tuple[str, str]:
    """An image's repository without Docker's own registry, and its tag, both without a digest."""
    repository, _, _ = image.partition("@")
    head, slash, last = repository.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}".removeprefix("docker.io/"), tag


def _take_addon(part: Document, home: str, known: Release, found: Recognised) -> bool:
    name = _name(part)
    if part.value.get("kind") not in _WORKLOADS or name not in known.addons or _home(part) != home:
        return False
    names = _IMAGES.get(name, (name,))
    image = next((one for one in _images(part) if split_image(one)[0].rpartition("/")[2] in names), None)
    if image is None:
        return False
    found.addons[name] = _addon_image(image, known.addons.get(name, ""))
    found.documents["addons", name] = part
    found.findings.append(_made_anew(part, name))
    return True


def _addon_image(image: str, pinned: str) -> dict[str, Any]:
    """What an addon has to say to run an image: nothing where it does anyway."""
    repository, tag = split_image(image)
    usual, usual_tag = split_image(pinned)
    if repository != usual or "@" in image:
        return {"image": image}
    return {} if tag == usual_tag else {"version": tag}


def _take_gateway(
    part: Document, gateways: dict[str, tuple[str, dict[str, Any]]], istio: dict[str, Any], home: str, found: Recognised
) -> bool:
    name = _name(part)
    if name not in gateways or part.value.get("kind") not in (*_WORKLOADS, "Service"):
        return False
    kind, gateway = gateways[name]
    kept_outside = value_at(part.value, ("spec", "type")) == "ExternalName"
    if kept_outside or _home(part) != (gateway.get("namespace") or home):
        return False
    if part.value["kind"] == "Service":
        ports = value_at(gateway, ("k8s", "service", "ports"))
        found.findings += not_carried(part, port_numbers(ports) if ports else GATEWAY_PORTS[kind])
        asked = _asked_of_gateway(kind, name, gateway, istio)
        edited = {key: value for key, value in opened(part.value).items() if asked.get(key) != value}
        if edited:
            _expose(part, home, {"type": opened(part.value)["type"], **edited}, found)
    return True


def _asked_of_gateway(kind: str, name: str, gateway: dict[str, Any], istio: dict[str, Any]) -> dict[str, Any]:
    """What the IstioOperator says already of how a gateway is reached."""
    k8s = gateway.get("k8s") or {}
    service = k8s.get("service") or {}
    values = value_at(istio.get("values"), ("gateways", f"istio-{kind.removesuffix('Gateways')}gateway")) or {}
    annotations = {**(values.get("serviceAnnotations") or {}), **(k8s.get("serviceAnnotations") or {})}
    said = opened({"spec": {"type": values.get("type") or SERVICE_TYPES[kind], **service}, "metadata": {}})
    for key, field_ in (("loadBalancerIP", "loadBalancerIP"), ("sourceRanges", "loadBalancerSourceRanges")):
        if values.get(field_) and key not in said:
            said[key] = values[field_]
    return {**said, "annotations": annotations} if annotations else said


def _take_service(part: Document, home: str, found: Recognised) -> bool:
    name = _name(part)
    brought = any(name in _SERVICES[addon] for addon in found.addons)
    if part.value.get("kind") != "Service" or not brought or _home(part) != home:
        return False
    asked = opened(part.value)
    found.findings += not_carried(part, None)
    if asked["type"] not in ("ClusterIP", "ExternalName"):
        ports = [port.get("name") or port["port"] for port in value_at(part.value, ("spec", "ports")) or []]
        # meshgen would leave Kiali's metrics inside: what is open stays open until someone closes it.
        if any(str(port).endswith("metrics") for port in ports) and len(ports) > 1:
            asked["ports"] = ports
            found.findings.append(open_metrics(part, name, ports))
        _expose(part, home, asked, found)
    return True


def _expose(part: Document, home: str, asked: dict[str, Any], found: Recognised) -> None:
    name = _name(part) if _home(part) == home else f"{_name(part)}.{_home(part)}"
    found.expose[name] = asked
    found.documents["expose", name] = part


def _made_anew(part: Document, name: str) -> Finding:
    """An addon that is recognised is meshgen's own from then on: what its workload says else is not carried over."""
    pods = value_at(part.value, ("spec", "template", "spec")) or {}
    claims = [one for one in pods.get("volumes") or [] if isinstance(one, dict) and one.get("persistentVolumeClaim")]
    message = f"{name_of(part.value)} becomes addons.{name}, which meshgen makes anew"
    what = "its replicas, arguments, resources and volumes are not carried over"
    if claims or value_at(part.value, ("spec", "volumeClaimTemplates")):
        hint = f"{what}, nor what is on its volume: say addons.{name}.storage, or name your own manifests by source"
        return part.finding("MG804", message, "/spec", hint=hint, severity="warning", at_key=True)
    hint = f"{what}; name your own manifests by addons.{name}.source to keep them"
    return part.finding("MG804", message, "/spec", hint=hint, severity="info", at_key=True)


def _left_over(part: Document) -> Finding:
    place = f" in {_home(part)}" if value_at(part.value, ("metadata", "namespace")) else ""
    message = f"{name_of(part.value)}{place} has no place in the config, and is left out"
    hint = "the tree would not hold it: keep it where it is made now"
    if any(speaks_of_balancers(key) for key in own_metadata(part.value).get("annotations") or {}):
        hint += "; it is a load balancer"
    return part.finding("MG804", message, "", hint=hint, severity="info")
