"""A fleet whose Applications an ApplicationSet makes, wave by wave: what waits for the canary, and what does not.

Each fixture is the next commit, or a person's deed. Argo CD looks at a commit when a test has it look.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.applicationsets import running_applicationsets
from tests.e2e.argocd import NAMESPACE
from tests.e2e.argofleet import ROOT, Fleet, note_of, running_fleet
from tests.e2e.fleet import CANARY, HOME, OTHER, WRONG
from tests.objects import Object

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("applicationset")]

EXTRA: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra", "namespace": HOME}}


def steps(fleet: Fleet) -> dict[str, str]:
    """What the ApplicationSet says of the rollout of each Application."""
    found = fleet.engine.cluster.get("applicationset", ROOT, NAMESPACE).get("status", {})
    return {one["application"]: one["status"] for one in found.get("applicationStatus", [])}


def unlisted(fleet: Fleet) -> bool:
    """Whether the ApplicationSet knows the note of the next wave's cluster as none of its own."""
    found = fleet.engine.cluster.get("applicationset", ROOT, NAMESPACE)["status"]["applicationStatus"]
    return any(one["application"] == note_of(OTHER) and one["step"] == "-1" for one in found)


@pytest.fixture(scope="module")
def by_set(tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[Fleet]:
    """One ApplicationSet makes all Applications. The first commit is there, and progressive syncs are switched on."""
    with running_fleet(tmp_path_factory.mktemp("set"), crds, applicationSet=True) as fleet:
        fleet.note(CANARY, "one", EXTRA)
        fleet.repository.commit("A fleet of two")
        fleet.engine.patch("argocd-cmd-params-cm", fleet.output / "argocd-cmd-params-cm.patch.yaml")
        with running_applicationsets(fleet.engine):
            fleet.bootstrap()
            yield fleet


@pytest.fixture(scope="module")
def unhealthy(by_set: Fleet) -> Fleet:
    """While Istio does not come up on the canary."""
    waiting = {f"msa-{OTHER}-{stage}" for stage in ("namespaces", "operator", "istio", "resources")}

    def halted() -> bool:
        said = steps(by_set)
        return said.get(f"msa-{CANARY}-istio") == "Progressing" and waiting <= said.keys()

    by_set.eventually(halted)
    return by_set


@pytest.fixture(scope="module")
def healthy(unhealthy: Fleet) -> Fleet:
    """After Istio came up, on one cluster after the other."""
    for cluster in (CANARY, OTHER):
        unhealthy.play_operator(cluster)
    unhealthy.eventually(lambda: set(steps(unhealthy).values()) == {"Healthy"})
    return unhealthy


@pytest.fixture(scope="module")
def halted(healthy: Fleet) -> str:
    """A commit that no API server takes on the canary, whose Applications see it first; give what Argo CD says."""
    healthy.note(CANARY, "two", WRONG)
    healthy.note(OTHER, "two")
    revision = healthy.repository.commit("Two for all, and an address that the canary does not have")
    said = healthy.refusal()
    healthy.eventually(lambda: all(healthy.saw(name, revision) for name in healthy.applications()))
    healthy.eventually(lambda: steps(healthy)[note_of(OTHER)] == "Waiting")
    return said


@pytest.fixture(scope="module")
def mended(healthy: Fleet, halted: str) -> Fleet:
    healthy.note(CANARY, "three")
    healthy.note(OTHER, "three")
    revision = healthy.repository.commit("Without that port")
    healthy.eventually(lambda: healthy.engine.has_delivered(revision))
    healthy.eventually(lambda: set(steps(healthy).values()) == {"Healthy"})
    return healthy


@pytest.fixture(scope="module")
def overtaken(mended: Fleet) -> str:
    """A commit that fails on the canary, which the next wave's Application sees first."""
    mended.note(CANARY, "four", WRONG)
    mended.note(OTHER, "four")
    mended.repository.commit("Four for all, and that port again")
    mended.eventually(lambda: mended.said(OTHER) == "four", OTHER)
    return mended.refusal()


@pytest.fixture(scope="module")
def left(mended: Fleet, overtaken: str) -> Fleet:
    """After a stage of one cluster left the tree, and with it the ApplicationSet's list."""
    mended.repository.edit("overlays/prod.yaml", lambda config: config["clusters"][OTHER].pop("patch"))
    mended.repository.commit("No note on the other")
    mended.eventually(lambda: unlisted(mended))
    return mended


def test_with_a_canary_that_is_not_healthy_the_next_wave_gets_nothing(unhealthy: Fleet):
    said = steps(unhealthy)

    assert {said[f"msa-{OTHER}-{stage}"] for stage in ("namespaces", "operator", "istio", "resources")} == {"Waiting"}
    assert HOME not in unhealthy.clusters[OTHER].kubectl("get", "namespaces")
    assert (unhealthy.said(CANARY), unhealthy.said(OTHER)) == (None, None)


def test_once_the_canary_is_healthy_the_next_wave_follows(healthy: Fleet):
    assert (healthy.said(CANARY), healthy.said(OTHER)) == ("one", "one")


def test_a_commit_that_fails_on_the_canary_does_not_reach_the_next_wave(healthy: Fleet, halted: str):
    assert "198.51.100.1" in halted
    assert (healthy.said(CANARY), healthy.said(OTHER)) == ("two", "one")


def test_the_commit_that_mends_it_reaches_both(mended: Fleet):
    assert (mended.said(CANARY), mended.said(OTHER)) == ("three", "three")


def test_what_leaves_a_stage_leaves_the_cluster(mended: Fleet):
    assert "extra" not in mended.clusters[CANARY].list("configmaps", HOME)


def test_a_later_wave_that_argo_cd_looks_at_first_does_not_wait(mended: Fleet, overtaken: str):
    """A weakness of RollingSync, and why MG431 asks for branches."""
    assert "198.51.100.1" in overtaken
    assert mended.said(OTHER) == "four"


def test_an_application_that_leaves_the_list_stays_with_all_that_it_applied(left: Fleet):
    assert note_of(OTHER) in left.applications()
    assert left.said(OTHER) == "four"
