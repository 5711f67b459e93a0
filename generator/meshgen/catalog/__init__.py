"""What each version of Istio and Kubernetes is like: facts as data, each with its source in its JSON file.

A file is read once, and only when one of its facts is asked for: few renders need `profiles.json` or `operator.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?", re.ASCII)
_MINOR = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:[.+-].*)?", re.ASCII)
_FINAL = ((2, 0, ""),)
# The gateways that profiles install: one without a name is the one of its kind.
DEFAULT_GATEWAYS = {"ingressGateways": "istio-ingressgateway", "egressGateways": "istio-egressgateway"}


class UnknownMinor(KeyError):
    """The catalogue has no such minor; the message lists those it has."""

    def __init__(self, minor: str, known: tuple[str, ...]) -> None:
        self.minor, self.known = minor, known
        super().__init__(f"{minor} is not a known minor; known are {', '.join(known)}")

    def __str__(self) -> str:
        return str(self.args[0])


class Version(NamedTuple):
    """A version such as `1.11.3` or `1.31.0-rc.0`, ordered as semver orders it."""

    numbers: tuple[int, int, int]
    stage: tuple[tuple[int, int, str], ...]
    text: str

    @classmethod
    @cache
    def parse(cls, text: str) -> Version:
        """Read a version of three numbers and an optional prerelease; anything else is a ValueError."""
        match = _VERSION.fullmatch(text)
        if match is None:
            raise ValueError(f'"{text}" is not a version such as 1.11.3')
        major, minor, patch, prerelease = match.groups()
        return cls((int(major), int(minor), int(patch)), _stage(prerelease) if prerelease else _FINAL, text)

    @property
    def minor(self) -> str:
        """The minor that this version belongs to, such as `1.11`."""
        return f"{self.numbers[0]}.{self.numbers[1]}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Release:
    """The facts of one Istio minor.

    `kubernetes` is the oldest and the newest supported minor. `components_by_profile` names what each profile enables:
    components, and gateways by the name of their Deployment. `addons` maps prometheus, configmapReload, grafana,
    jaeger, kiali, zipkin, loki and lokiSidecar to images, as far as the samples of the tag `read_at` have them.
    `charts` is the Helm repository of Istio's own charts. `autoscaling` maps a kind to the API versions that these
    emit, each with the Kubernetes minor it starts at; `broken_from_kubernetes` is the first minor that does not serve
    what they emit there.
    """

    minor: str
    latest_patch: str
    read_at: str
    kubernetes: tuple[str, str]
    hub: str
    operator: bool
    spec_fields: tuple[str, ...]
    components: tuple[str, ...]
    components_by_profile: Mapping[str, tuple[str, ...]]
    addons: Mapping[str, str]
    jaeger_major: int
    autoscaling: Mapping[str, Mapping[str, str]]
    charts: str
    broken_from_kubernetes: str | None

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names of the profiles, as `istioctl profile list` orders them."""
        return tuple(self.components_by_profile)

    def supports(self, kubernetes: str) -> bool:
        """Say whether Istio's support matrix has this Kubernetes version."""
        oldest, newest = self.kubernetes
        return minor_key(oldest) <= minor_key(kubernetes) <= minor_key(newest)


@dataclass(frozen=True)
class Removal:
    """Since which Kubernetes minor an API is gone, and the API version to use instead (None: there is none)."""

    since: str
    instead: str | None


def minor_key(version: str) -> tuple[int, int]:
    """Order minors as numbers (1.9 < 1.10); accepts `1.25`, `v1.25.3` and `1.25.3-gke.100`."""
    match = _MINOR.fullmatch(version)
    if match is None:
        raise ValueError(f'"{version}" is not a version such as 1.25')
    return int(match[1]), int(match[2])


def minors() -> tuple[str, ...]:
    """Every Istio minor that the catalogue knows, oldest first."""
    return tuple(load_facts("istio")["releases"])


