"""Whom Flux tells of failures: a Provider and an Alert for each that the config names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshgen.delivery.fluxsource import flux_object
from meshgen.delivery.wiring import KubernetesObject

# Of Flux 2.2.
API_VERSION = "notification.toolkit.fluxcd.io/v1beta3"


def alert_objects(
    prefix: str, flux: dict[str, Any], sources: Iterable[tuple[str, str]], labels: dict[str, str] | None = None
) -> tuple[KubernetesObject, ...]:
    """The objects of `alerts`, whose names begin with `prefix`.

    `sources` are (kind, name) of what events come from; a name `*` means all that bear `labels`.
    """
    events = [
        {"kind": kind, "name": name, **({"matchLabels": labels} if labels and name == "*" else {})}
        for kind, name in sources
    ]
    made = (_pair(f"{prefix}-{name}", flux, alert or {}, events) for name, alert in flux["alerts"].items())
    return tuple(obj for pair in made for obj in pair)


def _pair(
    name: str, flux: dict[str, Any], alert: dict[str, Any], events: list[dict[str, Any]]
) -> tuple[KubernetesObject, KubernetesObject]:
    provider: dict[str, Any] = {"type": alert.get("type") or "generic"}
    provider |= {key: alert[key] for key in ("address", "channel") if alert.get(key)}
    if alert.get("secretRef"):
        provider["secretRef"] = {"name": alert["secretRef"]}
    spec = {
        "providerRef": {"name": name},
        "eventSeverity": alert.get("severity") or "error",
        "eventSources": events,
    }
    return (
        flux_object(API_VERSION, "Provider", name, flux, provider),
        flux_object(API_VERSION, "Alert", name, flux, spec),
    )
