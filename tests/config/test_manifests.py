"""Manifests of the user's own: what is a file of them, what is an object, and where what is wrong stands."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.objects import Object, mesh, meshgen, shown, write_config

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good, namespace: shop}\n"


def config(folder: Path, path: str = "own") -> Path:
    """A mesh in `folder` with everything in `own/` as resources."""
    return write_config(folder, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": path}}))


def own(folder: Path, text: str) -> Path:
    """A mesh in `folder` with one manifest of this text."""
    (folder / "own").mkdir()
    (folder / "own/a.yaml").write_text(text)
    return config(folder)


def findings(folder: Path) -> list[Object]:
    """What validate says, without what it says of the mesh itself."""
    said: list[Object] = json.loads(meshgen("validate", "-o", "json", cwd=folder).stdout)["findings"]
    return [one for one in said if one["rule"] in ("MG001", "MG002", "MG213", "MG404", "MG421")]


def brief(folder: Path, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(one[key] for key in keys) for one in findings(folder)]


def hints(folder: Path) -> list[str]:
    return [one["hint"] for one in findings(folder)]


def own_objects(folder: Path) -> list[Object]:
    made = [one["object"] for one in shown(folder)]
    return [one for one in made if one["metadata"].get("namespace") == "shop"]


ROLES = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleList
items:
- metadata: {name: one, namespace: shop}
  rules: []
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata: {name: two, namespace: shop}
  rules: []
"""


def test_a_list_of_a_built_in_kind_is_its_items(tmp_path: Path):
    own(tmp_path, ROLES)

    assert [(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in own_objects(tmp_path)] == [
        ("rbac.authorization.k8s.io/v1", "Role", "one"),
        ("rbac.authorization.k8s.io/v1", "Role", "two"),
    ]


def test_a_list_is_expanded_as_kubectl_does(kubectl: Path, tmp_path: Path):
    own(tmp_path, ROLES.replace("- metadata", "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: Role\n  metadata"))
    (tmp_path / "own/kustomization.yaml").write_text("resources: [a.yaml]\n")
    done = subprocess.run([kubectl, "kustomize", tmp_path / "own"], capture_output=True, text=True, check=True)
    (tmp_path / "own/kustomization.yaml").unlink()

    assert done.stdout.count("kind: Role\n") == len(own_objects(tmp_path)) == 2


def test_a_finding_inside_a_list_stands_at_its_line(tmp_path: Path):
    own(tmp_path, "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n  data:\n    key: 5\n")

    assert brief(tmp_path, "rule", "path", "line", "column") == [("MG421", "/items/0/data/key", 6, 10)]


def test_an_item_without_a_name_is_told_and_an_empty_list_is_none(tmp_path: Path):
    empty = "apiVersion: v1\nkind: SecretList\nitems: []\n"
    own(tmp_path, f"{empty}---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {{}}\n- nonsense\n")

    assert brief(tmp_path, "rule", "path", "line") == [
        ("MG404", "/items/0/metadata", 8),
        ("MG404", "/items/1", 9),
    ]


def test_a_custom_kind_whose_name_ends_in_list_is_an_object(tmp_path: Path):
    own(tmp_path, "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nitems: []\n")

    ((rule, message),) = brief(tmp_path, "rule", "message")
    assert rule == "MG404"
    assert message.startswith("kustomize takes a kind that ends in List apart")


def volume(mode: str) -> str:
    return f"{CONFIG}data:\n  a: b\nspec:\n  defaultMode: {mode}\n  password: {mode}\n"


def test_a_mode_in_octal_is_told_in_decimal_and_no_other_number_is(tmp_path: Path):
    own(tmp_path, volume("0400"))

    assert brief(tmp_path, "rule", "line") == [("MG001", 7), ("MG001", 8)]
    assert hints(tmp_path) == [
        "write 256 (0400 octal), or quote it if it is a string",
        "write it in decimal, or quote it if it is a string",
    ]


HELM = "this looks like a Helm template: render it first (helm template) and name the result"


@pytest.mark.parametrize(
    "text",
    [
        "metadata:\n  name: {{ .Release.Name }}\n",
        "metadata:\n  labels:\n    {{- include 'a' . | nindent 4 }}\n  name: a\n",
        "{{- if .Values.a }}\nmetadata:\n  name: a\n{{- end }}\n",
        "metadata:\n  name: {{ .Values.a }}-b\n",
        "metadata:\n  name: a\n{{- with .Values.a }}\nspec: {}\n{{- end }}\n",
        "data:\n{{ toYaml .Values.a | indent 2 }}\nmetadata:\n  name: a\n",
    ],
)
def test_a_template_is_told_to_be_one(tmp_path: Path, text: str):
    own(tmp_path, f"apiVersion: v1\nkind: ConfigMap\n{text}")

    assert HELM in hints(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        "spec:\n  defaultMode: 0400\n",
        "spec:\n  enabled: yes\n",
        "spec:\n  enabled: yes # {{ no template }}\n",
        "spec:\n  a: [1\n",
        "spec: {a: b\n",
        "kind: ConfigMap\n",
    ],
)
def test_an_error_that_no_template_causes_has_its_own_hint(tmp_path: Path, fault: str):
    alert = 'annotations:\n  summary: "{{ $labels.pod }} is down"\n  more: |\n    {{ $value }}\n'
    own(tmp_path, f"{CONFIG}{alert}data:\n  a: b\n  c: d\n{fault}")

    assert hints(tmp_path)
    assert HELM not in hints(tmp_path)


