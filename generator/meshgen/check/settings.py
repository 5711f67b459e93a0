"""What the resolved settings of a cluster must mean, beyond what the schema can say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.istiooperator import GATEWAY_KINDS, OWN_KEYS, install_method
from meshgen.build.stage import NAMESPACES, Memory, Remark
from meshgen.catalog import DEFAULT_GATEWAYS, Release, UnknownMinor, Version, minor_key, minors, release, release_of
from meshgen.config.problems import guess, shown
from meshgen.delivery.wiring import ENGINES
from meshgen.yaml import pointer

# The addons that read credentials from a Secret which the user makes.
TAKES_SECRET = ("grafana", "kiali")
# The longest value of a label in Kubernetes.
_LABEL = 63
# The longest name of a release, which has to leave room in the names of its objects.
_HELM = 53


def settings_remarks(settings: dict[str, Any], memory: Memory) -> list[Remark]:
    """Everything that is wrong with the meaning of a cluster's settings; what clusters share is checked once."""
    istio = settings.get("istio") or {}
    known, found = _release(istio)
    remarks = [*found, *_gateways(istio)]
    if known is not None:
        remarks += (*_install(istio, known), *_ignored(istio, known), *_profile(istio, known))
        remarks += _fields(istio, known, memory)
        if install_method(istio) in ("helm", "sail"):
            remarks += _own_charts(istio)
        if addons := settings.get("addons"):
            remarks += memory.recall_same(_addons, addons, known)
    if delivery := settings.get("delivery"):
        remarks += memory.recall_same(_delivery, delivery)
    if resources := settings.get("resources"):
        remarks += _resources(resources)
    return [*remarks, *_open_control_plane(istio)]


def _resources(resources: dict[str, Any]) -> Iterator[Remark]:
    for name, resource in resources.items():
        if not (resource or {}).get("path"):
            message, at = f'resources.{name}: "path" is missing', pointer(["resources", name])
            yield Remark("MG104", message, at, "say path: ./manifests, a file or a folder; or null, to take it out")


def _open_control_plane(istio: dict[str, Any]) -> Iterator[Remark]:
    pilot = (istio.get("components") or {}).get("pilot") or {}
    service = (pilot.get("k8s") or {}).get("service") or {}
    if isinstance(service, dict) and service.get("type") == "LoadBalancer":
        message = "istio.components.pilot.k8s.service.type: istiod on a load balancer, its plain-text port too"
        hint = "take it out; other clusters reach istiod through an east-west gateway"
        yield Remark("MG501", message, "/istio/components/pilot/k8s/service/type", hint, "warning")


def _release(istio: dict[str, Any]) -> tuple[Release | None, list[Remark]]:
    version = istio.get("version")
    if version is None:
        hint = 'say which Istio, for example version: "1.11.3"'
        return None, [Remark("MG104", 'istio: "version" is missing', "/istio", hint)]
    minor, assumed = Version.parse(version).minor, istio.get("assumeMinor")
    newest = minors()[-1]
    if assumed and minor in minors():
        message = f"istio.assumeMinor: Istio {minor} is known, nothing has to be assumed"
        return release(minor), [Remark("MG203", message, "/istio/assumeMinor", "take it out", "warning", at_key=True)]
    try:
        if assumed and minor_key(minor) < minor_key(newest):
            raise UnknownMinor(minor, minors())
        return release_of(istio), _assumed(minor, assumed)
    except UnknownMinor as error:
        if error.minor == assumed:
            message = f"istio.assumeMinor: Istio {assumed} is not known to this meshgen"
            return None, [Remark("MG203", message, "/istio/assumeMinor", f"say {newest}, the newest that it knows")]
        message = f"istio.version: Istio {minor} is not known to this meshgen"
        hint = f"it knows {error.known[0]} to {newest}"
        if minor_key(minor) > minor_key(newest):
            hint += f'; a newer meshgen may know more, or say istio.assumeMinor: "{newest}" and review what comes out'
        return None, [Remark("MG203", message, "/istio/version", hint)]


def _assumed(minor: str, assumed: str | None) -> list[Remark]:
    if not assumed:
        return []
    if release(assumed).operator:
        message = f"istio.assumeMinor: Istio {assumed} has an in-cluster operator, and {minor} has none"
        return [Remark("MG203", message, "/istio/assumeMinor", f"say {minors()[-1]}, the newest that is known")]
    message = f"istio.assumeMinor: Istio {minor} is rendered by the facts of {assumed}"
    return [Remark("MG203", message, "/istio/assumeMinor", "take it out once meshgen knows this minor", "warning")]


