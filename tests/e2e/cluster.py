"""A cluster that is real up to its nodes: API server, controllers and scheduler, and kwok in place of kubelets.

kwok says of every Pod that it runs and of every load balancer that it has an address; nothing runs in truth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.apiserver import APIServer, api_server
from tests.e2e.processes import eventually, free_port, running
from tests.objects import Object
from tests.tools import kwok_stages, tool

_CLOUD = Path(__file__).with_name("cloud.yaml")
# Those that a tree needs; without the first a node stays closed to Pods. The others are of nodes, certificates, tokens.
_CONTROLLERS = (
    "node-lifecycle-controller",
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "persistentvolume-binder-controller",
    # Else no claim is ever gone.
    "persistentvolumeclaim-protection-controller",
)


@dataclass(frozen=True)
class Cluster:
    """A cluster, and a directory for what is started beside it."""

    server: APIServer
    directory: Path

    @property
    def kubeconfig(self) -> Path:
        return self.server.kubeconfig

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run the real kubectl as cluster admin; give what it prints."""
        return self.server.kubectl(*args, stdin=stdin)

    def list(self, kind: str, namespace: str) -> dict[str, Object]:
        """The objects of a kind in a namespace, by name."""
        found = json.loads(self.kubectl("get", kind, f"--namespace={namespace}", "--output=json"))["items"]
        return {obj["metadata"]["name"]: obj for obj in found}

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """One object as it is now."""
        found: Object = json.loads(self.kubectl("get", kind, name, f"--namespace={namespace}", "--output=json"))
        return found

    def apply(self, *objects: Object) -> None:
        """Apply objects as a person would, by the server."""
        text = "\n---\n".join(json.dumps(obj) for obj in objects)
        self.kubectl("apply", "--server-side", "--filename=-", stdin=text)

    def install_crds(self, *files: Path) -> None:
        """Apply CRDs, and wait until they are served."""
        names = [f"--filename={file}" for file in files]
        self.kubectl("apply", "--server-side", *names)
        # kubectl refuses to wait for a condition of what has none yet.
        established = ("wait", "--for=condition=Established", "--timeout=60s", *names)
        eventually(lambda: self.kubectl(*established), lambda: "the CRDs are not served")


@contextmanager
def running_cluster(directory: Path) -> Iterator[Cluster]:
    """Start all of it on free ports of 127.0.0.1, and stop it at the end; logs are in `directory`."""
    with ExitStack() as stack:
        cluster = Cluster(stack.enter_context(api_server()), directory)
        for name, options in (
            ("kube-controller-manager", [f"--controllers={','.join(_CONTROLLERS)}"]),
            ("kube-scheduler", []),
        ):
            common = [f"--kubeconfig={cluster.kubeconfig}", "--leader-elect=false"]
            listen = ["--bind-address=127.0.0.1", f"--secure-port={free_port()}", f"--cert-dir={directory}/certs"]
            stack.enter_context(running(directory / f"{name}.log", [str(tool(name)), *common, *listen, *options]))
        played = [obj for obj in yaml.safe_load_all(_CLOUD.read_text()) if obj["kind"] == "Stage"]
        config = directory / "kwok.yaml"
        stages = cluster.kubectl("kustomize", str(kwok_stages() / "fast"))
        config.write_text(stages + "".join(f"---\n{json.dumps(stage)}\n" for stage in played))
        # Without a lease the node is given up after 50 seconds, and its Pods with it.
        nodes = ["--manage-all-nodes", "--node-lease-duration-seconds=40"]
        kwok = [str(tool("kwok")), f"--kubeconfig={cluster.kubeconfig}", f"--config={config}", *nodes]
        stack.enter_context(running(directory / "kwok.log", kwok))
        cluster.apply(*(obj for obj in yaml.safe_load_all(_CLOUD.read_text()) if obj["kind"] != "Stage"))
        yield cluster
