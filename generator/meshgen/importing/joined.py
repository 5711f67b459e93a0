"""Joins IstioOperators that install one mesh together: a control plane, and gateways in files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS
from meshgen.catalog import DEFAULT_GATEWAYS, Release
from meshgen.config.document import Document
from meshgen.finding import Finding
from meshgen.importing.read import name_of

# What a file of gateways says for itself alone: it must be as in the control plane's, or not be there.
_SHARED = ("hub", "tag", "revision", "meshConfig", "values", "unvalidatedValues")


@dataclass(frozen=True)
class Placed:
    """A gateway that came from another file: its kind, its settings, and where it stands there."""

    kind: str
    settings: dict[str, Any]
    document: Document
    pointer: str


def is_of_gateways(operator: Document) -> bool:
    """Whether an IstioOperator brings gateways alone: it says no other component, and its profile none either."""
    spec = operator.value.get("spec") or {}
    components = spec.get("components") or {}
    return spec.get("profile") == "empty" and bool(components) and all(kind in GATEWAY_KINDS for kind in components)


def control_plane(operators: tuple[Document, ...]) -> Document:
    """The IstioOperator that the others add to: the first that is not of gateways alone."""
    return next((one for one in operators if not is_of_gateways(one)), operators[0])


def separate_problems(operators: tuple[Document, ...]) -> Iterator[Finding]:
    """Why IstioOperators can't be one mesh's."""
    main = control_plane(operators)
    spec = main.value.get("spec") or {}
    for other in operators:
        if other is main:
            continue
        own = other.value.get("spec") or {}
        if own.get("revision") != spec.get("revision"):
            message = f"{name_of(other.value)} is of another revision than {name_of(main.value)} in {main.file}"
            hint = "import each revision into a config of its own, with -c: istio.revisions is not supported yet"
            yield other.finding("MG805", message, "/spec/revision", hint=hint)
        elif not is_of_gateways(other):
            message = (
                f"{name_of(other.value)} installs more than gateways, as {name_of(main.value)} in {main.file} does"
            )
            hint = "import each into a config of its own, with -c; a file of gateways has profile: empty"
            yield other.finding("MG805", message, "/spec", hint=hint)
        else:
            yield from _disagreements(other, own, spec, main)


def _disagreements(other: Document, own: dict[str, Any], spec: dict[str, Any], main: Document) -> Iterator[Finding]:
    for key in _SHARED:
        if own.get(key) and own[key] != spec.get(key):
            message = f"spec.{key}: the gateways would get another {key} than in {main.file}"
            hint = f"say it as there, or import {other.file} into a config of its own, with -c"
            yield other.finding("MG805", message, f"/spec/{key}", hint=hint, at_key=True)


def joined_remarks(operators: tuple[Document, ...]) -> Iterator[Finding]:
    """What becomes of the IstioOperators whose gateways join another, and what these gateways get with it."""
    main = control_plane(operators)
    spec = main.value.get("spec") or {}
    for other in operators:
        own = other.value.get("spec") or {}
        if other is main:
            continue
        message = f"{name_of(other.value)} becomes a part of {name_of(main.value)}"
        hint = "take its finalizer away and delete it once the config is applied: its gateways have another owner then"
        yield other.finding("MG805", message, "", hint=hint, severity="info")
        if more := [key for key in _SHARED if spec.get(key) and not own.get(key)]:
            message = f"the gateways get {', '.join(more)} of {main.file}, which their own file does not say"
            hint = "say the same there, and import them again, or import that file into a config of its own, with -c"
            yield other.finding("MG805", message, "/spec", hint=hint, severity="warning", at_key=True)


def further_gateways(operators: tuple[Document, ...]) -> list[Placed]:
    """The gateways that the other files bring, each with the namespace that its file gives it."""
    main = control_plane(operators)
    home = (main.value.get("spec") or {}).get("namespace")
    placed = []
    for other in operators:
        spec = other.value.get("spec") or {}
        for kind, gateways in (spec.get("components") or {}).items() if other is not main else ():
            for index, gateway in enumerate(gateways or []):
                at = f"/spec/components/{kind}/{index}"
                elsewhere = spec.get("namespace") if spec.get("namespace") != home else None
                own = {**gateway, **({"namespace": elsewhere} if elsewhere and not gateway.get("namespace") else {})}
                placed.append(Placed(kind, own, other, at))
    return placed


def with_gateways(spec: dict[str, Any], placed: list[Placed], known: Release) -> dict[str, Any]:
    """A spec with further gateways; where a list replaces the profile's, the profile's own stay in it."""
    components = dict(spec.get("components") or {})
    for one in placed:
        listed = components.get(one.kind)
        if listed is None:
            default = DEFAULT_GATEWAYS[one.kind]
            profile = known.components_by_profile.get(spec.get("profile") or "default", ())
            stays = not known.operator and default in profile
            listed = [{"name": default, "enabled": True}] if stays else []
        components[one.kind] = [*listed, one.settings]
    return {**spec, "components": components} if placed else spec
