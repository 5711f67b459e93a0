"""The tree: bases, environments and clusters share what is equal, and every difference is a patch that reads well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.build.stage import Stage
from meshgen.build.stages import Built
from meshgen.layout.kustomization import file_names
from meshgen.layout.tree import Layout, Part, lay_out
from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    assert_same,
    build_all,
    files_of,
    mesh,
    overlay,
    read_yaml,
    render,
    render_config,
)

ADDONS: Object = {"prometheus": {}, "kiali": {}}
# The other port of the Service serves metrics to anyone, and is not opened.
HTTP = {"name": "http", "port": 20001, "protocol": "TCP"}


def paths(tree: Tree, cluster: str) -> dict[str, str]:
    return {stage["name"]: stage["path"] for stage in tree.cluster(cluster)["stages"]}


def read(tree: Tree, path: str) -> Object:
    (found,) = read_yaml((tree.output / path).read_text())
    return found


def test_clusters_that_are_equal_share_their_environments_directories(kubectl: Path, tmp_path: Path):
    tree = render_config(
        tmp_path, mesh(addons=ADDONS), overlay("dev", clusters={"a": None, "b": {"kubernetesVersion": "1.22"}})
    )
    assert_built_is_shown(kubectl, tree)

    assert paths(tree, "a") == paths(tree, "b")
    assert set(paths(tree, "a").values()) == {f"environments/dev/{stage}" for stage in paths(tree, "a")}
    assert not (tree.output / "clusters").exists()


def test_only_the_stage_that_differs_gets_a_directory_of_its_own(kubectl: Path, tmp_path: Path):
    odd = {"patch": {"addons": {"kiali": {"image": "example.com/kiali:v1"}}}}
    tree = render_config(tmp_path, mesh(addons=ADDONS), overlay("dev", clusters={"a": None, "odd": odd}))
    assert_built_is_shown(kubectl, tree)

    assert paths(tree, "odd") == {**paths(tree, "a"), "addons": "clusters/odd/addons"}
    assert read(tree, "clusters/odd/addons/kustomization.yaml")["resources"] == ["../../../environments/dev/addons"]
    assert sorted(path.name for path in (tree.output / "clusters/odd/addons").iterdir()) == [
        "deployment-kiali.patch.yaml",
        "kustomization.yaml",
    ]


def test_a_patch_says_the_change_and_nothing_else(tmp_path: Path):
    patch = {"expose": {"kiali": {"internal": True}}}
    tree = render_config(tmp_path, mesh(addons=ADDONS), overlay("dev", patch=patch, clusters={"a": {"cloud": "azure"}}))

    assert read(tree, "environments/dev/addons/service-kiali.patch.yaml") == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kiali",
            "namespace": "istio-system",
            "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
        },
        "spec": {"type": "LoadBalancer", "ports": [{"$patch": "replace"}, HTTP]},
    }


def test_no_base_opens_a_service(tmp_path: Path):
    tree = render_config(tmp_path, mesh(addons=ADDONS, expose={"kiali": {}, "prometheus": {"type": "NodePort"}}))

    bases = {path: text for path, text in files_of(tree.output).items() if path.startswith("base/")}
    assert bases
    assert not any(b"LoadBalancer" in text or b"NodePort" in text for text in bases.values())


def test_no_patch_leads_from_one_minor_to_another(kubectl: Path, tmp_path: Path):
    newer = {"patch": {"istio": {"version": "1.12.9"}}}
    tree = render_config(
        tmp_path,
        mesh(addons=ADDONS, expose={"kiali": {}}),
        overlay("dev", clusters={"old": None, "new": newer, "none": {"patch": {"istio": {"version": "1.30.3"}}}}),
    )
    assert_built_is_shown(kubectl, tree)

    assert read(tree, "clusters/new/addons/kustomization.yaml")["resources"] == ["../../../base/1.12-operator/addons"]
    assert read(tree, "clusters/none/addons/kustomization.yaml")["resources"] == ["../../../base/1.30-helm/addons"]
    assert paths(tree, "old")["addons"] == "environments/dev/addons"
    assert sorted(path.name for path in (tree.output / "clusters/new/addons").iterdir()) == [
        "kustomization.yaml",
        "service-kiali.patch.yaml",
    ]


def test_a_patch_release_is_a_small_patch_on_the_base_of_its_minor(kubectl: Path, tmp_path: Path):
    newer = overlay("dev", patch={"istio": {"version": "1.11.8"}}, clusters={"a": None})
    tree = render_config(tmp_path, mesh(addons=ADDONS), newer)
    assert_built_is_shown(kubectl, tree)

    assert sorted(path.name for path in (tree.output / "base").iterdir()) == ["1.11-operator"]
    assert read(tree, "environments/dev/operator/deployment-istio-operator.patch.yaml")["kind"] == "Deployment"


def test_clouds_that_differ_open_a_service_in_each_clusters_overlay(kubectl: Path, tmp_path: Path):
    patch = {"expose": {"kiali": {"internal": True}, "prometheus": {"type": "NodePort"}}}
    clusters = {"az": {"cloud": "azure"}, "gc": {"cloud": "gcp"}, "az2": {"cloud": "azure"}}
    tree = render_config(tmp_path, mesh(addons=ADDONS), overlay("dev", patch=patch, clusters=clusters))
    assert_built_is_shown(kubectl, tree)

    environment = tree.output / "environments/dev/addons"
    assert (environment / "service-prometheus.patch.yaml").exists()
    assert not (environment / "service-kiali.patch.yaml").exists()
    assert (tree.output / "clusters/gc/addons/service-kiali.patch.yaml").exists()


def test_an_environment_without_a_version_of_its_own_shares_no_base(kubectl: Path, tmp_path: Path):
    versions = {"a": "1.11.3", "b": "1.20.8"}
    clusters = {name: {"patch": {"istio": {"version": version}}} for name, version in versions.items()}
    tree = render_config(tmp_path, mesh(istio={"profile": "demo"}, addons=ADDONS), overlay("dev", clusters=clusters))

    objects = assert_built_is_shown(kubectl, tree)

    assert set(objects) == {"a", "b"}
    assert not (tree.output / "environments").exists()


def test_addons_taken_away_leave_no_stage(kubectl: Path, tmp_path: Path):
    tree = render_config(
        tmp_path,
        mesh(addons=ADDONS),
        overlay("dev", clusters={"a": None, "b": {"patch": {"addons": None}}}),
        overlay("prod", patch={"addons": {"prometheus": None, "kiali": None}}, clusters={"c": None}),
        overlay("qa", patch={"addons": None}, clusters={"d": {"patch": {"addons": {"jaeger": {}}}}}),
    )
    assert_built_is_shown(kubectl, tree)

    assert [("addons" in paths(tree, cluster)) for cluster in "abcd"] == [True, False, False, True]


def test_another_namespace_takes_all_away_and_brings_all_anew(kubectl: Path, tmp_path: Path):
    tree = render_config(
        tmp_path,
        mesh(addons=ADDONS, expose={"kiali": {}}),
        overlay("dev", clusters={"a": None, "b": {"patch": {"istio": {"namespace": "mesh-system"}}}}),
    )
    objects = assert_built_is_shown(kubectl, tree)

    namespaces = {obj["metadata"].get("namespace") for obj in objects["b"]}
    assert namespaces == {None, "mesh-system", "istio-operator"}


def test_every_file_is_named_by_a_kustomization_and_every_name_is_there(tmp_path: Path):
    patch = {"addons": {"kiali": None, "jaeger": {}}, "expose": {"prometheus": {}}}
    tree = render_config(tmp_path, mesh(addons=ADDONS), overlay("dev", patch=patch, clusters={"a": None}))

    for path in tree.output.rglob("kustomization.yaml"):
        (said,) = read_yaml(path.read_text())
        named = [*said["resources"], *(patch["path"] for patch in said.get("patches", []))]
        beside = {file.name for file in path.parent.iterdir()} - {"kustomization.yaml"}
        assert {name for name in named if "/" not in name} == beside
        assert all((path.parent / name).exists() for name in named)


def test_no_stage_directory_is_too_large_for_kustomize(tmp_path: Path):
    addons: Object = {name: {} for name in ("prometheus", "grafana", "jaeger", "kiali", "loki")}
    tree = render_config(tmp_path, mesh(istio={"version": "1.23.6"}, addons=addons))

    for path in tree.output.rglob("kustomization.yaml"):
        assert len(list(path.parent.iterdir())) < 100


@pytest.mark.parametrize("name", ["flux", "argocd", "base", "namespaces", "addons", "istioctl", "output", "1"])
def test_environments_and_clusters_may_have_any_name(kubectl: Path, tmp_path: Path, name: str):
    delivery = {engine: {"url": "https://example.com/a.git"} for engine in ("flux", "argocd")}
    odd = {"patch": {"istio": {"hub": "example.com/h", "version": "1.30.3"}}}
    clusters = {name: odd, f"{name}-2": None}
    tree = render_config(tmp_path, mesh(addons=ADDONS, delivery=delivery), overlay(name, clusters=clusters))

    assert_built_is_shown(kubectl, tree)


# The parts below are laid out without a config: nothing that meshgen builds is so odd.
def custom(name: str = "odd", **spec: Any) -> Object:
    return {"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": name, "namespace": "x"}, "spec": spec}


def part(name: str, *objects: Object) -> Part:
    return Part(name, Built((Stage("addons", objects),), None, ()), "1.11-operator")


def written(layout: Layout, folder: Path) -> Path:
    for path, text in layout.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


# A strategic merge can't set a null, and a JSON patch writes this number wrong.
UNPATCHABLE = [custom(big=2**53 + 1, a=1), custom(big=2**53 + 1, a=None), custom(big=2**53 + 3, a="x", b=[None])]


def test_an_object_that_no_patch_can_change_stands_whole_in_each_overlay(kubectl: Path, tmp_path: Path):
    below, middle, above = UNPATCHABLE
    other = custom("other", a=1)
    environment = part("dev", middle, other)
    clusters = [part("a", middle, other), part("b", above, other), part("c", other)]

    layout = lay_out({"1.11-operator": part("base", below, other).built}, [(environment, clusters)])
    built = build_all(kubectl, [written(layout, tmp_path) / layout.paths[one.name][0][1] for one in clusters])

    for one in clusters:
        assert_same(built[tmp_path / layout.paths[one.name][0][1]], one.built.objects, one.name)
    assert "big" not in "".join(text for path, text in layout.files.items() if path.startswith("base/"))


def test_a_stage_whose_only_object_stands_whole_is_built_too(kubectl: Path, tmp_path: Path):
    below, middle, above = UNPATCHABLE
    clusters = [part("a", middle), part("b", above)]

    layout = lay_out({"1.11-operator": part("base", below).built}, [(part("dev", middle), clusters)])
    written(layout, tmp_path)
    built = build_all(kubectl, [tmp_path / layout.paths[one.name][0][1] for one in clusters])

    for one in clusters:
        assert_same(built[tmp_path / layout.paths[one.name][0][1]], one.built.objects, one.name)


def test_a_stage_that_only_clusters_have(kubectl: Path, tmp_path: Path):
    empty = Part("dev", Built((), None, ()), "1.11-operator")
    clusters = [part("a", custom(a=1)), part("b", custom(a=2)), Part("c", empty.built, "1.11-operator")]

    layout = lay_out({"1.11-operator": empty.built}, [(empty, clusters)])
    written(layout, tmp_path)
    built = build_all(kubectl, [tmp_path / layout.paths[name][0][1] for name in "ab"])

    assert layout.paths["c"] == ()
    for one in clusters[:2]:
        assert_same(built[tmp_path / layout.paths[one.name][0][1]], one.built.objects, one.name)


def test_a_stage_that_a_cluster_empties_builds_nothing(kubectl: Path, tmp_path: Path):
    base = part("base", custom(a=1), custom("b", a=1))
    emptied = part("c")

    layout = lay_out({"1.11-operator": base.built}, [(part("dev", custom(a=2)), [emptied])])
    written(layout, tmp_path)
    built = build_all(kubectl, [tmp_path / path for _, path in layout.paths["c"]])

    assert all(objects == {} for objects in built.values())


def test_file_names_are_unlike_even_where_case_does_not_count():
    objects = [
        custom("a"),
        custom("A"),
        {**custom("a"), "apiVersion": "example.org/v1"},
        {**custom("a"), "metadata": {"name": "a", "namespace": "y"}},
        {**custom("a"), "kind": "ODD"},
        custom("a:b"),
        custom("a/b"),
        custom("a_b"),
        custom("x" * 253),
        custom("x" * 252 + "y"),
        custom("../../etc"),
    ]
    names = list(file_names(objects).values())

    assert len({name.casefold() for name in names}) == len(names) == len(objects)
    assert all(len(name) < 230 and "/" not in name and not name.startswith(".") for name in names)


def test_an_object_keeps_its_files_name_when_another_one_comes(tmp_path: Path):
    tree = render_config(tmp_path, mesh(addons={"kiali": {}}))
    before = set(files_of(tree.output))
    render_config(tmp_path, mesh(addons={"kiali": {}, "grafana": {}, "loki": None}))

    assert before <= set(files_of(render(tmp_path).output))


def test_a_namespace_that_is_default_written_or_not_is_one_object(kubectl: Path, tmp_path: Path):
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own%s}\ndata: {a: b}\n"
    (tmp_path / "absent.yaml").write_text(head % "")
    (tmp_path / "written.yaml").write_text(head % ", namespace: default")
    sources = {name: {"kiali": {"source": f"{name}.yaml"}} for name in ("absent", "written")}
    clusters = {"a": None, "b": {"patch": {"addons": sources["written"]}}}

    tree = render_config(tmp_path, mesh(addons=sources["absent"]), overlay("dev", clusters=clusters))

    assert_built_is_shown(kubectl, tree)
