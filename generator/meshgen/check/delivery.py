"""What the settings of `delivery` must mean for one cluster: keys that go together, and what its Flux has to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.build.istiooperator import install_method
from meshgen.build.stage import Memory, Remark
from meshgen.catalog import UnknownMinor, minor_key, release_of
from meshgen.check.alerts import alert_remarks
from meshgen.check.setting import duration
from meshgen.config.problems import plain
from meshgen.config.resolve import Cluster
from meshgen.delivery.fluxsource import is_oci
from meshgen.yaml import pointer

Settings = dict[str, Any]


def cluster_remarks(cluster: Cluster, memory: Memory) -> Iterator[Remark]:
    """What is wrong with a cluster's `delivery`; the pointers lead into its settings."""
    delivery = cluster.settings.get("delivery") or {}
    if delivery:
        yield from memory.recall_same(_remarks, delivery)
    if flux := delivery.get("flux"):
        yield from _helm_on_a_hub(cluster, flux)
        yield from _newer_flux(cluster, flux)


def _remarks(delivery: Settings) -> list[Remark]:
    flux, argocd = delivery.get("flux") or {}, delivery.get("argocd") or {}
    alerts = alert_remarks(flux.get("alerts") or {})
    return [*_source(flux), *_access(flux), *_verify(flux), *_pace(flux), *alerts, *_argocd(argocd)]


def _source(flux: Settings) -> Iterator[Remark]:
    ref = {key: value for key, value in (flux.get("ref") or {}).items() if value}
    at = "/delivery/flux/ref"
    if len(ref) > 1:
        message = f"delivery.flux.ref: {' and '.join(ref)} together: Flux would go by one of them"
        yield Remark("MG434", message, at, "keep one; in an overlay take the other away by null")
    other, what = ("commit", "an OCI artifact") if is_oci(flux) else ("digest", "a Git repository")
    *known, last = ("tag", "semver", "digest") if is_oci(flux) else ("branch", "tag", "semver", "commit")
    if ref.get(other):
        message = f"delivery.flux.ref.{other}: {what} has none"
        yield Remark("MG434", message, f"{at}/{other}", f"say {', '.join(known)} or {last}")
    if flux.get("provider") == ("github" if is_oci(flux) else "gcp"):
        message = f"delivery.flux.provider: {flux['provider']} serves no {what.removeprefix('a ').removeprefix('an ')}"
        yield Remark("MG434", message, "/delivery/flux/provider", "take it out, and give a Secret by secretRef")
    branch = flux.get("branch") or ""
    if branch.startswith("refs/") and not ref and not is_oci(flux):
        message = f"delivery.flux.branch: Flux would look for the branch refs/heads/{plain(branch)}"
        name = branch.removeprefix("refs/heads/")
        hint = f"say the name alone: {plain(name)}" if name != branch else "say a branch's name; a tag is said by ref"
        yield Remark("MG434", message, "/delivery/flux/branch", hint)


def _access(flux: Settings) -> Iterator[Remark]:
    """What source-controller refuses to fetch without a Secret."""
    if flux.get("secretRef") or is_oci(flux):
        return
    if (flux.get("url") or "").startswith("ssh://"):
        message = "delivery.flux.url: Flux fetches nothing by SSH without a key"
        hint = "name by secretRef a Secret with `identity` and `known_hosts`, as `flux create secret git` makes it"
        yield Remark("MG434", message, "/delivery/flux/url", hint)
    if flux.get("provider") == "github":
        message = "delivery.flux.provider: Flux is no app of GitHub's without the app's key"
        hint = "name by secretRef a Secret with it, as `flux create secret githubapp` makes it"
        yield Remark("MG434", message, "/delivery/flux/provider", hint)


def _pace(flux: Settings) -> Iterator[Remark]:
    """Durations of nothing, which Flux's CRDs allow."""
    never = {
        "interval": "Flux would never apply again",
        "retryInterval": "Flux would never try again",
        "timeout": "nothing is ready at once",
    }
    for key, what in never.items():
        if flux.get(key) and duration(flux[key]) == 0:
            message = f"delivery.flux.{key}: {flux[key]} is no time: {what}"
            yield Remark("MG434", message, f"/delivery/flux/{key}", "say 30s, 10m or 1h30m, or leave it out")


