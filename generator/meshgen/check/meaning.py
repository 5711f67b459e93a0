"""What istioctl refuses of an IstioOperator, and warns of, beyond the names and the types of its fields.

Each check holds for the versions that have it, and never refuses what their istioctl takes. What the schema refuses
as it is (`tag`, `revision`) is not looked at again. Sources in istio/istio: up to 1.23
operator/pkg/validate and operator/pkg/apis/istio/v1alpha1/validation, then operator/pkg/apis/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.build.stage import Remark
from meshgen.catalog import DEFAULT_GATEWAYS, UnknownMinor, Version, release_of
from meshgen.check.addresses import is_range, shown_address
from meshgen.check.meshconfig import mesh_config_remarks
from meshgen.check.setting import Numbers, Setting, integer
from meshgen.config.problems import dotted, shown
from meshgen.values import merged
from meshgen.yaml import pointer

# The first tag that has it, by comparison of all tags.
_REPLICAS = (1, 14, 0)
_ONE_REPLICA_IS_NONE = (1, 14, 4)
_SPACES_COUNT = (1, 19, 0)
_REPOSITORY = (1, 24, 0)
# The profiles say autoscaleEnabled: true up to 1.20, all but demo; then the charts do, which istioctl does not look at.
_AUTOSCALED_PROFILES_GONE = (1, 21, 0)
_UNPRIVILEGED = 1024
_OBJECT_NAME = re.compile(r"[a-z0-9.-]{1,254}")

# Docker's grammar of references, which is operator/pkg/validate's: name, tag, digest.
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DOMAIN = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)*(?::[0-9]+)?"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}"
_REFERENCE = re.compile(rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@{_DIGEST})?")
# go-containerregistry's, which is laxer: the first part is a host where it has a dot or a port.
_HOST = re.compile(r"[^:@/]+(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?")
_PATH = re.compile(r"[a-z0-9_./-]{2,255}")


def meaning_remarks(istio: dict[str, Any]) -> Iterator[Remark]:
    """What the istioctl of their version says of resolved `istio` settings; nothing where the version is not known."""
    version = _numbers(istio)
    if version is None:
        return
    settings = Setting(istio, ("istio",))
    yield from _hub(settings.at("hub"), version)
    proxy = settings.at("values", "global", "proxy")
    for key in ("includeIPRanges", "excludeIPRanges"):
        yield from _ranges(proxy.at(key), version)
    for key in ("includeInboundPorts", "excludeInboundPorts"):
        yield from _inbound_ports(proxy.at(key), version)
    yield from _gateway_names(settings)
    yield from _gateway_ports(settings)
    yield from _ingress_ports(settings.at("values", "gateways", "istio-ingressgateway", "ingressPorts"))
    if version >= _REPLICAS:
        yield from _replicas(settings, version)
    yield from mesh_config_remarks(istio, version)


def _numbers(istio: dict[str, Any]) -> Numbers | None:
    """The version whose istioctl is asked: the newest of the minor that is to be assumed, if there is one."""
    try:
        version, known = Version.parse(istio["version"]), release_of(istio)
    except (KeyError, TypeError, ValueError, UnknownMinor):
        return None
    return version.numbers if version.minor == known.minor else Version.parse(known.latest_patch).numbers


def _refused(setting: Setting, text: str, hint: str) -> Remark:
    return Remark("MG218", f"{dotted(setting.path)}: {text}", pointer(setting.path), hint)


def _hub(hub: Setting, version: Numbers) -> Iterator[Remark]:
    if hub.text and not (_is_repository(hub.text) if version >= _REPOSITORY else _REFERENCE.fullmatch(hub.text)):
        hint = "say gcr.io/istio-release: a host, then names in lower case"
        yield _refused(hub, f"{shown_address(hub.text)} is not an image repository", hint)


def _is_repository(hub: str) -> bool:
    first, _, rest = f"{hub}/pilot".partition("/")
    if "." in first or ":" in first:
        return bool(_HOST.fullmatch(first) and _PATH.fullmatch(rest))
    return bool(_PATH.fullmatch(f"{hub}/pilot"))


def _pieces(setting: Setting, version: Numbers) -> Iterator[str]:
    """The parts of a list that is written as one text; from 1.19 on a space is part of one."""
    for piece in setting.text.split(",") if setting.text else ():
        yield piece if version >= _SPACES_COUNT else piece.strip()


def _ranges(setting: Setting, version: Numbers) -> Iterator[Remark]:
    for piece in _pieces(setting, version) if setting.text != "*" else ():
        if not is_range(piece, version):
            yield _refused(setting, f"invalid CIDR address {shown_address(piece)}", "say 10.0.0.0/8,172.16.0.0/12 or *")


def _inbound_ports(setting: Setting, version: Numbers) -> Iterator[Remark]:
    for piece in _pieces(setting, version):
        number = None if piece in ("", "*") else integer(piece)
        if piece not in ("", "*") and number is None:
            yield _refused(setting, f"{shown_address(piece)} is not a port", 'say "8080,8443" or "*"')
        elif number is not None and not 0 <= number <= 65535:
            yield _refused(setting, f"port {number} falls outside the range 0..65535", 'say "8080,8443" or "*"')


def _gateways(settings: Setting) -> Iterator[tuple[str, str, Setting]]:
    """(values' name of its kind, own name, settings) of each gateway, written as a list or as a map."""
    for kind, default in DEFAULT_GATEWAYS.items():
        listed = settings.at("components", kind)
        for name, gateway in listed.entries():
            yield default, name, gateway
        for gateway in listed.each():
            yield default, gateway.at("name").text or default, gateway


def _gateway_names(settings: Setting) -> Iterator[Remark]:
    for _, name, gateway in _gateways(settings):
        if not _OBJECT_NAME.fullmatch(name):
            keyed = isinstance(gateway.path[-1], str)
            setting = gateway if keyed else gateway.at("name")
            message = f"{dotted(setting.path)}: {shown(name)} is not a name of a gateway"
            hint = "lower-case letters, digits, '-' and '.'"
            yield Remark("MG218", message, pointer(setting.path), hint, at_key=keyed)


def _gateway_ports(settings: Setting) -> Iterator[Remark]:
    for root, name, gateway in _gateways(settings):
        if settings.at("values", "gateways", root, "runAsRoot").value is True:
            continue
        for item in gateway.at("k8s", "service", "ports").each():
            number = 0 if item.at("port").value is None else item.at("port").number
            if isinstance(item.value, dict) and number is not None:
                where = f"port {item.at('name').text or ''}/{number} in gateway {name}"
                hint = f"say a targetPort above 1024, or values.gateways.{root}.runAsRoot: true"
                yield from _privileged(item, number, where, hint)


def _ingress_ports(ports: Setting) -> Iterator[Remark]:
    for item in ports.each():
        # Here Istio does not ask whether the gateway is root.
        if isinstance(item.at("port").value, int | float) and (number := item.at("port").number) is not None:
            yield from _privileged(item, number, f"port {number}", "say a targetPort above 1024")


def _privileged(item: Setting, number: int, where: str, hint: str) -> Iterator[Remark]:
    """A port that only root may open: its target is below 1024, or is itself; a named target may be any."""
    target = item.at("targetPort")
    opened = 0 if target.value is None else target.number if isinstance(target.value, int | float) else None
    if opened is None or opened >= _UNPRIVILEGED or (opened == 0 and number > _UNPRIVILEGED):
        return
    said = f"targetPort is set to {opened}" if target.value is not None else "targetPort is not set"
    yield _refused(target if target.value is not None else item, f"{where}: {said}, which requires root", hint)


def _replicas(settings: Setting, version: Numbers) -> Iterator[Remark]:
    values = _scaled(settings, version)
    pilot = settings.at("components", "pilot", "k8s", "replicaCount")
    if values.at("pilot", "autoscaleEnabled").value is True:
        few = 1 if version >= _ONE_REPLICA_IS_NONE else 0
        if (pilot.number or 0) > few:
            yield _scaled_twice(pilot, "values.pilot.autoscaleEnabled")
    for root, _, gateway in _gateways(settings):
        if values.at("gateways", root, "autoscaleEnabled").value is True:
            count = gateway.at("k8s", "replicaCount")
            if count.number:
                yield _scaled_twice(count, f"values.gateways.{root}.autoscaleEnabled")


def _scaled(settings: Setting, version: Numbers) -> Setting:
    """The values, over what the profile says of autoscaling."""
    values = settings.at("values").value
    own = values if isinstance(values, dict) else {}
    profiled = version < _AUTOSCALED_PROFILES_GONE and not settings.at("installPackagePath").value
    if not profiled or settings.at("profile").value == "demo":
        return Setting(own)
    on = {"autoscaleEnabled": True}
    return Setting(merged({"pilot": on, "gateways": dict.fromkeys(DEFAULT_GATEWAYS.values(), on)}, own))


def _scaled_twice(count: Setting, switch: str) -> Remark:
    message = f"{dotted(count.path)} should not be set when {switch} is true"
    return Remark("MG219", message, pointer(count.path), f"take it out, or say {switch}: false", "warning")