def _install(istio: dict[str, Any], known: Release) -> Iterator[Remark]:
    method = istio.get("install")
    if method == "operator" and not known.operator:
        message = f"istio.install: Istio {known.minor} has no in-cluster operator; it went with 1.24"
        yield Remark("MG206", message, "/istio/install", "leave the key out, or stay on 1.23 or older")
    oldest = _OLDEST.get(method or "")
    if oldest and minor_key(known.minor) < minor_key(oldest):
        message = f"istio.install: {method} can't install Istio {known.minor}; it can from {oldest} on"
        yield Remark("MG206", message, "/istio/install", "say install: operator, or install: manifests")
    for key, methods in _MEANT_FOR.items():
        if istio.get(key) and install_method(istio) not in methods:
            message = f"istio.{key} says nothing unless install is {' or '.join(methods)}"
            able = [one for one in methods if minor_key(known.minor) >= minor_key(_OLDEST[one])]
            hint = f"take it out, or say install: {able[0]}" if able else "take it out"
            yield Remark("MG206", message, f"/istio/{key}", hint, at_key=True)


# istioctl marks its own notes with it (operator/cmd/mesh/install.go in istio/istio).
IGNORED = "install.istio.io/ignoreReconcile"
# The charts know profiles from 1.22 on; the Sail operator's oldest Istio.
_OLDEST = {"helm": "1.22", "sail": "1.24"}
_MEANT_FOR = {"charts": ("helm", "sail"), "sail": ("sail",)}


def _own_charts(istio: dict[str, Any]) -> Iterator[Remark]:
    if istio.get("installPackagePath"):
        message = "istio.installPackagePath: a path on one machine is nothing that a cluster could install from"
        hint = "publish the charts and say istio.charts.repository, or say install: manifests"
        yield Remark("MG215", message, "/istio/installPackagePath", hint, at_key=True)


def _ignored(istio: dict[str, Any], known: Release) -> Iterator[Remark]:
    metadata = istio.get("metadata") or {}
    name = metadata.get("name") or ""
    # `istioctl install` leaves such an object behind as a note to itself.
    if known.operator and name.startswith("installed-state"):
        message = f'istio.metadata.name: the operator ignores an IstioOperator called "{name}"'
        yield Remark("MG207", message, "/istio/metadata/name", "take another name, or leave the key out")
    if known.operator and (metadata.get("annotations") or {}).get(IGNORED) == "true":
        message = "istio.metadata.annotations: the operator ignores an IstioOperator with this annotation"
        at = pointer(["istio", "metadata", "annotations", IGNORED])
        yield Remark("MG207", message, at, "take it out, unless nothing is to be installed", "warning", at_key=True)


def _profile(istio: dict[str, Any], known: Release) -> Iterator[Remark]:
    profile = istio.get("profile")
    # Charts of one's own bring profiles of their own.
    own = istio.get("installPackagePath") and install_method(istio) in ("operator", "manifests")
    if profile and profile not in known.profiles and not own:
        message = f"istio.profile: Istio {known.minor} has no profile {shown(profile)}"
        yield Remark("MG204", message, "/istio/profile", guess(profile, known.profiles))


def _fields(istio: dict[str, Any], known: Release, memory: Memory) -> list[Remark]:
    spec = {key: value for key, value in istio.items() if key not in OWN_KEYS}
    # What every field is like is only read where that is in question.
    if all(key in known.spec_fields and not (key in _DEEP and value) for key, value in spec.items()):
        return []
    translated = install_method(istio) in ("helm", "sail")
    versions = (istio["version"], istio.get("assumeMinor"))
    return memory.recall_same(_field_remarks, versions, translated, tuple(spec), *spec.values())


# The fields of the spec that have fields of their own.
_DEEP = ("meshConfig", "values", "unvalidatedValues", "components", "addonComponents")


def _field_remarks(
    versions: tuple[str, str | None], translated: bool, keys: tuple[str, ...], *settings: Any
) -> list[Remark]:
    from meshgen.check.fields import field_remarks
    from meshgen.check.meaning import meaning_remarks
    from meshgen.check.translated import translated_remarks

    istio = {**dict(zip(keys, settings, strict=True)), "version": versions[0], "assumeMinor": versions[1]}
    remarks = [*field_remarks(istio, translated), *(translated_remarks(istio) if translated else ())]
    return [*remarks, *meaning_remarks(istio)]


