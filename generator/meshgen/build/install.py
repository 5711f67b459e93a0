"""The ways to install Istio: what the settings ask for, as the stages that bring it about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.charts import istio_releases
from meshgen.build.drift import validates_by_value
from meshgen.build.helmrelease import helm_releases
from meshgen.build.istiooperator import at_home, istio_operator, namespace
from meshgen.build.nativevalues import said_by_values
from meshgen.build.operator import operator_objects
from meshgen.build.sail import OPERATOR_HOME, sail_objects, sail_operator
from meshgen.build.stage import GATEWAYS, ISTIO, OPERATOR, KubernetesObject, Memory, Remark, Stage
from meshgen.build.translate import translate
from meshgen.catalog import Release, release_of
from meshgen.layout.normal import normalise
from meshgen.values import merged

# What istioctl of a version makes of an IstioOperator.
Generate = Callable[[str, KubernetesObject], tuple[KubernetesObject, ...]]


@dataclass(frozen=True)
class Engines:
    """Which engines apply a cluster, and Flux's settings. Without any, someone else's Flux is taken to."""

    flux: dict[str, Any] = field(default_factory=dict)
    by_flux: bool = True
    by_argocd: bool = False


def engines_of(delivery: dict[str, Any]) -> Engines:
    """The engines that `delivery` names."""
    flux, argocd = delivery.get("flux"), delivery.get("argocd")
    return Engines(flux or {}, bool(flux) or not argocd, bool(argocd))


@dataclass(frozen=True, eq=False)
class Installation:
    """The stages that install Istio, the namespaces that they need beside the settings' own, and what can't be done.

    `istioctl_input` is the IstioOperator where nothing in the cluster may see it.
    """

    stages: tuple[Stage, ...]
    istioctl_input: KubernetesObject | None = None
    namespaces: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


def install(
    mesh: str, istio: dict[str, Any], method: str, delivery: dict[str, Any], generate: Generate, memory: Memory
) -> Installation:
    """What installs Istio by a method, one of operator, helm, sail and manifests."""
    known = release_of(istio)
    if method == "operator":
        resource = normalise(istio_operator(mesh, istio))
        hub, tag = istio.get("hub") or known.hub, istio.get("tag") or istio["version"]
        return Installation((memory.recall(_operator, istio["version"], hub, tag), Stage(ISTIO, (resource,))))
    settled = at_home(istio)
    resource = normalise(istio_operator(mesh, settled))
    if method == "manifests":
        objects = generate(istio["version"], memory.recall_same(rendered_operator, mesh, istio))
        applied = tuple(memory.recall_same(_applied, obj) for obj in objects)
        return Installation((Stage(ISTIO, applied),), resource)
    releases, remarks = istio_releases(translate(settled, hub=known.hub), settled, known)
    engines = engines_of(delivery)
    by_method = _helm if method == "helm" else _sail
    made = by_method(releases, settled, known, engines)
    return replace(made, istioctl_input=resource, remarks=(*remarks, *made.remarks))


def rendered_operator(mesh: str, istio: dict[str, Any]) -> KubernetesObject:
    """The IstioOperator as istioctl has to render it: with hub and tag, for a build has defaults of its own."""
    return istio_operator(mesh, {"hub": release_of(istio).hub, "tag": istio["version"], **at_home(istio)})


def _applied(obj: KubernetesObject) -> KubernetesObject:
    """An object of istioctl's as an engine may apply it again and again.

    istiod writes its certificate into webhooks and makes validation mandatory once it serves: what the manifest does
    not say, no engine sets back.
    """
    if obj["kind"] in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        return normalise({**obj, "webhooks": [_unowned(webhook) for webhook in obj.get("webhooks") or []]})
    return normalise(obj)


def _unowned(webhook: dict[str, Any]) -> dict[str, Any]:
    client = {key: value for key, value in webhook["clientConfig"].items() if (key, value) != ("caBundle", "")}
    kept = {key: value for key, value in webhook.items() if (key, value) != ("failurePolicy", "Ignore")}
    return {**kept, "clientConfig": client}


def _operator(version: str, hub: str, tag: str) -> Stage:
    return Stage(OPERATOR, tuple(normalise(obj) for obj in operator_objects(version, hub=hub, tag=tag)))


def _unvalidated(releases: tuple[ChartRelease, ...]) -> Iterator[Remark]:
    """istioctl's install makes the webhook that checks unlabelled resources; what it generates and translates does not.

    Without it istiod checks only resources that carry the label `istio.io/rev`.
    """
    base = next((release for release in releases if release.chart.name == "base"), None)
    wanted = (base.values.get("revision") or "default") if base is not None else ""
    given = base.values.get("defaultRevision") if base is not None else ""
    if given and given != wanted and any(release.chart.name == "istiod" for release in releases):
        message = f"istio.values.defaultRevision: the webhook asks istiod of revision {given}, and this is {wanted}"
        hint = f"say {wanted}, unless another tree installs {given}"
        yield Remark("MG407", message, "/istio/values/defaultRevision", hint, "warning")
    if base is not None and len(releases) > 1 and not given:
        message = "istio: no webhook checks Istio's resources that lack the label istio.io/rev"
        hint = f"say istio.values.defaultRevision: {wanted}"
        yield Remark("MG407", message, "/istio/version", hint, "warning")


def _helm(releases: tuple[ChartRelease, ...], istio: dict[str, Any], _: Release, engines: Engines) -> Installation:
    own, gateways = _parted(releases)
    stages, remarks = _chart_stages({ISTIO: own, GATEWAYS: gateways}, istio, engines)
    return Installation(stages, remarks=(*remarks, *_unvalidated(own)))


def _parted(releases: tuple[ChartRelease, ...]) -> tuple[tuple[ChartRelease, ...], tuple[ChartRelease, ...]]:
    """Istio itself, and its gateways."""
    gateways = tuple(release for release in releases if release.chart.name == "gateway")
    return tuple(release for release in releases if release not in gateways), gateways


def _chart_stages(
    members: dict[str, tuple[ChartRelease, ...]], istio: dict[str, Any], engines: Engines
) -> tuple[tuple[Stage, ...], tuple[Remark, ...]]:
    """A stage for each name that has releases."""
    made = [chart_stage(name, releases, namespace(istio), engines) for name, releases in members.items() if releases]
    return tuple(stage for stage, _ in made), tuple(remark for _, found in made for remark in found)


def chart_stage(
    name: str, releases: tuple[ChartRelease, ...], home: str, engines: Engines
) -> tuple[Stage, list[Remark]]:
    """A stage of Helm releases. Only Flux can patch what a chart renders; for Argo CD the values have to say it."""
    objects: tuple[KubernetesObject, ...] = ()
    remarks: list[Remark] = []
    if engines.by_flux:
        made = helm_releases(releases, engines.flux, namespace=home)
        objects = tuple(normalise(obj) for obj in made)
    if engines.by_argocd:
        remarks += _of_no_use(releases)
        releases = tuple(_always_validating(release) for release in releases)
        said = [said_by_values(release, "Argo CD") for release in releases]
        releases = tuple(release for release, _ in said)
        remarks += (remark for _, found in said for remark in found)
    return Stage(name, objects, releases), remarks


def _of_no_use(releases: tuple[ChartRelease, ...]) -> Iterator[Remark]:
    if any(release.chart.secret for release in releases):
        message = "istio.charts.secretRef: Argo CD reads credentials of a repository from Secrets of its own"
        hint = "make a repository Secret in Argo CD's namespace"
        yield Remark("MG215", message, "/istio/charts/secretRef", hint, "warning")


def _always_validating(release: ChartRelease) -> ChartRelease:
    """Argo CD renders and applies again and again: without the value each sync would make validation optional."""
    if release.chart.name not in ("base", "istiod") or not validates_by_value(release.chart.version):
        return release
    return replace(release, values=merged({"base": {"validationFailurePolicy": "Fail"}}, release.values))


def _sail(releases: tuple[ChartRelease, ...], istio: dict[str, Any], known: Release, engines: Engines) -> Installation:
    own, gateways = _parted(releases)
    said = [said_by_values(release, "the Sail operator") for release in own]
    objects, remarks = sail_objects([release for release, _ in said], istio, known)
    operator = sail_operator(istio)
    before, of_operator = _chart_stages({OPERATOR: (operator,) if operator else ()}, istio, engines)
    # What they would wait for is no release here; their stage waits.
    after, of_gateways = _chart_stages({GATEWAYS: tuple(replace(one, after=()) for one in gateways)}, istio, engines)
    return Installation(
        (*before, Stage(ISTIO, tuple(normalise(obj) for obj in objects)), *after),
        namespaces=(OPERATOR_HOME,) if operator else (),
        remarks=(*(remark for _, more in said for remark in more), *remarks, *of_operator, *of_gateways),
    )
