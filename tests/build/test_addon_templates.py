"""The addons' templates: only `if` and `for`, and no value that adds structure."""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, UndefinedError, nodes

from meshgen.build.addons import NAMES, addon_objects
from meshgen.build.templates import read_text, render_objects
from meshgen.catalog import release
from tests.build.addons import ALL, build, config


def test_a_value_can_not_add_structure():
    hostile = 'x"\n---\nkind: Evil\n# {{ namespace }} ${x} \u2028 - a: b'
    for name in NAMES:
        settings = {"secret": hostile, "image": f"evil:{hostile}"}
        objects = addon_objects(
            name, settings, images=release("1.30").addons, namespace=hostile, addons=ALL, minor="1.30"
        )
        assert [item["kind"] for item in objects] == [item["kind"] for item in build("1.30", name)]
        assert objects[0]["metadata"]["namespace"] == hostile


def test_a_value_can_not_add_structure_to_a_config_either():
    hostile = 'x"\n    auth: {strategy: anonymous}'
    images = release("1.30").addons
    objects = addon_objects("kiali", {}, images=images, namespace=hostile, addons=ALL, minor="1.30")
    kiali = config(objects, "config.yaml")
    assert kiali["auth"] == {"strategy": "token"}
    assert kiali["deployment"]["namespace"] == hostile


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="is undefined"):
        render_objects("addons/zipkin.yaml.j2", namespace="istio-system")


@pytest.mark.parametrize("name", NAMES)
def test_templates_hold_only_if_and_for(name):
    tree = Environment().parse(read_text(f"addons/{name}.yaml.j2"))
    allowed = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Getattr)
    allowed += (nodes.Compare, nodes.Operand, nodes.Const)
    assert [node for node in tree.find_all(nodes.Node) if not isinstance(node, allowed)] == []


@pytest.mark.parametrize("name", NAMES)
def test_templates_put_a_value_only_where_a_whole_yaml_value_stands(name):
    for line in read_text(f"addons/{name}.yaml.j2").splitlines():
        if "{{" in line:
            assert re.fullmatch(r" *(- )?([A-Za-z_]+: )?(\{\{ [a-z_.]+ \}\}: )?\{\{ [a-z_.]+ \}\}", line), line
