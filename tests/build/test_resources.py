"""`resources`: manifests of one's own become part of a stage, are overlaid, opened and checked like meshgen's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    mesh,
    meshgen,
    of_kind,
    overlay,
    render_config,
    shown,
    text_of,
    write_config,
)

NAMESPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "shop"}}}
CART: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {"selector": {"app": "cart"}, "ports": [{"name": "http", "port": 80}]},
}
ROUTES: Object = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {"hosts": ["cart"], "http": [{"timeout": "3s", "route": [{"destination": {"host": "cart"}}]}]},
}


def put(folder: Path, **files: list[Object]) -> None:
    """Write manifests below `folder`; `a__b` is the file b.yaml in the folder a."""
    for name, objects in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n---\n".join(text_of(obj) for obj in objects))


def own(folder: Path, **keys: Any) -> Tree:
    """A rendered mesh with everything in `own/` as resources."""
    return render_config(folder, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": "own"}}, **keys))


def stages(folder: Path) -> dict[str, list[str]]:
    """The objects of one's own in each stage, as KIND/NAME."""
    found: dict[str, list[str]] = {}
    for one in json.loads(meshgen("show", "-o", "json", cwd=folder).stdout):
        if "shop" in (one["object"]["metadata"].get("namespace"), one["object"]["metadata"]["name"]):
            name = f"{one['object']['kind']}/{one['object']['metadata']['name']}"
            found.setdefault(one["stage"], []).append(name)
    return found


def objects(folder: Path, *args: str) -> list[Object]:
    """The effective objects of clusters."""
    return [one["object"] for one in shown(folder, *args)]


def findings(folder: Path, rule: str) -> list[Object]:
    """What validate says by a rule."""
    said: list[Object] = json.loads(meshgen("validate", "-o", "json", cwd=folder).stdout)["findings"]
    return [one for one in said if one["rule"] == rule]


def test_a_folder_of_any_depth_becomes_the_last_stage(kubectl: Path, tmp_path: Path):
    put(tmp_path, own__a=[NAMESPACE, CART], own__deep__er__routes=[ROUTES])
    tree = own(tmp_path, delivery={"flux": {"url": "https://example.com/a.git"}})
    assert_built_is_shown(kubectl, tree)
    assert stages(tmp_path) == {"namespaces": ["Namespace/shop"], "resources": ["Service/cart", "VirtualService/cart"]}
    sync = (tree.output / "clusters/msa/flux/sync.yaml").read_text()
    assert sync.index("name: msa-gateways") < sync.index("name: msa-resources")


def test_what_comes_first_may_be_chosen(tmp_path: Path):
    put(tmp_path, own__a=[CART])
    resources = {"shop": {"path": "own", "stage": "namespaces"}}
    render_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources=resources))
    assert stages(tmp_path) == {"namespaces": ["Service/cart"]}


def test_environments_overlay_them_replace_them_and_take_them_away(kubectl: Path, tmp_path: Path):
    slow = {**ROUTES, "spec": {**ROUTES["spec"], "http": [{**ROUTES["spec"]["http"][0], "timeout": "9s"}]}}
    put(tmp_path, own__a=[CART, ROUTES], slow=[CART, slow])
    clusters = {"istio": {"version": "1.30.3"}, "resources": {"shop": {"path": "./own"}}}
    tree = render_config(
        tmp_path,
        mesh(**clusters),
        overlay("dev", clusters={"dev": None}),
        overlay("prod", clusters={"prod": None}, patch={"resources": {"shop": {"path": "slow.yaml"}}}),
        overlay("edge", clusters={"edge": None}, patch={"resources": {"shop": None}}),
    )
    assert_built_is_shown(kubectl, tree)
    patches = sorted(path.relative_to(tree.output).as_posix() for path in tree.output.rglob("*.patch.yaml"))
    assert patches == ["environments/prod/resources/virtualservice-cart.patch.yaml"]
    assert not of_kind(objects(tmp_path, "--cluster", "edge"), "VirtualService")


