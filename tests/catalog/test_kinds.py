"""The facts about kinds agree with each other, with the schemas they come from, and are read at each version."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshgen.catalog import Version, load_facts
from meshgen.catalog import kinds as catalog
from meshgen.catalog.fields import Span
from meshgen.catalog.kinds import CORE, ISTIO, Api, Type, kind_type
from meshgen.catalog.openapi import form, kind_form
from tests.catalog.anyform import any_of
from tests.catalog.formsovertime import over_time, shared, shortened
from tests.catalog.kindfields import FACTS, PROJECTS, core, crd_kinds, project, server_enums, written
from tests.tools import FROM_GO, _go, istio_charts

FILES = (CORE, ISTIO, *PROJECTS)


def on_disk(name: str) -> str:
    return (FACTS / f"kinds-{name}.json").read_text(encoding="utf-8")


def parts(facts: Any) -> Iterator[dict[str, Any]]:
    """All that has a range."""
    if isinstance(facts, dict):
        if "since" in facts or "until" in facts:
            yield facts
        for one in facts.values():
            yield from parts(one)
    elif isinstance(facts, list):
        for one in facts:
            yield from parts(one)


def references(facts: Any) -> Iterator[str]:
    if isinstance(facts, str):
        if (bare := facts.lstrip("[]{}")).startswith("@"):
            yield bare[1:]
    elif isinstance(facts, dict | list):
        for one in facts.values() if isinstance(facts, dict) else facts:
            yield from references(one)


@pytest.mark.parametrize("name", FILES)
def test_every_type_is_there_and_reached(name: str):
    facts = load_facts(f"kinds-{name}")

    reached = set(references([facts["kinds"], facts["types"]]))

    assert reached == set(facts["types"])


@pytest.mark.parametrize("name", [CORE, ISTIO])
def test_every_range_is_between_releases_that_are_known(name: str):
    facts = load_facts(f"kinds-{name}")
    order = facts["releases"]

    for part in parts(facts["kinds"] | facts["types"]):
        since, until = part.get("since", order[0]), part.get("until")
        assert order.index(since) < (order.index(until) if until else len(order))


def test_each_group_is_looked_for_in_the_file_that_has_it():
    for name in FILES:
        assert {catalog.source_of(group) for group in catalog.groups(name)} == {name}
    assert {name: set(known.groups) for name, known in PROJECTS.items()} == {
        name: set(catalog.groups(name)) for name in PROJECTS
    }


def test_the_facts_stay_small():
    assert sum(len(on_disk(name)) for name in FILES) < 600_000


def at(api: Api, version: tuple[int, ...]) -> Type:
    made = kind_type(api, version)
    assert made is not None
    return made


def field_of(made: Type | None, *path: str) -> Type | None:
    for key in path:
        assert made is not None
        made = made.fields[key] if made.word == "fields" else made.item
    return made


def test_a_field_is_there_from_its_release_on():
    service = Api("v1", "Service")

    assert field_of(at(service, (1, 29)), "spec", "trafficDistribution") is None
    assert field_of(at(service, (1, 30)), "spec", "trafficDistribution") is not None


def test_a_kind_is_there_from_its_release_on():
    gateway = Api("networking.istio.io/v1", "Gateway")

    assert kind_type(gateway, Version.parse("1.21.6").numbers) is None
    assert kind_type(gateway, Version.parse("1.22.0").numbers) is not None
    assert catalog.kind_spans(gateway) == [Span("1.22.0", None)]


def test_a_field_changes_its_type_and_whether_it_is_required():
    entry, config = Api("networking.istio.io/v1beta1", "Gateway"), Api("networking.istio.io/v1beta1", "ProxyConfig")
    ports = [field_of(at(entry, version), "spec", "servers", "", "port") for version in ((1, 19, 9), (1, 20, 0))]
    words = [field_of(at(config, version), "spec", "concurrency") for version in ((1, 21, 6), (1, 22, 0))]

    assert [port.required for port in ports if port] == [(), ("name", "number", "protocol")]
    assert [one.word for one in words if one] == ["int64", "int32"]


def test_forms_that_differ_in_their_fields_alone_are_one():
    old = {"fields": {"a": "string"}, "required": ["a"]}
    new = {"fields": {"a": "string", "b": {"type": "string", "enum": ["x"]}}}
    newest = {"fields": {"a": "int32", "b": {"type": "string", "enum": ["x", "y"]}}}

    assert over_time({"1": old, "2": new, "3": newest}) == {
        "fields": {
            "a": [{"form": "string", "until": "3"}, {"form": "int32", "since": "3"}],
            "b": [{"form": {"type": "string", "enum": ["x", {"value": "y", "since": "3"}]}, "since": "2"}],
        },
        "required": [{"value": "a", "until": "2"}],
    }


def test_where_the_release_is_not_known_a_kind_takes_what_any_takes():
    old = {"fields": {"a": {"type": "string", "enum": ["x"], "maxLength": 5}, "b": "int32"}, "required": ["a", "b"]}
    new = {
        "fields": {
            "a": {"type": "string", "enum": ["y"], "maxLength": 9, "pattern": "^.$"},
            "b": "string",
            "c": {"list": "int32", "minItems": 1},
        },
        "required": ["a"],
        "one": [["a", "b"]],
    }
    newest = {"fields": {"c": {"list": "int64"}}, "required": ["a"], "open": True}

    assert any_of([old, new, newest]) == {
        "fields": {
            "a": {"type": "string", "enum": ["x", "y"], "maxLength": 9},
            "b": "any",
            "c": {"list": "int64"},
        },
        "required": ["a"],
        "open": True,
    }


def test_what_stands_twice_is_written_once():
    port = {"fields": {"number": "int32", "protocol": "string", "name": "string", "targetPort": "int-or-string"}}
    root = {"fields": {"ports": {"list": port}, "port": port}}

    roots, types = shared({"v1 Thing": root})

    assert types == {"ports": port}
    assert shortened(roots) == {"v1 Thing": {"fields": {"ports": "[]@ports", "port": "@ports"}}}


def test_a_schema_is_read_as_its_form():
    schema = {
        "type": "object",
        "required": ["host", "mode"],
        "properties": {
            "host": {"type": "string", "maxLength": 253},
            "mode": {"type": "string", "enum": ["A", "B"], "default": "A"},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "time": {"type": "string", "format": "date-time", "nullable": True},
        },
        "oneOf": [
            {"not": {"anyOf": [{"required": ["any"]}, {"required": ["port"]}]}},
            {"required": ["any"]},
            {"required": ["port"]},
        ],
    }

    assert form(schema) == {
        "fields": {
            "any": "object",
            "host": {"type": "string", "maxLength": 253},
            "labels": {"map": "string"},
            "mode": {"type": "string", "enum": ["A", "B"]},
            "port": "int-or-string",
            "time": {"type": "timestamp", "nullable": True},
        },
        "required": ["host"],
        "one": [["any", "port"]],
    }


def test_a_kind_is_read_without_what_every_object_has_and_its_status():
    schema = {"properties": {"kind": {"type": "string"}, "spec": {"type": "integer"}, "status": {"type": "string"}}}
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}

    assert kind_form(version) == {"fields": {"spec": "int64", "status": "string"}}
    assert kind_form({**version, "subresources": {"status": {}}}) == {"fields": {"spec": "int64", "status": "any"}}
    assert kind_form({"name": "v1"}) == {"fields": {}, "open": True}


@pytest.mark.realtools
def test_kubernetes_kinds_are_what_the_script_writes():
    assert written(core(server_enums())) == on_disk(CORE)


FROM_MODULES = [pytest.mark.realtools]


@pytest.mark.upstream
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=FROM_MODULES if known.module else []) for name, known in PROJECTS.items()]
)
def test_the_kinds_of_other_projects_are_what_the_script_writes(name: str):
    assert written(project(PROJECTS[name])) == on_disk(name)


def plain(made: Type) -> Any:
    """A type as the form that it was made of, at its version."""
    form = dict(made.limits)
    if made.word == "fields":
        form |= {"fields": {name: plain(one) for name in made.fields.names() if (one := made.fields[name])}}
        form |= {"required": list(made.required)} if made.required else {}
        form |= {"one": list(made.one)} if made.one else {}
        form |= {"open": True} if made.open else {}
    elif made.item is not None:
        form[made.word] = plain(made.item)
    else:
        form["type"] = made.word
    form |= {"nullable": True} if made.nullable else {}
    return made.word if form == {"type": made.word} else form


def ordered(form: Any) -> Any:
    """A form with its lists in an order of their own, for that of a list with ranges is another."""
    if isinstance(form, dict):
        return {key: ordered(one) for key, one in form.items()}
    return sorted((ordered(one) for one in form), key=json.dumps) if isinstance(form, list) else form


def same_as_crds(version: str, crds: Path) -> None:
    """Istio's kinds at a version are those of its CRDs, each with the same form."""
    numbers = Version.parse(version).numbers
    read = crd_kinds([crds])

    assert {str(api) for api in catalog.apis(ISTIO, numbers)} == set(read)
    for api, wanted in read.items():
        known = at(Api(*api.split(" ")), numbers)
        assert ordered(plain(known)) == ordered(wanted), api


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
def test_istio_kinds_are_those_of_the_release(version: str, cases: Path):
    same_as_crds(version, cases / f"istio-{version}" / "crds" / "crd-all.gen.yaml")


@pytest.mark.realtools
def test_istio_kinds_of_1_31_are_those_of_its_chart():
    same_as_crds("1.31.0", istio_charts() / "base" / "files" / "crd-all.gen.yaml")


@pytest.mark.realtools
def test_istio_kinds_of_1_24_are_those_of_its_module(tmp_path: Path):
    # The one release in between whose CRDs a registry has: a Go module, and its chart's file is the same.
    module = json.loads(_go(FROM_GO["istioctl"], "mod", "download", "-json", "istio.io/api@v1.24.2"))
    crds = tmp_path / "crds.yaml"
    with zipfile.ZipFile(module["Zip"]) as archive:
        crds.write_bytes(archive.read("istio.io/api@v1.24.2/kubernetes/customresourcedefinitions.gen.yaml"))

    same_as_crds("1.24.2", crds)
