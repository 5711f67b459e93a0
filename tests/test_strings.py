"""Strings that YAML readers disagree on go from the config through the tree and the real kubectl unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meshgen.values import merged, nested, value_at
from tests.configs import WORDS
from tests.objects import Object, Tree, mesh, of_kind, overlay, render_config

# More of what YAML 1.1, YAML 1.2, JSON, shells, templates, Flux and kustomize give a meaning of their own.
# fmt: off
MORE = (
    "True", "FALSE", "NO", "Yes", "oN", "yEs", "NuLL", "0b1010", "0B1", "0X1f", "0O17", "0o8", "-0x1F", "+1", "+0",
    "1.", "1e5", "1E5", "1e+5", "-1e-5", "1.5e3", ".1e1", "1_000", "_1", "1_", "0.0", "-0.0", "00.5", "0e0", "1e400",
    ".e1", ".", ".INF", "+.inf", ".Inf", ".nan", "nan", "inf", "NaN", "-.INF", "1:1", "190:20:30", "1:60",
    "12:30:45.5", "-1:30", "2021-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "9223372036854775808",
    "18446744073709551616", "0123456789", "123_456", "0x_1", "1e", "e1", "0xg", "0.1.2", "1.2.3", "v1", "1.11",
    "1.110", "012", "09", "0 1", "!!str a", "!a", "&a b", "*a", "%YAML 1.2", "%TAG", "--- a", "--- |", "... #", "? a",
    "?a", ":a", "a:b", "-a", "- ", "-", "[a", "a]", "]", "[", "{", "}", "{}a", "a, b", ",", "a {b", "|-", ">+", "|2",
    "a |", "a\n ", "\n\n", " \n", "\t\n", "a \n", "a\n\nb", "a\n# b", "# a\nb", "a: |\n  b", "- a\n- b", "---\n",
    "a\n...\nb", "a\n\tb", "\ta\nb", "  a\nb", "a\nb ", "a\r", "\r\n", "$", "$$", "${", "${a", "${a:-b}", "$(",
    "`id`", "$(cat /etc/passwd)", "{{", "}}", "{{ x }}", "{# a #}", "{%", "%}", "#{a}", "a'b", 'a"b', "''", '""',
    "'a", '"a', "\\n", "\\", "a\\", "\\u0041", "\\x41", "C:\\a", "&amp;", "<", ">", "a>b", "@a", "`a", "\u00a0",
    "\u2003a", "a\u3000", "\u200d", "\u202e", "\u2066a\u2069", "\ufdd0", "\ufffd", "\ue000", "\U000e0001", "ﬁ", "İ",
    "ß", "\U0001d4b3", "👩‍👩‍👧", "🇰🇷", "e\u0301", "가", "가", "שלום", "مرحبا", "Ω≈ç√", "a" * 5000, "é" * 300,
    "a b " * 100, "\n" * 50, "apiVersion: v1", "kind: List", "metadata", "null ", " null", "true\n", "~ ",
    "$patch: delete", "PATCH", "=a", "==", "<<:", "<<: *a",
)
# fmt: on
STRINGS = list(dict.fromkeys((*WORDS, *MORE)))


# kustomize fails on them, and meshgen refuses them with their position.
ANNOTATIONS = [text for text in STRINGS if not (text.startswith("\t") and "\n" in text)]
KEYS = [text for text in STRINGS if text != "<<" and len(text) <= 1000]


def read_by_go(kubectl: Path, directory: Path) -> list[Object]:
    """What kubectl itself reads of what kustomize builds: no reader of ours stands between."""
    built = subprocess.run([kubectl, "kustomize", directory], check=True, capture_output=True).stdout
    done = subprocess.run(
        [kubectl, "label", "--local", "-f", "-", "-o", "json", "bar-"], input=built, check=True, capture_output=True
    )
    return list(json_stream(done.stdout.decode()))


def json_stream(text: str) -> Any:
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        text = text[end:].strip()
        yield from value["items"] if value["kind"] == "List" else [value]


def every_layer(strings: Object) -> tuple[Object, list[Object]]:
    """An odd third of the strings is the mesh's, a third an overlay's, a third a cluster's."""
    items = list(strings.items())
    return dict(items[::3]), [dict(items[1::3]), dict(items[2::3])]


