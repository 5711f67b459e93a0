"""Addons from their projects' charts: a Helm release that does what the built-in addon does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.build.addonopening import asked_at, open_service, own_object, service_patch
from meshgen.build.addonparts import Builtin, Values, build_in
from meshgen.build.addonvalues import default_values, pod_patches, set_image
from meshgen.build.chart import Chart, ChartRelease, KubernetesObject, ObjectPatch
from meshgen.build.stage import Remark
from meshgen.catalog import Version, release
from meshgen.catalog.addoncharts import AddonChart, addon_chart
from meshgen.values import merged, value_at
from meshgen.yaml import pointer

# What a setting of the built-in becomes in a chart that meshgen does not know: nothing.
_BUILTIN_SETTINGS = ("image", "resources", "storage", "secret")


@dataclass(frozen=True, eq=False)
class AddonCharts:
    """The release of an addon's chart, None where the chart can't be named, and what it does not carry over."""

    release: ChartRelease | None
    remarks: tuple[Remark, ...]


def addon_release(
    name: str,
    settings: Mapping[str, Any],
    *,
    namespace: str,
    addons: Mapping[str, Any],
    minor: str,
    exposures: Mapping[str, Mapping[str, Any]],
) -> AddonCharts:
    """The Helm release of an addon with `source: helm`.

    `settings` are the addon's own, `addons` those of all the mesh's addons by name, `minor` an Istio minor such as
    "1.30". `exposures` maps a Service's name to the fields that it is to have, as Kubernetes spells them; `ports` names
    those to keep, `pointer` leads to the setting that asks. Services of other addons are passed over, except where the
    chart is not a known one. The user's `values` win over all but these.
    """
    facts, chart = addon_chart(name), _chart(name, settings, minor)
    remarks = _version_remarks(name, chart, facts)
    if any(remark.severity == "error" for remark in remarks):
        return AddonCharts(None, tuple(remarks))
    if chart.name != facts.chart:
        values, patches, found = _strange(name, settings, chart, exposures)
        values = merged(values, settings.get("values") or {})
    else:
        built = _built(name, settings, chart, namespace=namespace, addons=addons, minor=minor)
        values, patches, found = _known(built, settings, chart, exposures)
    return AddonCharts(ChartRelease(name, chart, namespace, values, tuple(patches)), (*remarks, *found))


def chart_services(
    name: str, settings: Mapping[str, Any], *, namespace: str, minor: str
) -> tuple[KubernetesObject, ...] | None:
    """The Services of an addon's release before any is opened; None where the chart is not a known one."""
    facts, chart = addon_chart(name), _chart(name, settings, minor)
    if chart.name != facts.chart or _version_remarks(name, chart, facts, quiet=True):
        return None
    built = _built(name, {}, chart, namespace=namespace, addons={}, minor=minor)
    objects = default_values(built).get(built.shape["from"].get("objects", ""), [])
    own = tuple(item for item in objects if item["kind"] == "Service")
    return (*(_service(key, one, namespace) for key, one in built.shape["services"].items()), *own)


def _chart(name: str, settings: Mapping[str, Any], minor: str) -> Chart:
    """The chart that the settings name; its version is empty where nothing says which."""
    facts = addon_chart(name)
    chart = settings.get("chart") or facts.chart
    repository = settings.get("repository") or facts.repository
    known = facts.versions.get(minor, "") if chart == facts.chart else ""
    # A source of its own, where two addons may say different things of one name.
    origin = facts.origin if repository == facts.repository else f"{name}-charts"
    return Chart(chart, repository, settings.get("version") or known, origin)


def _version_remarks(name: str, chart: Chart, facts: AddonChart, *, quiet: bool = False) -> list[Remark]:
    """What is wrong with the chart's version, or, unless quiet, to be careful about."""
    at, what = pointer(["addons", name]), f"addons.{name}.version"
    newest = f'say version: "{facts.known[-1][1]}"' if chart.name == facts.chart else "say the version to install"
    if not chart.version:
        message = f'addons.{name}: "version" is missing: meshgen has no default version of chart {chart.name} here'
        return [Remark("MG104", message, at, newest, at_key=True)]
    if chart.name != facts.chart:
        return []
    try:
        version = Version.parse(chart.version)
    except ValueError:
        message = f"{what}: with source: helm it is the chart's version, of three numbers"
        return [Remark("MG101", message, f"{at}/version", newest)]
    if quiet or facts.knows(version):
        return []
    ranges = " and ".join(str(first) if first == last else f"{first} to {last}" for first, last in facts.known)
    message = f"{what}: meshgen knows the values of chart {chart.name} at {ranges}"
    return [Remark("MG215", message, f"{at}/version", f"review what {version} makes of them", "warning")]


