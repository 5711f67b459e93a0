"""Rules about injection: which namespaces ask for sidecars, and pods that don't get along with theirs."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.catalog import Version
from meshgen.config.problems import guess, plain
from meshgen.policy.images import tag_of
from meshgen.policy.reading import Map, items, mapping, number, template_path, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads

_INJECT = "sidecar.istio.io/inject"
_INJECTION, _YES_OR_NO = "istio-injection", ("enabled", "disabled")
_MODE = "istio.io/dataplane-mode"
_PROXY = "istio-proxy"
# The user that sidecars run as: what it sends is never redirected into the sidecar.
_PROXYS_USER = 1337


def injects(subject: Subject, space: str) -> bool | None:
    """Whether pods of a namespace get a sidecar unless they say otherwise; None where the tree doesn't know."""
    named = next((one for one in subject.of("Namespace") if one["metadata"]["name"] == space), None)
    if named is None:
        return None
    labels = mapping(named, "metadata", "labels")
    if "istio-injection" in labels:
        return bool(labels["istio-injection"] == "enabled")
    return "istio.io/rev" in labels or (labels.get("istio.io/dataplane-mode") is None and _by_default(subject))


def _by_default(subject: Subject) -> bool:
    return subject.setting("values", "sidecarInjectorWebhook", "enableNamespacesByDefault") is True


def is_injected(subject: Subject, space: str, template: Map) -> bool | None:
    """Whether pods of a template have a sidecar, by hand or by injection; None where the tree doesn't know."""
    if mapping(template, "spec").get("hostNetwork") is True:
        return False
    if any(one.get("name") == _PROXY for one in items(template, "spec", "containers")):
        return True
    said = _asks(subject, template)
    return injects(subject, space) if said is None else said


def _asks(subject: Subject, template: Map) -> bool | None:
    return asks(template, reads_words(subject.version))


def is_captured(subject: Subject, space: str, template: Map) -> bool | None:
    """Whether the mesh speaks for pods of a template, by a sidecar or by ambient; None where the tree doesn't know."""
    if mapping(template, "spec").get("hostNetwork") is True:
        return False
    named = next((one for one in subject.of("Namespace") if one["metadata"]["name"] == space), {})
    labels = mapping(template, "metadata", "labels")
    mode = labels.get(_MODE) or mapping(named, "metadata", "labels").get(_MODE)
    if mode == "ambient" or ("istio.io/rev" in labels and _asks(subject, template) is not False):
        return True
    return is_injected(subject, space, template)


# Other words than true and false mean nothing from then on (istio/istio pkg/kube/inject, injectRequired).
_WORDS_UNREAD = Version.parse("1.27.0")
_YES = ("y", "yes", "true", "on")


def reads_words(istio: Version) -> bool:
    """Whether an Istio's injection takes other words for yes too, and all else for no."""
    return istio < _WORDS_UNREAD


def asks(template: Map, words: bool) -> bool | None:
    """What a pod says of its own injection, where other `words` are read or not; None where it says nothing."""
    labels = mapping(template, "metadata", "labels")
    said = str({**mapping(template, "metadata", "annotations"), **labels}.get(_INJECT) or "")
    if not words or not said:
        return {"true": True, "false": False}.get(said)
    # By a label the webhook picks pods only where it is true: of other words their namespace has to ask.
    means_yes = said.lower() in _YES
    return None if means_yes and said != "true" and _INJECT in labels else means_yes


def is_istios(obj: KubernetesObject) -> bool:
    """Whether an object is part of Istio itself, by the labels that its charts give."""
    labels = mapping(obj, "metadata", "labels")
    return "istio" in labels or labels.get("release") == "istio"


def _unsaid(subject: Subject) -> Iterator[Breach]:
    spaces = [one for one in subject.of("Namespace") if subject.places.of(one)]
    # A tree that never speaks of injection leaves it to somebody else.
    if not any(_speaks(one) for one in spaces) or _by_default(subject):
        return
    for obj in spaces:
        name = obj["metadata"]["name"]
        if not _speaks(obj) and name not in (subject.home, subject.root_namespace) and not name.startswith("kube-"):
            what = "says nothing of injection, as other namespaces of the tree do: its pods get no sidecar"
            hint = "label it istio-injection: enabled, or disabled to say that it is meant"
            yield of_object(subject, obj, what, hint)