def assert_unchanged(found: Object, wanted: Object) -> None:
    wrong = {key: (value, found.get(key)) for key, value in wanted.items() if found.get(key) != value}
    assert not wrong, f"{len(wrong)} of {len(wanted)}: {list(wrong.items())[:3]}"


def stage(tree: Tree, kubectl: Path, name: str) -> list[Object]:
    return read_by_go(kubectl, tree.stages("a")[name])


def test_annotations_of_a_service(kubectl: Path, tmp_path: Path):
    strings = {f"example.com/s{number}": text for number, text in enumerate(ANNOTATIONS)}
    below, (middle, above) = every_layer(strings)
    tree = render_config(
        tmp_path,
        mesh(addons={"kiali": {}}, expose={"kiali": {"annotations": below}}),
        overlay(
            "dev",
            patch={"expose": {"kiali": {"annotations": middle}}},
            clusters={"a": {"patch": {"expose": {"kiali": {"annotations": above}}}}},
        ),
    )

    service = of_kind(stage(tree, kubectl, "addons"), "Service")["kiali"]

    assert_unchanged(service["metadata"]["annotations"], strings)


# Where Istio takes texts under any key, and a list of texts.
PLACES = {
    "meshConfig": (("defaultConfig", "proxyMetadata"), ("defaultConfig", "extraStatTags")),
    "values": (("pilot", "env"), ("global", "imagePullSecrets")),
    "unvalidatedValues": (("in",), ("list",)),
}


@pytest.mark.parametrize("section", PLACES)
def test_strings_and_keys_of_the_istio_operator(kubectl: Path, tmp_path: Path, section: str):
    strings: Object = {f"s{number}": text for number, text in enumerate(STRINGS)}
    strings |= {text: text for text in KEYS}
    below, (middle, above) = every_layer(strings)
    keyed, listed = PLACES[section]
    tree = render_config(
        tmp_path,
        mesh(istio={"version": "1.11.3", section: merged(nested(keyed, below), nested(listed, STRINGS))}),
        overlay(
            "dev",
            patch={"istio": {section: nested(keyed, middle)}},
            clusters={"a": {"patch": {"istio": {section: nested(keyed, above)}}}},
        ),
    )

    (resource,) = stage(tree, kubectl, "istio")

    assert_unchanged(value_at(resource["spec"][section], keyed), strings)
    assert value_at(resource["spec"][section], listed) == STRINGS


def test_labels_and_annotations_of_the_istio_operator(kubectl: Path, tmp_path: Path):
    strings = {f"example.com/s{number}": text for number, text in enumerate(ANNOTATIONS)}
    # kubectl itself refuses labels that the API server would refuse.
    labels = {key: text for key, text in strings.items() if text.isascii() and text.isalnum() and len(text) < 64}
    tree = render_config(
        tmp_path,
        mesh(istio={"version": "1.11.3", "metadata": {"labels": labels, "annotations": strings}}),
        overlay("dev", clusters={"a": None}),
    )

    (resource,) = stage(tree, kubectl, "istio")

    assert len(labels) > 30
    assert_unchanged(resource["metadata"]["labels"], labels)
    assert_unchanged(resource["metadata"]["annotations"], strings)


def test_a_string_that_replaces_another_one(kubectl: Path, tmp_path: Path):
    strings = {f"s{number}": text for number, text in enumerate(STRINGS)}
    others = {f"s{number}": text for number, text in enumerate([*STRINGS[1:], STRINGS[0]])}
    tree = render_config(
        tmp_path,
        mesh(istio={"version": "1.11.3", "values": {"pilot": {"env": strings}}}),
        overlay("dev", clusters={"a": {"patch": {"istio": {"values": {"pilot": {"env": others}}}}}}),
    )

    (resource,) = stage(tree, kubectl, "istio")

    assert_unchanged(resource["spec"]["values"]["pilot"]["env"], others)


NUMBERS = [0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, -0.5, 1.5, 100.25, 1e-7, 12345678.9]


def test_numbers_and_all_that_looks_like_one(kubectl: Path, tmp_path: Path):
    values = {f"n{index}": value for index, value in enumerate([*NUMBERS, True, False, None])}
    texts = [str(value) for value in values.values()]
    tree = render_config(
        tmp_path,
        mesh(istio={"version": "1.11.3", "values": {"pilot": {"env": {**values, "texts": texts}}}}),
        overlay("dev", clusters={"a": None}),
    )

    (resource,) = stage(tree, kubectl, "istio")

    env = resource["spec"]["values"]["pilot"]["env"]
    assert env.pop("texts") == texts
    assert_unchanged(env, values)
    assert env["n15"] is False


