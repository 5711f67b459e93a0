"""Two clusters with an API server each, and the one Argo CD that serves both; it runs on the first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from tests.e2e.argocd import NAMESPACE, ArgoCD, running_argocd
from tests.e2e.cluster import Cluster, running_cluster
from tests.e2e.fleet import CANARY, HOME, OTHER, WAVES, member, said, write_note
from tests.e2e.isolation import loopback_only
from tests.e2e.processes import eventually
from tests.e2e.repository import Repository, served_repository
from tests.objects import Object, mesh, overlay, write_config

T = TypeVar("T")
ENVIRONMENT, ROOT = "environments/prod/argocd", "msa.prod"
_ISTIO_OPERATOR = "istiooperators.install.istio.io"
# Longer than the tests take: so they say which Application sees a commit first.
_RESYNC = 900
# Questions; each look costs a comparison of all that an Application has.
_BETWEEN_LOOKS = 8


@dataclass(frozen=True)
class Fleet:
    """The canary and the cluster of the next wave, by name, and what is delivered to them."""

    clusters: dict[str, Cluster]
    repository: Repository
    engine: ArgoCD

    @property
    def output(self) -> Path:
        return self.repository.work / "output"

    def note(self, cluster: str, text: str, *others: Object) -> None:
        """Have the note of a cluster say something, beside other objects."""
        write_note(self.repository, cluster, text, *others)

    def said(self, cluster: str) -> str | None:
        """What the note of a cluster says there; None before it came."""
        return said(self.clusters[cluster], cluster)

    def admit(self, cluster: str) -> None:
        """Do what `argocd cluster add` does: give Argo CD the address of a cluster, and the right to apply to it."""
        address, user = _access(self.clusters[cluster])
        config = {"bearerToken": user["token"], "tlsClientConfig": {"caData": address["certificate-authority-data"]}}
        labels = {"argocd.argoproj.io/secret-type": "cluster"}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"cluster-{cluster}", "namespace": NAMESPACE, "labels": labels},
            "stringData": {"name": cluster, "server": address["server"], "config": json.dumps(config)},
        }
        self.engine.cluster.apply(secret)

    def bootstrap(self) -> None:
        """Do once what the tree's README says, after its patches; wait until Argo CD applies what stands in Git."""
        files = [self.output / ENVIRONMENT / name for name in ("project.yaml", "root.yaml")]
        self.engine.cluster.kubectl("apply", *(f"--filename={file}" for file in files))

        # Else an Application that is seen before its project waits for the next resync.
        self.eventually(lambda: "operationState" in self.application(ROOT).get("status", {}))

    def eventually(self, condition: Callable[[], T | None], cluster: str | None = None) -> T:
        """Ask until the answer is true, and give it, while Argo CD looks at a cluster's stages, or at all.

        It looks again and again: what it sees too early (a CRD that is not served yet, an Application without its
        project) it would else look at with the next resync only, and there is none while the tests run.
        """
        asked = count()

        def answer() -> T | None:
            if next(asked) % _BETWEEN_LOOKS:
                return condition()
            if cluster is None:
                self.engine.fetch()
            elif stages := [name for name in self.applications() if name.startswith(f"msa-{cluster}-")]:
                self.engine.fetch(*stages)
            return condition()

        return eventually(answer, self.engine.explain)

    def applications(self) -> dict[str, Object]:
        return self.engine.cluster.list("applications", NAMESPACE)

    def application(self, name: str) -> Object:
        return self.engine.cluster.get("application", name, NAMESPACE)

    def play_operator(self, cluster: str) -> None:
        """Wait for a cluster's IstioOperator, and say of it what Istio's operator says once Istio runs."""
        place = (_ISTIO_OPERATOR, "msa", f"--namespace={HOME}", "--subresource=status")
        healthy = '--patch={"status": {"status": "HEALTHY"}}'
        patch = ("patch", *place, "--type=merge", healthy)
        self.eventually(lambda: self.clusters[cluster].kubectl(*patch))

    def said_last(self, application: str) -> str:
        """What an Application says of its sync; nothing before there is one."""
        said: str = self.application(application).get("status", {}).get("operationState", {}).get("message", "")
        return said

    def refusal(self) -> str:
        """Wait until a sync of the canary's note has failed; give what Argo CD says."""

        def message() -> str | None:
            said = self.said_last(note_of(CANARY))
            return said if "is invalid" in said else None

        return self.eventually(message, CANARY)

    def look(self) -> None:
        """Have Argo CD look at all Applications that there are, and wait until it has."""
        before = self._reconciled()

        def looked() -> bool:
            # In another second: Argo CD counts in seconds, so that it may have looked twice in one.
            now = self._reconciled()
            return all(now[name] != at for name, at in before.items())

        self.eventually(looked)

    def _reconciled(self) -> dict[str, str | None]:
        return {name: one.get("status", {}).get("reconciledAt") for name, one in self.applications().items()}

    def saw(self, application: str, revision: str) -> bool:
        """Whether an Application has compared its cluster with a commit."""
        sync: Object = self.application(application).get("status", {}).get("sync", {})
        return bool(sync.get("revision") == revision)


def note_of(cluster: str) -> str:
    """The Application of a cluster's note."""
    return f"msa-{cluster}-resources"


@contextmanager
def running_fleet(directory: Path, crds: Path, **argocd: object) -> Iterator[Fleet]:
    """Start it, with a config whose `delivery.argocd` has these keys; nothing is rendered yet."""
    with ExitStack() as stack:
        stack.enter_context(loopback_only())
        clusters = {}
        for name in (CANARY, OTHER):
            (directory / name).mkdir()
            clusters[name] = stack.enter_context(running_cluster(directory / name))
        repository = stack.enter_context(served_repository(directory))
        engine = stack.enter_context(running_argocd(clusters[CANARY], crds, resync=_RESYNC))
        # Else the commit after one that is refused waits half an hour.
        settings = {"url": repository.url, "retry": {"refresh": True}, **argocd}
        istio = {"version": "1.11.3", "profile": "empty"}
        config = mesh(istio=istio, delivery={"argocd": settings, "waves": WAVES})
        members = {name: member(name, server=_access(cluster)[0]["server"]) for name, cluster in clusters.items()}
        write_config(repository.work, config, overlay("prod", clusters=members))
        fleet = Fleet(clusters, repository, engine)
        for name in clusters:
            fleet.admit(name)
            fleet.note(name, "one")
        yield fleet


def _access(cluster: Cluster) -> tuple[Object, Object]:
    """How a cluster is reached, and as whom, as its kubeconfig says it."""
    view = ("config", "view", "--raw", "--flatten", "--minify", "--output=json")
    config = json.loads(cluster.kubectl(*view))
    return config["clusters"][0]["cluster"], config["users"][0]["user"]
