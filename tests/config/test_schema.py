from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from meshgen.cli import main
from meshgen.config.schema import field, is_valid, schema
from meshgen.errors import InputError
from meshgen.render import render
from tests.objects import mesh, overlay, write_config

Schema = dict[str, Any]
# What the code falls back to, of what the schema can only say in words: it depends on something else.
IN_WORDS = {
    "istio.install": "`operator` up to 1.23, `helm` from 1.24 on",
    "istio.tag": "the version",
    "istio.metadata.name": "the mesh's name",
    "istio.metadata.namespace": "`istio.namespace`",
    "clusters.NAME.kubernetesVersion": "the newest that the Istio version supports",
    "expose.NAME.ports": "all (Kiali: not its metrics port)",
    "addons.grafana.secret": "`grafana`",
}
# Said or not, these mean the same to Istio, but what is said stands in the IstioOperator.
IN_THE_OPERATOR = {"istio.namespace", "istio.profile"}


def keys(above: str = "", depth: int = 0) -> Iterator[str]:
    """Every dotted key of meshgen.yaml and, at the top, of an overlay; NAME stands for any name."""
    if not above:
        yield from keys("clusters.NAME")
        yield from ("clusters", "extends", "patch")
    node = field(above) or {}
    for name in node.get("properties", {}):
        if above.startswith("clusters.") and name == "patch":
            continue
        key = f"{above}.{name}" if above else name
        yield key
        yield from keys(key, depth + 1)
    if isinstance(node.get("additionalProperties"), dict) and depth < 8:
        yield from keys(f"{above}.NAME", depth + 1)


KEYS = sorted(set(keys()))


def node_of(key: str) -> Schema:
    found = field(key)
    assert found is not None, key
    return found


def checks(node: Schema) -> Schema:
    """A part of the schema as a schema of its own."""
    return {"definitions": schema()["definitions"], "allOf": [{key: node[key] for key in node if key != "$ref"}]}


