"""Two clusters of one environment, a wave each, and a note on each of them that tells which commit came to it."""

from __future__ import annotations

from tests.e2e.cluster import Cluster
from tests.e2e.repository import Repository
from tests.objects import Object, text_of

CANARY, OTHER = "canary", "other"
WAVES: Object = {"canary": {"order": 1, "clusters": [CANARY]}, "rest": {"order": 2}}
HOME = "istio-system"
# What no API server takes.
WRONG: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "wrong", "namespace": HOME},
    # An address that only the cluster can tell is none of its own: what can be told from here is refused here.
    "spec": {"clusterIP": "198.51.100.1", "ports": [{"name": "http", "port": 80}], "selector": {"a": "b"}},
}


def member(name: str, **keys: object) -> Object:
    """A cluster of the fleet, as an overlay has it: with its note."""
    return {"kubernetesVersion": "1.22", "patch": {"resources": {"note": {"path": f"./{name}.yaml"}}}, **keys}


def write_note(repository: Repository, cluster: str, text: str, *others: Object) -> None:
    """Have the note of a cluster say something, beside other objects."""
    metadata = {"name": f"note-{cluster}", "namespace": HOME}
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"says": text}}
    documents = "\n---\n".join(text_of(obj) for obj in (note, *others))
    (repository.work / f"{cluster}.yaml").write_text(documents, encoding="utf-8")


def said(cluster: Cluster, name: str) -> str | None:
    """What the note of a cluster says there; None before it came."""
    note = cluster.list("configmaps", HOME).get(f"note-{name}")
    return None if note is None else str(note["data"]["says"])