@cache
def release(minor: str) -> Release:
    """Give the facts of an Istio minor such as `1.11`; an unknown one is an UnknownMinor."""
    facts = _of_minor(load_facts("istio")["releases"], minor)
    return Release(
        minor=minor,
        latest_patch=facts["latestPatch"],
        read_at=facts["readAt"],
        kubernetes=(facts["kubernetes"][0], facts["kubernetes"][1]),
        hub=facts["hub"],
        operator=facts["operator"],
        spec_fields=tuple(facts["specFields"]),
        components=tuple(facts["componentNames"]),
        components_by_profile={name: tuple(names) for name, names in facts["componentsByProfile"].items()},
        addons=facts["addons"],
        jaeger_major=facts["jaegerMajor"],
        autoscaling=facts["autoscaling"],
        charts=facts["charts"],
        broken_from_kubernetes=facts["brokenFromKubernetes"],
    )


def release_of(istio: dict[str, Any]) -> Release:
    """The facts for resolved `istio` settings: those of its version's minor, or of the minor to be assumed instead.

    A minor that is neither known nor given another's facts is an UnknownMinor.
    """
    minor = Version.parse(istio["version"]).minor
    assumed = istio.get("assumeMinor")
    return release(assumed if assumed and minor not in minors() else minor)


def profile_dump(version: Version, name: str) -> dict[str, Any]:
    """Give what `istioctl profile dump` prints for a profile: a copy, an IstioOperator without metadata, keys sorted.

    From 1.24 on istioctl prints none: such a version is an UnknownMinor, an unknown profile a KeyError.
    """
    known = tuple(minor for minor in minors() if minor_key(minor) < (1, 24))
    if version.minor not in known:
        raise UnknownMinor(version.minor, known)
    own = {"hub": release(version.minor).hub, "profile": name, "tag": str(version)}
    spec = json.loads(json.dumps(_profile(version, name) | own, sort_keys=True))
    return {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}


def profile_spec(version: Version, name: str) -> dict[str, Any]:
    """Give the IstioOperator spec of a profile, without hub and tag: a copy; it decides which charts get which values.

    Known from 1.22 on: an older minor is an UnknownMinor, an unknown profile a KeyError.
    """
    oldest, joined = Version.parse("1.22.0"), Version.parse("1.24.0")
    if version.numbers < oldest.numbers:
        raise UnknownMinor(version.minor, tuple(minor for minor in minors() if minor_key(minor) >= (1, 22)))
    # Until 1.24 a remote was made of a chart of its own, which no component here stands for: it is as later ones are.
    return _profile(max(version, joined) if name == "remote" else version, name)


def _profile(version: Version, name: str) -> dict[str, Any]:
    """Lay a profile over `default`, layer by layer; a KeyError where that version has no such profile."""
    # A prerelease has what its release will have.
    final = Version.parse(".".join(str(number) for number in version.numbers))
    spec: dict[str, Any] = {}
    for part in dict.fromkeys(("default", name)):
        layers = at_version(load_facts("profiles")["profiles"][part], final)
        if not layers:
            raise KeyError(name)
        for layer in layers:
            _overlay(spec, layer)
    return spec


def chart_values(chart: str, version: Version) -> dict[str, str]:
    """Give the dotted paths of a chart's values that say settings of `k8s`; of another chart than Istio's none."""
    paths: dict[str, str] = at_version(load_facts("charts")["k8s"].get(chart, {}), version)
    return paths


def owned_by_chart(chart: str) -> dict[str, list[str]]:
    """Give the names in maps of `k8s` that a chart writes itself, where a value can't change them."""
    owned: dict[str, list[str]] = load_facts("charts")["owned"].get(chart, {})
    return owned


@cache
def gateway_facts(version: Version) -> dict[str, Any]:
    """Give how the chart `gateway` of a version says what an IstioOperator says of a gateway; not to be changed."""
    facts: dict[str, Any] = at_version(load_facts("gateway"), version)
    return facts