# What the schema takes for an image, a Secret or a StorageClass, and YAML for something else.
IMAGES = [
    "1e3:1.10",
    "true:yes",
    "0x1F:0o17",
    "1.10/null:12",
    "no/off:n",
    "a@sha256:" + "0" * 64,
]
NAMES = ["true", "null", "1", "1.10", "1e3", "0x1f", "0o17", "2021-01-01", "no", "off", "y"]


@pytest.mark.parametrize("image", IMAGES)
def test_images_that_look_like_something_else(kubectl: Path, tmp_path: Path, image: str):
    addons = {name: {"image": image} for name in ("prometheus", "grafana", "jaeger", "kiali")}
    tree = render_config(tmp_path, mesh(addons=addons), overlay("dev", clusters={"a": None}))

    deployments = of_kind(stage(tree, kubectl, "addons"), "Deployment")

    assert set(deployments) == set(addons)
    for name, deployment in deployments.items():
        images = [container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]]
        assert image in images, name


@pytest.mark.parametrize("name", NAMES)
def test_names_that_look_like_something_else(kubectl: Path, tmp_path: Path, name: str):
    storage = {"size": "5", "storageClassName": name}
    addons = {
        "prometheus": {"storage": storage, "version": name},
        "grafana": {"secret": name},
        "kiali": {"secret": name},
        "loki": {"storage": storage},
    }
    istio = {"version": "1.20.8", "revision": name if "." not in name else "x", "namespace": name.replace(".", "-")}
    tree = render_config(
        tmp_path, {**mesh(istio=istio, addons=addons), "metadata": {"name": name.replace(".", "-")}},
        overlay("dev", clusters={"a": None}),
    )  # fmt: skip

    objects = stage(tree, kubectl, "addons")

    (claim,) = of_kind(objects, "PersistentVolumeClaim").values()
    assert claim["spec"]["storageClassName"] == name
    assert claim["spec"]["resources"]["requests"]["storage"] == "5"
    images = [
        container["image"]
        for container in of_kind(objects, "Deployment")["prometheus"]["spec"]["template"]["spec"]["containers"]
    ]
    assert any(image.endswith(f":{name}") for image in images)
    assert {obj["metadata"].get("namespace", istio["namespace"]) for obj in objects} == {istio["namespace"]}
    assert f"name: {name}" in json.dumps(objects).replace('"', "").replace("secretName", "name")


def test_quantities_stay_the_strings_and_numbers_that_they_are(kubectl: Path, tmp_path: Path):
    resources = {"requests": {"cpu": "1e3", "memory": "12e6"}, "limits": {"memory": "1E9", "cpu": 2}}
    addons = {name: {"resources": resources} for name in ("prometheus", "grafana", "jaeger", "kiali")}
    tree = render_config(tmp_path, mesh(addons=addons), overlay("dev", clusters={"a": None}))

    for name, deployment in of_kind(stage(tree, kubectl, "addons"), "Deployment").items():
        containers = deployment["spec"]["template"]["spec"]["containers"]
        main = next(one for one in containers if one["resources"] == resources)
        assert type(main["resources"]["limits"]["cpu"]) is int, name


@pytest.mark.parametrize("branch", ["yes", "1.10", "0x1F", "1e3", "2021-01-01", "null", "release/1_0"])
def test_branches_that_look_like_something_else(kubectl: Path, tmp_path: Path, branch: str):
    engine = {"url": "https://example.com/a?b=c#d{}'&%20", "branch": branch, "path": "1.10"}
    tree = render_config(
        tmp_path, mesh(delivery={"flux": engine, "argocd": engine}), overlay("dev", clusters={"a": None})
    )

    flux, argocd = (read_by_go(kubectl, tree.output / path) for path in tree.cluster("a")["wiring"].values())

    (source,) = of_kind(flux, "GitRepository").values()
    assert (source["spec"]["url"], source["spec"]["ref"]["branch"]) == (engine["url"], branch)
    for application in of_kind(argocd, "Application").values():
        assert application["spec"]["source"]["targetRevision"] == branch
        assert application["spec"]["source"]["repoURL"] == engine["url"]
