"""Argo CD: its real application controller and repo server, with the Redis that they want."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.e2e.cluster import Cluster
from tests.e2e.processes import Server, eventually, free_port, running, wait_for_port
from tests.objects import Object
from tests.tools import TOOLS, ToolMissing, tool

NAMESPACE = "argocd"
_REFRESH = "argocd.argoproj.io/refresh=normal"
_SETTINGS = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class ArgoCD:
    """Argo CD in a cluster that it also applies to. It is told of a commit by a refresh, as by a webhook."""

    cluster: Cluster
    server: Server
    repository: int

    def bootstrap(self, wiring: Path) -> None:
        """Do once what the tree's README says."""
        # The wiring is clusters/CLUSTER/argocd in the tree.
        self.patch("argocd-cm", wiring.parents[2] / "argocd-cm.patch.yaml")
        self.cluster.kubectl("apply", *(f"--filename={wiring / name}" for name in ("project.yaml", "root.yaml")))

    def patch(self, settings: str, file: Path) -> None:
        """Patch a ConfigMap of Argo CD's own."""
        self.cluster.kubectl("patch", "configmap", settings, f"--namespace={NAMESPACE}", f"--patch-file={file}")

    def fetch(self, *names: str) -> None:
        """Have Applications look at their repository now: these, or all."""
        which = names or ("--all",)
        self.cluster.kubectl("annotate", "--overwrite", "applications", *which, f"--namespace={NAMESPACE}", _REFRESH)

    def deliver(self, revision: str) -> None:
        """Refresh, and wait until every Application has synced this commit and is healthy."""
        self.fetch()
        eventually(lambda: self.has_delivered(revision), self.explain)

    def waiting(self) -> str:
        """What the root Application waits for before it makes the next one."""
        (root,) = (one for one in self.cluster.list("applications", NAMESPACE).values() if _is_root(one))
        said: str = root.get("status", {}).get("operationState", {}).get("message", "")
        return said

    def refused(self, revision: str, stage: str) -> str:
        """Refresh, and wait until a stage says why this commit can't be applied; give what it says."""
        self.fetch()

        def message() -> str | None:
            state = self.application(stage)["status"].get("operationState", {})
            of_it = state.get("operation", {}).get("sync", {}).get("revision") == revision
            failed = state.get("phase") == "Failed" or state.get("retryCount") or "failed" in state.get("message", "")
            return state["message"] if of_it and failed else None

        return eventually(message, self.explain)

    def reconcile(self, stage: str) -> None:
        """Nothing is needed: Argo CD watches what it applied, and puts it right at once."""

    def forget(self, stage: str) -> None:
        """Delete a stage's Application, and wait until Argo CD is done with that."""
        name = self.application(stage)["metadata"]["name"]
        self.cluster.kubectl("delete", "application", name, f"--namespace={NAMESPACE}")

    def application(self, stage: str) -> Object:
        """The Application of a stage, as it is now."""
        found = self.cluster.list("applications", NAMESPACE)
        return next(one for name, one in found.items() if name.endswith(f"-{stage}"))

    def explain(self) -> str:
        """What each Application says of itself, and the controller's last words."""
        found = self.cluster.list("applications", NAMESPACE).values()
        said = [f"{one['metadata']['name']}: {json.dumps(_short(one), indent=1)}" for one in found]
        return "\n".join([*said, self.server.last_words()])

    def has_delivered(self, revision: str) -> bool:
        """Whether every Application has synced a commit and is healthy."""
        found = self.cluster.list("applications", NAMESPACE).values()
        return bool(found) and all(_is_synced(one, revision) for one in found)


def _is_root(application: Object) -> bool:
    destination: str = application["spec"]["destination"]["namespace"]
    return destination == NAMESPACE


def _is_synced(application: Object, revision: str) -> bool:
    status = application.get("status", {})
    sync, health = status.get("sync", {}), status.get("health", {})
    finished = status.get("operationState", {}).get("phase") == "Succeeded"
    there: bool = sync.get("status") == "Synced" and sync.get("revision") == revision
    healthy: bool = health.get("status") == "Healthy"
    return there and finished and healthy


