"""Who applies the clusters may change: what did so before finds nothing where it looks, and deletes nothing."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.objects import Object, Tree, mesh, overlay, read_yaml, render_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
WAVES: Object = {"canary": {"order": 1, "clusters": ["a"]}, "rest": {"order": 2}}
CLUSTERS = {name: {"server": f"https://{name}.example.com"} for name in "ab"}
FLUX: dict[str, Object] = {"own": {"flux": SOURCE}, "hub": {"flux": {**SOURCE, "kubeConfig": {}}}}
ARGOCD: dict[str, Object] = {"roots": {"argocd": SOURCE}, "set": {"argocd": {**SOURCE, "applicationSet": True}}}
CHANGES = [*itertools.permutations(FLUX.values(), 2), *itertools.permutations(ARGOCD.values(), 2)]


def tree(folder: Path, delivery: Object) -> Tree:
    return render_config(folder, mesh(delivery={**delivery, "waves": WAVES}), overlay("prod", clusters=CLUSTERS))


def pruning(tree: Tree) -> set[str]:
    """The directories that something applies which deletes what is no longer there: roots of clusters."""
    paths = set()
    for file in [*tree.output.rglob("flux*/*.yaml"), *tree.output.rglob("argocd*/*.yaml")]:
        for obj in read_yaml(file.read_text()):
            spec = obj.get("spec") or {}
            prunes = spec.get("prune") or spec.get("syncPolicy", {}).get("automated", {}).get("prune")
            path = spec.get("path") or spec.get("source", {}).get("path") or ""
            if prunes and path.split("/")[-1].startswith(("flux", "argocd")):
                paths.add(path.removeprefix("./"))
    return paths


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_what_prunes_the_wiring_of_a_cluster_finds_no_other_in_its_place(tmp_path: Path, before: Object, after: Object):
    roots = pruning(tree(tmp_path, before))
    tree(tmp_path, after)

    assert roots or "applicationSet" in before.get("argocd", {})
    assert [path for path in roots if (tmp_path / path).exists()] == []


@pytest.mark.parametrize(
    ("delivery", "commands"),
    [
        (
            FLUX["own"],
            ["kubectl patch -k clusters/CLUSTER/flux --type merge", "kubectl delete -k clusters/CLUSTER/flux"],
        ),
        (FLUX["hub"], ["--selector meshgen.dev/cluster=CLUSTER --output name |", '{"spec": {"suspend": true}}']),
        (
            ARGOCD["roots"],
            ["argocd app delete msa-CLUSTER --yes --cascade=false", "argocd app list --project msa-CLUSTER"],
        ),
        (ARGOCD["set"], ["argocd app list --project msa-CLUSTER"]),
    ],
)
def test_the_readme_says_how_what_applies_a_cluster_goes_without_its_objects(
    tmp_path: Path, delivery: Object, commands: list[str]
):
    readme = (tree(tmp_path, delivery).output / "README.md").read_text()

    section = readme.partition("## When a cluster leaves this tree")[2]
    assert [command for command in commands if command not in section] == []
    assert ("argocd" in section) == ("argocd" in delivery)
