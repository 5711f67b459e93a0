"""What the objects of a stage bring: themselves, kinds, namespaces, and what others make of them."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject, Stage
from meshgen.order.thing import KIND, Source, Thing, group_of, space_of, thing_of
from meshgen.policy.reading import mapping, text
from meshgen.values import value_at

# The groups of kinds that well-known charts bring, by the chart's name.
_CHARTS = {
    "cert-manager": ("cert-manager.io", "acme.cert-manager.io"),
    "external-secrets": ("external-secrets.io",),
    "flagger": ("flagger.app",),
    "gatekeeper": ("templates.gatekeeper.sh", "config.gatekeeper.sh"),
    "keda": ("keda.sh",),
    "kiali-operator": ("kiali.io",),
    "kube-prometheus-stack": ("monitoring.coreos.com",),
    "kyverno": ("kyverno.io",),
    "opentelemetry-operator": ("opentelemetry.io",),
    "prometheus-operator-crds": ("monitoring.coreos.com",),
    "sealed-secrets": ("bitnami.com",),
    "trust-manager": ("trust.cert-manager.io",),
}
# Kinds of which something else makes objects that no tree shows.
_MAKERS = frozenset({"HelmRelease", "Kustomization", "Application", "ApplicationSet", "Bundle", "Subscription"})
Index = dict[Thing, Source]


def stage_sources(stage: Stage, number: int) -> Index:
    """What the objects of a stage bring, the first that brings it; `number` is the stage's place in the order."""
    found: Index = {}
    for obj in stage.objects:
        for thing, source in sources_of(obj, number):
            found.setdefault(thing, source)
    return found


def sources_of(obj: KubernetesObject, stage: int) -> Iterator[tuple[Thing, Source]]:
    """Everything that an object brings, as a part of a stage."""
    yield thing_of(obj), Source(stage, obj)
    if made := _MADE.get((group_of(obj), obj["kind"])):
        yield from made(obj, stage)


def makes_unseen(obj: KubernetesObject) -> bool:
    """Whether something makes objects of an object that no tree shows."""
    return obj["kind"] in _MAKERS


Made = Iterator[tuple[Thing, Source]]


def _kinds_of_crd(obj: KubernetesObject, stage: int) -> Made:
    kind, group = text(obj, "spec", "names", "kind"), text(obj, "spec", "group")
    yield Thing(KIND, kind, group), Source(stage, obj)


def _kinds_of_service(obj: KubernetesObject, stage: int) -> Made:
    # The API server's own groups have APIServices without a Service.
    if mapping(obj, "spec", "service"):
        yield Thing(KIND, "", text(obj, "spec", "group")), Source(stage, obj, runs=True)


def _of_release(obj: KubernetesObject, stage: int) -> Made:
    chart = text(obj, "spec", "chart", "spec", "chart") or text(obj, "spec", "chartRef", "name")
    for group in _CHARTS.get(chart, ()):
        yield Thing(KIND, "", group), Source(stage, obj, runs=True, sure=False)
    if value_at(obj, ("spec", "install", "createNamespace")) is True:
        yield Thing("Namespace", text(obj, "spec", "targetNamespace")), Source(stage, obj, runs=True)


def _of_application(obj: KubernetesObject, stage: int) -> Made:
    options = value_at(obj, ("spec", "syncPolicy", "syncOptions"))
    if isinstance(options, list) and "CreateNamespace=true" in options:
        space = text(obj, "spec", "destination", "namespace")
        yield Thing("Namespace", space), Source(stage, obj, runs=True)


def _of_external_secret(obj: KubernetesObject, stage: int) -> Made:
    name = text(obj, "spec", "target", "name") or obj["metadata"]["name"]
    yield Thing("Secret", name, space_of(obj)), Source(stage, obj, runs=True)


def _of_sealed_secret(obj: KubernetesObject, stage: int) -> Made:
    yield Thing("Secret", obj["metadata"]["name"], space_of(obj)), Source(stage, obj, runs=True)


def _of_certificate(obj: KubernetesObject, stage: int) -> Made:
    yield Thing("Secret", text(obj, "spec", "secretName"), space_of(obj)), Source(stage, obj, runs=True)


_MADE = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _kinds_of_crd,
    ("apiregistration.k8s.io", "APIService"): _kinds_of_service,
    ("argoproj.io", "Application"): _of_application,
    ("bitnami.com", "SealedSecret"): _of_sealed_secret,
    ("cert-manager.io", "Certificate"): _of_certificate,
    ("external-secrets.io", "ExternalSecret"): _of_external_secret,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _of_release,
}
