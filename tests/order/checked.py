"""The order check of a config's clusters, as `meshgen validate` runs it, with nothing else that has its say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from meshgen.build.manifests import Manifest, Places
from meshgen.build.stage import KubernetesObject, Memory, Remark, Stage
from meshgen.build.stages import build
from meshgen.catalog import release_of
from meshgen.config.document import Document
from meshgen.config.load import load
from meshgen.config.manifests import read_manifests
from meshgen.config.resolve import Cluster, resolve
from meshgen.finding import Finding
from meshgen.order import order_remarks
from meshgen.render import BuiltMesh


def checked(config: Path) -> Iterator[tuple[Remark, Finding]]:
    """What the check says of each cluster of a config, and where."""
    mesh = resolve(load(config))
    manifests, memory = read_manifests(mesh), Memory()
    for cluster in mesh.clusters:
        settings = cluster.settings
        stages = build(mesh.name, settings, (cluster.cloud,), manifests, memory).stages
        places = manifests.places(settings.get("addons") or {}, settings.get("resources") or {})
        for remark in remarks_of(mesh.name, cluster, stages, places, memory):
            assert remark.document is not None, remark
            said = remark.document.finding
            yield remark, said(remark.rule, remark.message, remark.pointer, hint=remark.hint, severity=remark.severity)


def meshgens_own_checked(built: BuiltMesh) -> Iterator[Remark]:
    """What the check would say if the user had written all that meshgen makes."""
    manifests, memory = read_manifests(built.mesh), Memory()
    for one in built.clusters:
        settings = one.cluster.settings
        theirs = manifests.places(settings.get("addons") or {}, settings.get("resources") or {})
        document = Document("all.yaml", b"", {})
        made = [obj for stage in one.built.stages for obj in stage.objects if not theirs.of(obj)]
        places = Places(Manifest(obj, document) for obj in made)
        yield from remarks_of(built.mesh.name, one.cluster, one.built.stages, places, memory)


def remarks_of(
    mesh: str, cluster: Cluster, stages: tuple[Stage, ...], places: Places, memory: Memory
) -> tuple[Remark, ...]:
    kubernetes = cluster.kubernetes or release_of(cluster.settings["istio"]).kubernetes[1]
    return order_remarks(mesh, stages, cluster.settings, kubernetes, places, memory)


def own_stages(config: Path) -> list[tuple[str, list[KubernetesObject]]]:
    """The user's own objects of a config's only cluster by stage, and the Namespaces that meshgen makes for them."""
    mesh = resolve(load(config))
    (cluster,) = mesh.clusters
    manifests = read_manifests(mesh)
    stages = build(mesh.name, cluster.settings, (cluster.cloud,), manifests, Memory()).stages
    places = manifests.places(cluster.settings.get("addons") or {}, cluster.settings.get("resources") or {})
    return [
        (stage.name, [obj for obj in stage.objects if places.of(obj) or obj["kind"] == "Namespace"]) for stage in stages
    ]
