"""Waves of a fleet under one Flux: what fails on the canary reaches no cluster of the next wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.fleet import CANARY, OTHER, WAVES, WRONG, member, said, write_note
from tests.e2e.flux import NAMESPACE, Flux, running_flux
from tests.e2e.processes import eventually
from tests.e2e.repository import Repository, served_repository
from tests.objects import Object, mesh, overlay, write_config

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("waves")]


@dataclass(frozen=True)
class Fleet:
    """Two clusters of one environment, one wave each, whose Flux runs on the cluster that is both of them here."""

    cluster: Cluster
    repository: Repository
    engine: Flux

    def note(self, cluster: str, text: str, *others: Object) -> None:
        """Have a note of a cluster's own say something, beside other objects."""
        write_note(self.repository, cluster, text, *others)

    def said(self, cluster: str) -> str | None:
        """What the note of a cluster says there; None before it came."""
        return said(self.cluster, cluster)

    def fails_on(self, cluster: str, revision: str) -> bool:
        """Whether a cluster refuses the resources of a revision."""
        name = f"msa-{cluster}-resources"
        attempted = self.cluster.get("kustomization", name, NAMESPACE)["status"].get("lastAttemptedRevision", "")
        return bool(attempted.endswith(revision)) and self.state(name)[1] == "ReconciliationFailed"

    def state(self, kustomization: str) -> tuple[str, str, str]:
        """The status, the reason and the message of a Kustomization of Flux's."""
        found = self.cluster.list("kustomizations", NAMESPACE).get(kustomization, {})
        conditions = found.get("status", {}).get("conditions", [])
        ready = next((one for one in conditions if one["type"] == "Ready"), {})
        return ready.get("status", ""), ready.get("reason", ""), ready.get("message", "")

    def admit(self, cluster: str) -> None:
        """Give the Flux of the fleet the kubeconfig of a cluster."""
        # Flux reads no file that a kubeconfig names.
        whole = self.cluster.kubectl("config", "view", "--raw", "--flatten", "--minify")
        metadata = {"name": f"{cluster}-kubeconfig", "namespace": NAMESPACE}
        self.cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"value": whole}})

    def waits(self, cluster: str) -> bool:
        """Whether the root of a cluster, which its stages come from, waits for the gate of the wave before."""
        status, reason, message = self.state(f"msa-{cluster}.root")
        return status == "False" and reason == "DependencyNotReady" and "msa.prod.canary" in message


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("fleet")
    with (
        running_cluster(directory) as cluster,
        served_repository(directory) as repository,
        running_flux(cluster, crds) as engine,
    ):
        config = mesh(
            istio={"version": "1.11.3", "profile": "empty"},
            delivery={"flux": {"url": repository.url, "kubeConfig": {}}, "waves": WAVES},
        )
        clusters = {name: member(name) for name in (CANARY, OTHER)}
        write_config(repository.work, config, overlay("prod", clusters=clusters))
        made = Fleet(cluster, repository, engine)
        made.note(CANARY, "one")
        made.note(OTHER, "one")
        yield made


@pytest.fixture(scope="module")
def unreachable(fleet: Fleet) -> str:
    """The first commit, while nobody can reach the canary."""
    revision = fleet.repository.commit("A fleet of two")
    fleet.admit(OTHER)
    fleet.engine.bootstrap(fleet.repository.work / "output/environments/prod/flux")
    fleet.engine.fetch()
    eventually(lambda: fleet.state(f"msa-{CANARY}-namespaces")[0] == "False", fleet.engine.explain)
    eventually(lambda: fleet.waits(OTHER), fleet.engine.explain)
    return revision


@pytest.fixture(scope="module")
def reached(fleet: Fleet, unreachable: str) -> str:
    """After the canary can be reached."""
    fleet.admit(CANARY)
    fleet.engine.reconcile("canary-namespaces")
    fleet.engine.deliver(unreachable)
    return unreachable


@pytest.fixture(scope="module")
def failing(fleet: Fleet, reached: str) -> str:
    """A commit whose change for the canary no API server takes; give what Flux says of it."""
    fleet.note(CANARY, "two", WRONG)
    fleet.note(OTHER, "two")
    try_on_canary(fleet, "Two for all, and an address that the canary does not have")
    return fleet.state(f"msa-{CANARY}-resources")[2]


def try_on_canary(fleet: Fleet, message: str) -> None:
    """Commit what fails on the canary, until that is so and the next wave waits."""
    revision = fleet.repository.commit(message)
    fleet.engine.fetch()
    eventually(lambda: fleet.fails_on(CANARY, revision), fleet.engine.explain)
    eventually(lambda: fleet.waits(OTHER), fleet.engine.explain)


def test_with_a_canary_that_nobody_reaches_the_next_wave_gets_nothing(fleet: Fleet, unreachable: str):
    assert fleet.state(f"msa-{CANARY}-namespaces")[0] == "False"
    assert (fleet.said(CANARY), fleet.said(OTHER)) == (None, None)


def test_once_the_canary_is_well_the_next_wave_follows(fleet: Fleet, reached: str):
    assert (fleet.said(CANARY), fleet.said(OTHER)) == ("one", "one")


def test_a_commit_that_fails_on_the_canary_does_not_reach_the_next_wave(fleet: Fleet, failing: str):
    assert "198.51.100.1" in failing
    assert fleet.said(OTHER) == "one"


def test_a_stage_that_leaves_while_the_canary_fails_stays_on_the_next_wave(fleet: Fleet, failing: str):
    overlay = (fleet.repository.work / "overlays/prod.yaml").read_text()
    fleet.repository.edit("overlays/prod.yaml", lambda config: config["clusters"][OTHER].pop("patch"))
    try_on_canary(fleet, "No note on the other")

    assert fleet.said(OTHER) == "one"
    (fleet.repository.work / "overlays/prod.yaml").write_text(overlay)


def test_the_commit_that_mends_it_reaches_both(fleet: Fleet, failing: str):
    fleet.note(CANARY, "three")
    fleet.note(OTHER, "three")
    fleet.engine.deliver(fleet.repository.commit("Without that port"))

    assert (fleet.said(CANARY), fleet.said(OTHER)) == ("three", "three")


def test_a_stage_that_leaves_one_cluster_leaves_no_other(fleet: Fleet, reached: str):
    fleet.note(CANARY, "four")
    fleet.repository.edit("overlays/prod.yaml", lambda config: config["clusters"][OTHER].pop("patch"))
    fleet.engine.deliver(fleet.repository.commit("No note on the other"))

    eventually(lambda: fleet.said(OTHER) is None, fleet.engine.explain)
    assert fleet.said(CANARY) == "four"
