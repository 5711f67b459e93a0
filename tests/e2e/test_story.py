"""The seed's story, from commits to Services: the example is delivered, closed, edited, pruned, broken, mended, grown,
emptied.

Each fixture is the next commit, or a person's deed, and gives the cluster's state after it; so a test that runs alone
brings about just what comes before it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import pytest

from tests.e2e.isolation import is_isolated, listening_beyond_loopback
from tests.e2e.processes import eventually
from tests.e2e.scene import HOME, ISTIO_OPERATOR, Scene, State
from tests.objects import Object, text_of

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("story")]

JAEGER = {"tracing", "zipkin", "jaeger-collector"}
ADDONS = ("prometheus", "grafana", "kiali")


@dataclass(frozen=True)
class Refusal:
    """A commit that can't be applied: what was there before, what is there after, and what the engine says."""

    before: State
    after: State
    message: str


@pytest.fixture(scope="module")
def begun(scene: Scene) -> str:
    """The first commit, as far as it comes while no operator makes anything of the IstioOperator."""
    revision = scene.repository.commit("The mesh as the example has it")
    scene.bootstrap()
    scene.engine.fetch()
    eventually(lambda: scene.cluster.get(ISTIO_OPERATOR, "msa", HOME), scene.engine.explain)
    return revision


@pytest.fixture(scope="module")
def installed(scene: Scene, begun: str) -> State:
    scene.play_operator()
    scene.engine.deliver(begun)
    return scene.state()


@pytest.fixture(scope="module")
def closed(scene: Scene, installed: State) -> State:
    scene.patch("expose", grafana=None)
    scene.engine.deliver(scene.repository.commit("Grafana is for the mesh alone"))
    return scene.state()


@pytest.fixture(scope="module")
def edited(scene: Scene, closed: State) -> State:
    """After a person closed one Service and opened another by hand."""
    for name, edit in (
        ("kiali", {"type": "ClusterIP", "loadBalancerSourceRanges": None}),
        ("grafana", {"type": "LoadBalancer"}),
    ):
        patch = json.dumps({"spec": edit})
        scene.cluster.kubectl("patch", "service", name, f"--namespace={HOME}", f"--patch={patch}")
    scene.engine.reconcile("addons")
    eventually(lambda: scene.state().open == closed.open, scene.engine.explain)
    return scene.state()


@pytest.fixture(scope="module")
def pruned(scene: Scene, edited: State) -> State:
    scene.patch("addons", jaeger=None)
    scene.patch("expose", tracing=None)
    scene.engine.deliver(scene.repository.commit("Traces go elsewhere"))
    return scene.state()


@pytest.fixture(scope="module")
def refused(scene: Scene, pruned: State) -> Refusal:
    scene.patch("addons", zipkin={"source": "./zipkin.yaml"}, grafana={"version": "9.9.9"})
    scene.patch("expose", kiali=None)
    message = scene.engine.refused(scene.repository.commit("An address of another cluster"), "addons")
    return Refusal(pruned, scene.state(), message)


@pytest.fixture(scope="module")
def mended(scene: Scene, refused: Refusal) -> State:
    scene.patch("addons", zipkin=None)
    scene.engine.deliver(scene.repository.commit("Without that address"))
    return scene.state()


@pytest.fixture(scope="module")
def grown(scene: Scene, mended: State) -> State:
    """After the cluster came to differ from its environment, and a stage came that was not there before."""
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": HOME}}
    (scene.repository.work / "note.yaml").write_text(text_of(note))
    scene.patch("resources", note={"path": "./note.yaml"})
    scene.patch_cluster(expose={"kiali": {"public": "this cluster alone shows its mesh"}})
    scene.engine.deliver(scene.repository.commit("A note for all, and Kiali on one cluster"))
    return scene.state()


@pytest.fixture(scope="module")
def shrunk(scene: Scene, grown: State) -> State:
    """After the last object of a stage left, and the stage with it."""
    scene.patch("resources", note=None)
    scene.engine.deliver(scene.repository.commit("No note after all"))
    return scene.state()


@pytest.fixture(scope="module")
def handed_over(scene: Scene, shrunk: State) -> State:
    """While a commit gives the cluster to a management cluster, or to an ApplicationSet, that are not there."""
    overlay = scene.repository.work / "overlays" / f"{scene.environment}.yaml"
    before = overlay.read_text()
    scene.repository.edit(f"overlays/{overlay.name}", partial(_hand_over, argocd="argocd" in before))
    scene.repository.commit("Others apply it")
    scene.engine.fetch()
    eventually(lambda: re.search("path (not found|does not exist)", scene.engine.explain()), scene.engine.explain)
    state = scene.state()
    overlay.write_text(before)
    scene.engine.deliver(scene.repository.commit("As before"))
    return state


def _hand_over(config: Object, *, argocd: bool) -> None:
    engine, setting = ("argocd", {"applicationSet": True}) if argocd else ("flux", {"kubeConfig": {}})
    config["patch"].setdefault("delivery", {}).setdefault(engine, {}).update(setting)


