"""Flux: the real kustomize-controller, and the test in the place of source-controller."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from tests.e2e.cluster import Cluster
from tests.e2e.processes import Server, eventually, free_port, running, serving, wait_for_port
from tests.e2e.repository import git
from tests.objects import Object
from tests.tools import tool

NAMESPACE = "flux-system"
CRDS = (
    "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    "source.toolkit.fluxcd.io_gitrepositories.yaml",
    # What kustomize-controller watches besides.
    "source.toolkit.fluxcd.io_buckets.yaml",
    "source.toolkit.fluxcd.io_externalartifacts.yaml",
    "source.toolkit.fluxcd.io_ocirepositories.yaml",
)


@dataclass(frozen=True)
class Flux:
    """Flux in a cluster. It is told of a commit by `fetch`, as source-controller finds it within its interval."""

    cluster: Cluster
    server: Server
    artifacts: Path
    url: str

    def bootstrap(self, wiring: Path) -> None:
        """Do once what the tree's README says."""
        self.cluster.kubectl("apply", f"--kustomize={wiring}")

    def fetch(self) -> None:
        """Play source-controller: fetch what each GitRepository names, and publish it as an artifact."""
        for source in self.cluster.list("gitrepositories", NAMESPACE).values():
            status = json.dumps({"status": self._artifact(source)})
            name = source["metadata"]["name"]
            place = ("gitrepository", name, f"--namespace={NAMESPACE}", "--subresource=status")
            self.cluster.kubectl("patch", *place, "--type=merge", f"--patch={status}")

    def deliver(self, revision: str) -> None:
        """Fetch, and wait until every stage has applied this commit and is ready."""
        self.fetch()
        eventually(lambda: self._all_applied(revision), self.explain)

    def waiting(self) -> str:
        """What addons wait for."""
        said: str = _ready(self._kustomization("addons"))["message"]
        return said

    def refused(self, revision: str, stage: str) -> str:
        """Fetch, and wait until a stage says why this commit can't be applied; give what it says."""
        self.fetch()

        def message() -> str | None:
            ready = _ready(self._kustomization(stage))
            failed = ready["status"] == "False" and ready["reason"] == "ReconciliationFailed"
            attempted = self._kustomization(stage)["status"].get("lastAttemptedRevision", "")
            return ready["message"] if failed and attempted.endswith(revision) else None

        return eventually(message, self.explain)

    def reconcile(self, stage: str) -> None:
        """Have a stage applied now rather than within its interval, as `flux reconcile kustomization` does."""
        now = datetime.now(UTC).isoformat()
        name = self._kustomization(stage)["metadata"]["name"]
        asked = f"reconcile.fluxcd.io/requestedAt={now}"
        self.cluster.kubectl("annotate", "--overwrite", "kustomization", name, f"--namespace={NAMESPACE}", asked)
        eventually(lambda: self._kustomization(stage)["status"].get("lastHandledReconcileAt") == now, self.explain)

    def forget(self, stage: str) -> None:
        """Delete a stage's Kustomization, and wait until Flux is done with that."""
        name = self._kustomization(stage)["metadata"]["name"]
        self.cluster.kubectl("delete", "kustomization", name, f"--namespace={NAMESPACE}")

    def explain(self) -> str:
        """What each stage says of itself, and the controller's last words."""
        found = self.cluster.list("kustomizations", NAMESPACE).values()
        said = [f"{one['metadata']['name']}: {json.dumps(one.get('status'), indent=1)}" for one in found]
        return "\n".join([*said, self.server.last_words()])

    def _kustomization(self, stage: str) -> Object:
        found = self.cluster.list("kustomizations", NAMESPACE)
        return next(one for name, one in found.items() if name.endswith(f"-{stage}"))

    def _all_applied(self, revision: str) -> bool:
        return all(_is_applied(one, revision) for one in self.cluster.list("kustomizations", NAMESPACE).values())

    def _artifact(self, source: Object) -> Object:
        """The status of a source whose repository was fetched: the tree of its branch, packed."""
        branch = source["spec"]["ref"]["branch"]
        with tempfile.TemporaryDirectory(dir=self.artifacts) as folder:
            clone = Path(folder)
            git("clone", "--quiet", "--depth=1", f"--branch={branch}", source["spec"]["url"], ".", cwd=clone)
            commit = git("rev-parse", "HEAD", cwd=clone).strip()
            packed = self.artifacts / f"{commit}.tar.gz"
            git("archive", "--format=tar.gz", f"--output={packed}", "HEAD", cwd=clone)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
        artifact = {
            "url": f"{self.url}/{packed.name}",
            "path": packed.name,
            "digest": f"sha256:{hashlib.sha256(packed.read_bytes()).hexdigest()}",
            "revision": f"{branch}@sha1:{commit}",
            "lastUpdateTime": now,
        }
        generation = source["metadata"]["generation"]
        return {
            "artifact": artifact,
            "conditions": [{**ready, "observedGeneration": generation}],
            "observedGeneration": generation,
        }


@contextmanager
def running_flux(cluster: Cluster, crds: Path) -> Iterator[Flux]:
    """Install Flux's CRDs into a cluster, and run its kustomize-controller until the context ends."""
    cluster.install_crds(*(crds / name for name in CRDS))
    cluster.kubectl("create", "namespace", NAMESPACE)
    artifacts = cluster.directory / "artifacts"
    artifacts.mkdir()
    health = free_port()
    command = [
        str(tool("kustomize-controller")),
        f"--metrics-addr=127.0.0.1:{free_port()}",
        f"--health-addr=127.0.0.1:{health}",
        "--enable-leader-election=false",
        # Seconds between two looks at what a stage waits for; 30 otherwise.
        "--requeue-dependency=1s",
    ]
    environment = {**os.environ, "RUNTIME_NAMESPACE": NAMESPACE, "KUBECONFIG": str(cluster.kubeconfig)}
    with (
        serving(partial(_Artifacts, directory=str(artifacts))) as url,
        running(cluster.directory / "kustomize-controller.log", command, environment) as server,
    ):
        wait_for_port(health, server)
        yield Flux(cluster, server, artifacts, url)


class _Artifacts(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing: pytest would show it as the test's own words."""


def _is_applied(kustomization: Object, revision: str) -> bool:
    """Whether it is ready with this commit, and as it is now: a commit may have changed it too."""
    status = kustomization.get("status", {})
    seen: bool = status.get("observedGeneration") == kustomization["metadata"]["generation"]
    applied: str = status.get("lastAppliedRevision", "")
    return seen and _ready(kustomization)["status"] == "True" and applied.endswith(revision)


def _ready(kustomization: Object) -> Object:
    conditions = kustomization.get("status", {}).get("conditions", [])
    missing = {"status": "Unknown", "reason": "", "message": ""}
    return next((one for one in conditions if one["type"] == "Ready"), missing)
