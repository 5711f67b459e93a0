"""Of any config and any field: the file that is named holds it, and each layer says its value at its place."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from meshgen.layout.values import same
from meshgen.provenance.edits import at_path, branches, leaves
from meshgen.provenance.explain import explain
from meshgen.provenance.field import written
from meshgen.provenance.secrecy import HIDDEN
from meshgen.provenance.target import Target, everything
from meshgen.render import BuiltCluster, BuiltMesh, build_mesh, layout_of, render
from meshgen.yaml import NOWHERE
from tests.configs import Config, configs
from tests.objects import read_yaml
from tests.test_invariant import write

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=25, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.data())
def test_file_holds_the_field_and_layers_say_it_where_they_are_said_to(config: Config, data: st.DataObject):
    holds(config, data)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.data())
def test_the_same_of_hundreds_of_configs(config: Config, data: st.DataObject):
    holds(config, data)


def holds(config: Config, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config)
        mesh = build_mesh(path)
        one: BuiltCluster = data.draw(st.sampled_from(list(mesh.clusters)))
        targets = [target for target in everything(one.built) if select_one(one, target)]
        # Of each kind as often: every config has namespaces, few have a claim.
        kind = data.draw(st.sampled_from(sorted({target.object["kind"] for target in targets})))
        target: Target = data.draw(st.sampled_from([one for one in targets if one.object["kind"] == kind]))
        fields = [*(path for path, _ in leaves(target.object)), *branches(target.object)]
        field = data.draw(st.sampled_from([path for path in fields if path]))
        event(kind)
        (answer,) = explain(path, target.name, written(field), one.cluster.name)

        value = at_path(target.object, field)
        assert answer.value == value or HIDDEN in json.dumps(answer.value)
        (files,) = answer.files.values()
        assert files, answer
        assert_held(mesh, one, target, field, files, render(path).files)
        for setting in answer.settings:
            assert_said(Path(folder), setting.layers)
        assert all(setting.layers or setting.name == "cloud" for setting in answer.settings)


def select_one(one: BuiltCluster, target: Target) -> bool:
    """Whether the object can be named: names that differ by case or API group only can't."""
    names = [other.name.lower() for other in everything(one.built)]
    return names.count(target.name.lower()) == 1


def assert_held(
    mesh: BuiltMesh,
    one: BuiltCluster,
    target: Target,
    field: tuple[str | int, ...],
    files: tuple[str, ...],
    tree: dict[str, bytes],
) -> None:
    """The first file speaks of the field, and what lies between it and the cluster leaves the field as it is."""
    (content,) = read_yaml(tree[files[0]].decode())
    last = next((part for part in reversed(field) if isinstance(part, str)), "")
    assert mentions(content, last, at_path(target.object, field)), f"{files[0]} says nothing of {written(field)}"
    if target.stage is None:
        return
    built = {"clusters": one.built}
    for environment, part, clusters in mesh.environments:
        if one in clusters and part is not None:
            built["environments"] = part.built
            assert environment.name == one.cluster.environment
    level = files[0].partition("/")[0]
    if level in built:
        obj = next(other.object for other in everything(built[level]) if other.name == target.name)
        assert same(at_path(obj, field), at_path(target.object, field)) or level == "clusters"
    top = dict(layout_of(mesh).paths[one.cluster.name])[target.stage]
    if not files[0].startswith(f"{top}/"):
        own = [path for path in tree if path.startswith(f"{top}/") and path.endswith(".yaml")]
        for path in own:
            assert not says(tree[path], target, field), f"{path} says it above {files[0]}"


def mentions(content: Any, key: str, value: Any) -> bool:
    """Whether a key with a value is in a file, or, in operations, in a path."""
    if isinstance(content, dict):
        if key in content and (isinstance(value, dict | list) or not isinstance(content[key], dict)):
            return True
        path = content.get("path")
        escaped = key.replace("~", "~0").replace("/", "~1")
        if "op" in content and isinstance(path, str) and escaped in path.split("/"):
            return True
        return any(mentions(child, key, value) for child in content.values())
    return isinstance(content, list) and any(mentions(child, key, value) for child in content)


def says(data: bytes, target: Target, field: tuple[str | int, ...]) -> bool:
    """Whether a strategic merge of the object has the field; of fields in lists no plain walk tells."""
    (content,) = read_yaml(data.decode())
    metadata = content.get("metadata") if isinstance(content, dict) else None
    if (
        not metadata
        or content["kind"] != target.object["kind"]
        or metadata["name"] != target.object["metadata"]["name"]
    ):
        return False
    if metadata.get("namespace") != target.object["metadata"].get("namespace"):
        return False
    head = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata",))
    is_plain = all(isinstance(part, str) for part in field) and field not in head
    return is_plain and at_path(content, field) is not NOWHERE


def assert_said(folder: Path, layers: Any) -> None:
    """Configs are JSON here, so what begins at a line and column is told by another reader than meshgen's."""
    for layer in layers:
        lines = (folder / layer.file).read_text(encoding="utf-8").split("\n")
        text = "\n".join([lines[layer.line - 1][layer.column - 1 :], *lines[layer.line :]])
        value, _ = json.JSONDecoder().raw_decode(text)
        assert same(value, layer.value) or HIDDEN in json.dumps(layer.value), f"{layer} is not {text[:60]}"
    assert not layers or layers[-1].wins
