"""`delivery.flux.imagePolicies`: who gets what Flux's automation moves, and what a render makes of it afterwards."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.objects import (
    Object,
    Tree,
    build_all,
    mesh,
    meshgen,
    output_of,
    overlay,
    render_config,
    text_of,
    write_config,
)
from tests.tools import tool

IMAGE = "docker.io/grafana/grafana"
POLICIES: Object = {IMAGE: "flux-system:grafana"}
DIGEST = "sha256:" + "0" * 64


def delivery(policies: Object | None) -> Object:
    return {"flux": {"url": "https://example.com/mesh.git", "imagePolicies": policies}}


def grafana(version: str = "11.0.0", policies: Object | None = None) -> Object:
    keys = {"addons": {"grafana": {"version": version}}, "delivery": delivery(policies)}
    return mesh(**keys) | {"istio": {"version": "1.24.2"}}


def images(kubectl: Path, tree: Tree) -> dict[str, str]:
    """The image of grafana by cluster."""
    stages = {cluster: tree.stages(cluster)["addons"] for cluster in tree.clusters}
    built = build_all(kubectl, set(stages.values()))
    texts = {cluster: text_of(list(built[stage].values())) for cluster, stage in stages.items()}
    return {cluster: re.findall(rf'image": "({IMAGE}[^"]*)', text)[0] for cluster, text in texts.items()}


def moved(tree: Tree, tag: str, policy: str = "flux-system:grafana") -> None:
    """Move a policy's tag as Flux's automation does."""
    subprocess.run([tool("setimages"), tree.output, f"{policy}:tag={tag}"], check=True)


def kustomization(tree: Tree, directory: str) -> Path:
    return tree.output / directory / "kustomization.yaml"


@pytest.mark.realtools
def test_flux_moves_the_clusters_that_ask_for_it_and_a_render_keeps_its_tag(kubectl: Path, tmp_path: Path):
    canary, own = ({"patch": {"delivery": delivery({IMAGE: f"flux-system:{name}"})}} for name in ("canary", "grafana"))
    later = {"patch": {"addons": {"grafana": {"version": "11.5.0"}}}}
    dev = overlay("dev", clusters={"a": None, "canary": canary, "later": later})
    prod = overlay("prod", patch={"delivery": delivery(None)}, clusters={"b": None, "own": own})
    config = grafana(policies=POLICIES)
    tree = render_config(tmp_path, config, dev, prod)
    first = {"a": "11.0.0", "canary": "11.0.0", "later": "11.5.0", "b": "11.0.0", "own": "11.0.0"}
    assert images(kubectl, tree) == {name: f"{IMAGE}:{tag}" for name, tag in first.items()}

    moved(tree, "12.0")
    assert output_of("render", "--check", cwd=tmp_path).startswith("output: would write 0")
    tree = render_config(tmp_path, config, dev, prod)

    now = {"a": "12.0", "canary": "11.0.0", "later": "12.0", "b": "11.0.0", "own": "12.0"}
    assert images(kubectl, tree) == {name: f"{IMAGE}:{tag}" for name, tag in now.items()}


@pytest.mark.realtools
def test_a_tag_that_a_person_changes_in_the_config_wins(kubectl: Path, tmp_path: Path):
    moved(render_config(tmp_path, grafana(policies=POLICIES)), "12.0")

    # Something else changes in the same file: what Flux moved stays.
    config = grafana(policies=POLICIES)
    config["addons"]["loki"] = {}
    assert images(kubectl, render_config(tmp_path, config)) == {"msa": f"{IMAGE}:12.0"}
    config["addons"]["grafana"]["version"] = "11.6.0"
    assert images(kubectl, render_config(tmp_path, config)) == {"msa": f"{IMAGE}:11.6.0"}


@pytest.mark.realtools
def test_where_the_policy_leaves_the_config_has_the_tag_again(kubectl: Path, tmp_path: Path):
    moved(render_config(tmp_path, grafana(policies=POLICIES)), "12.0")

    assert images(kubectl, render_config(tmp_path, grafana())) == {"msa": f"{IMAGE}:11.0.0"}


def pod(name: str, *images: str) -> Object:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": containers},
    }


def shop(version: str = "1.24.2", policy: str = "flux-system:cart") -> Object:
    keys = {"resources": {"shop": {"path": "cart.yaml"}}, "delivery": delivery({CART: policy})}
    return mesh(**keys) | {"istio": {"version": version, "values": {"defaultRevision": "default"}}}


CART = "r.example.com/cart"
CANARY: Object = {"delivery": delivery({CART: "flux-system:canary"})}
EXTRA: Object = {"resources": {"extra": {"path": "extra.yaml"}}}
DEV = overlay("dev", clusters={"dev": {}})


def carts(kubectl: Path, tree: Tree) -> dict[str, set[str]]:
    """The tags of carts by cluster."""
    stages = {cluster: tree.stages(cluster)["resources"] for cluster in tree.clusters}
    built = build_all(kubectl, set(stages.values()))
    texts = {cluster: text_of(list(built[stage].values())) for cluster, stage in stages.items()}
    return {cluster: set(re.findall(rf'image": "{CART}:([^"]*)', text)) for cluster, text in texts.items()}


@pytest.mark.realtools
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((shop(), DEV), (shop(), overlay("dev", clusters={"dev": {}}, patch=EXTRA)), id="object"),
        pytest.param((shop(), DEV), (shop(), overlay("dev", clusters={"dev": {"patch": EXTRA}})), id="of-a-cluster"),
        pytest.param((shop(), DEV), (shop("1.25.2"), DEV), id="base"),
        pytest.param((shop(), DEV), (shop(), overlay("dev", clusters={"dev": {}, "new": {"patch": EXTRA}})), id="new"),
        pytest.param((shop(), DEV), (shop(policy="flux-system:other"), DEV), id="policy"),
        pytest.param((shop(), DEV), (shop(), overlay("dev", clusters={"dev": {}}, patch=CANARY)), id="own-policy"),
        pytest.param(
            (shop(), overlay("dev", clusters={"dev": {}}, patch=EXTRA)),
            (shop(), overlay("qa", clusters={"dev": {}}, patch=EXTRA)),
            id="renamed",
        ),
        pytest.param(
            (shop(), overlay("dev", clusters={"dev": {}}, patch=EXTRA)),
            (shop("1.25.2"), overlay("qa", clusters={"dev": {}}, patch=EXTRA | CANARY)),
            id="all-of-it",
        ),
    ],
)
def test_a_moved_tag_stays_while_the_config_asks_for_the_same(
    kubectl: Path, tmp_path: Path, before: tuple[Object, Object], after: tuple[Object, Object]
):
    for name in ("cart", "extra"):
        (tmp_path / f"{name}.yaml").write_text(text_of(pod(name, f"{CART}:1.10")))
    moved(render_config(tmp_path, *before), "1.20", "flux-system:cart")

    for file in (tmp_path / "overlays").iterdir():
        file.unlink()
    tree = render_config(tmp_path, *after)

    assert carts(kubectl, tree) == {name: {"1.20"} for name in tree.clusters}
    assert output_of("render", "--check", cwd=tmp_path).startswith("output: would write 0")


@pytest.mark.realtools
def test_a_renamed_environment_keeps_the_choice_of_its_own_policy(kubectl: Path, tmp_path: Path):
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.10")))
    tree = render_config(tmp_path, shop(), DEV, overlay("canary", clusters={"c": {}}, patch=CANARY))
    moved(tree, "1.20", "flux-system:cart")
    moved(tree, "1.30", "flux-system:canary")

    (tmp_path / "overlays/canary.yaml").unlink()
    tree = render_config(tmp_path, shop("1.25.2"), DEV, overlay("early", clusters={"c": {}}, patch=CANARY))

    assert carts(kubectl, tree) == {"dev": {"1.20"}, "c": {"1.30"}}


def told(tmp_path: Path, mesh: Object, *overlays: Object) -> list[tuple[str, list[str]]]:
    """What a render says of images that Flux moved, and of which clusters."""
    write_config(tmp_path, mesh, *overlays)
    findings = json.loads(output_of("render", "-o", "json", cwd=tmp_path))["findings"]
    return [(one["message"], one["clusters"]) for one in findings if one["rule"] == "MG606"]


@pytest.mark.realtools
def test_it_is_told_where_a_tag_that_flux_chose_goes(kubectl: Path, tmp_path: Path):
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.10")))
    none: Object = {"patch": {"delivery": delivery(None)}}
    stays = overlay("stays", clusters={"s": {}}, patch=CANARY)
    moved(
        render_config(tmp_path, shop(), overlay("dev", clusters={"a": {}, "b": {}, "c": none}), stays),
        "1.20",
        "flux-system:cart",
    )

    # A cluster that is new leaves nothing.
    clusters = {"a": {}, "b": none, "c": {}, "new": none}
    assert told(tmp_path, shop(), overlay("dev", clusters=clusters), stays) == [
        (f"{CART} leaves 1.20, where Flux moved it, for 1.10", ["b"]),
        (f"{CART} leaves 1.10 for 1.20, where Flux moved it in another directory", ["c"]),
    ]
    assert told(tmp_path, shop(), overlay("dev", clusters=clusters), stays) == []
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.15")))
    assert told(tmp_path, shop(), overlay("dev", clusters=clusters), stays) == [
        (f"{CART} leaves 1.20, where Flux moved it, for 1.15", ["a", "c"]),
    ]


def test_a_tag_that_the_config_takes_over_and_a_container_that_goes_are_not_told(tmp_path: Path):
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.10")))
    moved(render_config(tmp_path, shop(), DEV), "1.20", "flux-system:cart")
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.20")))
    assert told(tmp_path, shop() | {"delivery": delivery(None)}, DEV) == []

    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.10")))
    moved(render_config(tmp_path, shop(), DEV), "1.20", "flux-system:cart")
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", "r.example.com/other:1.10")))
    assert told(tmp_path, shop(), DEV) == []


def test_where_marks_disagree_a_new_one_begins_at_the_tag_of_the_config_and_it_is_told(tmp_path: Path):
    (tmp_path / "cart.yaml").write_text(text_of(pod("cart", f"{CART}:1.10")))
    (tmp_path / "extra.yaml").write_text(text_of(pod("extra", f"{CART}:1.10")))
    patched = overlay("dev", clusters={"a": {}}, patch=EXTRA)
    tree = render_config(tmp_path, shop(), patched, overlay("prod", clusters={"b": {}}))
    for directory, tag in (("base/1.24-helm", "1.20"), ("environments/dev", "1.30")):
        file = kustomization(tree, f"{directory}/resources")
        file.write_text(file.read_text().replace('newTag: "1.10"', f'newTag: "{tag}"'))

    assert told(tmp_path, shop("1.25.2"), patched, overlay("prod", clusters={"b": {}})) == [
        (f"{CART} leaves 1.20, where Flux moved it, for 1.10", ["b"])
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- deployment-grafana.yaml\n", ""),
        ("the config says 11.0.0", "the config says 11.1.0"),
        ('newTag: "11.0.0"', 'newTag: "12.0" #'),
        ('newTag: "11.0.0"', 'newTag: "a b"'),
        ('newTag: "11.0.0"', "newTag: null"),
        ('newTag: "11.0.0"', "newTag: 11.1"),
        ('newTag: "11.0.0"', 'newTag: ""'),
        ("flux-system:grafana:tag", "flux-system:other:tag"),
        ('  newTag: "11.0.0"', '  newName: evil\n  newTag: "11.0.0"'),
    ],
)
def test_what_a_person_edits_beside_the_mark_is_refused(tmp_path: Path, old: str, new: str):
    tree = render_config(tmp_path, grafana(policies=POLICIES))
    edited = kustomization(tree, "base/1.24-helm/addons")
    assert old in edited.read_text()
    edited.write_text(edited.read_text().replace(old, new))

    done = meshgen("render", cwd=tmp_path)

    assert done.returncode == 1
    assert "MG602" in done.stderr
    assert meshgen("render", "--overwrite", cwd=tmp_path).returncode == 0
    assert 'newTag: "11.0.0" # {"$imagepolicy": "flux-system:grafana:tag"}' in edited.read_text()


def test_a_file_that_flux_moved_is_deleted_with_its_directory(tmp_path: Path):
    tree = render_config(tmp_path, grafana(policies=POLICIES))
    edited = kustomization(tree, "base/1.24-helm/addons")
    edited.write_text(edited.read_text().replace('newTag: "11.0.0"', 'newTag: "12.0"'))

    config = grafana(policies=POLICIES)
    render_config(tmp_path, config | {"addons": None})

    assert not edited.exists()


@pytest.mark.realtools
@pytest.mark.parametrize("other", ["r.example.com/a-b:7", "r.example.com/a:b", "r-example.com/a.b@" + DIGEST])
def test_an_image_that_a_name_meets_as_a_regular_expression_stays(kubectl: Path, tmp_path: Path, other: str):
    image = "r.example.com/a.b"
    config = mesh(resources={"web": {"path": "a.yaml"}}, delivery=delivery({image: "flux-system:web"}))
    own: Object = {"resources": {"web": {"path": "b.yaml"}}}
    none: Object = own | {"delivery": delivery(None)}
    overlays = (overlay("dev", clusters={"a": {}, "b": {"patch": own}, "c": {"patch": none}}),)

    def built(*others: str) -> tuple[Tree, dict[str, list[str]]]:
        for name in ("a", "b"):
            (tmp_path / f"{name}.yaml").write_text(text_of(pod(name, f"{image}:1", *others)))
        tree = render_config(tmp_path, config, *overlays)
        stages = {cluster: tree.stages(cluster)["resources"] for cluster in tree.clusters}
        objects = build_all(kubectl, set(stages.values()))
        texts = {cluster: text_of(list(objects[stage].values())) for cluster, stage in stages.items()}
        return tree, {cluster: re.findall(r'image": "([^"]*)', text) for cluster, text in texts.items()}

    tree, found = built()
    assert found == {"a": [f"{image}:1"], "b": [f"{image}:1"], "c": [f"{image}:1"]}
    assert f'name: "{image}"' in kustomization(tree, "base/1.11-operator/resources").read_text()
    for number in (2, 3):
        moved(tree, str(number), "flux-system:web")
        now = f"{image}:{number}"
        # How the name is spelled changes with what else is there, and loses no moved tag.
        tree, found = built(other)
        assert found == {"a": [now, other], "b": [now, other], "c": [f"{image}:1", other]}


def test_a_policy_of_all_clusters_may_be_for_some(tmp_path: Path):
    """And one that no cluster with it needs is told, although one without it runs the image."""
    names = ("cart", "extra")
    for name in names:
        (tmp_path / f"{name}.yaml").write_text(text_of(pod(name, f"r.example.com/{name}:1")))
    both = delivery({f"r.example.com/{name}": f"flux-system:{name}" for name in names})
    cart: Object = {"resources": {"shop": {"path": "cart.yaml"}}}
    extra: Object = EXTRA | {"delivery": delivery({"r.example.com/extra": None})}
    prod = overlay("prod", clusters={"b": {"patch": cart}, "c": {"patch": extra}})
    write_config(tmp_path, mesh(delivery=both), DEV, prod)

    findings = json.loads(output_of("validate", "-o", "json", cwd=tmp_path))["findings"]

    message = "delivery.flux.imagePolicies: no container runs r.example.com/extra, so there is nothing for Flux to move"
    said = [(one["message"], one["clusters"]) for one in findings if one["rule"] == "MG439"]
    assert said == [(f"{message} (on dev, b)", ["dev", "b"])]


@pytest.mark.parametrize(
    ("image", "marks"),
    [
        ("web:1.10", ['newTag: "1.10" # {"$imagepolicy": "apps:web:tag"}']),
        (f"web@{DIGEST}", [f'digest: "{DIGEST}" # {{"$imagepolicy": "apps:web:digest"}}']),
        (
            f"web:2@{DIGEST}",
            [
                'newTag: "2" # {"$imagepolicy": "apps:web:tag"}',
                f'digest: "{DIGEST}" # {{"$imagepolicy": "apps:web:digest"}}',
            ],
        ),
    ],
)
def test_tag_and_digest_are_marked_each_where_the_image_has_it(
    kubectl: Path, tmp_path: Path, image: str, marks: list[str]
):
    web = pod("web", f"localhost:5000/{image}")
    (tmp_path / "pod.yaml").write_text(text_of(web))
    policies = {"localhost:5000/web": "apps:web"}
    config = mesh(resources={"web": {"path": "pod.yaml"}}, delivery=delivery(policies))
    tree = render_config(tmp_path, config)

    (stage,) = (path for name, path in tree.stages("msa").items() if name == "resources")
    assert list(build_all(kubectl, [stage])[stage].values()) == [web]
    texts = [path.read_text() for path in tree.output.rglob("kustomization.yaml")]
    assert [line.strip() for text in texts for line in text.splitlines() if "$imagepolicy" in line] == marks
