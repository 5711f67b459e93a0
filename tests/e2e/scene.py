"""The project's own example on its way: a repository, a cluster and the engine that brings one to the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.e2e.argocd import ArgoCD, running_argocd
from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.flux import running_flux
from tests.e2e.isolation import loopback_only
from tests.e2e.repository import Repository, served_repository
from tests.objects import Object, copy_example, load_balancers

HOME = "istio-system"
ISTIO_OPERATOR = "istiooperators.install.istio.io"


class Engine(Protocol):
    """What Flux and Argo CD have in common."""

    def bootstrap(self, wiring: Path) -> None: ...
    def fetch(self) -> None: ...
    def deliver(self, revision: str) -> None: ...
    def waiting(self) -> str: ...
    def refused(self, revision: str, stage: str) -> str: ...
    def reconcile(self, stage: str) -> None: ...
    def forget(self, stage: str) -> None: ...
    def explain(self) -> str: ...


@dataclass(frozen=True)
class Scene:
    """One cluster of the example, by its name; its environment opens the Services `opened`."""

    cluster: Cluster
    repository: Repository
    engine: Engine
    environment: str
    name: str
    opened: frozenset[str]

    def bootstrap(self) -> None:
        """Do once what the tree's README says."""
        wiring = "argocd" if isinstance(self.engine, ArgoCD) else "flux"
        self.engine.bootstrap(self.repository.work / "output/clusters" / self.name / wiring)

    def patch(self, part: str, **keys: object) -> None:
        """Change a map of the environment's patch."""
        self._edit(lambda config: config["patch"].setdefault(part, {}).update(keys))

    def patch_cluster(self, **keys: object) -> None:
        """Have the cluster differ from its environment."""
        self._edit(lambda config: config["clusters"][self.name].update(patch=keys))

    def unpatch_clusters(self) -> None:
        """Have no cluster differ from its environment."""
        self._edit(lambda config: [cluster.pop("patch", None) for cluster in config["clusters"].values()])

    def _edit(self, change: Callable[[Object], object]) -> None:
        self.repository.edit(f"overlays/{self.environment}.yaml", change)

    def state(self) -> State:
        """What the cluster has now."""
        return State(self.cluster.list("services", HOME), self.cluster.list("deployments", HOME))

    def play_operator(self) -> None:
        """Make what Istio's operator makes of the IstioOperator, as far as anything in the tree waits for it.

        Flux waits for the Deployments, Argo CD for what the operator says of the IstioOperator.
        """
        for name in ("istiod", "istio-ingressgateway"):
            self.cluster.kubectl("create", "deployment", name, f"--namespace={HOME}", "--image=played")
        place = (ISTIO_OPERATOR, "msa", f"--namespace={HOME}", "--subresource=status")
        self.cluster.kubectl("patch", *place, "--type=merge", '--patch={"status": {"status": "HEALTHY"}}')


@dataclass(frozen=True)
class State:
    """The Services and Deployments of Istio's namespace at one moment, by name."""

    services: dict[str, Object]
    deployments: dict[str, Object]

    @property
    def open(self) -> set[str]:
        return load_balancers(self.services.values())

    @property
    def uids(self) -> dict[str, str]:
        return {name: service["metadata"]["uid"] for name, service in self.services.items()}

    def workloads(self) -> dict[str, Object]:
        """What is asked for of the Deployments, without what controllers report of them."""
        return {name: deployment["spec"] for name, deployment in self.deployments.items()}

    def wanted(self) -> dict[str, Object]:
        """The same of all, each by its kind and name, and which object it is."""
        objects = [*self.services.values(), *self.deployments.values()]
        return {
            f"{obj['kind']}/{obj['metadata']['name']}": {"uid": obj["metadata"]["uid"], **obj["spec"]}
            for obj in objects
        }


@contextmanager
def flux_scene(directory: Path, crds: Path) -> Iterator[Scene]:
    """The example's dev cluster, with its Flux, beside a second one that it may come to differ from."""
    opened = frozenset({"kiali", "tracing", "grafana"})
    with (
        running_cluster(directory) as cluster,
        _example(directory) as repository,
        running_flux(cluster, crds) as engine,
    ):
        repository.edit("overlays/dev.yaml", lambda config: config["clusters"].update(second=config["clusters"]["dev"]))
        yield Scene(cluster, repository, engine, "dev", "dev", opened)


@contextmanager
def argocd_scene(directory: Path, crds: Path) -> Iterator[Scene]:
    """A cluster of the example's production, with an Argo CD that runs in it."""
    opened = frozenset({"kiali", "grafana"})
    with loopback_only(), running_cluster(directory) as cluster, _example(directory) as repository:
        repository.edit("overlays/prod.yaml", lambda config: config["clusters"]["prod-kr"].pop("server"))
        # Else the commit after one that is refused waits half an hour.
        retry = {"refresh": True}
        repository.edit("overlays/prod.yaml", lambda config: config["patch"]["delivery"]["argocd"].update(retry=retry))
        with running_argocd(cluster, crds) as engine:
            yield Scene(cluster, repository, engine, "prod", "prod-kr", opened)


@contextmanager
def _example(directory: Path) -> Iterator[Repository]:
    with served_repository(directory) as repository:
        copy_example(repository.work)
        shutil.copy(Path(__file__).with_name("zipkin.yaml"), repository.work)
        for file, engine in (("meshgen.yaml", "flux"), ("overlays/prod.yaml", "argocd")):
            repository.edit(file, partial(_move, engine=engine, url=repository.url))
        yield repository


def _move(config: Object, *, engine: str, url: str) -> None:
    """Have an engine fetch from the test's repository."""
    config.get("patch", config)["delivery"][engine]["url"] = url
