"""Argo CD's ApplicationSet controller, told what its Deployment would tell it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.argocd import NAMESPACE, ArgoCD, part
from tests.e2e.processes import Server, free_port, wait_for_port
from tests.tools import tool

# A key of `argocd-cmd-params-cm`, and the flag that stands for the variable that the Deployment makes of it.
_PROGRESSIVE = "applicationsetcontroller.enable.progressive.syncs", "--enable-progressive-syncs"


@contextmanager
def running_applicationsets(argocd: ArgoCD) -> Iterator[Server]:
    """Run it beside Argo CD, with the settings that are in the cluster when it starts."""
    settings = argocd.cluster.get("configmap", "argocd-cmd-params-cm", NAMESPACE).get("data", {})
    key, flag = _PROGRESSIVE
    probe = free_port()
    command = [
        str(tool("argocd")),
        f"--namespace={NAMESPACE}",
        f"--argocd-repo-server=127.0.0.1:{argocd.repository}",
        "--repo-server-plaintext",
        f"--metrics-addr=127.0.0.1:{free_port()}",
        f"--probe-addr=127.0.0.1:{probe}",
        f"--webhook-addr=127.0.0.1:{free_port()}",
        f"{flag}={settings.get(key, 'false')}",
    ]
    with part(argocd.cluster, "argocd-applicationset-controller", command) as server:
        wait_for_port(probe, server)
        yield server
