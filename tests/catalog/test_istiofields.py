"""The facts about IstioOperator's fields agree with each other, and with the files they come from."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshgen.catalog import Version, load_facts
from meshgen.catalog.fields import Span, fields_at, versions_with
from tests.tools import FROM_GO, _go


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return load_facts("fields")


def parts(fact: Any) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else {"type": one} for one in (fact if isinstance(fact, list) else [fact])]


def types(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for message, fields in facts["messages"].items():
        for fact in fields.values():
            yield from ((message, part["type"]) for part in parts(fact))


def test_every_type_is_a_word_or_names_what_is_there(facts: dict[str, Any]):
    words = {"any", "bool", "bytes", "double", "duration", "int-or-string", "int32", "int64", "object", "quantity"}
    words |= {"string", "timestamp", "uint32", "uint64"}
    for message, kind in types(facts):
        bare = re.sub(r"^(\[\]|\{\})+", "", kind)
        known = {"@": facts["messages"], "%": facts["enums"], "=": facts["messages"][message]}
        assert bare[1:] in known[bare[0]] if bare[0] in known else bare in words


def test_every_message_and_enum_is_reached(facts: dict[str, Any]):
    reached = {re.sub(r"^[\[\]{}]*[@%]", "", kind) for _, kind in types(facts)} | {facts["root"]}
    assert set(facts["messages"]) | set(facts["enums"]) <= reached


def test_ranges_are_in_their_order_and_do_not_overlap(facts: dict[str, Any]):
    for fields in (*facts["messages"].values(), *facts["enums"].values(), facts["replacements"]):
        for fact in fields.values():
            limits = [one.get(key) for one in parts(fact) for key in ("since", "until")]
            inner = [Version.parse(limit) for limit in limits[1:-1]]
            assert inner == sorted(inner)


def test_fields_are_known_by_path_at_every_version():
    assert versions_with(["values", "gateways", "securityContext"]) == [
        Span("1.20.8", "1.21.0"),
        Span("1.21.4", "1.22.0"),
        Span("1.22.2", None),
    ]
    assert versions_with(["components", "ingressGateways", "edge", "k8s", "env", 0, "name"]) == [Span(None, None)]
    assert versions_with(["components", "pilot", "k8s", "service", "ipFamilies"]) == [Span("1.24.0", None)]
    assert versions_with(["values", "pilot", "nonsense"]) == []


def test_a_release_candidate_has_the_fields_of_its_release():
    assert fields_at("1.24.0-rc.0").of("operator.KubernetesResourcesSpec")["affinity"].type == "@core.Affinity"


def unzipped(provider: str, wanted: str, folder: Path) -> None:
    """Take files out of the zip of a Go module that tests/go/istio pins."""
    module = json.loads(_go(FROM_GO["istioctl"], "mod", "download", "-json", provider))
    inside = f"{module['Path']}@{module['Version']}/"
    with zipfile.ZipFile(module["Zip"]) as archive:
        for name in archive.namelist():
            path = name.removeprefix(inside)
            if re.fullmatch(wanted, path):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


@pytest.mark.realtools
def test_the_fields_of_1_31_are_those_of_its_modules(tmp_path: Path):
    # Here, for it takes protoc.
    from tests.catalog.istiofields import release_facts

    unzipped(
        "istio.io/istio",
        r"go\.mod|operator/pkg/apis/(values_types\.proto|types\.go|validation/validation\.go)",
        tmp_path / "istio",
    )
    unzipped("istio.io/api", r".*\.proto", tmp_path / "api")

    read = release_facts(tmp_path)

    known = fields_at("1.31.0")
    for message, fields in read["messages"].items():
        assert {name: one.type + "!" * one.deprecated for name, one in known.of(message).items()} == fields
    for enum, numbers in read["enums"].items():
        assert set(known.enum(enum)) == set(numbers)
    assert read["replacements"] == known.replacements == {}
