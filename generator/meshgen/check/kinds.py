"""Objects as an API server checks them with strict field validation, at a version of Kubernetes and of Istio.

Unknown fields, values of a wrong type, missing fields, and kinds that are not there. Left out are rules in CEL, and
what Kubernetes says of its own kinds in Go alone, such as the range of a port. A Kubernetes older than all that the
catalogue knows is checked by the oldest that it does. The kinds of a project whose version no config says are checked
by what the catalogue knows of it, with warnings: a cluster may have another version. A CRD in the tree decides alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from meshgen.catalog import Version, introduced, minor_key, removed, served, served_versions
from meshgen.catalog import kinds as catalog
from meshgen.catalog.fields import Span
from meshgen.catalog.kinds import CORE, ISTIO, Api, Type
from meshgen.catalog.openapi import kind_form
from meshgen.check.spans import said
from meshgen.check.values import Fault, Way, faults, is_unquoted, noun_of
from meshgen.config.problems import dotted, guess, plain
from meshgen.finding import Severity
from meshgen.yaml import pointer

# What is no field of a kind, but of every object.
_HEAD = ("apiVersion", "kind", "metadata")
_NONE: Mapping[Api, Type] = {}
_ADD_CRD = "add the CRD that your clusters have to `resources`: it alone decides then"


@dataclass(frozen=True)
class Problem:
    """What is wrong with an object; `pointer` leads into it, and no message holds a value of it."""

    rule: str
    pointer: str
    message: str
    hint: str | None = None
    severity: Severity = "error"
    at_key: bool = False


@dataclass(frozen=True)
class _Place:
    """An object, and by what it is checked: a file of the catalogue, or a CRD of the user's own."""

    api: Api
    name: str
    kubernetes: str
    istio: Version
    source: str | None

    @property
    def who(self) -> str:
        """What says of which fields an object is."""
        if self.source == CORE:
            return f"Kubernetes {self.kubernetes}"
        if self.source == ISTIO:
            return f"Istio {self.istio}"
        return f"{self.state}, which meshgen knows," if self.state else "its CRD"

    @property
    def state(self) -> str | None:
        """By which state of its project an object is judged, where no config says the version that the cluster has."""
        return catalog.state(self.source) if self.source else None

    @property
    def doubt(self) -> Severity:
        """A warning where no config says the version that the cluster has."""
        return "warning" if self.state else "error"

    @property
    def severity(self) -> Severity:
        """A warning where the cluster may have what is not known here, also by a version newer than all that is."""
        known = catalog.newest(self.source) if self.source else None
        if known is None:
            return self.doubt
        mine = self.istio.numbers[:2] if self.source == ISTIO else minor_key(self.kubernetes)
        return "warning" if mine > tuple(int(part) for part in known.split(".")[:2]) else "error"

    def problem(self, rule: str, path: Iterable[str | int], text: str, hint: str | None, **more: Any) -> Problem:
        """A problem at a path of the object, its message in the words that all share."""
        path = tuple(path)
        where = f"{dotted(path)}: " if path and rule != "MG423" else ""
        if self.state and self.who not in text:
            text += f" (judged by {self.state}, which meshgen knows)"
        return Problem(rule, pointer(path), f"{plain(self.api.kind)} {plain(self.name)}: {where}{text}", hint, **more)


def kind_problems(
    obj: dict[str, Any], kubernetes: str, istio: Version, custom: Mapping[Api, Type] = _NONE
) -> Iterator[Problem]:
    """What an API server would refuse of an object; `custom` are the types of the CRDs among the user's objects.

    Kinds that nobody knows pass, but for their metadata. An API that is gone from Kubernetes is said by MG402 alone.
    """
    api = Api(str(obj.get("apiVersion")), str(obj.get("kind")))
    metadata = obj.get("metadata")
    name = str(metadata.get("name")) if isinstance(metadata, dict) else "without a name"
    own = _of_own_crd(api, custom)
    source = None if own else catalog.source_of(api.group)
    place = _Place(api, name, kubernetes, istio, source)
    if not own and removed(kubernetes, *api):
        return
    type_ = custom.get(api) if own else _known_type(place)
    found: list[Fault] = []
    if metadata is not None:
        minor = catalog.version_for(CORE, kubernetes, istio)
        faults(metadata, catalog.metadata_type(minor), (None, "metadata"), found)
    yield from (_said(fault, _Place(api, name, kubernetes, istio, CORE)) for fault in found)
    if type_ is None:
        yield from _unknown_kind(place, own)
        return
    found.clear()
    faults({key: value for key, value in obj.items() if key not in _HEAD}, type_, None, found)
    yield from (_said(fault, place) for fault in found)


