"""What a change of the engines' own objects does: a hand-over deletes nothing, a stage that leaves is deleted."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from meshgen.diff.change import Difference
from meshgen.diff.story import diff
from tests.diff.repositories import one
from tests.objects import Object, mesh, overlay, write_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
WAVES: Object = {"canary": {"order": 1, "clusters": ["a"]}, "rest": {"order": 2}}
DELIVERY: dict[str, Object] = {
    "none": {},
    "own": {"flux": SOURCE},
    "hub": {"flux": {**SOURCE, "kubeConfig": {}}},
    "roots": {"argocd": SOURCE},
    "waves": {"argocd": SOURCE, "waves": WAVES},
    "set": {"argocd": {**SOURCE, "applicationSet": True}},
}
WIRED = [name for name in DELIVERY if name != "none"]


def write(
    folder: Path, delivery: Object, *, clusters: str = "ab", addons: bool = True, version: str = "1.22.3"
) -> Path:
    keys: Object = {"delivery": delivery} if delivery else {}
    keys |= {"addons": {"grafana": {}}} if addons else {}
    names = {name: {"server": f"https://{name}.example.com"} for name in clusters}
    return write_config(folder, mesh(istio={"version": version}, **keys), overlay("prod", clusters=names))


def compared(old: Path, new: Path) -> Difference:
    return diff(str(old.parent), new)


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(DELIVERY, 2)])
def test_another_that_applies_the_clusters_deletes_nothing_and_is_said_once_for_all_clusters(
    tmp_path: Path, before: str, after: str
):
    old, new = write(tmp_path / "old", DELIVERY[before]), write(tmp_path / "new", DELIVERY[after])

    groups = compared(old, new).groups

    assert groups
    assert {group.change.risk for group in groups} == {"cosmetic"}
    assert {reason for group in groups for reason in group.change.reasons if "deletes what" in reason} == set()
    # A wave is of some clusters only, and so is what waits for it.
    assert all(group.clusters == ("a", "b") for group in groups) or "waves" in (before, after)


@pytest.mark.parametrize("how", WIRED)
def test_a_stage_that_leaves_is_deleted_where_a_root_looks_and_stays_with_an_application_set(tmp_path: Path, how: str):
    old, new = write(tmp_path / "old", DELIVERY[how]), write(tmp_path / "new", DELIVERY[how], addons=False)

    kind = "Kustomization" if "flux" in DELIVERY[how] else "Application"
    name = "msa-addons" if how == "own" else "msa-CLUSTER-addons"
    change = one(compared(old, new), kind, name).change

    assert change.action == "removed"
    assert change.risk == ("cosmetic" if how == "set" else "replacement")
    reason = {
        "Kustomization": "Flux deletes what the stage applied",
        "Application": "its root deletes it, and Argo CD what it applied",
    }[kind]
    assert (change.reasons == (reason,)) == (how != "set")


def test_a_directory_that_others_may_apply_is_not_said_to_leave_without_harm(tmp_path: Path):
    old = write(tmp_path / "old", {"flux": {**SOURCE, "selfManaged": False}})
    change = one(compared(old, write(tmp_path / "new", DELIVERY["hub"])), "Kustomization", "msa-addons").change

    assert (change.risk, change.reasons) == ("replacement", ("Flux deletes what the stage applied",))


@pytest.mark.parametrize("how", ["hub", "roots", "set"])
def test_a_cluster_that_comes_changes_nothing_for_the_others(tmp_path: Path, how: str):
    old, new = write(tmp_path / "old", DELIVERY[how]), write(tmp_path / "new", DELIVERY[how], clusters="abc")

    assert compared(old, new).groups == ()
    assert compared(new, old).groups == ()


def test_an_application_of_a_set_is_told_as_one(tmp_path: Path):
    old = write(tmp_path / "old", DELIVERY["set"], version="1.30.2")
    new = write(tmp_path / "new", DELIVERY["set"], version="1.30.3")

    group = one(compared(old, new), "Application", "msa-CLUSTER-istiod")

    assert (group.clusters, group.change.risk) == (("a", "b"), "restart")
    assert "another version of the chart is installed" in group.change.reasons


def test_a_name_that_begins_with_a_clusters_is_another(tmp_path: Path):
    old, new = write(tmp_path / "old", {}, clusters="a"), write(tmp_path / "new", DELIVERY["own"], clusters="a")

    assert one(compared(old, new), "Kustomization", "msa-addons").clusters == ("a",)
