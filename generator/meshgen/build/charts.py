"""Istio's own charts: the Helm releases that a translated IstioOperator becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.build.chart import Chart, ChartRelease
from meshgen.build.gatewaychart import gateway_values
from meshgen.build.k8spatches import object_patches
from meshgen.build.stage import Remark
from meshgen.build.translate import Component
from meshgen.catalog import Release, Version

# (release, chart): the releases are called as in Istio's own documentation.
_CHARTS = {
    "base": ("istio-base", "base"),
    "cni": ("istio-cni", "cni"),
    "pilot": ("istiod", "istiod"),
    "ztunnel": ("ztunnel", "ztunnel"),
}
_AFTER: dict[str, tuple[str, ...]] = {
    "base": (),
    "cni": ("base",),
    "pilot": ("base", "cni"),
    "ztunnel": ("pilot", "cni"),
}


def istio_releases(
    components: Sequence[Component], istio: dict[str, Any], known: Release
) -> tuple[tuple[ChartRelease, ...], tuple[Remark, ...]]:
    """The Helm releases of these components, gateways last, and what no chart or patch of them can say."""
    names = {one.kind: _name(one) for one in components if not one.is_gateway}
    releases: list[ChartRelease] = []
    remarks: list[Remark] = []
    before: tuple[str, ...]
    for component in components:
        if component.is_gateway:
            values, patches, found = gateway_values(component, Version.parse(istio["version"]))
            # Without a control plane of its own, a cluster's CRDs are all that a gateway may wait for.
            before = ("pilot",) if "pilot" in names else ("base",)
        else:
            values, before = component.values, _AFTER[component.kind]
            patches, found = object_patches(component)
        remarks += found
        after = tuple(names[kind] for kind in before if kind in names)
        chart = _chart(component, istio, known)
        releases.append(ChartRelease(_name(component), chart, component.namespace, values, patches, after))
    return tuple(releases), tuple(remarks)


def _name(component: Component) -> str:
    if component.is_gateway:
        return component.name
    revision = component.values.get("revision")
    name = _CHARTS[component.kind][0]
    return f"{name}-{revision}" if component.kind == "pilot" and revision else name


def _chart(component: Component, istio: dict[str, Any], known: Release) -> Chart:
    own = istio.get("charts") or {}
    # An object never changes its stage, so the gateways' stage has a source of its own.
    name, origin = ("gateway", "istio-gateways") if component.is_gateway else (_CHARTS[component.kind][1], "istio")
    version = Version.parse(istio["version"])
    unsound = component.is_gateway and any(first <= version < sound for first, sound in _UNSOUND)
    repository = own.get("repository") or known.charts
    return Chart(name, repository, istio["version"], origin, own.get("secretRef"), unsound)


# From and before which versions the chart gateway has a schema that its own values.yaml breaks.
_UNSOUND = tuple(
    (Version.parse(first), Version.parse(sound))
    for first, sound in (("1.22.0", "1.25.5"), ("1.26.0", "1.26.4"), ("1.27.0", "1.27.1"))
)