def crd_types(crd: dict[str, Any]) -> dict[Api, Type]:
    """The types of the kind that a CRD brings, by each version that is served; none for what is no valid CRD."""
    known = catalog.newest(CORE) or ""
    if crd.get("apiVersion") != "apiextensions.k8s.io/v1" or crd.get("kind") != "CustomResourceDefinition":
        return {}
    if next(kind_problems(crd, known, Version.parse("1.0.0")), None):
        return {}
    spec = crd["spec"]
    kind, versions = spec["names"]["kind"], (one for one in spec["versions"] if one.get("served"))
    return catalog.types_of({Api(f"{spec['group']}/{one['name']}", kind): kind_form(one) for one in versions})


def _of_own_crd(api: Api, custom: Mapping[Api, Type]) -> list[Api]:
    """The versions of a kind that the user's own CRD serves."""
    return [one for one in custom if one.kind == api.kind and one.group == api.group]


def _said(fault: Fault, place: _Place) -> Problem:
    path = _path(fault.way)
    if fault.sort == "unknown":
        return _unknown_field(fault, path, place)
    if fault.sort == "missing":
        expected = fault.type.fields[fault.more]
        hint = f"add it: {noun_of(expected)}" if expected else "add it"
        return place.problem("MG422", path, f'"{fault.more}" is missing', hint, severity=place.doubt)
    return place.problem("MG421", path, *_misfit(fault, place), severity=place.doubt)


def _misfit(fault: Fault, place: _Place) -> tuple[str, str | None]:
    """What is wrong with a value, and the next move."""
    match fault.sort:
        case "both":
            return f"{' and '.join(fault.more)} exclude each other", "keep one of them"
        case "word":
            words = [str(word) for word in fault.type.limits["enum"] if word != ""]
            return f"the value is not one that {place.who} has", guess(str(fault.more), words)
        case "size":
            return "the value is out of bounds", fault.more
        case "form":
            return "the value is not written as it has to be", fault.more
    return f"the value is not {noun_of(fault.type)}", _as_written(fault)


def _as_written(fault: Fault) -> str:
    if fault.more is None:
        return f"write {noun_of(fault.type)}, or take the item out"
    if fault.type.word == "string" and isinstance(fault.more, bool | int | float):
        return "write it in quotes"
    if isinstance(fault.more, str) and is_unquoted(fault.more, fault.type):
        return "write it without quotes"
    return f"write {noun_of(fault.type)}"


def _unknown_field(fault: Fault, path: tuple[str | int, ...], place: _Place) -> Problem:
    fields = fault.type.fields
    spans = fields.spans(str(path[-1]))
    if not spans and place.source in (CORE, ISTIO):
        spans = catalog.field_spans(place.api, path)
    if spans:
        hint = f"take it out: {_had(spans, place.source)}"
    else:
        meant = guess(str(path[-1]), fields.names())
        hint = "; or ".join(filter(None, (meant, _ADD_CRD))) if place.state else meant or "take it out"
    text = f"{place.who} has no such field"
    return place.problem("MG420", path, text, hint, severity=place.severity, at_key=True)


def _had(spans: list[Span], source: str | None) -> str:
    """Which versions have something; Kubernetes counts by minors."""
    if source == ISTIO:
        return said(spans)
    since, until = spans[-1]
    if until is None:
        return f"Kubernetes has it from {since} on"
    major, minor = minor_key(until)
    return f"Kubernetes had it until {major}.{minor - 1}"


