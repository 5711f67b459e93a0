"""Writes `catalog/fields.json`: every field of IstioOperator's spec at every release, from the releases' own files.

    python -m tests.catalog.istiofields FOLDER

FOLDER holds a folder for each release, called as its tag, with `istio` and `api`: files of istio/istio and of the
commit of istio/api that its go.mod names, each at its path. Needed are go.mod, values_types.proto, types.go,
validation.go and, of istio/api and common-protos, all protos. A release candidate stands for its release.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from meshgen import catalog
from meshgen.catalog import Version
from tests.catalog import gofields, kubefields, protofields
from tests.catalog.protofields import Enums, Messages
from tests.catalog.sailcrds import filled

FACTS = Path(catalog.__file__).with_name("fields.json")
ROOT = "operator.IstioOperatorSpec"
# Structs that others embed: in Kubernetes' protos, which decoded these values up to 1.28, they are fields of a name.
_EMBEDDED = {
    "core.ConfigMapEnvSource": "localObjectReference",
    "core.ConfigMapKeySelector": "localObjectReference",
    "core.ConfigMapProjection": "localObjectReference",
    "core.ConfigMapVolumeSource": "localObjectReference",
    "core.SecretEnvSource": "localObjectReference",
    "core.SecretKeySelector": "localObjectReference",
    "core.SecretProjection": "localObjectReference",
    "core.Volume": "volumeSource",
}
_INLINED = {"operator.ConfigMapKeySelector": {"name": "string"}, "operator.SecretKeySelector": {"name": "string"}}
Facts = dict[str, dict[str, dict[str, Any]]]


def release_facts(folder: Path) -> Facts:
    """What one release says: `messages`, `enums` and `replacements`, each by name and then by field."""
    istio, api = folder / "istio", folder / "api"
    values = next(istio.glob("operator/pkg/apis/**/values_types.proto"))
    imported = [istio / "common-protos", api / "common-protos", api]
    roots = [root for root in imported if root.is_dir()]
    messages, enums = protofields.read([values.parent, *roots], values.name, "values")
    for proto, prefix in (("mesh/v1alpha1/config.proto", "mesh"), ("operator/v1alpha1/operator.proto", "operator")):
        if (api / proto).exists():
            more, numbers = protofields.read([api, api / "common-protos"], proto, prefix)
            messages, enums = messages | more, enums | numbers
    validation = next(istio.glob("operator/pkg/apis/**/validation/validation.go")).read_text(encoding="utf-8")
    types = istio / "operator/pkg/apis/types.go"
    if types.exists():
        messages |= gofields.structs(types.read_text(encoding="utf-8"))
    else:
        messages = _with(messages, _INLINED)
    strict = gofields.strict_values(validation)
    for path, wanted in strict.items():
        _retype(messages, "values.Values", path.split("."), wanted)
    _retype(messages, ROOT, ["meshConfig"], "@mesh.MeshConfig")
    _retype(messages, ROOT, ["values"], "@values.Values")
    _retype(messages, "values.Values", ["meshConfig"], "@mesh.MeshConfig")
    minor = gofields.minor_of((istio / "go.mod").read_text(encoding="utf-8"))
    return {**_reachable(messages, enums, minor, bool(strict)), "replacements": gofields.replacements(validation)}


def _with(messages: Messages, more: Messages) -> Messages:
    return messages | {name: {**messages[name], **fields} for name, fields in more.items()}


def _retype(messages: Messages, message: str, path: list[str], wanted: str) -> None:
    """Give a field another type than that of its proto; whether it is deprecated stays."""
    *parents, last = path
    for name in parents:
        message = messages[message][name].rstrip("!").removeprefix("@")
    if last in messages[message]:
        messages[message][last] = wanted + ("!" if messages[message][last].endswith("!") else "")


def _reachable(messages: Messages, enums: Enums, minor: int, go: bool) -> Facts:
    """The messages and enums that the spec reaches, Kubernetes' own among them."""
    made: Facts = {"messages": {}, "enums": {}}
    waiting = [f"@{ROOT}"]
    while waiting:
        kind, name = (reference := waiting.pop())[0], reference[1:]
        if kind == "%":
            made["enums"][name] = enums[name]
        elif name not in made["messages"]:
            fields = messages[name] if name in messages else _kubernetes(name, minor, go)
            made["messages"][name] = fields
            waiting += [found for text in fields.values() for found in _references(text)]
    return made


def _kubernetes(name: str, minor: int, go: bool) -> dict[str, str]:
    fields = kubefields.fields_of(name, minor)
    return fields if go or name not in _EMBEDDED else {**fields, _EMBEDDED[name]: "object"}


def _references(text: str) -> Iterator[str]:
    bare = text.rstrip("!")
    while bare.startswith(("[]", "{}")):
        bare = bare[2:]
    if bare[0] in "@%":
        yield bare


def over_time(facts: dict[str, Any], written: Callable[[Any], dict[str, Any]]) -> Any:
    """One fact by release, oldest first and None where it is not there, as one with its ranges."""
    names = list(facts)
    starts = [index for index, name in enumerate(names) if not index or facts[name] != facts[names[index - 1]]]
    ranges = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        if facts[names[start]] is not None:
            limits = {"since": names[start]} if start else {}
            limits |= {"until": names[following]} if following else {}
            ranges.append({**written(facts[names[start]]), **limits})
    return next(iter(ranges)) if len(starts) == 1 else ranges


def merged(releases: dict[str, Facts]) -> Facts:
    """What all releases say, each fact with the ranges in which it holds; the releases are in their order.

    The ranges of a field are those inside the ones in which its message is there at all.
    """
    made: Facts = {}
    for part, written in (("messages", _field), ("enums", _number)):
        made[part] = {}
        for name in sorted({name for facts in releases.values() for name in facts[part]}):
            having = {at: facts[part][name] for at, facts in releases.items() if name in facts[part]}
            fields = dict.fromkeys(field for fields in having.values() for field in fields)
            made[part][name] = {
                field: _plain(over_time({at: fields.get(field) for at, fields in having.items()}, written))
                for field in fields
            }
    known = sorted({name for facts in releases.values() for name in facts["replacements"]})
    by_name = {name: {at: facts["replacements"].get(name) for at, facts in releases.items()} for name in known}
    return made | {"replacements": {name: over_time(facts, dict) for name, facts in by_name.items()}}


def _field(text: str) -> dict[str, Any]:
    return {"type": text.rstrip("!"), **({"deprecated": True} if text.endswith("!") else {})}


def _number(number: int) -> dict[str, Any]:
    return {"number": number}


def _plain(fact: Any) -> Any:
    """A fact that says one thing at all releases, as that thing."""
    return next(iter(fact.values())) if isinstance(fact, dict) and len(fact) == 1 else fact


def main(folder: Path) -> None:
    """Write the facts of all releases in a folder into the catalogue."""
    tags = sorted((path.name for path in folder.iterdir()), key=Version.parse)
    releases = {tag.partition("-")[0]: release_facts(folder / tag) for tag in tags}
    facts = {
        "sources": {
            "messages": "operator/pkg/apis (values_types.proto, types.go) in istio/istio; mesh/v1alpha1 and "
            "operator/v1alpha1 in istio/api, at the commit that go.mod names; Kubernetes' types: its OpenAPI schemas",
            "replacements": "operator/pkg/apis/istio/v1alpha1/validation/validation.go in istio/istio, up to 1.23",
            "releases": f"{tags[0]} to {tags[-1]}, every one",
        },
        "root": ROOT,
        **merged(releases),
    }
    FACTS.write_text(filled(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
