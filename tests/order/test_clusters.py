"""One check for many clusters: each engine has its own verdict, and what can't be told apart is looked at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshgen.build.stage import Memory, Remark
from meshgen.build.stages import build
from meshgen.config.load import load
from meshgen.config.manifests import read_manifests
from meshgen.config.resolve import resolve
from tests.objects import Object, mesh, overlay, text_of, write_config
from tests.order.checked import remarks_of

ISTIO = {"version": "1.30.3", "values": {"defaultRevision": "default"}}
EARLY: Object = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "default", "namespace": "istio-system"},
}
URL = "https://example.com/shop/mesh.git"


def remarks(folder: Path, own: Object, clusters: Object, **keys: object) -> list[tuple[Remark, ...]]:
    """What is said of each cluster."""
    (folder / "own.yaml").write_text(text_of(own), encoding="utf-8")
    resources = {"own": {"path": "own.yaml", "stage": "namespaces"}}
    whole = mesh(istio=ISTIO, resources=resources, **keys)
    resolved = resolve(load(write_config(folder, whole, overlay("dev", clusters=clusters))))
    manifests, memory = read_manifests(resolved), Memory()
    found = []
    for cluster in resolved.clusters:
        stages = build(resolved.name, cluster.settings, (cluster.cloud,), manifests, memory).stages
        places = memory.recall(manifests.places, {}, cluster.settings["resources"])
        found.append(remarks_of(resolved.name, cluster, stages, places, memory))
    return found


def test_each_engine_has_its_verdict(tmp_path: Path) -> None:
    deliveries: dict[str, Object] = {
        "by-flux": {"flux": {"url": URL}},
        "by-argocd": {"argocd": {"url": URL}},
        "by-both": {"flux": {"url": URL}, "argocd": {"url": URL}},
        "by-hand": {},
    }
    clusters = {name: {"patch": {"delivery": delivery}} for name, delivery in deliveries.items()}

    found = remarks(tmp_path, EARLY, clusters)

    said = [[(one.rule, one.message.split(": ")[-1].split(" has to")[0]) for one in some] for some in found]
    flux, argocd = (("MG440", f"{engine} never gets past stage namespaces") for engine in ("Flux", "Argo CD"))
    assert dict(zip(deliveries, said, strict=True)) == {
        "by-flux": [flux],
        "by-argocd": [argocd],
        "by-both": [flux, argocd],
        "by-hand": [("MG445", "kubectl")],
    }


def test_clusters_with_other_values_of_istio_are_looked_at_once(tmp_path: Path) -> None:
    clusters = {
        name: {"patch": {"istio": {"meshConfig": {"accessLogFile": f"/dev/{name}"}}}} for name in ("one", "two")
    }

    one, two = remarks(tmp_path, EARLY, clusters, delivery={"flux": {"url": URL}})

    assert one
    assert one is two


@pytest.mark.parametrize(
    ("patch", "rules"),
    [
        ({"components": {"base": {"enabled": False}}}, []),
        ({"revision": "canary"}, ["MG440"]),
    ],
)
def test_kinds_that_another_tree_brings_are_there(patch: Object, rules: list[str], tmp_path: Path) -> None:
    clusters = {"one": {"patch": {"istio": patch}}}

    (found,) = remarks(tmp_path, EARLY, clusters, delivery={"flux": {"url": URL}})

    assert [one.rule for one in found] == rules


def test_pods_of_another_revision_are_somebody_elses(tmp_path: Path) -> None:
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "cart", "namespace": "shop", "labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "cart", "image": "example.com/cart:1"}]},
    }
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    own: Object = {"apiVersion": "v1", "kind": "List", "items": [space, pod]}
    found = []
    for revision in ("default", "canary"):
        space["metadata"]["labels"] = {"istio.io/rev": revision}
        (some,) = remarks(tmp_path, own, {"one": None})
        found.append([one.rule for one in some])

    assert found == [["MG446"], []]