def operator_facts(version: Version) -> dict[str, Any]:
    """Give what the in-cluster operator's chart holds at a version: a copy, with every `since` and `until` resolved.

    An `env` entry has a `value`, a `fieldPath`, or `from`: the name of what the caller must fill in.
    """
    if not release(version.minor).operator:
        raise UnknownMinor(version.minor, tuple(minor for minor in minors() if release(minor).operator))
    facts: dict[str, Any] = at_version(load_facts("operator")["operator"], version)
    return facts


def served(kubernetes: str, api_version: str, kind: str) -> bool | None:
    """Say whether a Kubernetes minor serves an API; None where the catalogue has no fact about that API."""
    api = f"{api_version} {kind}"
    start, end = _introductions().get(api), _removals().get(api)
    if start is None and end is None:
        return None
    minor = minor_key(kubernetes)
    return (start is None or minor_key(start) <= minor) and (end is None or minor < minor_key(end.since))


def served_versions(kubernetes: str, kind: str) -> list[str]:
    """The versions in which a Kubernetes minor serves a kind, of those that once came or went."""
    apis = (api.split(" ") for api in {**_introductions(), **_removals()})
    return [version for version, other in apis if other == kind and served(kubernetes, version, kind)]


def introduced(api_version: str, kind: str) -> str | None:
    """Name the Kubernetes minor that first served an API; None where that is older than the catalogue, or unknown."""
    return _introductions().get(f"{api_version} {kind}")


def removed(kubernetes: str, api_version: str, kind: str) -> Removal | None:
    """Say since when a Kubernetes minor no longer serves an API; None while it does, or where nothing is known."""
    removal = _removals().get(f"{api_version} {kind}")
    return removal if removal and minor_key(removal.since) <= minor_key(kubernetes) else None


@cache
def load_facts(name: str) -> dict[str, Any]:
    """Give what `NAME.json` holds, read once; not to be changed."""
    facts: dict[str, Any] = json.loads(Path(__file__).with_name(f"{name}.json").read_bytes())
    return facts


@cache
def _removals() -> dict[str, Removal]:
    by_minor = load_facts("kubernetes")["removed"].items()
    return {api: Removal(minor, instead) for minor, apis in by_minor for api, instead in apis.items()}


@cache
def _introductions() -> dict[str, str]:
    return {api: minor for minor, apis in load_facts("kubernetes")["introduced"].items() for api in apis}


def _of_minor(by_minor: dict[str, dict[str, Any]], minor: str) -> dict[str, Any]:
    if minor not in by_minor:
        raise UnknownMinor(minor, tuple(by_minor))
    return by_minor[minor]


def _stage(prerelease: str) -> tuple[tuple[int, int, str], ...]:
    """Make identifiers comparable: numbers before words, and both before `_FINAL`."""
    parts = prerelease.split(".")
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _overlay(base: dict[str, Any], changes: dict[str, Any]) -> None:
    """Merge maps by key and gateways by name; everything else is replaced."""
    for key, change in changes.items():
        if key in DEFAULT_GATEWAYS and key in base:
            gateways = {gateway["name"]: gateway for gateway in base[key]}
            for gateway in change:
                _overlay(gateways[gateway["name"]], gateway)
        elif isinstance(change, dict) and isinstance(base.get(key), dict):
            _overlay(base[key], change)
        else:
            base[key] = change


def at_version(facts: Any, version: Version) -> Any:
    """Resolve `{since, until, value}` at a version: the value inside the range, nothing outside it."""
    if isinstance(facts, list):
        return [at_version(_value(item), version) for item in facts if holds_at(item, version)]
    if isinstance(facts, dict):
        return {key: at_version(_value(item), version) for key, item in facts.items() if holds_at(item, version)}
    return facts


def _ranged(item: Any) -> bool:
    return isinstance(item, dict) and ("since" in item or "until" in item)


def _value(item: Any) -> Any:
    return item["value"] if _ranged(item) else item


def holds_at(item: Any, version: Version) -> bool:
    """Say whether a fact holds at a version: from its `since` on, and before its `until`."""
    if not _ranged(item):
        return True
    after = "since" not in item or version >= Version.parse(item["since"])
    return after and ("until" not in item or version < Version.parse(item["until"]))
