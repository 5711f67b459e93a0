"""What an object needs: a namespace, its kind, and what it names and can't be healthy without."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.order.pods import pod_needs
from meshgen.order.thing import KIND, Need, Thing, group_of, space_of
from meshgen.policy.reading import items, mapping, text

_HELM, _KUSTOMIZE = "helm.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io"


def needs_of(obj: KubernetesObject) -> Iterator[Need]:
    """Everything that an object needs and that another object may bring."""
    group, space = group_of(obj), space_of(obj)
    # Groups of the API server's own have no dot, or end in k8s.io: nothing in a tree brings those.
    if "." in group:
        yield Need(Thing(KIND, obj["kind"], group), "taken", ("kind",))
    if space:
        yield Need(Thing("Namespace", space), "taken", ("metadata", "namespace"))
    yield from pod_needs(obj)
    references = _REFERENCES.get((group, obj["kind"]))
    if references:
        for thing, *at in references(obj):
            yield Need(thing, "ready", tuple(at))


Found = Iterator[tuple[Thing, *tuple[str | int, ...]]]


def _of_release(obj: KubernetesObject) -> Found:
    yield from _sources(obj, ("spec", "chart", "spec", "sourceRef"), ("spec", "chartRef"))
    yield from _before(obj, "HelmRelease")
    for index, values in enumerate(items(obj, "spec", "valuesFrom")):
        name, kind = text(values, "name"), text(values, "kind")
        if name and kind and values.get("optional") is not True:
            yield Thing(kind, name, space_of(obj)), "spec", "valuesFrom", index


def _of_kustomization(obj: KubernetesObject) -> Found:
    yield from _sources(obj, ("spec", "sourceRef"))
    yield from _before(obj, "Kustomization")


def _sources(obj: KubernetesObject, *paths: tuple[str, ...]) -> Found:
    for path in paths:
        source = mapping(obj, *path)
        if text(source, "kind") and text(source, "name"):
            space = text(source, "namespace") or space_of(obj)
            yield Thing(text(source, "kind"), text(source, "name"), space), *path


def _before(obj: KubernetesObject, kind: str) -> Found:
    for thing, index in depends_on(obj, kind):
        yield thing, "spec", "dependsOn", index


def depends_on(obj: KubernetesObject, kind: str) -> Iterator[tuple[Thing, int]]:
    """What one of Flux's objects waits for, all of its own kind, and the position in its list."""
    for index, one in enumerate(items(obj, "spec", "dependsOn")):
        if name := text(one, "name"):
            yield Thing(kind, name, text(one, "namespace") or space_of(obj)), index


def _of_external_secret(obj: KubernetesObject) -> Found:
    kind, name = (
        text(obj, "spec", "secretStoreRef", "kind") or "SecretStore",
        text(obj, "spec", "secretStoreRef", "name"),
    )
    if name:
        yield Thing(kind, name, "" if kind.startswith("Cluster") else space_of(obj)), "spec", "secretStoreRef"


def _of_certificate(obj: KubernetesObject) -> Found:
    kind, name = text(obj, "spec", "issuerRef", "kind") or "Issuer", text(obj, "spec", "issuerRef", "name")
    if name and text(obj, "spec", "issuerRef", "group") in ("", "cert-manager.io"):
        yield Thing(kind, name, "" if kind.startswith("Cluster") else space_of(obj)), "spec", "issuerRef"


def _of_claim(obj: KubernetesObject) -> Found:
    if name := text(obj, "spec", "storageClassName"):
        yield Thing("StorageClass", name), "spec", "storageClassName"


def _of_claim_templates(obj: KubernetesObject) -> Found:
    for index, claim in enumerate(items(obj, "spec", "volumeClaimTemplates")):
        if name := text(claim, "spec", "storageClassName"):
            yield Thing("StorageClass", name), "spec", "volumeClaimTemplates", index


_REFERENCES = {
    ("", "PersistentVolumeClaim"): _of_claim,
    ("apps", "StatefulSet"): _of_claim_templates,
    ("cert-manager.io", "Certificate"): _of_certificate,
    ("external-secrets.io", "ExternalSecret"): _of_external_secret,
    (_HELM, "HelmRelease"): _of_release,
    (_KUSTOMIZE, "Kustomization"): _of_kustomization,
}