def test_schema_is_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(schema())

    assert schema()["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_there_are_many_keys() -> None:
    assert len(KEYS) > 120
    assert {"istio.version", "expose.NAME.via", "clusters.NAME.cloud", "addons.loki.storage.size"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_described_with_examples_that_are_valid(key: str) -> None:
    node = node_of(key)

    assert re.fullmatch(r"\S.*[.)…]", node["description"]), node.get("description")
    examples = [node["const"]] if "const" in node else node["examples"]
    assert examples
    for example in examples:
        if not node.get("x-planned"):
            jsonschema.Draft7Validator(checks(node)).validate(example)


@pytest.mark.parametrize("key", [key for key in KEYS if "default" in (field(key) or {})])
def test_every_default_is_valid(key: str) -> None:
    node = node_of(key)

    jsonschema.Draft7Validator(checks(node)).validate(node["default"])


@pytest.mark.parametrize("key", [key for key in KEYS if "default" in (field(key) or {})])
def test_every_default_is_what_the_code_does(key: str, tmp_path: Path) -> None:
    default = node_of(key)["default"]

    without = rendered(tmp_path / "without", key, None)
    said = rendered(tmp_path / "said", key, default)

    assert said == without


@pytest.mark.parametrize(("key", "words"), IN_WORDS.items())
def test_default_that_depends_on_something_else_is_said_in_words(key: str, words: str) -> None:
    assert words in node_of(key)["description"]


@pytest.mark.parametrize("key", [key for key in KEYS if (field(key) or {}).get("x-planned")])
def test_planned_key_says_so(key: str) -> None:
    assert "Planned: refused until it works." in node_of(key)["description"]


@pytest.mark.parametrize("key", KEYS)
def test_explain_knows_every_key(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = key.replace("NAME", "kiali")

    with pytest.raises(SystemExit) as end:
        main(["explain", name])

    printed = capsys.readouterr().out
    node = node_of(key)
    assert end.value.code == 0
    assert node["description"] in printed
    assert all(f"    {child}  " in printed or f"    {child} " in printed for child in node.get("properties", {}))
    if "default" in node:
        assert f"  default: {json.dumps(node['default'])}\n" in printed


def test_explain_guesses_at_an_unknown_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["explain", "expose.kiali.sourceRange"])

    assert end.value.code == 1
    assert 'did you mean "sourceRanges"?' in capsys.readouterr().err


@pytest.mark.parametrize("key", [key for key in KEYS if "pattern" in (field(key) or {})])
def test_no_pattern_lets_a_line_break_through(key: str) -> None:
    node = node_of(key)
    example = str(node["examples"][0])

    document = _placed(key, example + "\n")

    assert not is_valid(document, "overlay" if document["kind"] == "Overlay" else "mesh")


def test_fast_and_slow_validators_agree_on_each_example_put_in_its_place() -> None:
    slow = jsonschema.Draft7Validator(schema())
    for key in KEYS:
        for example in [*node_of(key).get("examples", []), None, {}, [], "", 1, True, "x" * 300]:
            document = _placed(key, example)
            fast = is_valid(document, "overlay" if document["kind"] == "Overlay" else "mesh")
            assert fast == slow.is_valid(document), (key, example)


def _placed(key: str, value: Any) -> dict[str, Any]:
    """A config that says nothing but one key."""
    parts = key.replace("NAME", "kiali").split(".")
    document = overlay("dev") if parts[0] in ("clusters", "extends", "patch") else mesh(istio={})
    at: dict[str, Any] = document
    for part in parts[:-1]:
        at = at.setdefault(part, {})
    at[parts[-1]] = value
    return document


def _complete(engines: dict[str, Any], parts: list[str]) -> None:
    """Say what the key's neighbours have to say for it to mean something."""
    if parts[:3] == ["delivery", "flux", "verify"]:
        engines["flux"]["verify"] = {"secretRef": "keys"}
        engines["flux"]["url"] = f"{'oci' if parts[3] == 'provider' else 'https'}://example.com/mesh"
    if parts[:3] == ["delivery", "flux", "alerts"]:
        engines["flux"]["alerts"] = {"kiali": {"address": "https://hooks.example.com/mesh"}}
    if parts[:3] == ["delivery", "argocd", "syncWindows"]:
        engines["argocd"]["syncWindows"] = {"kiali": {"schedule": "0 0 * * *", "duration": "1h"}}


def rendered(folder: Path, key: str, value: Any) -> dict[str, bytes]:
    """The tree of a config with a key, or without it (None); what stands in the IstioOperator alone is left out."""
    config: dict[str, Any] = {
        "mesh": mesh(
            addons={name: {} for name in ("prometheus", "grafana", "jaeger", "kiali")},
            expose={"kiali": {"sourceRanges": ["10.0.0.0/8"]}},
            delivery={engine: {"url": "https://example.com/mesh.git"} for engine in ("flux", "argocd")},
        ),
        "overlay": overlay("dev", clusters={"kiali": {"kubernetesVersion": "1.22"}}),
    }
    parts = key.replace("NAME", "kiali").split(".")
    config = deepcopy(config)
    if parts[:2] in (["addons", "zipkin"], ["addons", "loki"]):
        config["mesh"]["addons"] = {parts[1]: {}}
        config["mesh"]["expose"] = {}
        config["mesh"]["istio"]["version"] = "1.20.0"
        config["overlay"]["clusters"]["kiali"]["kubernetesVersion"] = "1.28"
    if parts[:2] == ["istio", "sail"]:
        config["mesh"]["istio"] = {"version": "1.30.3", "install": "sail"}
        config["overlay"]["clusters"]["kiali"]["kubernetesVersion"] = "1.34"
    if parts[0] == "resources":
        config["mesh"]["resources"] = {"kiali": {"path": "own.yaml"}}
        folder.mkdir()
        (folder / "own.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}")
    _complete(config["mesh"]["delivery"], parts)
    at: dict[str, Any] = config["overlay" if parts[0] == "clusters" else "mesh"]
    for part in parts[:-1]:
        at = at.setdefault(part, {})
    if value is not None:
        at[parts[-1]] = value
    try:
        files = dict(render(write_config(folder, config["mesh"], config["overlay"])).files)
    except InputError as error:
        raise AssertionError(error.findings) from error
    if key in IN_THE_OPERATOR:
        files = {path: data for path, data in files.items() if "istiooperator-" not in path}
    return files
