"""What installs Istio by the Sail operator: its Istio, IstioCNI and ZTunnel, and the operator's own chart.

The operator renders Istio's charts itself, with the values of a profile below `spec.values`. A translated spec has its
profile's values in it already, so of the profile nothing is left but the charts' own presets, which they choose by
`values.profile`: Sail's profiles of the same names set exactly that. Known differences to istioctl: the default
revision always has the webhook `istiod-default-validator`, another revision gets nothing of the chart base, the
label `istio.io/rev` of the CNI plugin is always `default`, and ztunnel always has the preset `ambient`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from meshgen.build.chart import Chart, ChartRelease, KubernetesObject
from meshgen.build.sailremarks import BASE_WITHOUT_EFFECT, release_remarks, resource_remarks
from meshgen.build.sailvalues import env_as_text
from meshgen.build.stage import Remark
from meshgen.catalog import Release, sail
from meshgen.values import merged

Values = dict[str, Any]
OPERATOR_HOME = "sail-operator"
# What the values of a whole mesh hold and the resource Istio does not: other resources and gateways have their own
# part; the operator sets the revision by the resource's name; and the profile has a field of its own.
_NOT_OF_ISTIO = frozenset({"cni", "ztunnel", "gateways", "revision", "profile", "defaultRevision", "platform"})
# Of the values that ztunnel's chart gets, the resource says these elsewhere, or the chart does nothing with them.
_NOT_OF_ZTUNNEL = frozenset({"global", "profile", "platform", "compatibilityVersion", "defaultRevision"})
# Up to 1.24 the profiles say nothing of ztunnel, and its chart gets the values of the whole mesh.
_OF_OTHERS = frozenset(
    {"base", "cni", "experimental", "gatewayClasses", "gateways", "istiodRemote", "meshConfig", "pilot"}
    | {"sidecarInjectorWebhook", "telemetry"}
)


def sail_objects(
    releases: Sequence[ChartRelease], istio: dict[str, Any], known: Release
) -> tuple[tuple[KubernetesObject, ...], tuple[Remark, ...]]:
    """The resources that make the operator install these releases of base, cni, istiod and ztunnel, and what can't be.

    `istio` are the resolved settings that the releases were made of. A remark on a setting stands once, whichever
    resources it concerns.
    """
    by_chart = {release.chart.name: release for release in releases}
    operator = _operator_version(istio)
    objects: list[KubernetesObject] = []
    remarks = list(release_remarks(by_chart, istio, known))
    for chart, (kind, spec_of) in _RESOURCES.items():
        if release := by_chart.get(chart):
            spec = spec_of(release, operator)
            objects.append(_object(kind, release, operator, istio["version"], spec))
            remarks += resource_remarks(kind, release, spec["values"], istio, operator)
    return tuple(objects), tuple(dict.fromkeys(remarks))


def sail_operator(istio: dict[str, Any]) -> ChartRelease | None:
    """The operator's own release; None where someone else installs it."""
    own = istio.get("sail") or {}
    if own.get("install") is False:
        return None
    facts = sail.operator_chart()
    chart = Chart(facts["name"], own.get("repository") or facts["repository"], _operator_version(istio), facts["name"])
    return ChartRelease("sail-operator", chart, OPERATOR_HOME, {})


def _operator_version(istio: dict[str, Any]) -> str:
    """The release that the settings name, else the newest that serves this Istio, else the newest."""
    own = istio.get("sail") or {}
    return own.get("version") or sail.newest_serving(istio["version"]) or sail.operators()[-1]


def _object(kind: str, release: ChartRelease, operator: str, istio: str, spec: dict[str, Any]) -> KubernetesObject:
    # The CRDs of the other two take no other name.
    name = release.values.get("revision") or "default" if kind == "Istio" else "default"
    return {
        "apiVersion": sail.api_version(kind, operator),
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"version": f"v{istio}", "namespace": release.namespace, **spec},
    }


def _istio(release: ChartRelease, operator: str) -> dict[str, Any]:
    whole = release.values
    values = {key: value for key, value in whole.items() if key not in _NOT_OF_ISTIO}
    # The operator sets the namespace itself, and the resource's being there says that it is enabled.
    values["global"] = _without(_platform(whole), "istioNamespace")
    values["pilot"] = env_as_text(_without(_with_provider(whole), "enabled"))
    if values.get("base") is not None:
        values["base"] = _without(values["base"], *BASE_WITHOUT_EFFECT)
    return {**_profile(whole), "updateStrategy": {"type": "InPlace"}, "values": values}


def _with_provider(values: Values) -> Any:
    """`pilot`, with the CNI plugin's provider, which istiod's chart reads of the plugin's own values too."""
    pilot, cni = values.get("pilot") or {}, values.get("cni")
    provider = cni.get("provider") if isinstance(cni, dict) else None
    return merged({"cni": {"provider": provider}}, pilot) if provider and isinstance(pilot, dict) else pilot


def _cni(release: ChartRelease, operator: str) -> dict[str, Any]:
    whole = release.values
    values = {"global": _globals("IstioCNI", whole, operator)}
    if whole.get("cni"):
        values["cni"] = env_as_text(whole["cni"])
    return {**_profile(whole), "values": values}


def _ztunnel(release: ChartRelease, operator: str) -> dict[str, Any]:
    """The chart's own values; and what it takes of `global` and ZTunnel has no place for there, at their top."""
    whole = release.values
    own = _without(whole, *_NOT_OF_ZTUNNEL, *(_OF_OTHERS if "pilot" in whole else ()))
    if own.get("resourceName") == "ztunnel":
        # The name of the operator's release, by which the chart calls things anyway.
        del own["resourceName"]
    kept = _globals("ZTunnel", whole, operator)
    fields = sail.values_shape("ZTunnel", operator)["fields"]["ztunnel"]["fields"]
    moved = {key: value for key, value in (whole.get("global") or {}).items() if key in fields and key not in kept}
    return {"values": {"global": kept, "ztunnel": env_as_text({**moved, **own})}}


def _profile(values: Values) -> dict[str, Any]:
    return {"profile": values["profile"]} if values.get("profile") else {}


def _globals(kind: str, values: Values, operator: str) -> Values:
    fields = sail.values_shape(kind, operator)["fields"]["global"]["fields"]
    return {key: value for key, value in _platform(values).items() if key in fields}


def _platform(values: Values) -> Values:
    """`global`, with the platform that stands beside it, which the charts prefer."""
    own: Values = values.get("global") or {}
    return {**own, "platform": values["platform"]} if values.get("platform") else own


def _without(values: Any, *keys: str) -> Any:
    """Values but for these keys; what is no map is left to be refused."""
    return {key: value for key, value in values.items() if key not in keys} if isinstance(values, dict) else values


# By the name of the chart: the resource, and what its spec is.
_RESOURCES = {"istiod": ("Istio", _istio), "cni": ("IstioCNI", _cni), "ztunnel": ("ZTunnel", _ztunnel)}