def _built(
    name: str, settings: Mapping[str, Any], chart: Chart, *, namespace: str, addons: Mapping[str, Any], minor: str
) -> Builtin:
    facts, version = addon_chart(name), Version.parse(chart.version)
    # What these read goes with their own version; what the others tell of the mesh goes with Istio's.
    alike = facts.alike(version) if name in ("kiali", "loki") else minor
    shape = facts.shape(version)
    return build_in(name, settings, shape, namespace=namespace, addons=addons, minor=minor, alike=alike)


def _known(
    built: Builtin, settings: Mapping[str, Any], chart: Chart, exposures: Mapping[str, Mapping[str, Any]]
) -> tuple[Values, list[ObjectPatch], list[Remark]]:
    name, values, patches = built.name, default_values(built), pod_patches(built)
    if image := settings.get("image") or _image_of_sample(name, chart, built.minor):
        set_image(values, image, built.shape["image"])
    remarks = []
    if settings.get("storage") and not built.claim:
        message = f"addons.{name}.storage: with chart {chart.name}, {name} keeps nothing on a volume"
        remarks.append(Remark("MG210", message, pointer(["addons", name, "storage"]), "take it out", at_key=True))
    before = values
    values = merged(values, settings.get("values") or {})
    remarks += _left_open(name, values, built, exposures)
    for service, fields in exposures.items():
        if own_object(service, before, built.shape) and not own_object(service, values, built.shape):
            message = f"expose.{service}: addons.{name}.values take this Service out of the chart"
            hint = "keep it there, or take this out"
            remarks.append(Remark("MG215", message, asked_at(service, fields), hint, at_key=True))
        more, found = open_service(service, fields, values, built.shape)
        patches += more
        remarks += found
    return values, patches, remarks


def _left_open(
    name: str, values: Values, built: Builtin, exposures: Mapping[str, Mapping[str, Any]]
) -> Iterator[Remark]:
    """Services that the user's own values open, past `expose` and what it asks for."""
    for service, facts in built.shape["services"].items():
        path = (facts.get("fields") or {}).get("type", "type")
        if value_at(values, path.split("/")) == "LoadBalancer" and service not in exposures:
            message = f"addons.{name}.values: Service {service} becomes a load balancer, open to every address"
            hint = f"say expose: {{{service}: ...}} instead, with internal: true or sourceRanges"
            yield Remark("MG501", message, pointer(["addons", name, "values"]), hint, "warning", at_key=True)


def _image_of_sample(name: str, chart: Chart, minor: str) -> str | None:
    """The image that the sample runs, where the chart of the same Istio minor would run another."""
    facts = addon_chart(name)
    fits = facts.image_of_sample and chart.version == facts.versions.get(minor)
    return release(minor).addons.get(name) if fits else None


def _strange(
    name: str, settings: Mapping[str, Any], chart: Chart, exposures: Mapping[str, Mapping[str, Any]]
) -> tuple[Values, list[ObjectPatch], list[Remark]]:
    """What can be said of a chart whose values are not known: patches of Services, which every chart has."""
    patches: list[ObjectPatch] = []
    remarks = []
    for key in _BUILTIN_SETTINGS:
        if settings.get(key):
            message = f"addons.{name}.{key}: meshgen does not know the values of chart {chart.name}"
            hint = f"take it out, and say it in addons.{name}.values"
            remarks.append(Remark("MG210", message, pointer(["addons", name, key]), hint, at_key=True))
    for service, fields in exposures.items():
        at = asked_at(service, fields)
        patches += service_patch(service, fields, [], at)
        if fields.get("ports"):
            message = f"expose.{service}.ports: meshgen does not know the ports of chart {chart.name}"
            remarks.append(Remark("MG215", message, f"{at}/ports", f"say it in addons.{name}.values", at_key=True))
    return {}, patches, remarks


def _service(name: str, facts: Mapping[str, Any], namespace: str) -> KubernetesObject:
    ports = [{key: port[key] for key in ("name", "port", "protocol") if key in port} for port in facts["ports"]]
    spec: Values = {"type": "ClusterIP", "ports": ports}
    if facts.get("headless"):
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