def _gateways(istio: dict[str, Any]) -> Iterator[Remark]:
    for kind in GATEWAY_KINDS:
        listed = (istio.get("components") or {}).get(kind)
        named = listed.items() if isinstance(listed, dict) else []
        for key, gateway in named:
            if gateway and gateway.get("name") not in (None, key):
                at = pointer(["istio", "components", kind, key, "name"])
                message = f'istio.components.{kind}.{key}.name: "{gateway["name"]}" is not "{key}", its key in the map'
                yield Remark("MG101", message, at, "take the name out: the key is the name")
        seen: set[str] = set()
        for index, gateway in enumerate(listed if isinstance(listed, list) else []):
            at = pointer(["istio", "components", kind, index])
            name = (gateway or {}).get("name") or DEFAULT_GATEWAYS[kind]
            if name in seen:
                own = (gateway or {}).get("name")
                means = "there is" if own else "without a name this is Istio's own, and there is"
                message = f'istio.components.{kind}[{index}]: {means} a gateway "{name}" already'
                yield Remark("MG202", message, at, "give it another name" if own else "give it a name")
            elif not (gateway or {}).get("name"):
                message = f'istio.components.{kind}[{index}]: "name" is missing'
                yield Remark("MG104", message, at, f"say name: {name}; istioctl up to 1.23 needs it", "info")
            seen.add(name)


def _addons(addons: dict[str, Any], known: Release) -> list[Remark]:
    return list(_addon_remarks(addons, known))


def _addon_remarks(addons: dict[str, Any], known: Release) -> Iterator[Remark]:
    for name, addon in addons.items():
        at = pointer(["addons", name])
        source = addon.get("source") or "builtin"
        if source == "builtin":
            yield from _builtin_remarks(name, addon, known, at)
        if addon.get("secret") and name not in TAKES_SECRET:
            message = f"addons.{name}.secret: {name} takes no credentials"
            yield Remark("MG210", message, f"{at}/secret", f"take it out; {' and '.join(TAKES_SECRET)} take one")
        if source in ("builtin", "helm") and addon.get("storage") and not addon["storage"].get("size"):
            yield Remark("MG104", f'addons.{name}.storage: "size" is missing', f"{at}/storage", "say size: 50Gi")
        for key in addon if source not in ("builtin", "helm") else ():
            if key != "source":
                message = f"addons.{name}.{key} says nothing about manifests of your own"
                yield Remark("MG210", message, f"{at}/{key}", "change it in the manifests, or leave `source` out")
    own = [addons.get(name, _ABSENT).get("source") or "builtin" for name in ("zipkin", "jaeger")]
    if all(source in ("builtin", "helm") for source in own):
        message = "addons.zipkin: Zipkin and Jaeger exclude each other: both have Services tracing and zipkin"
        yield Remark("MG211", message, "/addons/zipkin", "keep one of them", at_key=True)


def _builtin_remarks(name: str, addon: dict[str, Any], known: Release, at: str) -> Iterator[Remark]:
    if name not in known.addons:
        message = f"addons.{name}: Istio {known.minor} has no {name} among its samples"
        hint = "take it out for this version, say source: helm, or give your own manifests by source: PATH"
        yield Remark("MG210", message, at, hint, at_key=True)
    for key in ("chart", "repository", "values"):
        if addon.get(key) is not None:
            message = f"addons.{name}.{key} says nothing about the built-in addon"
            yield Remark("MG210", message, f"{at}/{key}", "say source: helm, or take it out", at_key=True)


_ABSENT = {"source": "absent"}


# How the tokens of GitHub and GitLab begin, which stand in a URL without a user's name.
_TOKEN = re.compile(r"://(gh[opsur]_|github_pat_|gl[a-z]{2,4}-)|[?&](access_token|private_token|token|password)=", re.I)


def _holds_password(url: str) -> bool:
    _, scheme, rest = url.partition("://")
    if not scheme:
        return False
    authority = rest.partition("/")[0]
    # A password that was not escaped may hold a slash; what else follows a colon there is a port.
    broken = "@" in rest and "@" not in authority and not authority.rpartition(":")[2].isdigit()
    return ":" in authority.rpartition("@")[0] or (broken and ":" in authority) or _TOKEN.search(url) is not None