def _is_healthy(holder: Object) -> bool:
    """Whether an object or an Application is, as Argo CD sees it; what it knows no health of is as it should be."""
    status: str = holder.get("health", {}).get("status", "Healthy")
    return status == "Healthy"


def _short(application: Object) -> Object:
    """Its status without its history."""
    status = application.get("status", {})
    state = status.get("operationState", {})
    parts = {key: status.get(key) for key in ("health", "conditions")}
    parts["sync"] = {key: status.get("sync", {}).get(key) for key in ("status", "revision")}
    odd = [one for one in status.get("resources", ()) if one.get("status") != "Synced" or not _is_healthy(one)]
    return {**parts, "phase": state.get("phase"), "message": state.get("message"), "resources": odd}


@contextmanager
def running_argocd(cluster: Cluster, crds: Path, *, resync: int = 3) -> Iterator[ArgoCD]:
    """Install Argo CD's CRDs and settings into a cluster, and run it until the context ends.

    `resync` are the seconds between two looks at an Application that no event is of; 120 to 180 otherwise.
    """
    cluster.install_crds(*(crds / f"{kind}-crd.yaml" for kind in ("application", "applicationset", "appproject")))
    cluster.kubectl("create", "namespace", NAMESPACE)
    settings = list(yaml.safe_load_all(_SETTINGS.read_text()))
    secret = next(one for one in settings if one["kind"] == "Secret")
    secret["stringData"] = {"server.secretkey": secrets.token_hex(16)}
    cluster.apply(*settings)
    _script(cluster.directory / "bin" / "git-verify-wrapper.sh")
    with ExitStack() as stack:
        redis, repository = free_port(), free_port()
        wait_for_port(redis, stack.enter_context(part(cluster, "redis", _redis(redis))))
        server = stack.enter_context(part(cluster, "argocd-repo-server", _repo_server(repository, redis)))
        wait_for_port(repository, server)
        controller = part(cluster, "argocd-application-controller", _controller(repository, redis, resync))
        yield ArgoCD(cluster, stack.enter_context(controller), repository)


def _redis(port: int) -> list[str]:
    redis = shutil.which("redis-server")
    if redis is None:
        raise ToolMissing("no `redis-server` on PATH: apt-get install redis-server")
    return [redis, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]


def _repo_server(port: int, redis: int) -> list[str]:
    return [
        str(tool("argocd")),
        "--address=127.0.0.1",
        f"--port={port}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={free_port()}",
        "--disable-tls",
        "--client-ca-path=",
        f"--redis=127.0.0.1:{redis}",
    ]


def _controller(repository: int, redis: int, resync: int) -> list[str]:
    return [
        str(tool("argocd")),
        f"--namespace={NAMESPACE}",
        f"--repo-server=127.0.0.1:{repository}",
        "--repo-server-plaintext",
        f"--redis=127.0.0.1:{redis}",
        f"--metrics-port={free_port()}",
        f"--app-resync={resync}",
        "--app-resync-jitter=0",
        # So that a test that fails can say of which object.
        "--persist-resource-health",
    ]


def _script(path: Path) -> None:
    """What Argo CD's image has on PATH to read a commit's signature; no commit here has one, and no project asks."""
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


@contextmanager
def part(cluster: Cluster, name: str, command: list[str]) -> Iterator[Server]:
    """Run a part of Argo CD. One binary is all of them, and is told which to be; it keeps its clones in TMPDIR."""
    home = cluster.directory / name
    home.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{cluster.directory}/bin:{TOOLS}:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "ARGOCD_BINARY_NAME": name,
        "ARGOCD_GPG_ENABLED": "false",
        # Seconds after each wave; 2 otherwise. No order may depend on it.
        "ARGOCD_SYNC_WAVE_DELAY": "0",
        # The cluster of the kubeconfig stands for the one that Argo CD would run in.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "KUBECONFIG": str(cluster.kubeconfig),
    }
    with running(cluster.directory / f"{name}.log", command, environment) as server:
        yield server
