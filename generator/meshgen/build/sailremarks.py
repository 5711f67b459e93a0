"""What the Sail operator can't do of what the settings ask for, each with the setting that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.sailvalues import BOOLEAN_ENV, Path, misfits
from meshgen.build.stage import Remark
from meshgen.catalog import Release, sail
from meshgen.config.problems import dotted
from meshgen.finding import Severity
from meshgen.yaml import pointer

# Settings of the chart base that mean nothing to the operator, each with what it does instead.
BASE_WITHOUT_EFFECT = {
    "excludedCRDs": "the Sail operator's own chart brings all CRDs",
    "enableCRDTemplates": "the Sail operator's own chart brings the CRDs",
    "enableIstioConfigCRDs": "the Sail operator's own chart brings the CRDs",
    "validationFailurePolicy": "the Sail operator leaves the failurePolicy to istiod",
}
# What istiod's chart reads of the gateways' values.
_GATEWAYS_OF_ISTIO = ("securityContext", "seccompProfile")
_ROOT_OF = {"Istio": "pilot", "IstioCNI": "cni", "ZTunnel": "ztunnel"}


def release_remarks(releases: Mapping[str, ChartRelease], istio: dict[str, Any], known: Release) -> Iterator[Remark]:
    """What can't be, whichever resource says it: a version, patches, an Istio without the chart base."""
    yield from _unserved(istio, known)
    for release in releases.values():
        for patch in release.patches:
            message = f"istio.components: the Sail operator can't patch {patch.kind} {patch.name}"
            yield Remark("MG215", message, patch.pointer, "say it by istio.values, or say install: helm")
    if "istiod" in releases and "base" not in releases and not releases["istiod"].values.get("revision"):
        message = "istio.components.base: the Sail operator installs the chart base with the default revision"
        yield Remark("MG216", message, "/istio/components/base", "take it out", "warning", at_key=True)


def resource_remarks(
    kind: str, release: ChartRelease, values: dict[str, Any], istio: dict[str, Any], operator: str
) -> Iterator[Remark]:
    """What a resource can't say of its release; `values` are those that it has."""
    if kind == "Istio":
        yield from _of_istio(release, istio)
    else:
        yield from _out_of_reach(kind, istio, operator)
    if BOOLEAN_ENV in _env(kind, release):
        source = _source(istio, (_ROOT_OF[kind], "env", BOOLEAN_ENV))
        yield _remark(source, f"{BOOLEAN_ENV} is a boolean to the charts, a string to Sail", "say install: helm")
    for misfit in misfits(values, sail.values_shape(kind, operator)):
        source = _source(istio, misfit.path)
        yield replace(_remark(source, misfit.message, misfit.hint), at_key=misfit.at_key)


def _unserved(istio: dict[str, Any], known: Release) -> Iterator[Remark]:
    """Whether the operator installs this Istio: it has the charts inside, so no other version is possible."""
    version, pinned = istio["version"], (istio.get("sail") or {}).get("version")
    newest = sail.newest_serving(version)
    if pinned and sail.serves(pinned, version) is False:
        message = f"istio.sail.version: Sail operator {pinned} does not install Istio {version}"
        hint = f"{newest} does; leave the key out" if newest else "name a newer one"
        yield Remark("MG206", message, "/istio/sail/version", hint)
    elif not pinned and newest is None:
        message = f"istio.version: no Sail operator known to this meshgen installs Istio {version}"
        served = sail.served_of_minor(known.minor)
        nearest = f"say {served[-1]}" if served else "say install: helm"
        yield Remark("MG206", message, "/istio/version", f"{nearest}, or name a newer operator by istio.sail.version")


def _env(kind: str, release: ChartRelease) -> dict[str, Any]:
    """The environment that a chart's values ask for; ztunnel's chart has its own at the top."""
    own = release.values if kind == "ZTunnel" else release.values.get(_ROOT_OF[kind])
    found = own.get("env") if isinstance(own, dict) else None
    return found if isinstance(found, dict) else {}


def _of_istio(release: ChartRelease, istio: dict[str, Any]) -> Iterator[Remark]:
    home = (release.values.get("global") or {}).get("istioNamespace")
    if home and home != release.namespace:
        message = f"istio.components.pilot.namespace: the Sail operator has one namespace for Istio, here {home}"
        yield Remark("MG216", message, "/istio/components/pilot/namespace", "take it out")
    for key, reason in BASE_WITHOUT_EFFECT.items():
        if written := _written(istio, ("base", key)):
            yield _remark(written, f"means nothing here: {reason}", "take it out", "warning")
    if written := _written(istio, ("defaultRevision",)):
        reason = "the Sail operator takes the revision called default for it"
        yield _remark(written, f"means nothing here: {reason}", "take it out", "warning")
    for key in _GATEWAYS_OF_ISTIO:
        if written := _written(istio, ("gateways", key)):
            yield _remark(written, "the Sail operator's Istio has no such field", "take it out, or say install: helm")
    name = release.values.get("profile")
    if name and name not in sail.profiles():
        written = _written(istio, ("profile",)) or ("profile",)
        yield _remark(written, "the Sail operator has no such profile", f"one of {', '.join(sail.profiles())}")


def _out_of_reach(kind: str, istio: dict[str, Any], operator: str) -> Iterator[Remark]:
    """What another chart than istiod's would read, and its resource has no place for."""
    fields = sail.values_shape(kind, operator)["fields"]
    known = {*fields["global"]["fields"], *(fields["ztunnel"]["fields"] if kind == "ZTunnel" else ())}
    paths: list[Path] = [("global", key) for key in sail.globals_read(kind) if key not in known]
    if kind == "IstioCNI":
        paths.append(("compatibilityVersion",))
    for path in paths:
        if written := _written(istio, path):
            message = f"{kind} has no such field: it does not reach {_CALLED[kind]}"
            yield _remark(written, message, "take it out, or say install: helm", "warning")


_CALLED = {"IstioCNI": "the CNI plugin", "ZTunnel": "ztunnel"}


def _remark(written: Path, message: str, hint: str, severity: Severity = "error") -> Remark:
    path = ("istio", *written)
    return Remark("MG216", f"{dotted(path)}: {message}", pointer(path), hint, severity, at_key=True)


def _written(istio: dict[str, Any], path: Path) -> Path | None:
    """Where in `istio` a value was written that has this path in the charts' values; None where a profile set it."""
    places = [("unvalidatedValues", *path), ("values", *path)]
    if path[0] == "ztunnel":
        # The chart takes its values from the top and from `global` too.
        places += [("values", *path[1:]), ("values", "global", *path[1:])]
    if path[0] == "global":
        places += [path[1:], ("values", *path[1:])]
    if path[:2] == ("pilot", "cni"):
        places.append(("values", *path[1:]))
    if path[0] in _ROOT_OF.values():
        places.append(("components", *path))
    places.append(path)
    return next((place for place in places if place and _has(istio, place)), None)


def _source(istio: dict[str, Any], path: Path) -> Path:
    """The setting that a value comes from: where it was written, or the component's `k8s` that became values."""
    k8s = ("components", path[0], "k8s")
    return _written(istio, path) or (k8s if _has(istio, k8s) else path[:1])


def _has(settings: Any, path: Path) -> bool:
    for part in path:
        if isinstance(settings, dict) and part in settings:
            settings = settings[part]
        elif isinstance(settings, list) and isinstance(part, int) and part < len(settings):
            # A list may be written in two places, and the misfit be an item of the longer one.
            settings = settings[part]
        else:
            return False
    return True