def _speaks(obj: KubernetesObject) -> bool:
    labels = mapping(obj, "metadata", "labels")
    return any(label in labels for label in ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode"))


def _neither_yes_nor_no(subject: Subject) -> Iterator[Breach]:
    for obj in subject.of("Namespace"):
        value = mapping(obj, "metadata", "labels").get(_INJECTION)
        if value is not None and value not in _YES_OR_NO:
            what = f"label {_INJECTION}: {plain(value)} asks for no sidecar: it has to be {' or '.join(_YES_OR_NO)}"
            hint = guess(str(value), _YES_OR_NO) or f"write {_YES_OR_NO[0]}"
            yield of_object(subject, obj, what, hint, ("metadata", "labels", _INJECTION))
    for obj, template in workloads(subject):
        value = mapping(template, "metadata", "labels").get(_INJECTION)
        if value is not None and value not in _YES_OR_NO:
            what = f"its pods' label {_INJECTION}: {plain(value)} asks for nothing"
            at = ("metadata", "labels", _INJECTION)
            yield of_object(subject, obj, what, f'pods say {_INJECT}: "true" or "false"', (*template_path(obj), *at))


def _at_odds(subject: Subject) -> Iterator[Breach]:
    for obj, template in workloads(subject):
        if not is_istios(obj):
            yield from _proxys_user(subject, obj, template)
        proxy = next((one for one in items(template, "spec", "containers") if one.get("name") == _PROXY), None)
        if proxy is not None:
            yield from _image(subject, obj, template, text(proxy, "image"))


def _proxys_user(subject: Subject, obj: KubernetesObject, template: Map) -> Iterator[Breach]:
    own = [one for one in items(template, "spec", "containers") if one.get("name") != _PROXY]
    users = [number(one, "securityContext", "runAsUser") for one in own]
    shared = number(template, "spec", "securityContext", "runAsUser")
    runs = any(user == _PROXYS_USER or (user is None and shared == _PROXYS_USER) for user in users)
    if runs and is_injected(subject, space_of(obj), template) is not False:
        what = f"runs as user {_PROXYS_USER}, the sidecar's own: its traffic passes the sidecar by"
        yield of_object(subject, obj, what, "take another runAsUser")


def _image(subject: Subject, obj: KubernetesObject, template: Map, image: str) -> Iterator[Breach]:
    space = space_of(obj)
    if image == "auto":
        if obj["kind"] == "Pod":
            hint = "make it a Deployment: injection replaces the image in what a template makes"
            yield of_object(subject, obj, "image auto stays as it is in a pod of its own, and can't be pulled", hint)
        elif not _is_picked(subject, space, template):
            what = "image auto is never replaced: neither its pods nor their namespace ask for injection"
            yield of_object(subject, obj, what, f'label the template {_INJECT}: "true"')
        return
    tag, wanted = tag_of(image), _tag(subject)
    pinned = tag is not None and not tag.startswith("sha256:") and tag.split("-distroless")[0] != wanted
    told = "sidecar.istio.io/proxyImage" in mapping(template, "metadata", "annotations")
    if pinned and not told and injects(subject, space) and _asks(subject, template) is not False:
        what = f"its sidecar is kept at {plain(tag)}, and the mesh is at {plain(wanted)}"
        yield of_object(subject, obj, what, f"take container {_PROXY} out: injection adds one of the mesh's version")


def _is_picked(subject: Subject, space: str, template: Map) -> bool:
    """Whether injection picks a template's pods; where nobody says so of their namespace, and of no other, it may."""
    said = _asks(subject, template)
    if said is not None:
        return said
    if "istio.io/rev" in mapping(template, "metadata", "labels"):
        return True
    there = injects(subject, space)
    return not any(subject.places.of(one) for one in subject.of("Namespace")) if there is None else there


def _tag(subject: Subject) -> str:
    """The tag of the mesh's proxies."""
    said = subject.setting("values", "global", "tag") or subject.setting("tag") or subject.setting("version")
    return str(said).split("-distroless")[0]


RULES = (
    Rule("MG579", "info", "A namespace that says nothing of injection", _unsaid),
    Rule("MG597", "warning", "A label of injection that says neither yes nor no", _neither_yes_nor_no, of_objects=True),
    Rule("MG589", "warning", "A pod at odds with its sidecar", _at_odds),
)
