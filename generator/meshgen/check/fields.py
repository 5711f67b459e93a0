"""What IstioOperator does not have: fields and types that istioctl refuses, and those that it calls deprecated.

Each version is as strict as its istioctl. Up to 1.23 all is read by the JSON of Protocol Buffers (jsonpb); from 1.24
on the spec and its components are read by Go's encoding/json, values still by jsonpb, and what Kubernetes defines in
values by a YAML reader that takes numbers for strings. An unknown field of the mesh config is no error any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from meshgen.build.istiooperator import GATEWAY_KINDS, OWN_KEYS
from meshgen.build.stage import Remark
from meshgen.catalog import fields as catalog
from meshgen.catalog.fields import GO, Field, Fields
from meshgen.check.forms import GO_JSON, OWN, PROTO, YAML, Dialect, noun, reads
from meshgen.check.replaced import deprecated_remarks, instead_of
from meshgen.check.spans import said
from meshgen.config.problems import dotted, guess
from meshgen.yaml import pointer

Path = tuple[str | int, ...]
# Where Kubernetes' own types begin, in values that Protocol Buffers describe.
_KUBERNETES = ("apps.", "autoscaling.", "core.", "meta.", "policy.")
# Before, they are messages of Protocol Buffers as all others.
_YAML_IN_VALUES = (1, 29, 0)


@dataclass(frozen=True)
class _Place:
    """How values are read at a place of the spec, and by which version.

    `lenient` reads over unknown fields. `own` is meshgen's translation, to which an item that is null is none.
    """

    fields: Fields
    dialect: Dialect
    own: bool
    lenient: bool = False

    def into(self, message: str) -> _Place:
        """The same for the fields of a message."""
        numbers = self.fields.version.numbers
        if message == "values.Values":
            return replace(self, dialect=PROTO)
        if message == "mesh.MeshConfig":
            return replace(self, dialect=PROTO, lenient=numbers >= GO)
        # A struct embedded in another, as the source in a volume, is beyond what that reader's own rules reach.
        if self.dialect is YAML and message.endswith("VolumeSource"):
            return replace(self, dialect=GO_JSON)
        kubernetes = message.startswith(_KUBERNETES) and self.dialect is PROTO and not self.lenient
        return replace(self, dialect=YAML) if kubernetes and numbers >= _YAML_IN_VALUES else self


def field_remarks(istio: dict[str, Any], own: bool) -> Iterator[Remark]:
    """What is wrong with names and types in `istio`, whose version is known; no message holds a value.

    Components that meshgen translates by its `own` code have to be written as they are meant.
    """
    fields = catalog.fields_of(istio)
    dialect = OWN if own else PROTO if fields.version.numbers < GO else GO_JSON
    place = _Place(fields, dialect, own)
    spec = {key: value for key, value in istio.items() if key not in OWN_KEYS and key != "unvalidatedValues"}
    yield from _message(spec, fields.root, ("istio",), place)
    yield from deprecated_remarks(spec, fields)


def _misread(value: Any, field: Field, path: Path, place: _Place) -> Iterator[Remark]:
    """What can't be read of a value of some type, however deep. Null is of any type, for it takes a setting away."""
    kind = field.type
    if value is None:
        return
    if len(path) == 3 and path[2] in GATEWAY_KINDS and isinstance(value, dict):
        kind = "{}" + kind.removeprefix("[]")
    if kind[0] == "@":
        yield from _message(value, kind[1:], path, place.into(kind[1:]))
    elif kind[:2] in ("[]", "{}"):
        yield from _items(value, kind, path, place)
    elif kind[0] == "%":
        yield from _enum(value, kind[1:], path, place)
    elif problem := reads(value, kind, place.dialect):
        yield Remark(problem.rule, f"{dotted(path)}: {problem.text}", pointer(path), problem.hint)


def _items(value: Any, kind: str, path: Path, place: _Place) -> Iterator[Remark]:
    listed = kind[:2] == "[]"
    wanted: Any = list if listed else dict
    if not isinstance(value, wanted):
        yield _wrong(path, noun(kind))
        return
    field = Field(kind[2:], False)
    for key, item in enumerate(value) if listed else value.items():
        if item is None and place.own and listed:
            yield _wrong((*path, key), noun(kind[2:]))
        yield from _misread(item, field, (*path, key), place)


def _enum(value: Any, name: str, path: Path, place: _Place) -> Iterator[Remark]:
    words = place.fields.enum(name)
    if isinstance(value, str):
        if value not in words:
            message = f"{dotted(path)}: the value is not one that Istio {place.fields.version.minor} has"
            yield Remark("MG101", message, pointer(path), guess(value, words))
    elif reads(value, "int32", place.dialect):
        yield _wrong(path, f"one of {', '.join(words)}")


def _message(value: Any, name: str, path: Path, place: _Place) -> Iterator[Remark]:
    if not isinstance(value, dict):
        yield _wrong(path, "a map")
        return
    known = place.fields.of(name)
    for key, inner in value.items():
        field = known.get(key) or (_in_other_case(key, known) if place.dialect in (GO_JSON, YAML) else None)
        if field is None:
            yield _unknown(inner, (*path, key), known, place)
            continue
        if field.type[0] == "=":
            proper = field.type[1:]
            # Where both spellings are there, this one is passed over; the profiles say istio-ingressgateway.
            if proper in value or "-" in proper:
                continue
            field = known[proper]
        yield from _misread(inner, field, (*path, key), place)


def _in_other_case(key: str, known: Mapping[str, Field]) -> Field | None:
    """Go's JSON finds a field however its letters are cased."""
    return next((field for name, field in known.items() if name.lower() == key.lower()), None)


def _unknown(value: Any, path: Path, known: Mapping[str, Field], place: _Place) -> Remark:
    at = dotted(path)
    minor = place.fields.version.minor
    hint = _hint(value, path, known, place)
    if place.lenient:
        message = f"{at}: MeshConfig has no such field at Istio {minor}, and istiod ignores it"
        return Remark("MG205", message, pointer(path), hint, "warning", at_key=True)
    if len(path) == 3 and path[1] == "components":
        message = f"{at}: there is no such component at Istio {minor}"
    else:
        message = f"{at}: IstioOperator has no such field at Istio {minor}"
    return Remark("MG205", message, pointer(path), hint, at_key=True)


def _hint(value: Any, path: Path, known: Mapping[str, Field], place: _Place) -> str:
    """The next move: what took its place, the version that has it, the name that was meant, or a way round."""
    if instead := instead_of(path[1:], value):
        return instead
    if spans := catalog.versions_with(path[1:]):
        elsewhere = f"take it out: {said(spans)}"
    else:
        names = [name for name, field in known.items() if field.type[0] != "="]
        elsewhere = guess(str(path[-1]), names) or "take it out"
    if path[1] == "values" and len(path) > 2 and path[2:3] != ("meshConfig",):
        return f"{elsewhere}; values of charts of your own go under unvalidatedValues"
    return elsewhere


def _wrong(path: Path, noun: str) -> Remark:
    return Remark("MG103", f"{dotted(path)}: the value is not {noun}", pointer(path), f"write {noun}")
