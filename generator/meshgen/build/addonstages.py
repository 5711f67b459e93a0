"""What comes after Istio: addons, built-in, from charts or the user's own, and other resources; Services opened."""

from __future__ import annotations

from typing import Any

from meshgen.build.addoncharts import addon_release, chart_services
from meshgen.build.addons import addon_objects
from meshgen.build.chart import ChartRelease, KubernetesObject
from meshgen.build.exposure import home_first, open_services
from meshgen.build.install import chart_stage, engines_of
from meshgen.build.manifests import SHIPPED, Manifests
from meshgen.build.resources import resource_objects
from meshgen.build.stage import ADDONS, CHARTS, RESOURCES, Memory, Remark, Stage
from meshgen.catalog import Release
from meshgen.layout.normal import normalise
from meshgen.yaml import pointer

Settings = dict[str, Any]


def addon_stages(
    known: Release,
    home: str,
    addons: Settings,
    resources: Settings,
    expose: Settings,
    clouds: tuple[str, ...],
    delivery: Settings,
    manifests: Manifests,
    memory: Memory,
) -> tuple[tuple[Stage, ...], tuple[Remark, ...]]:
    """The stages of addons and `resources`, and what is wrong with them and what `expose` asks; see `open_services`.

    `home` is the control plane's namespace.
    """
    by_chart = {name: addon for name, addon in addons.items() if addon.get("source") == "helm"}
    plain = Stage(ADDONS, memory.recall(_objects, known, home, addons, manifests))
    theirs = {name: chart_services(name, addon, namespace=home, minor=known.minor) for name, addon in by_chart.items()}
    services = tuple(service for made in theirs.values() for service in made or ())
    strangers = tuple(name for name, made in theirs.items() if made is None)
    others = Stage(RESOURCES, resource_objects(resources, manifests, RESOURCES))
    guessed = _guessed(expose, (*plain.objects, *services, *others.objects), home) if strangers else ()
    stages = (plain, Stage(CHARTS, (*services, *guessed)), others)
    (opened, charts, others), remarks = open_services(stages, expose, clouds, home, _builtin(addons))
    made_stages = [opened] if opened.objects or len(by_chart) < len(addons) else []
    if by_chart:
        exposures = _exposures((*services, *guessed), charts.objects)
        stage, found = _chart_stage(known, home, addons, by_chart, exposures, delivery)
        made_stages.append(stage)
        remarks = (*remarks, *found)
    if others.objects:
        made_stages.append(others)
    return tuple(made_stages), remarks


def _builtin(addons: Settings) -> tuple[str, ...]:
    """The addons whose ports meshgen knows."""
    return tuple(name for name, addon in addons.items() if (addon.get("source") or "builtin") in SHIPPED)


def _objects(known: Release, home: str, addons: Settings, manifests: Manifests) -> tuple[KubernetesObject, ...]:
    objects: list[KubernetesObject] = []
    for name, addon in addons.items():
        source = addon.get("source") or "builtin"
        if source not in SHIPPED:
            # A source that only lower layers name was never read: it reaches no cluster.
            objects += (one.object for one in manifests.of_addons.get(source, ()))
        elif source == "builtin" and name in known.addons:
            images, minor = known.addons, known.minor
            built = addon_objects(name, addon, images=images, namespace=home, addons=addons, minor=minor)
            objects += (normalise(obj) for obj in built)
    return tuple(objects)


def _guessed(expose: Settings, services: tuple[KubernetesObject, ...], home: str) -> tuple[KubernetesObject, ...]:
    """Services that only a chart of unknown content can make."""
    known = [obj for obj in services if obj["kind"] == "Service" and obj["apiVersion"] == "v1"]
    names = [key.partition(".") for key in expose if home_first(known, key, home) is None]
    return tuple(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": space or home},
            "spec": {"type": "ClusterIP"},
        }
        for name, _, space in names
        if (space or home) == home
    )


def _exposures(before: tuple[KubernetesObject, ...], after: tuple[KubernetesObject, ...]) -> dict[str, Settings]:
    """What is asked of each Service of a chart, as Kubernetes' fields."""
    exposures = {}
    for old, new in zip(before, after, strict=True):
        if new is old:
            continue
        fields = {key: value for key, value in new["spec"].items() if key != "ports"}
        fields.pop("clusterIP", None)
        if new["spec"].get("ports") != old["spec"].get("ports"):
            fields["ports"] = [port.get("name") or port["port"] for port in new["spec"]["ports"]]
        if annotations := new["metadata"].get("annotations"):
            fields["annotations"] = annotations
        name = new["metadata"]["name"]
        exposures[name] = {**fields, "pointer": pointer(["expose", name])}
    return exposures


def _chart_stage(
    known: Release,
    home: str,
    addons: Settings,
    by_chart: Settings,
    exposures: dict[str, Settings],
    delivery: Settings,
) -> tuple[Stage, tuple[Remark, ...]]:
    releases: list[ChartRelease] = []
    remarks: list[Remark] = []
    for name, addon in by_chart.items():
        made = addon_release(name, addon, namespace=home, addons=addons, minor=known.minor, exposures=exposures)
        remarks += made.remarks
        if made.release is not None:
            releases.append(made.release)
    stage, found = chart_stage(CHARTS, tuple(releases), home, engines_of(delivery))
    return stage, (*remarks, *found)
