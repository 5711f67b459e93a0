"""The kinds of Kubernetes, Istio and of what installs them, with every field at every version.

`kinds-core.json` has Kubernetes' own, `kinds-istio.json` Istio's. There is a file for each other project, whose version
no config says: of one state, or of what any of several releases takes. Each is read when one of its groups is asked
for. Their forms (`catalog.openapi`) have ranges: in place of a form a list of `form` with `since` and `until`, in place
of an item of a list one with `value`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from meshgen.catalog import Version, load_facts, minor_key
from meshgen.catalog.fields import Span
from meshgen.catalog.openapi import Form

CORE, ISTIO = "core", "istio"
_PROJECTS = {
    "argoproj.io": "argocd",
    "external-secrets.io": "externalsecrets",
    "gateway.networking.k8s.io": "gateway",
    "helm.toolkit.fluxcd.io": "flux",
    "kustomize.toolkit.fluxcd.io": "flux",
    "notification.toolkit.fluxcd.io": "flux",
    "sailoperator.io": "sail",
    "source.toolkit.fluxcd.io": "flux",
}
# What all objects have, in the words of Kubernetes' own types.
_METADATA = "@meta.v1.ObjectMeta"
Numbers = tuple[int, ...]


class Api(NamedTuple):
    """A kind in a version of its group: `networking.istio.io/v1`, `Gateway`."""

    version: str
    kind: str

    @property
    def group(self) -> str:
        """The group; that of Pods and Services is empty."""
        return self.version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.version} {self.kind}"


class Type:
    """What may stand at a place: a form at one version.

    `word` is fields, list, map, or that of a plain value. `plain` is the class of which every value will do, if there
    is one. `fields` gives None for what is not there. A null counts as absent but in what is `nullable`; what is
    `native` is read by Go, to which a null in a list is the item in which nothing is said.
    """

    __slots__ = ("fields", "item", "limits", "native", "nullable", "one", "open", "plain", "required", "word")

    def __init__(self, form: dict[str, Any], types: Types) -> None:
        self.word: str = next((word for word in ("fields", "list", "map") if word in form), form.get("type", ""))
        self.native = types.native
        self.nullable: bool = form.get("nullable", False)
        self.fields = _Fields(form.get("fields", {}), types)
        self.item: Type | None = types.type(form[self.word]) if self.word in ("list", "map") else None
        self.required: tuple[str, ...] = tuple(types.items(form.get("required", ())))
        self.one: tuple[list[str], ...] = tuple(types.items(form.get("one", ())))
        self.open: bool = form.get("open", False)
        own = ("fields", "list", "map", "type", "nullable", "required", "one", "open")
        self.limits = {key: value for key, value in form.items() if key not in own}
        if "enum" in form:
            # Go's structs have an empty text where nothing is said.
            self.limits["enum"] = [*types.items(form["enum"]), *([""] if types.native else [])]
        self.plain = None if self.limits else {"string": str, "bool": bool}.get(self.word)


class _Fields(dict[str, "Type | None"]):
    """The fields of a form, each made into a type when it is first asked for."""

    def __init__(self, forms: dict[str, Form], types: Types) -> None:
        self._forms, self._types = forms, types

    def __missing__(self, name: str) -> Type | None:
        form = self._forms.get(name)
        form = None if form is None else self._types.at(form)
        if form is None:
            return None
        made = self[name] = self._types.type(form)
        return made

    def names(self) -> list[str]:
        """The names of all fields that are there."""
        return [name for name in self._forms if self[name] is not None]

    def spans(self, name: str) -> list[Span]:
        """The versions that have a field; none where no version has it."""
        form = self._forms.get(name)
        return [] if form is None else [span for _, span in _parts(form)]


class Types:
    """Forms at one version, made into types."""

    def __init__(self, forms: Mapping[str, Form], version: Numbers, native: bool) -> None:
        self.native = native
        self._forms, self._version = forms, version
        self._made: dict[str, Type] = {}

    def at(self, form: Form) -> Form | None:
        """A form without its ranges; None where there is none at this version."""
        return next((one for one, span in _parts(form) if self._in(span)), None)

    def items(self, items: Any) -> Iterator[Any]:
        """The items of a list that are there at this version."""
        for item in items:
            if not (isinstance(item, dict) and "value" in item):
                yield item
            elif self._in(_span(item)):
                yield item["value"]

    def type(self, form: Form) -> Type:
        """The type of a form; of one name it is always the same."""
        form = "any" if (there := self.at(form)) is None else there
        if not isinstance(form, str):
            return Type(form, self)
        if form not in self._made:
            self._made[form] = self._named(form)
        return self._made[form]

    def _named(self, form: str) -> Type:
        if form[:1] == "@":
            return self.type(self._forms.get(form[1:], "any"))
        if form[:2] in ("[]", "{}"):
            return Type({"list" if form[0] == "[" else "map": form[2:]}, self)
        return Type({"type": form}, self)

    def _in(self, span: Span) -> bool:
        return (span.since is None or _numbers(span.since) <= self._version) and (
            span.until is None or self._version < _numbers(span.until)
        )


def _parts(form: Form) -> Iterator[tuple[Form, Span]]:
    if isinstance(form, list):
        yield from ((part["form"], _span(part)) for part in form)
    else:
        yield form, Span(None, None)


def _span(part: dict[str, Any]) -> Span:
    return Span(part.get("since"), part.get("until"))


@cache
def _numbers(text: str) -> Numbers:
    return tuple(int(number) for number in text.split("."))


def source_of(group: str) -> str:
    """The file that would have a group: that of Kubernetes for what is nobody else's."""
    if group.endswith(".istio.io"):
        return ISTIO
    return _PROJECTS.get(group, CORE)


