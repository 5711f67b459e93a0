"""Objects are compared field by field: lists by their keys, secrets never shown, texts by their lines."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshgen.diff.compare import written
from meshgen.diff.fields import differences
from meshgen.diff.markdown import markdown
from meshgen.diff.report import to_json
from meshgen.diff.sarif import sarif
from meshgen.diff.written import field_lines
from meshgen.layout.values import same
from tests.diff.repositories import changed, difference, group_of
from tests.objects import Object

SECRET = "hunter2-and-more"
_KEYS = st.sampled_from(["a", "b", "name", "ports", "port", "containers", "protocol", "x.y"])
_SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b", "0", "TCP", "UDP"])
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=20
)
_TREES = st.dictionaries(_KEYS, _VALUES, max_size=4)


def deployment(*containers: Object) -> Object:
    spec = {"template": {"spec": {"containers": list(containers)}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}


def config_map(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}


def custom(**spec: object) -> Object:
    return {"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "a"}, "spec": spec}


def paths(old: Object, new: Object) -> list[tuple[str, str]]:
    return [(written(one.path), one.action) for one in differences(old, new)]


@given(_TREES, _TREES)
def test_fields_differ_exactly_where_objects_do(old: Object, new: Object):
    assert bool(differences(old, new)) == (not same(old, new))
    assert differences(old, old) == ()


def test_containers_and_their_lists_are_matched_by_their_keys():
    old = deployment(
        {"name": "a", "image": "x:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"name": "b", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]},
    )
    new = deployment(
        {"name": "b", "ports": [{"containerPort": 80, "protocol": "UDP", "name": "u"}, {"containerPort": 80}]},
        {"name": "a", "image": "x:2", "env": [{"name": "B", "value": "3"}]},
    )

    base = "spec.template.spec.containers"
    assert paths(old, new) == [
        (f"{base}[name=a].image", "changed"),
        (f"{base}[name=a].env[name=A]", "removed"),
        (f"{base}[name=a].env[name=B].value", "changed"),
        (f"{base}[name=b].ports[containerPort=80,protocol=UDP].name", "added"),
        (f"{base}[name=b].ports", "order"),
        (base, "order"),
    ]


def test_routes_are_matched_by_name_or_by_the_place_of_what_stayed():
    by_name = paths(custom(http=[{"name": "a", "x": 1}]), custom(http=[{"name": "b"}, {"name": "a", "x": 2}]))
    by_place = paths(custom(http=[{"x": 1}, {"x": 2}]), custom(http=[{"x": 0}, {"x": 1}, {"x": 2}]))

    assert by_name == [("spec.http[name=a].x", "changed"), ("spec.http[name=b]", "added")]
    assert by_place == [("spec.http[0]", "added")]


def test_gateways_of_an_istio_operator_are_matched_by_name():
    old = custom(components={"ingressGateways": [{"name": "a", "enabled": True}, {"name": "b"}]})
    new = custom(components={"ingressGateways": [{"name": "b"}, {"name": "a", "enabled": False}]})

    assert paths(old, new)[0] == ("spec.components.ingressGateways[name=a].enabled", "changed")


def test_a_changed_api_version_is_a_change_of_the_same_object():
    old = {**deployment(), "apiVersion": "apps/v1beta1"}

    change = changed(old, deployment())

    assert [one.path for one in change.fields] == ["apiVersion"]
    assert change.risk == "cosmetic"


def test_names_with_dots_are_quoted_in_paths():
    assert written(("metadata", "annotations", "a.b/c")) == 'metadata.annotations["a.b/c"]'


HIDDEN = [
    ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"x": "b2xk"}}, ("data", "x")),
    ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"x": "o"}}, ("stringData", "x")),
    (custom(auth={"password": "old"}), ("spec", "auth", "password")),
    (custom(auth={"client-secret": {"deep": "old"}}), ("spec", "auth", "client-secret", "deep")),
    (custom(url="https://example.com"), ("spec", "url")),
    (custom(args=["-v"]), ("spec", "args")),
]


def put(obj: Object, path: tuple[str, ...], value: object) -> Object:
    copy: Object = json.loads(json.dumps(obj))
    node = copy
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copy


def everything(*groups: object) -> str:
    found = difference(*groups)  # type: ignore[arg-type]
    lines = [line for group in found.groups for one in group.change.fields for line in field_lines(one)]
    return "\n".join(
        [json.dumps(to_json(found)), markdown(found), json.dumps(sarif(found, PurePosixPath("m.yaml"))), *lines]
    )


@pytest.mark.parametrize(("obj", "path"), HIDDEN)
@pytest.mark.parametrize("side", [0, 1])
def test_no_report_shows_a_secret(obj: Object, path: tuple[str, ...], side: int):
    value = f"https://me:{SECRET}@example.com" if path[-1] == "url" else SECRET
    value = ["--api-token", SECRET, f"--password={SECRET}"] if path[-1] == "args" else value
    pair = [obj, put(obj, path, value)]

    text = everything(group_of(changed(pair[side], pair[1 - side])))

    assert SECRET not in text
    assert path[-1] in text


@pytest.mark.parametrize(
    "line",
    [
        f"admin_password = {SECRET}",
        f"  token: {SECRET}",
        f'"apiKey": "{SECRET}"',
        f"url: postgres://u:{SECRET}@db/x",
        f"args --password={SECRET} --x",
        f"Authorization: Bearer {SECRET}",
        f"password: |\n    {SECRET}\n    {SECRET}",
    ],
)
def test_no_line_of_a_text_shows_a_secret(line: str):
    old, new = config_map(file="a: b\nc: d\n"), config_map(file=f"a: x\n{line}\nc: d\n")

    for pair in ((old, new), (new, old)):
        text = everything(group_of(changed(*pair)))
        assert SECRET not in text
        assert "a: x" in text


def test_an_environment_variable_that_holds_a_secret_is_hidden_however_it_comes():
    def holding(value: str) -> Object:
        return deployment({"name": "a", "env": [{"name": "DB_PASSWORD", "value": value}]})

    for old in (holding("other"), deployment({"name": "a"}), deployment()):
        assert SECRET not in everything(group_of(changed(old, holding(SECRET))))


def test_two_secrets_of_one_length_are_two_changes():
    first, second = (changed(custom(password="x"), custom(password=text)) for text in ("aaaa", "bbbb"))

    assert first.content != second.content
    assert first.fields == second.fields


def test_long_texts_are_shown_by_length_and_digest():
    (field,) = changed(custom(x="a" * 300), custom(x="b" * 300)).fields

    assert field.old.startswith("(300 bytes, sha256 ")
    assert len(field.old) < 40


def test_a_text_of_several_lines_is_shown_by_at_most_ten_lines_that_differ():
    old = "".join(f"line {number}\n" for number in range(100))
    few, many = old.replace("line 50\n", "line fifty\n"), old.replace("line", "LINE")

    (short,) = changed(config_map(x=old), config_map(x=few)).fields
    (long,) = changed(config_map(x=old), config_map(x=many)).fields

    assert short.lines == ("-line 50", "+line fifty")
    assert len(long.lines) == 10
    assert long.lines[-1] == "… 191 more lines"


def test_a_checksum_that_follows_other_changes_is_one_line():
    def annotated(text: str) -> Object:
        obj = deployment({"name": "a"})
        obj["spec"]["template"]["metadata"] = {"annotations": {"meshgen.dev/config-checksum": text}}
        return obj

    first, second = changed(annotated("a"), annotated("b")), changed(annotated("a"), annotated("c"))

    assert [line for one in first.fields for line in field_lines(one)] == [
        '~ spec.template.metadata.annotations["meshgen.dev/config-checksum"]: follows what it is the checksum of'
    ]
    assert first.content == second.content


@given(st.text(max_size=30))
def test_no_line_holds_what_a_terminal_acts_on(text: str):
    for one in changed(custom(x="old", y={text: 1}), custom(x=text, y={})).fields:
        assert all(line.isprintable() for line in field_lines(one))