def test_their_services_are_opened(kubectl: Path, tmp_path: Path):
    put(tmp_path, own__a=[CART])
    tree = own(tmp_path, expose={"cart.shop": {"sourceRanges": ["10.0.0.0/8"]}})
    assert_built_is_shown(kubectl, tree)
    assert of_kind(objects(tmp_path), "Service")["cart"]["spec"]["type"] == "LoadBalancer"


def test_a_namespace_of_ones_own_takes_the_place_of_meshgens(kubectl: Path, tmp_path: Path):
    system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system", "labels": {"a": "b"}}}
    put(tmp_path, own__a=[system])
    assert_built_is_shown(kubectl, own(tmp_path))
    assert of_kind(objects(tmp_path), "Namespace")["istio-system"]["metadata"]["labels"] == {"a": "b"}


def test_findings_stand_where_the_object_is_written(tmp_path: Path):
    retries = {"retries": {"attempts": 3, "perTryTimeout": "2s"}}
    hasty = {**ROUTES, "spec": {**ROUTES["spec"], "http": [{**ROUTES["spec"]["http"][0], **retries}]}}
    put(tmp_path, own__a=[CART, hasty])
    own(tmp_path)
    (finding,) = findings(tmp_path, "MG540")
    lines = (tmp_path / "own/a.yaml").read_text().splitlines()
    assert (finding["file"], finding["path"], finding["clusters"]) == ("own/a.yaml", "/metadata/name", ["msa"])
    after = lines[finding["line"] - 3 :]
    assert (after[0].strip(), after[2].strip()) == ('"kind": "VirtualService",', '"name": "cart",')


def test_an_api_that_is_gone_is_told_in_the_manifest(tmp_path: Path):
    old = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "cart"}, "spec": {}}
    put(tmp_path, own__a=[old])
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": "own"}}))
    (finding,) = findings(tmp_path, "MG402")
    assert (finding["file"], finding["line"]) == ("own/a.yaml", 2)


def test_an_object_that_is_written_twice_names_both_places(tmp_path: Path):
    put(tmp_path, own__a=[CART], own__b=[ROUTES, CART])
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": "own"}}))
    (finding,) = findings(tmp_path, "MG405")
    assert finding["file"] == "own/b.yaml"
    assert finding["hint"] == "the other one is in own/a.yaml:5: keep one of them"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere", "cannot be read: No such file or directory"),
        ("empty", "holds no manifests"),
        ("output", "it is a tree that meshgen writes"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_a_path_that_holds_none_is_refused(tmp_path: Path, path: str, said: str):
    put(tmp_path, own__a=[CART], loop__a=[ROUTES])
    own(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop/loop").symlink_to(tmp_path / "loop")
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": path}}))
    done = meshgen("validate", cwd=tmp_path)
    assert done.returncode == 1
    assert f'error MG213: resources.shop.path: "{path}"' in done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_the_config_itself_is_no_manifest(tmp_path: Path):
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"all": {"path": "."}}))
    (finding,) = findings(tmp_path, "MG404")
    assert finding["file"] == "meshgen.yaml"
    assert finding["message"] == "this is a config of meshgen's, not a Kubernetes object"


def test_a_resource_without_a_path_is_told(tmp_path: Path):
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"shop": {"stage": "namespaces"}}))
    assert [one["path"] for one in findings(tmp_path, "MG104")] == ["/resources/shop"]


def test_a_revision_of_git_brings_them(tmp_path: Path):
    import subprocess

    def git(*args: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *args], cwd=tmp_path, check=True, capture_output=True)

    put(tmp_path, own__deep__a=[CART])
    write_config(tmp_path, mesh(istio={"version": "1.30.3"}, resources={"shop": {"path": "own"}}))
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    put(tmp_path, own__deep__a=[{**CART, "spec": {**CART["spec"], "type": "LoadBalancer"}}])
    done = meshgen("diff", cwd=tmp_path)
    assert "Service shop/cart" in done.stdout
    assert "LoadBalancer" in done.stdout
