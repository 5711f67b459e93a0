"""What is said of a delivery that can be rendered: where nothing waits, and where one server has two clusters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.objects import Object, mesh, output_of, overlay, write_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
HUB: Object = {**SOURCE, "kubeConfig": {}}
SET: Object = {**SOURCE, "applicationSet": True}
WAVES: Object = {"canary": {"order": 1, "clusters": ["a"]}, "rest": {"order": 2}}
BRANCHES: Object = {name: {**wave, "branch": f"mesh-{name}"} for name, wave in WAVES.items()}
SERVERS: Object = {name: {"server": f"https://{name}.example.com"} for name in "ab"}


def rules(folder: Path, delivery: Object, clusters: Object = SERVERS, **keys: object) -> set[str]:
    """The rules of the group that is about fleets."""
    write_config(folder, mesh(delivery=delivery, **keys), overlay("dev", clusters=clusters))
    found = json.loads(output_of("validate", "-o", "json", cwd=folder))["findings"]
    return {one["rule"] for one in found if "MG430" <= one["rule"] <= "MG449"}


@pytest.mark.parametrize(
    ("delivery", "waits"),
    [
        ({"flux": SOURCE, "waves": WAVES}, False),
        ({"flux": HUB, "waves": WAVES}, True),
        ({"flux": SOURCE, "waves": BRANCHES}, True),
        ({"argocd": SOURCE, "waves": WAVES}, False),
        ({"argocd": SET, "waves": WAVES}, False),
        ({"argocd": SET, "waves": BRANCHES}, True),
        # The first wave waits for none, so it needs no branch of its own.
        ({"argocd": SOURCE, "waves": {**WAVES, "rest": BRANCHES["rest"]}}, True),
        ({"flux": SOURCE, "waves": {**WAVES, "rest": BRANCHES["rest"]}}, True),
        ({"flux": SOURCE, "waves": {**BRANCHES, "rest": WAVES["rest"]}}, False),
        ({"argocd": {**SET, "ownCluster": True}, "waves": WAVES}, False),
        ({"argocd": SOURCE, "waves": BRANCHES}, True),
        ({"flux": HUB, "argocd": SOURCE, "waves": WAVES}, False),
        ({"flux": SOURCE, "waves": {"all": {"order": 1}}}, True),
        ({"flux": SOURCE, "waves": {"a": {"order": 1, "clusters": ["a"]}, "b": {"order": 1}}}, True),
        ({"flux": SOURCE}, True),
    ],
)
def test_waves_that_do_not_wait_are_said_to(tmp_path: Path, delivery: Object, waits: bool):
    assert rules(tmp_path, delivery) == (set() if waits else {"MG431"})


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"tier": "canary"}, False),
        ({"tier": "canary", "region": "eu"}, False),
        # Each is some cluster's, and both are none's.
        ({"tier": "canary", "region": "us"}, True),
        ({"tier": "cannary"}, True),
        ({"teir": "canary"}, True),
    ],
)
def test_labels_of_a_wave_that_no_cluster_has_are_said(tmp_path: Path, labels: Object, said: bool):
    labelled = {"a": {"labels": {"tier": "canary", "region": "eu"}}, "b": {"labels": {"region": "us"}}}
    waves = {"canary": {"order": 1, "labels": labels}, "rest": {"order": 2}}

    assert rules(tmp_path, {"flux": HUB, "waves": waves}, labelled) == ({"MG430"} if said else set())


def test_an_environment_may_have_none_of_the_clusters_of_the_meshs_waves(tmp_path: Path):
    write_config(tmp_path, mesh(), overlay("prod", clusters={"p": {"labels": {"tier": "canary"}}}))
    waves = {"canary": {"order": 1, "labels": {"tier": "canary"}}, "rest": {"order": 2}}

    assert rules(tmp_path, {"flux": HUB, "waves": waves}) == set()


STILL: Object = {"patch": {"delivery": {"flux": {"suspend": True}}}}


@pytest.mark.parametrize(
    ("clusters", "waves", "said"),
    [
        ({"a": STILL, "b": None}, WAVES, True),
        ({"a": None, "b": STILL}, WAVES, False),
        # All stand still, as is asked for.
        ({"a": STILL, "b": STILL}, WAVES, False),
        ({"a": STILL, "b": None}, {"all": {"order": 1}}, False),
        ({"a": STILL, "b": None}, {"one": {"order": 1, "clusters": ["a"]}, "two": {"order": 1}}, False),
        ({"a": STILL, "b": None}, None, False),
    ],
)
def test_a_suspended_cluster_that_holds_back_others_is_named(
    tmp_path: Path, clusters: Object, waves: Object | None, said: bool
):
    assert rules(tmp_path, {"flux": HUB, "waves": waves}, clusters) == ({"MG431"} if said else set())


@pytest.mark.parametrize(
    ("clusters", "argocd", "said"),
    [
        (SERVERS, SOURCE, False),
        ({"a": None}, SOURCE, False),
        ({"a": None, "b": None}, SOURCE, True),
        ({"a": None, "b": {"server": "https://b.example.com"}}, SOURCE, False),
        ({"a": None, "b": None}, {**SOURCE, "ownCluster": True}, False),
    ],
)
def test_clusters_that_share_argo_cds_own_server_are_named(
    tmp_path: Path, clusters: Object, argocd: Object, said: bool
):
    assert rules(tmp_path, {"argocd": argocd}, clusters) == ({"MG432"} if said else set())


def test_they_can_be_suppressed_with_a_reason(tmp_path: Path):
    suppress = {"own": {"rule": "MG431", "reason": "people watch the canary"}}

    assert rules(tmp_path, {"flux": SOURCE, "waves": WAVES}, policy={"suppress": suppress}) == set()


@pytest.mark.parametrize(
    ("keys", "kubernetes", "newer"),
    [
        ({}, "1.22", False),
        ({"ref": {"tag": "v1"}, "serviceAccountName": "x", "decryption": {}, "selfManaged": True}, "1.22", False),
        ({"verify": {"secretRef": "keys"}, "postBuild": {"substitute": {"a": "b"}}, "shard": "one"}, "1.22", False),
        ({"alerts": {"ops": {"secretRef": "slack"}}}, "1.22", True),
        ({"url": "oci://example.com/mesh"}, "1.22", True),
        # On a management cluster runs a Flux of its own age.
        ({"url": "oci://example.com/mesh", "kubeConfig": {}}, "1.22", False),
    ],
)
def test_a_flux_that_kubernetes_is_too_old_for_is_named(tmp_path: Path, keys: Object, kubernetes: str, newer: bool):
    clusters = {"a": {"kubernetesVersion": kubernetes}}

    assert rules(tmp_path, {"flux": {**SOURCE, **keys}}, clusters) == ({"MG433"} if newer else set())


@pytest.mark.parametrize(
    "keys",
    [
        {"interval": "1.5h", "retryInterval": "0.5m", "timeout": "1h30m"},
        {"url": "ssh://git@example.com/mesh.git", "secretRef": "key"},
        {"ref": {"semver": "1.0.0 - 2.x || ^3.1-0, !=3.2.1"}, "verify": {"mode": "HEAD", "secretRef": "keys"}},
        {"branch": "refs-of-mine/heads"},
    ],
)
def test_what_flux_takes_is_no_finding(tmp_path: Path, keys: Object):
    assert rules(tmp_path, {"flux": {**SOURCE, **keys}}, {"a": None}) == set()


@pytest.mark.parametrize(
    ("istio", "kubeconfig", "said"),
    [
        ({"version": "1.11.3"}, {}, False),
        ({"version": "1.30.3", "values": {"defaultRevision": "default"}}, {}, True),
        ({"version": "1.30.3", "values": {"defaultRevision": "default"}}, {"local": True}, False),
    ],
)
def test_charts_on_a_hub_need_their_controllers_on_the_cluster(
    tmp_path: Path, istio: Object, kubeconfig: Object, said: bool
):
    found = rules(tmp_path, {"flux": {**SOURCE, "kubeConfig": kubeconfig}}, {"a": None}, istio=istio)

    assert found == ({"MG435"} if said else set())


def test_more_clusters_than_an_application_set_holds_are_said(tmp_path: Path):
    clusters = {f"c{number}": {"server": f"https://c{number}.example.com"} for number in range(251)}

    assert rules(tmp_path, {"argocd": SET}, clusters) == {"MG437"}


def test_names_that_are_too_long_for_a_hub_are_refused(tmp_path: Path):
    write_config(
        tmp_path,
        mesh(delivery={"flux": HUB, "waves": {"w" * 40: {"order": 1}}}),
        overlay("e" * 30, clusters={"c" * 55: None}),
    )

    with pytest.raises(AssertionError, match="MG214") as refused:
        output_of("validate", cwd=tmp_path)
    assert f"msa-{'c' * 55}-namespaces is too long" in str(refused.value)
    assert f"msa.{'e' * 30}.{'w' * 40} is too long" in str(refused.value)
