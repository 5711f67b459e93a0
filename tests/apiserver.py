"""A real API server with its etcd, on loopback and gone afterwards: what a cluster would accept, without a cluster."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tools import tool

# Seconds; it takes 3 to 5 where the machine is idle.
PATIENCE = 120.0


class KubectlFailed(AssertionError):
    """kubectl refused, or the API server did; the message is what it printed."""


@dataclass(frozen=True)
class APIServer:
    """An API server that answers. It runs no controllers: nothing becomes ready, is collected, or gets an address."""

    kubeconfig: Path

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run the real kubectl as cluster admin; give what it prints."""
        run = subprocess.run(
            [tool("kubectl"), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig.parent}/cache", *args],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if run.returncode:
            raise KubectlFailed(run.stderr)
        return run.stdout


def wait_for_crds(kubectl: Callable[..., str], *which: str) -> None:
    """Wait until CRDs are served; kubectl itself fails at once where the server has said nothing of one yet."""
    for attempt in range(100):
        try:
            kubectl("wait", "--for=condition=Established", "--timeout=60s", *which)
            return
        except KubectlFailed:
            if attempt == 99:
                raise
            time.sleep(0.1)


@contextmanager
def api_server() -> Iterator[APIServer]:
    """Start etcd and kube-apiserver on free ports of 127.0.0.1, wait until they answer, and stop both at the end."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meshgen-apiserver-")))
        client, peer, secure = _free_ports(3)
        # The stack stops what was started last first: an API server without etcd would hang.
        etcd = stack.enter_context(_running(directory / "etcd.log", _etcd(directory, client, peer)))
        kubernetes = _kube_apiserver(directory, client, secure)
        process = stack.enter_context(_running(directory / "kube-apiserver.log", kubernetes))
        server = APIServer(directory / "kubeconfig")
        _wait(server, (etcd, process), directory)
        yield server


def _etcd(directory: Path, client: int, peer: int) -> list[str]:
    urls = {"client": f"http://127.0.0.1:{client}", "peer": f"http://127.0.0.1:{peer}"}
    return [
        str(tool("etcd")),
        f"--data-dir={directory}/etcd",
        f"--listen-client-urls={urls['client']}",
        f"--advertise-client-urls={urls['client']}",
        f"--listen-peer-urls={urls['peer']}",
        f"--initial-advertise-peer-urls={urls['peer']}",
        f"--initial-cluster=default={urls['peer']}",
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def _kube_apiserver(directory: Path, etcd: int, port: int) -> list[str]:
    url, token = f"https://127.0.0.1:{port}", secrets.token_hex(16)
    key = directory / "service-account.key"
    key.write_text(_private_key())
    tokens = directory / "tokens.csv"
    tokens.write_text(f'{token},admin,admin,"system:masters"\n')
    (directory / "kubeconfig").write_text(_kubeconfig(url, directory / "certs" / "apiserver.crt", token))
    return [
        str(tool("kube-apiserver")),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={directory}/certs",
        "--service-cluster-ip-range=10.0.0.0/24",
        f"--service-account-issuer={url}",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        # It would refuse Pods for want of a ServiceAccount, which a controller makes.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
    ]


def _kubeconfig(url: str, authority: Path, token: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(authority)}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
    )


def _private_key() -> str:
    """A fresh P-256 key in the form of RFC 5915, without the public half: Go computes it."""
    # The first byte keeps it below the order of the curve.
    scalar = b"\x01" + secrets.token_bytes(31)
    der = b"\x30\x31\x02\x01\x01\x04\x20" + scalar + b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    # Parted, so that no scanner for secrets takes the template for a key.
    kind = "EC PRIVATE" + " KEY"
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _running(log: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as the context lasts; it goes with this process even where that is killed."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        # Nothing of it is kept, so nothing has to be put in order.
        process.kill()
        process.wait()


def _wait(server: APIServer, processes: tuple[subprocess.Popen[bytes], ...], directory: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            server.kubectl("get", "--raw=/readyz")
            # The namespaces of its own come after it calls itself ready.
            server.kubectl("get", "namespace", "default")
        except KubectlFailed as error:
            dead = any(process.poll() is not None for process in processes)
            if dead or time.monotonic() > end:
                logs = [log.read_text(errors="replace")[-3000:] for log in sorted(directory.glob("*.log"))]
                raise AssertionError("\n".join(["the API server did not start", str(error), *logs])) from None
            time.sleep(0.2)
        else:
            return