def _verify(flux: Settings) -> Iterator[Remark]:
    verify = flux.get("verify")
    if verify is None:
        return
    at = "/delivery/flux/verify"
    others = ("mode",) if is_oci(flux) else ("provider", "identities")
    for key in others:
        if verify.get(key):
            what = "Git" if is_oci(flux) else "an OCI artifact"
            message = f"delivery.flux.verify.{key} is about signatures of {what}"
            yield Remark("MG434", message, f"{at}/{key}", "take it out, or change the url", at_key=True)
    ref = flux.get("ref") or {}
    if not is_oci(flux) and verify.get("mode") in ("Tag", "TagAndHEAD") and not (ref.get("tag") or ref.get("semver")):
        message = f"delivery.flux.verify.mode: {verify['mode']} wants a tag, and Flux follows none"
        yield Remark("MG434", message, f"{at}/mode", "say ref: {tag: …} or ref: {semver: …}; or mode: HEAD")
    keyless = is_oci(flux) and (verify.get("provider") or "cosign") == "cosign"
    if not verify.get("secretRef") and not (keyless and verify.get("identities")):
        message = "delivery.flux.verify: whose signatures? There is no secretRef"
        hint = "name the Secret with the public keys" + ("; or say identities" if keyless else "")
        yield Remark("MG434", message, at, hint, at_key=True)
    for name, identity in (verify.get("identities") or {}).items():
        for key in ("issuer", "subject"):
            if not (identity or {}).get(key):
                message = f'delivery.flux.verify.identities.{name}: "{key}" is missing'
                where = pointer(["delivery", "flux", "verify", "identities", name])
                yield Remark("MG104", message, where, "say issuer and subject: else anyone may have signed")


def _argocd(argocd: Settings) -> Iterator[Remark]:
    for name, window in (argocd.get("syncWindows") or {}).items():
        for key, example in (("schedule", '"0 22 * * *"'), ("duration", "6h")):
            if not (window or {}).get(key):
                message = f'delivery.argocd.syncWindows.{name}: "{key}" is missing'
                at = pointer(["delivery", "argocd", "syncWindows", name])
                yield Remark("MG104", message, at, f"say {key}: {example}")
    hydrator = argocd.get("sourceHydrator")
    if hydrator is not None and not hydrator.get("branch"):
        message = 'delivery.argocd.sourceHydrator: "branch" is missing'
        yield Remark("MG104", message, "/delivery/argocd/sourceHydrator", "say branch: environments/prod")
    for key in ("branch", "hydrateTo"):
        if hydrator and hydrator.get(key) == (argocd.get("branch") or "main"):
            message = f"delivery.argocd.sourceHydrator.{key}: {hydrator[key]} is the branch that Argo CD hydrates from"
            hint = "say another one, such as environments/prod: what it builds would overwrite what it reads"
            yield Remark("MG434", message, f"/delivery/argocd/sourceHydrator/{key}", hint)


def _helm_on_a_hub(cluster: Cluster, flux: Settings) -> Iterator[Remark]:
    hub = flux.get("kubeConfig")
    if hub is None or hub.get("local"):
        return
    try:
        method = install_method(cluster.settings.get("istio") or {})
    except (KeyError, UnknownMinor):
        # Another check's to say.
        return
    addons = (cluster.settings.get("addons") or {}).values()
    if method in ("helm", "sail") or any(addon.get("source") == "helm" for addon in addons):
        message = "delivery.flux.kubeConfig: HelmReleases are applied to the cluster, which has to install them itself"
        hint = "run `flux install --components=source-controller,helm-controller` there; or say install: manifests"
        yield Remark("MG435", message, "/delivery/flux/kubeConfig", hint, "info", at_key=True)


def _newer_flux(cluster: Cluster, flux: Settings) -> Iterator[Remark]:
    """What a Flux serves that the cluster's Kubernetes is too old for; on a management cluster it may be any Flux."""
    if flux.get("kubeConfig") is not None:
        return
    try:
        kubernetes = cluster.kubernetes or release_of(cluster.settings.get("istio") or {}).kubernetes[1]
    except (KeyError, UnknownMinor):
        return
    minor = ".".join(kubernetes.split(".")[:2])
    for key, what, since, oldest in _asked(flux):
        if minor_key(minor) < minor_key(oldest):
            message = (
                f"delivery.flux.{key}: {what} is of Flux {since}, which wants Kubernetes {oldest}; this is {minor}"
            )
            at = pointer(["delivery", "flux", *key.split(".")])
            yield Remark("MG433", message, at, "run the newest Flux that takes it, or take the setting out", "warning")


def _asked(flux: Settings) -> Iterator[tuple[str, str, str, str]]:
    """(key, what it asks for, the Flux that has it, that Flux's oldest Kubernetes), from Flux's own changelogs."""
    if flux.get("alerts"):
        yield "alerts", "Alert v1beta3", "2.2", "1.26"
    if is_oci(flux):
        yield "url", "OCIRepository v1", "2.6", "1.31"
        return
    if flux.get("provider") == "github":
        yield "provider", "an app of GitHub's", "2.5", "1.30"
    if flux.get("provider") == "azure":
        yield "provider", "an identity of Azure's for Git", "2.4", "1.28"
    if (flux.get("verify") or {}).get("mode") in ("Tag", "TagAndHEAD"):
        yield "verify.mode", "the signature of a tag", "2.2", "1.26"