@pytest.fixture(scope="module")
def emptied(scene: Scene, handed_over: State) -> State:
    """After the last addons left, all at once."""
    scene.patch("addons", **dict.fromkeys(ADDONS))
    scene.patch("expose", **dict.fromkeys(("kiali", "grafana")))
    scene.unpatch_clusters()
    scene.engine.deliver(scene.repository.commit("No addons"))
    eventually(lambda: not scene.state().services, scene.engine.explain)
    return scene.state()


@pytest.fixture(scope="module")
def forgotten(scene: Scene, emptied: State) -> str:
    """After a person deleted what applies Istio; give which object the IstioOperator was until then."""
    before: str = scene.cluster.get(ISTIO_OPERATOR, "msa", HOME)["metadata"]["uid"]
    scene.engine.forget("istio")
    return before


def test_addons_wait_while_the_operator_has_not_brought_istio_up(scene: Scene, begun: str):
    eventually(lambda: "-istio" in scene.engine.waiting(), scene.engine.explain)

    assert scene.state().services == {}


def test_a_commit_opens_the_services_that_the_config_names(scene: Scene, installed: State):
    assert installed.open == scene.opened
    assert installed.services.keys() >= {"kiali", "grafana", "prometheus", *JAEGER}


def test_a_commit_closes_a_service_again(scene: Scene, closed: State):
    assert closed.open == scene.opened - {"grafana"}
    assert not [port for port in closed.services["grafana"]["spec"]["ports"] if "nodePort" in port]


def test_what_a_person_edits_is_put_right(closed: State, edited: State):
    assert edited.open == closed.open
    asked = [state.services["kiali"]["spec"].get("loadBalancerSourceRanges") for state in (closed, edited)]
    assert asked[0] == asked[1]


def test_what_leaves_the_config_leaves_the_cluster(edited: State, pruned: State):
    assert edited.services.keys() - pruned.services.keys() == JAEGER
    assert edited.deployments.keys() - pruned.deployments.keys() == {"jaeger"}


@pytest.mark.parametrize("scene", ["Flux"], indirect=True)
def test_with_an_invalid_object_flux_leaves_services_and_workloads_of_its_stage_as_they_were(refused: Refusal):
    assert "198.51.100.1" in refused.message
    assert refused.after.wanted() == refused.before.wanted()


@pytest.mark.parametrize("scene", ["Argo CD"], indirect=True)
def test_with_an_invalid_object_argo_cd_says_why_and_takes_nothing_away(refused: Refusal):
    # It asks the server about an object when it applies it, with all others of its stage: those that are valid change.
    assert "198.51.100.1" in refused.message
    assert refused.after.uids == refused.before.uids
    assert refused.after.deployments.keys() >= refused.before.deployments.keys()


def test_the_commit_after_a_refused_one_is_delivered(refused: Refusal, mended: State):
    assert mended.open == refused.before.open - {"kiali"}
    assert "9.9.9" in str(mended.deployments["grafana"]["spec"])


def test_a_cluster_that_comes_to_differ_and_a_new_stage_are_delivered(scene: Scene, mended: State, grown: State):
    assert grown.open == mended.open | {"kiali"}
    assert "note" in scene.cluster.list("configmaps", HOME)


def test_a_stage_that_leaves_takes_its_objects_along_and_nothing_else(scene: Scene, grown: State, shrunk: State):
    eventually(lambda: "note" not in scene.cluster.list("configmaps", HOME), scene.engine.explain)

    assert shrunk.wanted() == grown.wanted()
    assert scene.cluster.get(ISTIO_OPERATOR, "msa", HOME)


def test_a_commit_that_has_others_apply_the_cluster_takes_nothing_away(shrunk: State, handed_over: State):
    assert handed_over.wanted() == shrunk.wanted()


def test_addons_that_all_leave_at_once_leave_nothing_behind(scene: Scene, shrunk: State, emptied: State):
    assert shrunk.services.keys() >= set(ADDONS)
    assert emptied.deployments.keys() == {"istiod", "istio-ingressgateway"}
    for kind in ("serviceaccounts", "configmaps", "roles", "rolebindings", "clusterroles", "clusterrolebindings"):
        assert [name for name in scene.cluster.list(kind, HOME) if name.startswith(ADDONS)] == [], kind


def test_nobody_uninstalls_istio_by_deleting_what_applies_it(scene: Scene, forgotten: str):
    assert scene.cluster.get(ISTIO_OPERATOR, "msa", HOME)["metadata"]["uid"] == forgotten


def test_no_commit_makes_a_service_anew(
    installed: State, closed: State, edited: State, pruned: State, refused: Refusal, mended: State, grown: State
):
    states = [installed, closed, edited, pruned, refused.after, mended, grown]

    changed = {
        (name, before.uids[name], after.uids[name])
        for before, after in pairwise(states)
        for name in before.uids.keys() & after.uids.keys()
        if before.uids[name] != after.uids[name]
    }
    assert changed == set()


def test_nothing_of_it_can_be_reached_from_outside(scene: Scene, begun: str):
    """Argo CD's controller listens everywhere, so it has a network with nothing but loopback for itself."""
    everywhere = listening_beyond_loopback(os.getpid())

    assert everywhere == set() or is_isolated()
