"""Facts about Istio's own annotations: on what each means something, from which version on, and what it may say."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from meshgen.catalog import Version

# Kubernetes' own, which Istio reads and documents.
INGRESS_CLASS = "kubernetes.io/ingress.class"
ANY = "Any"


@dataclass(frozen=True)
class Annotation:
    """One annotation: the kinds that it means something on, and the versions of Istio that have and deprecate it."""

    kinds: tuple[str, ...]
    since: Version | None
    until: Version | None
    deprecated: Version | None

    def is_of(self, version: Version) -> bool:
        """Whether a version of Istio has it."""
        return (self.since is None or self.since <= version) and (self.until is None or version < self.until)


@cache
def known_annotations() -> dict[str, Annotation]:
    """Every annotation that any version of Istio from 1.11 on has, by its name."""
    told = json.loads(files("meshgen.policy").joinpath("annotations.json").read_text(encoding="utf-8"))
    return {
        name: Annotation(tuple(fact["on"]), *(_version(fact.get(key)) for key in ("since", "until", "deprecated")))
        for name, fact in told["annotations"].items()
    }


def _version(text: str | None) -> Version | None:
    return Version.parse(text) if text else None


def is_istios(name: str) -> bool:
    """Whether an annotation is in a domain of Istio's."""
    domain, slash, _ = name.partition("/")
    return name == INGRESS_CLASS or (bool(slash) and (domain == "istio.io" or domain.endswith(".istio.io")))


def expected(name: str, value: str) -> str | None:
    """What an annotation has to be, in words, where its value is something else that injection refuses."""
    if name not in _VALUES:
        return None
    words, fits = _VALUES[name]
    return None if fits(value) else words


def _is_boolean(value: str) -> bool:
    return value in ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")


def _is_number(value: str, most: int = 2**32 - 1) -> bool:
    return value.isascii() and value.isdigit() and int(value[:20]) <= most


def _is_port(value: str) -> bool:
    return _is_number(value.strip(), 65535)


def _are_ports(value: str) -> bool:
    return not value.strip() or all(map(_is_port, value.split(",")))


def _are_ranges(value: str) -> bool:
    return not value or all(map(_is_range, value.split(",")))


def _is_range(value: str) -> bool:
    try:
        return "/" in value and bool(ipaddress.ip_interface(value))
    except ValueError:
        return False


def _or_all(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: value == "*" or fits(value)


def _under(prefix: str, names: Iterable[str], words: str, fits: Callable[[str], bool]) -> dict[str, _Value]:
    return {f"{prefix}.istio.io/{name}": (words, fits) for name in names}


_Value = tuple[str, Callable[[str], bool]]
_PORTS, _RANGES = "port numbers, parted by commas", "address ranges such as 10.0.0.0/8, parted by commas"
# What the injector checks: istio/istio pkg/kube/inject/validate.go, the same at 1.11 and 1.31.
_VALUES: dict[str, _Value] = {
    **_under("sidecar", ["enableCoreDump"], "true or false", _is_boolean),
    **_under("prometheus", ["merge-metrics"], "true or false", _is_boolean),
    **_under("sidecar", ["interceptionMode"], "REDIRECT, TPROXY or NONE", {"REDIRECT", "TPROXY", "NONE"}.__contains__),
    **_under("status.sidecar", ["port"], "a port's number", _is_port),
    **_under(
        "readiness.status.sidecar",
        ["initialDelaySeconds", "periodSeconds", "failureThreshold"],
        "a whole number",
        _is_number,
    ),
    **_under("traffic.sidecar", ["excludeInboundPorts", "excludeOutboundPorts"], _PORTS, _are_ports),
    **_under("traffic.sidecar", ["includeInboundPorts"], f"* or {_PORTS}", _or_all(_are_ports)),
    **_under("traffic.sidecar", ["excludeOutboundIPRanges"], _RANGES, _are_ranges),
    **_under("traffic.sidecar", ["includeOutboundIPRanges"], f"* or {_RANGES}", _or_all(_are_ranges)),
}
