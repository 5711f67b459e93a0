"""The built-in addons: Prometheus, Grafana, Jaeger, Kiali, Zipkin and Loki, as the objects that they consist of.

They take the place of Istio's samples/addons: the same Services, selectors and permissions, so that they take over what
a sample made, but with credentials from Secrets, locked-down containers, probes and resources.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.templates import read_text, render_objects
from meshgen.errors import MeshgenError

NAMES = ("prometheus", "grafana", "jaeger", "kiali", "zipkin", "loki")

DASHBOARDS = ("mesh", "service", "workload", "control-plane")

CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
}

# The user that each image is made for. Some images name it in letters, which the kubelet can't tell from root.
_USERS = {"prometheus": 65534, "grafana": 472, "jaeger": 10001, "kiali": 1000, "zipkin": 1000, "loki": 10001}

# No limit on CPU: throttling breaks probes and scrapes long before a node runs out of it.
_RESOURCES: dict[str, dict[str, Any]] = {
    "prometheus": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
    "grafana": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    "jaeger": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    "kiali": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}},
    "zipkin": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "768Mi"}},
    "loki": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
}

# A StatefulSet's claims can't change later: this one is the sample's.
_DEFAULT_STORAGE = {"loki": {"size": "10Gi"}}


@dataclass(frozen=True)
class RequiredSecret:
    """A Secret that someone has to make before an addon starts; meshgen never writes one."""

    addon: str
    name: str
    keys: tuple[str, ...]
    purpose: str
    command: str


def addon_objects(
    name: str,
    settings: Mapping[str, Any],
    *,
    images: Mapping[str, Any],
    namespace: str,
    addons: Mapping[str, Any],
    minor: str,
) -> list[dict[str, Any]]:
    """Give the objects of a built-in addon, in a fixed order.

    `settings` are the addon's own (version, image, resources, storage, secret), `addons` those of all the mesh's addons
    by name, `images` the image references of the catalogue for `minor`, such as "1.30".
    """
    image = image_reference(name, settings, images=images, minor=minor)
    values = _shared_values(name, settings, image=image, namespace=namespace, minor=_minor_number(minor))
    values |= _own_values(name, values, images=images, addons=addons)
    objects = render_objects(f"addons/{name}.yaml.j2", **values)
    if name != "prometheus":  # Its side-car reloads it.
        _restart_on_change(name, objects)
    return objects


def default_ports(name: str, service: str) -> tuple[str, ...] | None:
    """Name the ports that `expose` opens unless it is told which; None means all of the Service's ports."""
    # Kiali's other port serves its metrics to anyone.
    return ("http",) if (name, service) == ("kiali", "kiali") else None


def required_secrets(
    name: str, settings: Mapping[str, Any], addons: Mapping[str, Any], *, namespace: str = "istio-system"
) -> tuple[RequiredSecret, ...]:
    """Tell which Secrets a user has to make for an addon, and how."""
    secret = _secret_name(name, settings)
    create = f"kubectl create secret generic {secret} --namespace {namespace}"
    if name == "grafana":
        return (
            RequiredSecret(
                addon=name,
                name=secret,
                keys=("admin-user", "admin-password"),
                purpose="Grafana's administrator",
                command=f"{create} --from-literal=admin-user=mesh-admin "
                '--from-literal=admin-password="$(openssl rand -base64 24)"',
            ),
        )
    if name == "kiali":
        purpose = "the key that signs Kiali's sessions: 16, 24 or 32 bytes"
        if "grafana" in addons:
            purpose += "; with the optional key grafana-token, a viewer's token, Kiali links to Grafana's dashboards"
        return (
            RequiredSecret(
                addon=name,
                name=secret,
                keys=("login-token-signing-key",),
                purpose=purpose,
                command=f'{create} --from-literal=login-token-signing-key="$(openssl rand -hex 16)"',
            ),
        )
    return ()


def image_reference(name: str, settings: Mapping[str, Any], *, images: Mapping[str, Any], minor: str) -> str:
    """Give the image that an addon runs: `image` as it is where it is pinned, else with `version` or the known tag."""
    pinned = images.get(name)
    image = settings.get("image") or pinned
    if image is None:
        raise MeshgenError(f"Istio {minor} has no built-in {name}: set addons.{name}.image, or take the addon out")
    version = settings.get("version")
    repository, tag = _split_image(image)
    if settings.get("image") and tag:
        return str(image)
    tag = f":{version}" if version else tag or _split_image(pinned or "")[1]
    if not tag:
        raise MeshgenError(f"addons.{name}.image has neither a tag nor a digest: pin it, or set addons.{name}.version")
    return repository + tag


def _split_image(image: str) -> tuple[str, str]:
    """Split an image reference into its repository and ":tag", "@digest" or ""."""
    repository, at, digest = image.partition("@")
    if at:
        return repository, at + digest
    # A colon before the last slash belongs to the registry's port.
    head, colon, tag = image.rpartition(":")
    return (head, colon + tag) if colon and "/" not in tag else (image, "")


