"""Gateways by what people rely on: istioctl's chart for them is not the published one, so objects can't be equal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.installs.differences import ANY, NONE, Known
from tests.objects import Object

# What a gateway of istioctl's chart sets for its proxy, and injection sets where the published chart is used.
_INJECTED = (
    "CA_ADDR",
    "HOST_IP",
    "INSTANCE_IP",
    "ISTIO_CPU_LIMIT",
    "ISTIO_META_CLUSTER_ID",
    "ISTIO_META_MESH_ID",
    "ISTIO_META_NODE_NAME",
    "ISTIO_META_OWNER",
    "ISTIO_META_UNPRIVILEGED_POD",
    "ISTIO_META_WORKLOAD_NAME",
    "NODE_NAME",
    "PILOT_CERT_PROVIDER",
    "POD_NAME",
    "POD_NAMESPACE",
    "SERVICE_ACCOUNT",
    "TRUST_DOMAIN",
)
_INJECTION = "the proxy of the published chart is injected when its pod starts, and brings this itself"
_PORT = "the published chart binds to the port of the Service itself, which its sysctl allows; istiod reads either"

KNOWN_OF_GATEWAYS = (
    *(Known("Gateway", "*", f"/pod/env/{name}/*", NONE, ANY, _INJECTION) for name in _INJECTED),
    Known("Gateway", "*", "/pod/env/ISTIO_META_DNS_CAPTURE/*", NONE, ANY, f"{_INJECTION}: meshConfig's proxyMetadata"),
    Known("Gateway", "*", "/pod/annotations/inject.istio.io~1templates", "gateway", NONE, _INJECTION),
    Known("Gateway", "*", "/pod/annotations/sidecar.istio.io~1inject", "true", "false", _INJECTION),
    Known("Gateway", "*", "/pod/annotations/istio.io~1rev", NONE, ANY, _INJECTION),
    Known(
        "Gateway", "*", "/labels/istio.io~1rev", NONE, "default", "without a revision the published chart writes none"
    ),
    Known("Gateway", "*", "/pod/resources/limits/cpu", 2, "2", "a quantity may be a number or a text"),
    Known("Gateway", "*", "/service/ports/80/targetPort", 80, 8080, _PORT),
    Known("Gateway", "*", "/service/ports/443/targetPort", 443, 8443, _PORT),
)


def meaning(objects: Iterable[Object]) -> dict[str, Object]:
    """What users rely on of each gateway among these objects, by `namespace/name`."""
    found: dict[str, Object] = {}
    for obj in objects:
        if part := _PARTS.get(obj["kind"]):
            metadata = obj["metadata"]
            # Everything else of a gateway bears its name too.
            found.setdefault(f"{metadata['namespace']}/{metadata['name']}", {}).update(_pruned(part(obj)))
    return found


def _service(service: Object) -> Object:
    spec = dict(service["spec"])
    ports = [{"protocol": "TCP", "targetPort": port["port"], **port} for port in spec.pop("ports")]
    selector = spec.pop("selector")
    # istioctl's chart leaves the default out.
    said = {"type": "ClusterIP", **spec, "ports": ports, "annotations": service["metadata"].get("annotations")}
    return {"service": said, "selected": {"istio": selector["istio"]}}


def _deployment(deployment: Object) -> Object:
    spec = deployment["spec"]
    template = spec["template"]
    labels = template["metadata"]["labels"]
    selector = spec["selector"]["matchLabels"]
    assert selector.items() <= labels.items(), f"{selector} selects no pod with {labels}"
    (container,) = (one for one in template["spec"]["containers"] if one["name"] == "istio-proxy")
    pod = {key: template["spec"].get(key) for key in ("affinity", "nodeSelector", "priorityClassName", "tolerations")}
    pod |= {key: container.get(key) for key in ("env", "imagePullPolicy", "resources")}
    pod["annotations"] = template["metadata"].get("annotations")
    # The labels that Gateways and policies select by.
    chosen = {key: labels.get(key) for key in ("app", "istio", "istio.io/rev")}
    return {"pod": pod, "labels": chosen, "strategy": spec.get("strategy"), "replicas": spec.get("replicas")}


def _autoscaler(autoscaler: Object) -> Object:
    return {"autoscaler": autoscaler["spec"]}


def _budget(budget: Object) -> Object:
    return {"budget": {key: value for key, value in budget["spec"].items() if key != "selector"}}


_PARTS = {
    "Service": _service,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
}


def _pruned(value: Any) -> Any:
    """Without what says nothing: nulls, and maps and lists of nothing else."""
    if isinstance(value, dict):
        items = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in (None, {}, [])}
    return [_pruned(item) for item in value] if isinstance(value, list) else value
