"""The real Flux decrypts what a tree holds encrypted; where it is not told to, it applies the ciphertext."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.apiserver import api_server
from tests.e2e.cluster import Cluster
from tests.e2e.flux import NAMESPACE, Flux, running_flux
from tests.e2e.processes import eventually
from tests.e2e.repository import Repository, served_repository
from tests.encryption.objects import plain
from tests.encryption.test_sops import RULE, Sops, age_key
from tests.encryption.test_tree import taking
from tests.objects import mesh, overlay, read_yaml, write_config

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("encryption")]

HOME = "istio-system"
# Out of order, so that kustomize changes the order and no MAC of them survives.
VALUES = {"user": "admin", "password": "a: b\n#c\n", "a.key": "ö"}
ENCODED = {key: base64.b64encode(value.encode()).decode() for key, value in VALUES.items()}
SECRETS = {"dev": plain(VALUES), "prod": plain({**ENCODED, "at": "cHJvZA=="}, part="data")}
WANTED = {"dev": VALUES, "prod": {**VALUES, "at": "prod"}}


@dataclass(frozen=True)
class Delivery:
    """A repository with a secret of each environment's own, and a Flux that has the key."""

    cluster: Cluster
    repository: Repository
    flux: Flux

    def apply(self, cluster: str, name: str, **changes: object) -> None:
        """Apply the Kustomization of a cluster's resources as the tree has it, without the stages before it."""
        wiring = self.repository.work / "output" / "clusters" / cluster / "flux"
        objects = [obj for file in wiring.glob("*.yaml") for obj in read_yaml(file.read_text())]
        found = next(one for one in objects if one["metadata"]["name"].endswith("-resources") and "spec" in one)
        source = next(one for one in objects if one["kind"] == "GitRepository")
        found["spec"] = {key: value for key, value in found["spec"].items() if key != "dependsOn"} | changes
        found["spec"] = {key: value for key, value in found["spec"].items() if value is not None}
        found["metadata"]["name"] = name
        self.cluster.apply(source, found)
        self.flux.fetch()

    def secret(self, name: str) -> dict[str, str]:
        """The values of a Secret of the cluster."""
        data = self.cluster.get("secret", name, HOME)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory, cases: Path) -> Iterator[Delivery]:
    directory = tmp_path_factory.mktemp("delivery")
    sops = Sops(age_key(directory))
    with api_server() as server, served_repository(directory) as repository:
        cluster = Cluster(server, directory)
        with running_flux(cluster, cases / "gitops-crds") as flux:
            cluster.kubectl("create", "namespace", HOME)
            key = f"--from-file=age.agekey={directory / 'key.txt'}"
            cluster.kubectl("create", "secret", "generic", "sops-age", f"--namespace={NAMESPACE}", key)
            for name, obj in SECRETS.items():
                sops.encrypt(repository.work / name / "grafana.yaml", obj, *RULE)
            engine = {"url": repository.url, "branch": "main", "decryption": {"secretRef": "sops-age"}}
            write_config(
                repository.work,
                mesh(**taking("dev"), delivery={"flux": engine}),
                overlay("dev", clusters={"dev": None}),
                overlay("prod", patch=taking("prod"), clusters={"prod": None}),
            )
            repository.commit("Secrets of each environment's own")
            yield Delivery(cluster, repository, flux)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_flux_applies_the_secret_of_each_environment(delivery: Delivery, name: str):
    delivery.apply(name, name, prune=False)

    eventually(lambda: delivery.secret("grafana") == WANTED[name], delivery.flux.explain)
    assert "sops" not in delivery.cluster.get("secret", "grafana", HOME)


def test_without_decryption_flux_applies_the_ciphertext(delivery: Delivery):
    delivery.apply("dev", "untold", decryption=None, prune=False)

    def is_ciphertext() -> bool:
        values = delivery.secret("grafana").values()
        return all(value.startswith("ENC[AES256_GCM,") for value in values)

    # So nothing but meshgen says that it is not told to decrypt.
    eventually(is_ciphertext, delivery.flux.explain)
