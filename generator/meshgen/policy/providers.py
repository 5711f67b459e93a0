"""The rule about extension providers: policies and telemetry that name one which the mesh does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.istiooperator import enabled_by_profile
from meshgen.build.stage import KubernetesObject
from meshgen.catalog import release_of
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import items, mapping, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.security import SECURITY
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.telemetry import TELEMETRY
from meshgen.values import value_at

_Path = tuple[str | int, ...]
# Those that istiod has of itself: istio/istio pkg/config/mesh/mesh.go. An old one may lack envoy; nothing is said then.
_OF_ISTIOD = frozenset({"prometheus", "stackdriver", "envoy"})
# Those of the profile demo, at one version or another: profile-demo.yaml of the charts.
_OF_DEMO = frozenset({"otel", "skywalking", "otel-tracing"})
_SETTINGS = (("meshConfig",), ("values", "meshConfig"), ("unvalidatedValues", "meshConfig"))


def _without_provider(subject: Subject) -> Iterator[Breach]:
    named = [(obj, at, name) for obj, at, name in _named(subject) if name]
    if not named or _is_configured_elsewhere(subject):
        return
    known = _providers(subject)
    if known is None:
        return
    for obj, at, name in named:
        if name not in known:
            what = f"provider {plain(name)} is none of the mesh's extensionProviders"
            near = guess(name, sorted(known)) or ""
            hint = near if near.startswith("did you mean") else "add it to istio.meshConfig.extensionProviders"
            yield of_object(subject, obj, what, hint, at)


def _named(subject: Subject) -> Iterator[tuple[KubernetesObject, _Path, str]]:
    """Every provider that an own object names, with its path."""
    for policy in subject.of("AuthorizationPolicy", SECURITY):
        if text(policy, "spec", "action") == "CUSTOM":
            yield policy, ("spec", "provider", "name"), text(policy, "spec", "provider", "name")
    for one in subject.of("Telemetry", TELEMETRY):
        for key in ("tracing", "metrics", "accessLogging"):
            for index, part in enumerate(items(one, "spec", key)):
                for number, provider in enumerate(items(part, "providers")):
                    yield one, ("spec", key, index, "providers", number, "name"), text(provider, "name")


def _providers(subject: Subject) -> frozenset[str] | None:
    """The names of the providers that the mesh has; None where the settings are of a shape that nobody can tell by."""
    said = [value_at(subject.istio, (*path, "extensionProviders")) for path in _SETTINGS]
    if any(one is not None and not isinstance(one, list) for one in said):
        return None
    own = (
        text(provider, "name") for path in _SETTINGS for provider in items(subject.istio, *path, "extensionProviders")
    )
    by_profile = _OF_DEMO if subject.setting("profile") in ("demo", "preview") else frozenset()
    return frozenset(own) | _OF_ISTIOD | by_profile


def _is_configured_elsewhere(subject: Subject) -> bool:
    """Whether istiod, or a part of its mesh config, comes from where the settings don't show it."""
    profile, enabled = subject.setting("profile"), subject.setting("components", "pilot", "enabled")
    installed = "pilot" in enabled_by_profile(subject.istio, release_of(subject.istio)) if enabled is None else enabled
    shared = [mapping(subject.setting("values", "pilot", "env")).get(_SHARED)]
    shared += [one for one in items(subject.setting("components", "pilot", "k8s"), "env") if one.get("name") == _SHARED]
    return (
        not installed
        or profile in ("remote", "external")
        or any(shared)
        or bool(subject.setting("installPackagePath"))
        or subject.setting("values", "pilot", "configMap") is False
        or any(
            one.get("kind") == "ConfigMap" for one in items(subject.setting("components", "pilot", "k8s"), "overlays")
        )
        or any(_is_mesh_config(one, subject.home) for one in subject.of("ConfigMap"))
    )


_SHARED = "SHARED_MESH_CONFIG"


def _is_mesh_config(config: Any, home: str) -> bool:
    return space_of(config) == home and "mesh" in mapping(config, "data")


RULES = (Rule("MG595", "warning", "A provider that the mesh does not have", _without_provider),)