def _shared_values(name: str, settings: Mapping[str, Any], *, image: str, namespace: str, minor: int) -> dict[str, Any]:
    selector = _selector(name, minor)
    storage = settings.get("storage") or _DEFAULT_STORAGE.get(name)
    return {
        "namespace": namespace,
        "minor": minor,
        "image": image,
        "secret": _secret_name(name, settings),
        "selector": selector,
        "labels": {
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/instance": name,
            "app.kubernetes.io/managed-by": "meshgen",
        },
        "pod_labels": selector | _more_pod_labels(name) | {"sidecar.istio.io/inject": "false"},
        "pod_security": _pod_security(_USERS[name]),
        "container_security": CONTAINER_SECURITY,
        "resources": settings.get("resources") or _RESOURCES[name],
        "storage": bool(storage),
        "claim": _claim(storage) if storage else None,
    }


def _own_values(
    name: str, shared: Mapping[str, Any], *, images: Mapping[str, Any], addons: Mapping[str, Any]
) -> dict[str, Any]:
    namespace = shared["namespace"]
    if name == "prometheus":
        return {"reload": _reload(images)}
    if name == "grafana":
        return {
            "prometheus_url": f"http://prometheus.{namespace}:9090",
            "loki_url": f"http://loki.{namespace}:3100" if "loki" in addons else None,
            "jaeger_url": f"http://tracing.{namespace}/jaeger" if "jaeger" in addons else None,
            "dashboards": [_dashboard(dashboard) for dashboard in DASHBOARDS],
        }
    if name == "jaeger":
        # The samples have opened OpenTelemetry's ports since 1.19.
        return {"jaeger_major": _jaeger_major(shared["image"], images), "otlp": shared["minor"] >= 19}
    if name == "kiali":
        return _kiali_values(namespace, addons)
    if name == "loki":
        headless = {"app.kubernetes.io/name": "loki", "app.kubernetes.io/instance": "loki"}
        return {
            "memberlist_host": f"loki-memberlist.{namespace}.svc",
            "headless_selector": headless,
            "memberlist_selector": headless | {"app.kubernetes.io/part-of": "memberlist"},
        }
    return {}


def _kiali_values(namespace: str, addons: Mapping[str, Any]) -> dict[str, Any]:
    grafana = f"http://grafana.{namespace}:3000" if "grafana" in addons else None
    return {
        "prometheus_url": f"http://prometheus.{namespace}:9090" if "prometheus" in addons else None,
        "grafana_url": grafana,
        "grafana_health_url": f"{grafana}/api/health",
        # Kiali can't read Zipkin's traces.
        "jaeger_url": f"http://tracing.{namespace}:16685/jaeger" if "jaeger" in addons else None,
        "oauth_clients": [f"kiali-{namespace}"],
    }


def _reload(images: Mapping[str, Any]) -> dict[str, Any]:
    image = images["configmapReload"]
    url = "http://127.0.0.1:9090/-/reload"
    if "prometheus-config-reloader" in image:
        return {"image": image, "port": 8080, "args": ["--watched-dir=/etc/config", f"--reload-url={url}"]}
    return {"image": image, "port": 9533, "args": ["--volume-dir=/etc/config", f"--webhook-url={url}"]}


def _dashboard(name: str) -> dict[str, str]:
    return {
        "config_map": f"grafana-dashboard-{name}",
        "file": f"{name}.json",
        "text": read_text(f"addons/grafana/dashboards/{name}.json"),
    }


def _jaeger_major(image: str, images: Mapping[str, Any]) -> int:
    """Tell Jaeger 1, configured by its environment, from Jaeger 2, an OpenTelemetry collector with a config file."""
    repository, tag = _split_image(image)
    if version := re.match(r":v?([0-9]+)\.", tag):
        return int(version[1])
    if "jaegerMajor" in images:
        return int(images["jaegerMajor"])
    return 1 if repository.endswith("/all-in-one") else 2


def _selector(name: str, minor: int) -> dict[str, str]:
    """Give the sample's selector: a Deployment's can't change, so another one could not take the sample over."""
    if name in ("jaeger", "zipkin"):
        return {"app": name}
    if name == "prometheus" and minor < 21:
        return {"app": "prometheus", "component": "server", "release": "prometheus"}
    instance = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}
    component = {"prometheus": "server", "loki": "single-binary"}.get(name)
    return instance | ({"app.kubernetes.io/component": component} if component else {})


def _more_pod_labels(name: str) -> dict[str, str]:
    # Kiali's graph and Istio's metrics group workloads by `app`.
    labels = {"app": name}
    return labels | ({"app.kubernetes.io/part-of": "memberlist"} if name == "loki" else {})


def _pod_security(user: int) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _claim(storage: Mapping[str, Any]) -> dict[str, Any]:
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage["size"]}},
    }
    if storage_class := storage.get("storageClassName"):
        claim["storageClassName"] = storage_class
    return claim


def _restart_on_change(name: str, objects: list[dict[str, Any]]) -> None:
    """Note the config's checksum in the pod's template: these programs read their ConfigMap only when they start."""
    by_kind = {item["kind"]: item for item in objects if item["metadata"]["name"] == name}
    workload = by_kind.get("Deployment") or by_kind["StatefulSet"]
    if config := by_kind.get("ConfigMap"):
        data = json.dumps(config["data"], sort_keys=True).encode()
        annotations = workload["spec"]["template"]["metadata"].setdefault("annotations", {})
        annotations["meshgen.dev/config-checksum"] = hashlib.sha256(data).hexdigest()


def _secret_name(name: str, settings: Mapping[str, Any]) -> str:
    return str(settings.get("secret") or name)


def _minor_number(minor: str) -> int:
    return int(minor.split(".")[1])