def _delivery(delivery: dict[str, Any]) -> list[Remark]:
    return list(_delivery_remarks(delivery))


def _delivery_remarks(delivery: dict[str, Any]) -> Iterator[Remark]:
    for engine in ENGINES:
        wiring, at = delivery.get(engine), pointer(["delivery", engine])
        if wiring is None:
            continue
        url = wiring.get("url")
        if not url:
            message = f'delivery.{engine}: "url" is missing'
            yield Remark("MG104", message, at, "give the URL of the repository that holds the tree")
        elif _holds_password(url):
            message = f"delivery.{engine}.url holds a password"
            secret = "a Secret that secretRef names" if engine == "flux" else "a repository Secret of Argo CD"
            yield Remark("MG212", message, f"{at}/url", f"put the credentials into {secret}")
        if ".." in (wiring.get("path") or "").split("/"):
            message = f"delivery.{engine}.path leads out of the repository"
            yield Remark("MG101", message, f"{at}/path", "give a folder in the repository, say ./output")
        elif (wiring.get("path") or "").startswith("/"):
            message = f"delivery.{engine}.path is absolute"
            yield Remark("MG101", message, f"{at}/path", "give a folder in the repository, say ./output")


def name_remarks(mesh: str, cluster: str, settings: dict[str, Any]) -> list[Remark]:
    """Names that the engines could not keep: both label every object with the name of what applied it."""
    delivery = settings.get("delivery") or {}
    longest = {"flux": f"{mesh}-{NAMESPACES}", "argocd": f"{mesh}-{cluster}-{NAMESPACES}"}
    if (delivery.get("flux") or {}).get("kubeConfig") is not None:
        longest["flux"] = longest["argocd"]
    return [
        Remark(
            "MG214",
            f"delivery.{engine}: {longest[engine]} is too long for a label",
            pointer(["delivery", engine]),
            f"shorten the mesh's or the cluster's name: a label holds {_LABEL} characters",
            at_key=True,
        )
        for engine in ENGINES
        if delivery.get(engine) and len(longest[engine]) > _LABEL
    ]


def release_remarks(mesh: str, cluster: str, argocd: bool, releases: tuple[ChartRelease, ...]) -> list[Remark]:
    """Names of Helm releases that Helm, or Argo CD's label, could not keep, or that two of them have."""
    remarks = [
        Remark("MG202", f"there are two Helm releases {name}", "/istio/components", "name one otherwise", at_key=True)
        for name, count in Counter(one.name for one in releases).items()
        if count > 1
    ]
    for one in releases:
        application = f"{mesh}-{cluster}-{one.name}"
        if len(one.name) > _HELM:
            message = f"{one.name} is too long for the name of a Helm release"
            remarks.append(Remark("MG214", message, "/istio/components", f"Helm takes {_HELM} characters", at_key=True))
        elif argocd and len(application) > _LABEL:
            message = f"delivery.argocd: {application} is too long for a label"
            hint = f"shorten the mesh's or the cluster's name: a label holds {_LABEL} characters"
            remarks.append(Remark("MG214", message, "/delivery/argocd", hint, at_key=True))
    return remarks


def kubernetes_remarks(istio: dict[str, Any], kubernetes: str | None) -> list[Remark]:
    """What is wrong with a pair of Istio and Kubernetes; the pointers lead into the cluster's entry."""
    if kubernetes is None or istio.get("version") is None:
        return []
    minor = ".".join(kubernetes.split(".")[:2])
    try:
        known = release_of(istio)
    except UnknownMinor:
        return []
    at = "/kubernetesVersion"
    number = int(minor.split(".")[1])
    broken = known.broken_from_kubernetes
    if known.operator and broken and number >= int(broken.split(".")[1]):
        message = f"Istio {known.minor} installs APIs that Kubernetes {minor} no longer serves"
        hint = f"take a newer Istio, or Kubernetes below {broken}"
        return [Remark("MG402", message, at, hint)]
    oldest, newest = known.kubernetes
    if not int(oldest.split(".")[1]) <= number <= int(newest.split(".")[1]):
        message = f"Istio {known.minor} is not supported on Kubernetes {minor}"
        return [Remark("MG401", message, at, f"it supports {oldest} to {newest}", "warning")]
    return []
