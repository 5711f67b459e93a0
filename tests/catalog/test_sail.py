"""The facts about the Sail operator agree with each other, and with its CRDs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from meshgen import catalog
from meshgen.catalog import Version, sail
from tests.catalog.sailcrds import FACTS, KINDS, filled, shape, storage_version, values_shape

# The state of the operator's main branch whose CRDs are among the cases.
MAIN = "1.31.0-main.328df99"
WORDS = {"any", "boolean", "bytes", "int-or-string", "integer", "number", "quantity", "string"}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return dict(json.loads(FACTS.read_bytes()))


def test_releases_are_in_their_order_and_install_something():
    operators = [Version.parse(operator) for operator in sail.operators()]
    assert operators == sorted(operators)
    # From 1.25 on they are called after the newest Istio that they install.
    for operator in sail.operators()[1:]:
        assert sail.serves(operator, operator)


@pytest.mark.parametrize("minor", ["1.24", "1.25", "1.26", "1.27", "1.28", "1.29", "1.30"])
def test_the_patch_that_the_facts_of_a_minor_were_read_at_is_installed_by_some_release(minor: str):
    patch = catalog.release(minor).read_at
    assert sail.served_of_minor(minor)[-1] == patch
    assert sail.newest_serving(patch)


def test_an_istio_is_installed_by_the_newest_release_that_has_its_charts():
    assert sail.newest_serving("1.24.6") == "1.27.3"
    assert sail.newest_serving("1.26.8") == "1.28.3"
    assert sail.newest_serving("1.28.10") == "1.30.3"
    assert sail.newest_serving("1.23.6") is None
    assert sail.served_of_minor("1.31") == ()


def test_what_a_newer_release_installs_is_not_known():
    assert sail.serves("1.30.4", "1.30.4") is None
    assert sail.serves("1.30.2", "1.30.2") is False
    assert sail.serves("1.30.3", "1.27.9") is False


def test_the_api_of_ztunnel_became_v1_with_1_28():
    assert sail.api_version("ZTunnel", "1.27.3") == "sailoperator.io/v1alpha1"
    assert sail.api_version("ZTunnel", "1.28.0") == sail.api_version("Istio", "1.27.3") == "sailoperator.io/v1"


def test_shapes_follow_the_releases():
    def ztunnel(operator: str) -> Any:
        return sail.values_shape("ZTunnel", operator)["fields"]["ztunnel"]["fields"]

    assert "network" not in ztunnel("1.27.3")
    assert ztunnel("1.28.0")["network"] == "string"
    assert ztunnel("99.0.0") == ztunnel(MAIN) != ztunnel("1.30.3")


def test_every_shape_is_made_of_known_words_and_references(facts: dict[str, Any]):
    named = {text for root in (facts["values"], facts["shapes"]) for one in root.values() for text in words(one)}
    references = {text[1:] for text in named if text.startswith("#")}
    assert references == set(facts["shapes"])
    assert {text for text in named if not text.startswith("#")} == WORDS


def test_ranges_of_a_field_follow_each_other(facts: dict[str, Any]):
    for found in ranges([facts["values"], facts["shapes"], facts["apiVersions"]]):
        limits = [(part.get("since"), part.get("until")) for part in found]
        ordered = [Version.parse(limit) for pair in limits for limit in pair if limit]
        assert ordered == sorted(ordered)
        assert all(before[1] and after[0] for before, after in pairwise(limits))


def test_the_file_is_as_its_script_writes_it(facts: dict[str, Any]):
    assert FACTS.read_text(encoding="utf-8") == filled(facts) + "\n"


@pytest.mark.upstream
@pytest.mark.parametrize("kind", KINDS)
def test_shapes_are_those_of_the_crds(cases: Path, kind: str):
    assert sail.values_shape(kind, MAIN) == values_shape(cases / "gitops-crds", kind)


@pytest.mark.upstream
@pytest.mark.parametrize("kind", KINDS)
def test_versions_and_profiles_are_those_of_the_crds(cases: Path, kind: str):
    version = storage_version(cases / "gitops-crds", kind)
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    listed = [istio for minor in catalog.minors() for istio in sail.served_of_minor(minor)]
    # The enums have lost what is older than 1.24, or never had it.
    wanted = [istio for istio in listed if Version.parse(istio).numbers >= (1, 24, 0)]
    assert wanted
    assert {f"v{istio}" for istio in wanted} <= set(spec["version"]["enum"])
    assert sail.api_version(kind, MAIN) == f"sailoperator.io/{version['name']}"
    if kind != "ZTunnel":
        assert {*sail.profiles(), "external"} == set(spec["profile"]["enum"])


def test_a_schema_loses_nothing_but_defaults_formats_and_sizes():
    assert shape({"type": "object", "additionalProperties": {"type": "string"}}) == {"map": "string"}
    assert shape({"type": "array", "items": {"type": "integer", "format": "int32"}}) == {"list": "integer"}
    assert shape({"type": "string", "enum": ["b", "a"]}) == ["a", "b"]
    assert shape({"type": "integer", "minimum": 1}) == {"minimum": 1}
    assert shape({"x-kubernetes-int-or-string": True, "pattern": "x"}) == "quantity"


def words(one: Any) -> Iterator[str]:
    """The words and references in a shape; not those that an enum allows."""
    if isinstance(one, str):
        yield one
    elif isinstance(one, dict):
        for key, inner in one.items():
            if key == "fields":
                yield from (word for field in inner.values() for word in words(field))
            elif key == "ranges":
                yield from (word for part in inner for word in words(part["shape"]))
            elif key in ("list", "map"):
                yield from words(inner)


def ranges(one: Any) -> Iterator[list[dict[str, Any]]]:
    """Every list of ranges inside."""
    if isinstance(one, dict):
        if isinstance(one.get("ranges"), list):
            yield one["ranges"]
        one = list(one.values())
    if isinstance(one, list):
        for inner in one:
            yield from ranges(inner)
