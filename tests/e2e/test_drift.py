"""The webhooks of istiod, which istiod itself writes to as long as it runs, and the engines that apply them.

meshgen leaves out of its manifests what istiod decides, which is enough for Flux. Istio's charts don't, so for Argo CD
a commit says it as they do: what differs between Git and the cluster is just what an Application is to ignore.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.argocd import ArgoCD, running_argocd
from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.flux import Flux, running_flux
from tests.e2e.isolation import loopback_only
from tests.e2e.processes import eventually
from tests.e2e.repository import Repository, served_repository
from tests.objects import Object, mesh, text_of, write_config

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("drift")]

ISTIO = {"version": "1.31.0", "install": "manifests"}
VALIDATING = "ValidatingWebhookConfiguration", "istio-validator-istio-system"
MUTATING = "MutatingWebhookConfiguration", "istio-sidecar-injector"
CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()


@pytest.fixture(scope="module")
def by_flux(tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[Flux]:
    """Istio as manifests of istioctl, on a cluster where istiod has written to its webhooks."""
    directory = tmp_path_factory.mktemp("drift")
    with running_cluster(directory) as cluster, served_repository(directory) as repository:
        write_config(repository.work, mesh(istio=ISTIO, delivery={"flux": {"url": repository.url}}))
        revision = repository.commit("Istio")
        with running_flux(cluster, crds) as flux:
            flux.bootstrap(repository.work / "output/clusters/msa/flux")
            flux.deliver(revision)
            play_istiod(cluster)
            yield flux


@pytest.fixture(scope="module")
def by_argocd(tmp_path_factory: pytest.TempPathFactory, crds: Path) -> Iterator[tuple[ArgoCD, Repository]]:
    """The same by Argo CD, with the fields that istiod writes to in Git too."""
    directory = tmp_path_factory.mktemp("drift")
    with loopback_only(), running_cluster(directory) as cluster, served_repository(directory) as repository:
        write_config(repository.work, mesh(istio=ISTIO, delivery={"argocd": {"url": repository.url}}))
        revision = commit_as_charts_would(repository, "Istio")
        with running_argocd(cluster, crds) as argocd:
            argocd.bootstrap(repository.work / "output/clusters/msa/argocd")
            argocd.deliver(revision)
            assert written(cluster) == {"", "Ignore"}
            play_istiod(cluster)
            yield argocd, repository


def commit_as_charts_would(repository: Repository, message: str) -> str:
    """Commit the rendered tree, with what charts say of istiod's own fields: no certificate, and not yet mandatory."""
    repository.render("--overwrite")
    for kind, name in (VALIDATING, MUTATING):
        (path,) = repository.work.glob(f"output/base/*/istio/{kind.lower()}-{name}.yaml")
        found = yaml.safe_load(path.read_text())
        write(kind, found, "", "Ignore")
        path.write_text(text_of(found))
    return repository.push(message)


def play_istiod(cluster: Cluster) -> None:
    """Write to the webhooks what istiod writes: its root certificate, and that its validation is mandatory."""
    for kind, name in (VALIDATING, MUTATING):
        found = cluster.get(kind, name)
        write(kind, found, CERTIFICATE, "Fail")
        # Under istiod's name: Flux takes back what a person wrote with kubectl.
        cluster.kubectl("replace", "--field-manager=pilot-discovery", "--filename=-", stdin=json.dumps(found))


def write(kind: str, configuration: Object, certificate: str, policy: str) -> None:
    for webhook in configuration["webhooks"]:
        webhook["clientConfig"]["caBundle"] = certificate
        if kind == VALIDATING[0]:
            webhook["failurePolicy"] = policy


def written(cluster: Cluster) -> set[str]:
    """What the fields that istiod writes to hold."""
    validating, mutating = (cluster.get(*one)["webhooks"] for one in (VALIDATING, MUTATING))
    certificates = {hook["clientConfig"].get("caBundle", "") for hook in [*validating, *mutating]}
    return certificates | {hook["failurePolicy"] for hook in validating}


def put_another_field_wrong(cluster: Cluster) -> None:
    edit = '[{"op": "replace", "path": "/webhooks/0/reinvocationPolicy", "value": "IfNeeded"}]'
    cluster.kubectl("patch", *MUTATING, "--type=json", f"--patch={edit}")


def test_flux_puts_another_field_of_the_webhooks_right_and_leaves_what_istiod_wrote(by_flux: Flux):
    cluster = by_flux.cluster
    before = cluster.get(*MUTATING)["webhooks"]
    put_another_field_wrong(cluster)

    by_flux.reconcile("istio")

    assert cluster.get(*MUTATING)["webhooks"] == before
    assert written(cluster) == {CERTIFICATE, "Fail"}


def test_to_argo_cd_what_istiod_writes_is_no_drift(by_argocd: tuple[ArgoCD, Repository]):
    argocd, _ = by_argocd
    compared = argocd.application("istio")["status"]["reconciledAt"]

    argocd.fetch()
    eventually(lambda: argocd.application("istio")["status"]["reconciledAt"] != compared, argocd.explain)

    assert argocd.application("istio")["status"]["sync"]["status"] == "Synced"
    assert written(argocd.cluster) == {CERTIFICATE, "Fail"}


def test_argo_cd_puts_another_field_of_the_webhooks_right_and_leaves_what_istiod_wrote(
    by_argocd: tuple[ArgoCD, Repository],
):
    argocd, _ = by_argocd
    cluster = argocd.cluster
    before = cluster.get(*MUTATING)["webhooks"]
    put_another_field_wrong(cluster)

    eventually(lambda: cluster.get(*MUTATING)["webhooks"] == before, argocd.explain)

    assert written(cluster) == {CERTIFICATE, "Fail"}


def test_argo_cd_leaves_what_istiod_wrote_when_it_applies_a_commit(by_argocd: tuple[ArgoCD, Repository]):
    argocd, repository = by_argocd
    change = {"meshConfig": {"accessLogFile": "/dev/stdout"}}
    repository.edit("meshgen.yaml", lambda config: config["istio"].update(change))

    argocd.deliver(commit_as_charts_would(repository, "Log every request"))

    assert "/dev/stdout" in json.dumps(argocd.cluster.get("configmap", "istio", "istio-system"))
    assert written(argocd.cluster) == {CERTIFICATE, "Fail"}