def _path(way: Way) -> tuple[str | int, ...]:
    keys = []
    while way is not None:
        way, key = way
        keys.append(key)
    return tuple(reversed(keys))


def _known_type(place: _Place) -> Type | None:
    """The type of a kind that is served; a Kubernetes older than the catalogue's oldest serves fewer."""
    source = str(place.source)
    if source == CORE and served(place.kubernetes, *place.api) is False:
        return None
    return catalog.kind_type(place.api, catalog.version_for(source, place.kubernetes, place.istio))


def _unknown_kind(place: _Place, own: list[Api]) -> Iterator[Problem]:
    """A kind that is not there, where that can be told: the catalogue has all of its group, or it is a slip."""
    group = place.api.group
    if own:
        yield _not_served(place, own, "error")
    elif place.source not in (CORE, ISTIO):
        yield from _of_project(place)
    elif group in catalog.groups(place.source) or "." not in group:
        # A CRD's group has a dot: one without is meant to be Kubernetes' own.
        if not _is_untyped(place):
            yield _not_served(place, _apis(place), place.severity)
    elif difflib.get_close_matches(group, catalog.groups(ISTIO), n=1, cutoff=0.9):
        meant = replace(place, source=ISTIO)
        yield _not_served(meant, _apis(meant), "error")


def _is_untyped(place: _Place) -> bool:
    """Whether Kubernetes has a kind all the same: in times older than the catalogue's, or as a list of objects."""
    older = served(place.kubernetes, *place.api)
    return place.source == CORE and (older is True or place.api.kind.endswith("List"))


def _apis(place: _Place) -> list[Api]:
    source = str(place.source)
    known = catalog.apis(source, catalog.version_for(source, place.kubernetes, place.istio))
    return [api for api in known if source != CORE or served(place.kubernetes, *api) is not False]


def _of_project(place: _Place) -> Iterator[Problem]:
    """A kind of a project of which perhaps not all kinds are known."""
    same = [api for api in _apis(place) if api.group == place.api.group]
    if any(api.kind == place.api.kind for api in same):
        yield _not_served(place, same, "warning")


def _not_served(place: _Place, known: list[Api], severity: Severity) -> Problem:
    """Name what is served instead: the kind in other versions, or in other groups, or a kind of nearly that name."""
    api = place.api
    text = f"{place.who} does not serve {plain(api.version)} {plain(api.kind)}"
    versions = [one.version for one in known if one.kind == api.kind]
    if place.source == CORE and not _of_group(versions, api.group):
        # Kinds of times older than the catalogue's are known by their names.
        versions = list(dict.fromkeys([*versions, *served_versions(place.kubernetes, api.kind)]))
    if near := _of_group(versions, api.group) or versions:
        steadiest = " or ".join(sorted(near, key=lambda version: ("alpha" in version, "beta" in version)))
        if place.state:
            hint = f"leave it if your clusters serve it, else take {steadiest}"
            return place.problem("MG423", ("apiVersion",), text, hint, severity=severity)
        hints = (f"take apiVersion: {steadiest}", _since(place))
        return place.problem("MG423", ("apiVersion",), text, "; ".join(filter(None, hints)), severity=severity)
    names = [one.kind for one in known if one.version == api.version]
    at, word = ("kind", api.kind) if names else ("apiVersion", api.version)
    near = names or list(dict.fromkeys(one.version for one in known))
    hint = _since(place) or guess(word, near) or f"correct its {at}"
    return place.problem("MG423", (at,), text, hint, severity=severity)


def _of_group(versions: list[str], group: str) -> list[str]:
    return [version for version in versions if version.rpartition("/")[0] == group]


def _since(place: _Place) -> str | None:
    """When a kind came or went, where that is known."""
    if place.source == CORE and (minor := introduced(*place.api)):
        return f"Kubernetes has it from {minor} on"
    spans = catalog.kind_spans(place.api) if place.source in (CORE, ISTIO) else []
    return _had(spans, place.source) if spans else None
