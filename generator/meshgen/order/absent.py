"""What objects need and nothing in the tree brings: said only where it is likely that nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshgen.build.manifests import Places
from meshgen.build.stage import KubernetesObject, Remark
from meshgen.config.problems import guess, plain
from meshgen.order.remarks import said_of
from meshgen.order.scene import Scene
from meshgen.order.thing import KIND, Need, Thing

# Kubernetes itself, or its distribution, makes these in every namespace.
_EVERYWHERE = frozenset({"kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"})
# Secrets are made by hand, and classes by the cluster: of these nobody expects the tree to bring them.
_EXPECTED = frozenset({"ConfigMap", "PersistentVolumeClaim", "ServiceAccount"})
_GATEWAY_API = "gateway.networking.k8s.io"


def absent_remarks(scene: Scene, places: Places) -> Iterator[Remark]:
    """Namespaces first, each once; then the kinds of the Gateway API; then what pods name in the tree's namespaces."""
    needs = [(obj, need) for part in scene.parts for obj, some in part.needs for need in some]
    missing: dict[Thing, list[tuple[KubernetesObject, Need]]] = {}
    for obj, need in needs:
        if _may_be_missing(scene, need.thing) and scene.source(need.thing) is None:
            key = need.thing._replace(name="") if need.thing.kind == KIND else need.thing
            missing.setdefault(key, []).append((obj, need))
    for thing, found in missing.items():
        yield _said(scene, thing, found, places)


def _may_be_missing(scene: Scene, thing: Thing) -> bool:
    if thing.kind == "Namespace":
        return not scene.is_given(thing.name)
    if thing.kind == KIND:
        return thing.space == _GATEWAY_API
    if thing.kind not in _EXPECTED or thing.name in _EVERYWHERE or scene.unseen:
        return False
    return scene.labels_of(thing.space) is not None


def _said(scene: Scene, thing: Thing, found: list[tuple[KubernetesObject, Need]], places: Places) -> Remark:
    obj, need = found[0]
    others = f", as do {len(found) - 1} more" if len(found) > 2 else ", as does 1 more" if len(found) == 2 else ""
    if thing.kind == "Namespace":
        name = plain(thing.name)
        what = f"it stands in Namespace {name}{others}, which nothing in the tree makes"
        hint = f"add a Namespace {name} to `resources`; if another repository makes it, suppress MG444 with that reason"
        remark = said_of(obj, what, hint, rule="MG444", places=places, severity="warning", at=need.at)
        return replace(remark, object=f"Namespace/{name}", namespace=None)
    if thing.kind == KIND:
        what = f"it needs the CRDs of the Gateway API{others}, which Istio does not install"
        hint = "add them to `resources`, or make sure that the cluster has them: some clouds' do"
        return said_of(obj, what, hint, rule="MG449", places=places, severity="info", at=need.at)
    what = f"it needs {thing} in {plain(thing.space)}{others}, which nothing in the tree brings"
    names = [
        one.name for part in scene.parts for one in part.sources if (one.kind, one.space) == (thing.kind, thing.space)
    ]
    hint = guess(thing.name, names) or "add it to `resources`, or see that something else makes it before"
    return said_of(obj, what, hint, rule="MG449", places=places, severity="info", at=need.at)