def test_a_link_to_nothing_is_an_error(tmp_path: Path):
    own(tmp_path, CONFIG)
    (tmp_path / "own/b.yaml").symlink_to("/nonexist")
    (tmp_path / "own/folder").symlink_to("/nonexist")
    (tmp_path / "own/README.md").symlink_to("/nonexist")
    (tmp_path / "own/.c.yaml").symlink_to("/nonexist")

    assert brief(tmp_path, "rule", "severity", "file", "message", "hint") == [
        (
            "MG002",
            "error",
            name,
            "cannot be read: it is a link to what is not there",
            "mend the link, or take it away if its objects may leave the tree",
        )
        for name in ("own/b.yaml", "own/folder")
    ]


def test_a_link_in_a_circle_is_a_link_to_nothing(tmp_path: Path):
    own(tmp_path, CONFIG)
    (tmp_path / "own/b.yaml").symlink_to("b.yaml")

    assert brief(tmp_path, "rule", "file") == [("MG002", "own/b.yaml")]


def test_a_pipe_is_an_error_and_is_not_waited_for(tmp_path: Path):
    own(tmp_path, CONFIG)
    os.mkfifo(tmp_path / "own/b.yaml")
    os.mkfifo(tmp_path / "own/pipe")

    assert brief(tmp_path, "rule", "file", "message") == [
        ("MG002", "own/b.yaml", "cannot be read: it is a pipe, a socket or a device, and no regular file")
    ]


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "a.yaml").write_text(CONFIG)
    return folder


@pytest.mark.parametrize(("to", "link"), [("", "own/there"), ("a.yaml", "own/there.yaml")])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, outside: Path, to: str, link: str):
    own(tmp_path, CONFIG)
    (tmp_path / link).symlink_to(outside / to)

    assert brief(tmp_path, "rule", "file", "path", "message", "hint") == [
        (
            "MG213",
            "meshgen.yaml",
            "/resources/shop/path",
            f'resources.shop.path: "own" has a link that leads out of the config\'s folder: "{link}"',
            "bring what it leads to into the config's folder",
        )
    ]


def test_a_path_that_is_a_link_that_leads_out_is_refused(tmp_path: Path, outside: Path):
    (tmp_path / "own").symlink_to(outside)
    config(tmp_path)

    ((message,),) = brief(tmp_path, "message")
    assert message.endswith('has a link that leads out of the config\'s folder: "own"')


def test_a_link_that_stays_inside_is_followed(tmp_path: Path):
    (tmp_path / "else").mkdir()
    (tmp_path / "else/a.yaml").write_text(CONFIG)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/there").symlink_to("../else")
    config(tmp_path)

    assert [one["metadata"]["name"] for one in own_objects(tmp_path)] == ["good"]


def test_what_a_path_names_outside_may_be_linked_there(tmp_path: Path, outside: Path):
    (outside / "a.yaml").rename(outside / ".a")
    (outside / "b.yaml").symlink_to(".a")
    config(tmp_path, outside.as_posix())

    assert [one["metadata"]["name"] for one in own_objects(tmp_path)] == ["good"]


def git(folder: Path, *args: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)


def test_a_link_may_lead_through_the_repository_of_a_config(tmp_path: Path, outside: Path):
    here = tmp_path / "mesh"
    for name in ("mesh/own", "else"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "else/a.yaml").write_text(CONFIG)
    (here / "own/there").symlink_to("../../else")
    config(here)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "one")

    assert findings(here) == []
    (tmp_path / "else/a.yaml").write_text(f"{CONFIG}data: {{a: b}}\n")
    done = meshgen("diff", cwd=here)
    assert "ConfigMap shop/good" in done.stdout
    (here / "own/out").symlink_to(outside)
    ((rule, message),) = brief(here, "rule", "message")
    assert (rule, message.partition(" leads out of ")[2]) == ("MG213", 'the repository: "own/out"')


def service(ports: str, kind: str = "ClusterIP") -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: shop}}\nspec:\n  type: {kind}\n  {ports}\n"


def test_a_port_in_quotes_is_told_to_have_none(tmp_path: Path):
    own(tmp_path, service('ports: [{port: "80"}]'))

    assert brief(tmp_path, "rule", "path", "line", "column", "message", "hint") == [
        (
            "MG404",
            "/spec/ports/0/port",
            6,
            18,
            "the `port` of a Service's port is a number",
            "write 80 without quotes",
        )
    ]


@pytest.mark.parametrize(
    ("ports", "hint"),
    [
        ("ports: [{port: http}]", "write a number"),
        ("ports: [{port: 8.5}]", "write a number"),
        ("ports: [{name: a}]", "add its number, such as `port: 80`"),
        ("ports: [80]", "add its number, such as `port: 80`"),
    ],
)
def test_a_port_that_is_no_number_is_told(tmp_path: Path, ports: str, hint: str):
    own(tmp_path, service(ports))

    assert brief(tmp_path, "rule", "hint") == [("MG404", hint)]


def test_a_port_hides_nothing_else_that_is_wrong_with_its_service(tmp_path: Path):
    own(tmp_path, service('ports: [{port: "80"}]', "LoadBalncer"))

    assert brief(tmp_path, "rule", "path") == [("MG421", "/spec/type"), ("MG404", "/spec/ports/0/port")]
