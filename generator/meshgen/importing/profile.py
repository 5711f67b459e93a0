"""Tells what a dump adds to its profile: istioctl prints, and keeps on the cluster, all that it was merged from."""

from __future__ import annotations

from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS
from meshgen.catalog import Version, profile_dump
from meshgen.values import merged

Spec = dict[str, Any]


def profile_in_full(istio: dict[str, Any]) -> Spec | None:
    """The spec that istioctl prints for the profile of these settings, hub and tag in it; None where it isn't known."""
    try:
        spec: Spec = profile_dump(Version.parse(istio["version"]), istio.get("profile") or "default")["spec"]
    except KeyError:
        return None
    return spec


def is_dump(spec: Spec, profile: Spec) -> bool:
    """Whether a spec holds every field of a profile, whatever its values: nobody writes them all."""
    return all(key in spec and _covers(spec[key], value, key) for key, value in profile.items())


def beyond(spec: Spec, profile: Spec) -> Spec:
    """What a dump says beyond its profile, whose name it keeps."""
    return {"profile": profile["profile"], **_difference(spec, profile)}


def with_profile(spec: Spec, profile: Spec) -> Spec:
    """The dump that a spec makes of its profile: the inverse of `beyond`."""
    whole = merged(profile, spec)
    for kind in GATEWAY_KINDS:
        listed = (spec.get("components") or {}).get(kind)
        if isinstance(listed, list):
            whole["components"][kind] = _gateways(listed, profile["components"].get(kind) or [])
    return whole


def _gateways(changes: list[Spec], below: list[Spec]) -> list[Spec]:
    named = {gateway["name"]: gateway for gateway in below}
    for gateway in changes:
        named[gateway["name"]] = merged(named.get(gateway["name"], {}), gateway)
    return list(named.values())


def _covers(value: Any, below: Any, key: str) -> bool:
    if key in GATEWAY_KINDS and _are_named(value):
        named = {gateway["name"]: gateway for gateway in value}
        return all(one["name"] in named and _covers(named[one["name"]], one, "") for one in below)
    if isinstance(below, dict):
        return isinstance(value, dict) and all(
            name in value and _covers(value[name], below[name], name) for name in below
        )
    return True


def _difference(value: Spec, below: Spec) -> Spec:
    found: Spec = {}
    for key, item in value.items():
        other = below.get(key)
        if key in below and item == other:
            continue
        if isinstance(item, dict) and isinstance(other, dict):
            found[key] = _difference(item, other)
        elif key in GATEWAY_KINDS and _are_named(item) and isinstance(other, list):
            found[key] = _changed_gateways(item, other)
        else:
            found[key] = item
    return found


def _changed_gateways(gateways: list[Spec], below: list[Spec]) -> list[Spec]:
    named = {gateway["name"]: gateway for gateway in below}
    changed = (gateway for gateway in gateways if gateway != named.get(gateway["name"]))
    return [{"name": one["name"], **_difference(one, named.get(one["name"], {}))} for one in changed]


def _are_named(gateways: Any) -> bool:
    return isinstance(gateways, list) and all(isinstance(one, dict) and one.get("name") for one in gateways)