def newest(source: str) -> str | None:
    """The newest version that a file knows; None where its kinds are known in one state (`state`) only."""
    releases = load_facts(f"kinds-{source}").get("releases")
    return releases[-1] if releases else None


def state(source: str) -> str | None:
    """What a file knows of a project whose version no config says: `Gateway API 0.5 to 1.7`."""
    known: str | None = load_facts(f"kinds-{source}").get("state")
    return known


def kind_spans(api: Api) -> list[Span]:
    """The versions of Kubernetes or Istio that have a kind; none where it is not known."""
    form = _kinds(source_of(api.group)).get(str(api))
    return [] if form is None else [span for _, span in _parts(form)]


def apis(source: str, version: Numbers) -> list[Api]:
    """All kinds that a file has at a version, in its order."""
    types = _types(source, version)
    return [Api(*text.split(" ")) for text, form in _kinds(source).items() if types.at(form) is not None]


def version_for(source: str, kubernetes: str, istio: Version) -> Numbers:
    """The version at which to read a file: of Kubernetes at least the oldest that it knows."""
    if source == CORE:
        return max(minor_key(kubernetes), _numbers(load_facts("kinds-core")["releases"][0]))
    # A prerelease has what its release will have.
    return istio.numbers if source == ISTIO else ()


@cache
def kind_type(api: Api, version: Numbers) -> Type | None:
    """The type of a kind's objects at a version of its file; None where there is no such kind."""
    source = source_of(api.group)
    types = _types(source, version)
    form = types.at(_kinds(source).get(str(api), []))
    return None if form is None else types.type(form)


@cache
def metadata_type(version: Numbers) -> Type:
    """The type of an object's metadata at a version of Kubernetes."""
    return _types(CORE, version).type(_METADATA)


def types_of(forms: Mapping[Api, Form]) -> dict[Api, Type]:
    """The types of kinds whose forms are given, such as those of a CRD."""
    types = Types({}, (), native=False)
    return {api: types.type(form) for api, form in forms.items()}


@cache
def _types(source: str, version: Numbers) -> Types:
    return Types(load_facts(f"kinds-{source}")["types"], version, native=source == CORE)


def _kinds(source: str) -> dict[str, Form]:
    kinds: dict[str, Form] = load_facts(f"kinds-{source}")["kinds"]
    return kinds


def field_spans(api: Api, path: Iterable[str | int]) -> list[Span]:
    """The versions of Kubernetes or Istio that have a field of a kind, whatever stood around it at each."""
    source = source_of(api.group)
    reached = list(_parts(_kinds(source).get(str(api), [])))
    for key in path:
        reached = [
            (form, met)
            for outer, span in reached
            for inner in _inside(outer, key, source)
            for form, part in _parts(inner)
            if (met := _met(span, part))
        ]
    spans: list[Span] = []
    for _, span in sorted(reached, key=lambda one: _numbers(one[1].since or "0")):
        goes_on = spans and spans[-1].until == span.since
        spans.append(Span(spans.pop().since, span.until) if goes_on else span)
    return spans


def _inside(form: Form, key: str | int, source: str) -> Iterator[Form]:
    """The form behind a key or an index of a form, with its ranges."""
    while isinstance(form, str) and form[:1] == "@":
        form = load_facts(f"kinds-{source}")["types"].get(form[1:], "any")
    if isinstance(form, str) and form[:2] in ("[]", "{}"):
        yield form[2:]
    elif isinstance(form, list):
        for one, _ in _parts(form):
            yield from _inside(one, key, source)
    elif isinstance(form, dict):
        found = form.get("list", form.get("map"))
        found = form.get("fields", {}).get(key) if found is None else found
        if found is not None:
            yield found


def _met(one: Span, other: Span) -> Span | None:
    """The versions of two spans at once."""
    since = max((one.since, other.since), key=lambda version: _numbers(version or "0"))
    ends = [end for end in (one.until, other.until) if end]
    until = min(ends, key=_numbers) if ends else None
    return Span(since, until) if until is None or _numbers(since or "0") < _numbers(until) else None


@cache
def kind_names() -> frozenset[str]:
    """The names of all kinds, whatever the version."""
    sources = {CORE, ISTIO, *_PROJECTS.values()}
    return frozenset(text.split(" ")[1] for source in sources for text in _kinds(source))


@cache
def groups(source: str) -> frozenset[str]:
    """The groups that a file has."""
    return frozenset(text.partition(" ")[0].rpartition("/")[0] for text in _kinds(source))
