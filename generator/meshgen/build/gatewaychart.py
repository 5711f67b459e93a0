"""Gateways by the published chart `gateway`: what an IstioOperator says of one, in that chart's values.

istioctl renders gateways by a chart of its own that is not published. Both make the same Deployment, Service,
autoscaler and disruption budget under the same names and labels; here the proxy is injected when the pod starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meshgen.build.chart import ObjectPatch
from meshgen.build.k8spatches import WITHOUT_EFFECT, change_of, environment_values, overlay_patches
from meshgen.build.stage import Remark
from meshgen.build.translate import Component
from meshgen.catalog import DEFAULT_GATEWAYS, Version, gateway_facts
from meshgen.values import merged, nested
from meshgen.yaml import pointer

Values = dict[str, Any]


def gateway_values(
    component: Component, version: Version
) -> tuple[Values, tuple[ObjectPatch, ...], tuple[Remark, ...]]:
    """The values of a gateway's release, patches for what the chart has no value for, and what is lost."""
    made = _Gateway(component, version)
    made.take_values()
    made.take_k8s()
    return made.values, tuple(made.patches), tuple(made.remarks)


class _Gateway:
    """Collects the values of one gateway."""

    def __init__(self, component: Component, version: Version) -> None:
        self.component = component
        self.facts = gateway_facts(version)
        self.patches: list[ObjectPatch] = []
        self.remarks: list[Remark] = []
        settings = component.values
        self.shared: Values = settings.get("global") or {}
        self.values: Values = {"revision": settings["revision"]} if settings.get("revision") else {}
        # istioctl's gateways of a kind share their labels, by which Gateways select them.
        default = DEFAULT_GATEWAYS[component.kind]
        if component.name != default:
            self.values["labels"] = {"app": default, "istio": default.removeprefix("istio-")}
        if "strategy" in self.facts["k8s"]:
            self.values["strategy"] = self.facts["strategy"]
        if component.kind == "egressGateways":
            # The chart is made for ingress: its Service is a load balancer with a port for health checks.
            self.values["service"] = dict(self.facts["egressService"])

    def take_values(self) -> None:
        """What the profile and `values.gateways` say."""
        root = DEFAULT_GATEWAYS[self.component.kind]
        profile = self.facts["profiles"].get(self.component.values.get("profile") or "", {}).get(root, {})
        own = (self.component.values.get("gateways") or {}).get(root) or {}
        for key, value in merged(profile, own).items():
            if value is not None and value not in ({}, [], ""):
                self._take_value(key, value, pointer(["istio", "values", "gateways", root, key]))
        for key, path in self.facts["shared"].items():
            if self.shared.get(key):
                self._set(path, self.shared[key])
        if (self.shared.get("defaultPodDisruptionBudget") or {}).get("enabled") is not False:
            self._set("podDisruptionBudget", {"minAvailable": 1})

    def _take_value(self, key: str, value: Any, at: str) -> None:
        if key in self.facts["values"]:
            self._set(self.facts["values"][key], value)
        elif key in ("cpu", "memory"):
            target = value.get("targetAverageUtilization")
            self._set(f"autoscaling.target{'CPU' if key == 'cpu' else 'Memory'}UtilizationPercentage", target)
        elif key in ("secretVolumes", "configVolumes"):
            self._mount(value, at)
        elif key == "customService":
            self._set("service.type", "None" if value else None)
        elif key in ("hub", "tag"):
            self._set("podAnnotations", {"sidecar.istio.io/proxyImage": self._image()})
        elif key not in self.facts["without"]:
            message = f"istio.values.gateways…{key}: the chart gateway has no such value"
            self.remarks.append(Remark("MG215", message, at, "take it out, or say install: manifests", at_key=True))

    def _image(self) -> str:
        own = (self.component.values.get("gateways") or {}).get(DEFAULT_GATEWAYS[self.component.kind]) or {}
        return f"{own.get('hub') or self.shared.get('hub')}/proxyv2:{own.get('tag') or self.shared.get('tag')}"

    def _mount(self, volumes: list[Values], at: str) -> None:
        for index, one in enumerate(volumes):
            source = {"secret": {"secretName": one.get("secretName"), "optional": True}}
            if "configMapName" in one:
                source = {"configMap": {"name": one["configMapName"], "optional": True}}
            if not (one.get("name") and one.get("mountPath") and (one.get("secretName") or one.get("configMapName"))):
                message = "istio.values.gateways…: a volume needs name, mountPath, and secretName or configMapName"
                self.remarks.append(Remark("MG215", message, f"{at}/{index}", "say them all, or take it out"))
                continue
            self.values.setdefault("volumes", []).append({"name": one["name"], **source})
            mount = {"name": one["name"], "mountPath": one["mountPath"], "readOnly": True}
            self.values.setdefault("volumeMounts", []).append(mount)

    def take_k8s(self) -> None:
        """What the gateway asks of its Kubernetes objects."""
        takers: dict[str, Callable[[Any, str], None]] = {
            "env": self._env,
            "hpaSpec": self._autoscaling,
            "service": self._service,
            "podDisruptionBudget": self._budget,
            "securityContext": self._security,
            "readinessProbe": self._probe,
        }
        for key, value in self.component.k8s.items():
            at = f"{self.component.pointer}/k8s/{key}"
            if value is None or key == "overlays":
                continue
            if key in takers:
                takers[key](value, at)
            elif key in self.facts["k8s"]:
                self._set(self.facts["k8s"][key], value)
            elif key not in WITHOUT_EFFECT:
                self._patch("Deployment", change_of("istio-proxy", key, value), at, (key, value))
            else:
                message = f"istio.components.{self.component.kind}.k8s.{key}: istioctl makes nothing of it"
                self.remarks.append(Remark("MG215", message, at, "take it out", "warning", at_key=True))
        for index, overlay in enumerate(self.component.k8s.get("overlays") or []):
            patches, remarks = overlay_patches(overlay, f"{self.component.pointer}/k8s/overlays/{index}")
            self.patches += patches
            self.remarks += remarks

    def _env(self, variables: list[Values], at: str) -> None:
        plain, taken = environment_values(variables)
        if plain:
            self._set("env", plain)
        if taken and "envVarFrom" in self.facts:
            self._set("envVarFrom", taken)
        elif taken:
            self._patch("Deployment", change_of("istio-proxy", "env", taken), at, ("env", taken))

    def _autoscaling(self, spec: Values, at: str) -> None:
        rest = {
            key: value for key, value in spec.items() if key not in ("minReplicas", "maxReplicas", "scaleTargetRef")
        }
        for key in ("minReplicas", "maxReplicas"):
            if spec.get(key) is not None:
                self._set(f"autoscaling.{key}", spec[key])
        if "behavior" in rest:
            self._set("autoscaling.autoscaleBehavior", rest.pop("behavior"))
        if rest:
            self._patch("HorizontalPodAutoscaler", {"spec": rest}, at, ("hpaSpec", rest))

    def _service(self, spec: Values, at: str) -> None:
        rest = {}
        for key, value in spec.items():
            if key in self.facts["service"]:
                self._set(f"service.{self.facts['service'][key]}", value)
            elif value is not None:
                rest[key] = value
        if rest:
            self._patch("Service", {"spec": rest}, at, ("service", rest))

    def _budget(self, spec: Values, _: str) -> None:
        if spec.get("maxUnavailable") is not None:
            self.values.pop("podDisruptionBudget", None)
        self._set("podDisruptionBudget", spec)

    def _security(self, context: Values, _: str) -> None:
        # A context of one's own takes the place of the chart's, without which nothing may bind to port 80.
        self._set("securityContext", {"sysctls": self.facts["sysctls"], **context})

    def _probe(self, probe: Values, at: str) -> None:
        # The chart has no probe of its own that this one would change: injection brings it.
        whole = probe if probe.keys() & {"exec", "grpc", "httpGet", "tcpSocket"} else merged(self.facts["probe"], probe)
        if "readinessProbe" in self.facts["k8s"]:
            self._set("readinessProbe", whole)
        else:
            self._patch("Deployment", change_of("istio-proxy", "readinessProbe", whole), at, ("readinessProbe", whole))

    def _patch(self, kind: str, change: Values, at: str, setting: tuple[str, Any]) -> None:
        self.patches.append(ObjectPatch(kind, self.component.name, change, at, setting))

    def _set(self, path: str, value: Any) -> None:
        if path == "resources" and isinstance(value, dict):
            # The chart's schema wants text, where Kubernetes takes a number too.
            value = {key: _as_text(part) for key, part in value.items()}
        if value is not None:
            self.values = merged(self.values, nested(tuple(path.split(".")), value))


def _as_text(quantities: Any) -> Any:
    if not isinstance(quantities, dict):
        return quantities
    return {name: quantity if quantity is None else str(quantity) for name, quantity in quantities.items()}
