"""A Flux on a management cluster: the Kustomizations of all clusters stand beside each other, and waves wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.crds import problems
from tests.objects import Object, Tree, build_all, mesh, of_kind, overlay, render_config

URL = "https://example.com/mesh.git"
HUB: Object = {"url": URL, "kubeConfig": {}}
WAVES: Object = {
    "canary": {"order": 1, "labels": {"tier": "canary"}},
    "early": {"order": 5, "clusters": ["c"]},
    "too": {"order": 5, "clusters": ["d"]},
    "rest": {"order": 9},
}
CLUSTERS: Object = {
    "a": {"labels": {"tier": "canary"}},
    "b": {"labels": {"tier": "canary", "more": "x"}},
    "c": None,
    "d": None,
    "e": {"labels": {"tier": "other"}},
    "f": None,
}


def hub(folder: Path, flux: Object = HUB, waves: Object | None = WAVES, **keys: Any) -> Tree:
    delivery = {"flux": flux, **({"waves": waves} if waves else {})}
    keys = {"addons": {"kiali": {}}, **keys}
    return render_config(folder, mesh(delivery=delivery, **keys), overlay("prod", clusters=CLUSTERS))


def on_the_hub(tree: Tree, kubectl: Path, environment: str = "prod") -> list[Object]:
    """All that comes to stand on the management cluster: what is applied by hand, and what that applies there."""
    home = tree.output / "environments" / environment / "flux"
    found = list(build_all(kubectl, [home])[home].values())
    paths = [one["spec"]["path"] for one in found if one["kind"] == "Kustomization"]
    others = [tree.folder / path for path in paths if (tree.folder / path).resolve() != home.resolve()]
    return [*found, *(obj for built in build_all(kubectl, others).values() for obj in built.values())]


def applied(kustomizations: dict[str, Object], failing: set[str]) -> set[str]:
    """The Kustomizations that Flux applies: all that they depend on is ready, which what fails never becomes."""
    done: set[str] = set()
    while True:
        ready = done - failing
        more = {
            name
            for name, obj in kustomizations.items()
            if {one["name"] for one in obj["spec"].get("dependsOn", [])} <= ready
        }
        if more == done:
            return done
        done = more


def touched(names: set[str]) -> set[str]:
    """The clusters that something of their stages is applied to."""
    return {name.split("-")[1] for name in names if name.startswith("msa-") and not name.endswith(".root")}


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
def test_flux_accepts_all_that_stands_on_the_hub(cases: Path, kubectl: Path, tmp_path: Path, version: str):
    alerts = {"ops": {"type": "slack", "channel": "mesh", "secretRef": "slack"}}
    tree = hub(tmp_path, {**HUB, "alerts": alerts}, istio={"version": version})

    objects = on_the_hub(tree, kubectl)

    kinds = {obj["kind"] for obj in objects}
    assert kinds == {"GitRepository", "Kustomization", "ConfigMap", "Provider", "Alert"}
    flux = [obj for obj in objects if obj["kind"] != "ConfigMap"]
    assert [found for obj in flux for found in problems(cases / "gitops-crds", obj)] == []


def test_all_clusters_take_the_tree_from_one_source(kubectl: Path, tmp_path: Path):
    objects = on_the_hub(hub(tmp_path), kubectl)
    (source,) = of_kind(objects, "GitRepository").values()

    # Flux compares the revisions of Kustomizations that depend on each other only where they have one source.
    wanted = {"kind": "GitRepository", "name": source["metadata"]["name"]}
    assert all(obj["spec"]["sourceRef"] == wanted for obj in of_kind(objects, "Kustomization").values())
    assert source["spec"]["url"] == URL


def test_every_name_on_the_hub_is_there_once(kubectl: Path, tmp_path: Path):
    clusters = dict.fromkeys(("dev", "a", "a-istio", "rest"))
    delivery = {"flux": HUB, "waves": {"rest": {"order": 1}}}
    tree = render_config(tmp_path, mesh(delivery=delivery), overlay("dev", clusters=clusters))

    objects = on_the_hub(tree, kubectl, "dev")

    keys = [(obj["kind"], obj["metadata"]["name"]) for obj in objects]
    assert len(set(keys)) == len(keys)


def test_the_root_applies_itself_and_each_cluster_whose_root_prunes_stages_that_leave(kubectl: Path, tmp_path: Path):
    found = of_kind(on_the_hub(hub(tmp_path), kubectl), "Kustomization")

    assert found["msa.prod"]["spec"]["path"] == "./output/environments/prod/flux"
    roots = {name: obj["spec"] for name, obj in found.items() if name.endswith(".root")}
    assert {name: spec["path"] for name, spec in roots.items()} == {
        f"msa-{cluster}.root": f"./output/clusters/{cluster}/flux-hub" for cluster in CLUSTERS
    }
    assert {found["msa.prod"]["spec"]["prune"], *(not spec["prune"] for spec in roots.values())} == {False}
    assert not any("kubeConfig" in spec for spec in [found["msa.prod"]["spec"], *roots.values()])


def test_a_root_that_prunes_stages_waits_for_the_wave_before_as_they_do(kubectl: Path, tmp_path: Path):
    found = of_kind(on_the_hub(hub(tmp_path), kubectl), "Kustomization")

    gates = {name: obj["spec"].get("dependsOn") for name, obj in found.items() if name.endswith("-namespaces")}
    assert {name.removesuffix("-namespaces") for name, gate in gates.items() if gate} != set()
    for name, gate in gates.items():
        assert found[f"{name.removesuffix('-namespaces')}.root"]["spec"].get("dependsOn") == gate


def test_stages_are_applied_to_their_cluster_by_its_kubeconfig(kubectl: Path, tmp_path: Path):
    clusters: Object = {
        "a": None,
        "b": {"patch": {"delivery": {"flux": {"kubeConfig": {"secretRef": "own", "key": "config"}}}}},
        "c": {"patch": {"delivery": {"flux": {"kubeConfig": {"local": True}}}}},
    }
    tree = render_config(tmp_path, mesh(delivery={"flux": HUB}), overlay("prod", clusters=clusters))
    found = of_kind(on_the_hub(tree, kubectl), "Kustomization")

    secrets = {name: obj["spec"].get("kubeConfig") for name, obj in found.items() if name.endswith("-istio")}
    assert secrets == {
        "msa-a-istio": {"secretRef": {"name": "a-kubeconfig"}},
        "msa-b-istio": {"secretRef": {"name": "own", "key": "config"}},
        "msa-c-istio": None,
    }


def test_without_waves_no_cluster_waits_for_another(kubectl: Path, tmp_path: Path):
    found = of_kind(on_the_hub(hub(tmp_path, waves=None), kubectl), "Kustomization")

    assert touched(applied(found, {"msa-a-namespaces"})) == set(CLUSTERS)


@pytest.mark.parametrize(
    ("failing", "reached"),
    [
        (set(), "abcdef"),
        ({"msa-a-addons"}, "ab"),
        ({"msa-b-namespaces"}, "ab"),
        ({"msa-c-istio"}, "abcd"),
        ({"msa-e-istio"}, "abcdef"),
    ],
)
def test_a_wave_is_applied_once_every_stage_of_every_cluster_before_it_is_ready(
    kubectl: Path, tmp_path: Path, failing: set[str], reached: str
):
    found = of_kind(on_the_hub(hub(tmp_path), kubectl), "Kustomization")

    assert touched(applied(found, failing)) == set(reached)


def test_a_wave_is_ready_when_its_clusters_are(kubectl: Path, tmp_path: Path):
    tree = hub(tmp_path)
    found = of_kind(on_the_hub(tree, kubectl), "Kustomization")
    gate = found["msa.prod.canary"]

    assert [one["name"] for one in gate["spec"]["dependsOn"]] == ["msa-a-addons", "msa-b-addons"]
    path = tree.folder / gate["spec"]["path"]
    (mark,) = build_all(kubectl, [path])[path].values()
    assert mark["kind"] == "ConfigMap"
    assert mark["data"]["wave"] == "canary"


def test_a_wave_without_clusters_is_passed_over(kubectl: Path, tmp_path: Path):
    waves = {"nobody": {"order": 2, "labels": {"tier": "none"}}, "canary": {"order": 1, "clusters": ["a"]}}
    found = of_kind(on_the_hub(hub(tmp_path, waves={**waves, "rest": {"order": 3}}), kubectl), "Kustomization")

    assert found["msa-b-namespaces"]["spec"]["dependsOn"] == [{"name": "msa.prod.canary"}]
    assert "msa.prod.nobody" not in found


def test_waves_order_the_clusters_of_each_environment_apart(kubectl: Path, tmp_path: Path):
    waves = {"canary": {"order": 1, "labels": {"tier": "canary"}}, "rest": {"order": 2}}
    environments = [
        overlay(name, clusters={f"{name}-a": {"labels": {"tier": "canary"}}, f"{name}-b": None})
        for name in ("prod", "staging")
    ]
    tree = render_config(tmp_path, mesh(delivery={"flux": HUB, "waves": waves}), *environments)

    for environment in ("prod", "staging"):
        found = of_kind(on_the_hub(tree, kubectl, environment), "Kustomization")
        depends = found[f"msa-{environment}-b-namespaces"]["spec"]["dependsOn"]
        assert depends == [{"name": f"msa.{environment}.canary"}]


def test_clusters_with_a_flux_of_their_own_follow_the_branch_of_their_wave(kubectl: Path, tmp_path: Path):
    waves = {"canary": {"order": 1, "branch": "mesh-canary", "clusters": ["a"]}, "rest": {"order": 2}}
    tree = hub(tmp_path, {"url": URL, "branch": "release"}, waves)

    branches = {}
    for cluster in ("a", "b"):
        directory = tree.output / "clusters" / cluster / "flux"
        (source,) = of_kind(build_all(kubectl, [directory])[directory].values(), "GitRepository").values()
        branches[cluster] = source["spec"]["ref"]
    assert branches == {"a": {"branch": "mesh-canary"}, "b": {"branch": "release"}}
    assert not (tree.output / "environments" / "prod" / "flux").exists()


def test_the_readme_says_how_the_hub_begins(tmp_path: Path):
    readme = (hub(tmp_path).output / "README.md").read_text()

    assert "kubectl apply -k environments/ENVIRONMENT/flux" in readme
    assert "kubectl apply -k clusters/CLUSTER/flux" not in readme
    assert "Argo CD" not in readme
