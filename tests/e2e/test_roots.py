"""A fleet whose root makes the roots of clusters, wave by wave: what waits for the canary, and what does not.

Each fixture is the next commit, or a person's deed. Argo CD looks at a commit when a test has it look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.argocd import NAMESPACE
from tests.e2e.argofleet import ROOT, Fleet, note_of, running_fleet
from tests.e2e.fleet import CANARY, HOME, OTHER, WRONG
from tests.objects import read_yaml

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("roots")]


@pytest.fixture(scope="module")
def by_roots(tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[Fleet]:
    """A root makes the roots of clusters, and Git makes no projects."""
    with running_fleet(tmp_path_factory.mktemp("roots"), crds, selfManaged=False) as fleet:
        fleet.note(CANARY, "one", WRONG)
        fleet.repository.commit("A fleet of two, and an address that the canary does not have")
        fleet.engine.patch("argocd-cm", fleet.output / "argocd-cm.patch.yaml")
        projects = sorted(fleet.output.glob("clusters/*/argocd/project.yaml"))
        fleet.engine.cluster.kubectl("apply", *(f"--filename={file}" for file in projects))
        fleet.bootstrap()
        yield fleet


@pytest.fixture(scope="module")
def begun(by_roots: Fleet) -> str:
    """The first commit, which fails on the canary; give what the root of the environment says."""
    by_roots.play_operator(CANARY)
    by_roots.refusal()
    return halted(by_roots)


@pytest.fixture(scope="module")
def settled(by_roots: Fleet, begun: str) -> Fleet:
    """After the commit that mends the canary."""
    by_roots.note(CANARY, "two")
    by_roots.note(OTHER, "two")
    revision = by_roots.repository.commit("Without that port")
    by_roots.play_operator(OTHER)
    by_roots.eventually(lambda: by_roots.engine.has_delivered(revision))
    return by_roots


@pytest.fixture(scope="module")
def grown(settled: Fleet) -> str:
    """A commit that fails on the canary and brings a third cluster; give what the root of the environment says."""
    settled.note(CANARY, "three", WRONG)
    settled.note(OTHER, "three")
    third = {"kubernetesVersion": "1.22", "server": "https://third.example.com"}
    settled.repository.edit("overlays/prod.yaml", lambda config: config["clusters"].update(third=third))
    settled.repository.commit("Three for all, that port again, and a third cluster")
    settled.refusal()
    settled.eventually(lambda: settled.said(OTHER) == "three")
    return halted(settled)


@pytest.fixture(scope="module")
def unhealed(settled: Fleet, grown: str) -> Fleet:
    """After a person took the health of Applications out of Argo CD's settings again."""
    (patch,) = read_yaml((settled.output / "argocd-cm.patch.yaml").read_text())
    without = json.dumps({"data": dict.fromkeys(patch["data"])})
    place = ("configmap", "argocd-cm", f"--namespace={NAMESPACE}")
    settled.engine.cluster.kubectl("patch", *place, "--type=merge", f"--patch={without}")
    settled.eventually(lambda: "msa-third" in settled.applications())
    return settled


@pytest.fixture(scope="module")
def thinned(settled: Fleet) -> Fleet:
    """After a stage left one cluster."""
    settled.repository.edit("overlays/prod.yaml", lambda config: config["clusters"][OTHER].pop("patch"))
    settled.repository.commit("No note on the other")
    settled.eventually(lambda: note_of(OTHER) not in settled.applications())
    return settled


def halted(fleet: Fleet) -> str:
    """Let Argo CD look at each of the two roots above the Application that failed; give what the upper waits for."""
    for _ in range(2):
        fleet.look()
    return fleet.eventually(lambda: waiting(fleet))


def waiting(fleet: Fleet) -> str | None:
    """What the root of the environment waits for."""
    said = fleet.said_last(ROOT)
    return said if "waiting for healthy state" in said else None


def test_with_a_canary_that_fails_its_root_is_alone(by_roots: Fleet, begun: str):
    assert f"msa-{CANARY}" in begun
    assert not {name for name in by_roots.applications() if OTHER in name}
    assert HOME not in by_roots.clusters[OTHER].kubectl("get", "namespaces")


def test_once_the_canary_is_mended_the_root_of_the_next_wave_follows(settled: Fleet):
    assert (settled.said(CANARY), settled.said(OTHER)) == ("two", "two")


def test_a_later_commit_reaches_the_next_wave_at_once_and_a_cluster_that_is_new_waits(settled: Fleet, grown: str):
    assert f"msa-{CANARY}" in grown
    assert settled.said(OTHER) == "three"
    assert "msa-third" not in settled.applications()


def test_it_is_the_health_of_applications_that_it_waits_for(unhealed: Fleet):
    assert waiting(unhealed) is None
    assert unhealed.application(f"msa-{CANARY}-resources")["status"]["sync"]["status"] == "OutOfSync"


def test_without_rights_over_projects_a_root_still_deletes_a_stage_that_leaves(thinned: Fleet):
    thinned.eventually(lambda: thinned.said(OTHER) is None)
