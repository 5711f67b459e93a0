"""Rules about Istio's annotations, and about what Istio has deprecated."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.hosts import NETWORKING
from meshgen.policy.istioannotations import ANY, expected, is_istios, known_annotations
from meshgen.policy.reading import Map, items, mapping
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads

_INJECT = "sidecar.istio.io/inject"
_BESIDE = "metadata", "annotations"
_Path = tuple[str | int, ...]


def _told(subject: Subject) -> Iterator[tuple[KubernetesObject, str, _Path, str, object]]:
    """Istio's annotations on what is looked at: (object, kind that carries it, path, name, value)."""
    for kind in ("Namespace", "Service"):
        for obj in subject.of(kind):
            yield from _of(obj, kind, ())
    for obj, template in workloads(subject):
        yield from _of(obj, obj["kind"], ())
        if obj["kind"] != "Pod":
            yield from _of(obj, "Pod", _template_path(obj), template)


def _of(
    obj: KubernetesObject, kind: str, path: _Path, carrier: Map | None = None
) -> Iterator[tuple[KubernetesObject, str, _Path, str, object]]:
    for name, value in mapping(obj if carrier is None else carrier, *_BESIDE).items():
        if is_istios(name):
            yield obj, kind, (*path, *_BESIDE, name), name, value


def _template_path(obj: KubernetesObject) -> _Path:
    return ("spec", "jobTemplate", "spec", "template") if obj["kind"] == "CronJob" else ("spec", "template")


def _without_effect(subject: Subject) -> Iterator[Breach]:
    for obj, kind, path, name, value in _told(subject):
        what, hint = _fault(subject, kind, name, value)
        if what:
            yield of_object(subject, obj, f"annotation {plain(name)} {what}", hint, path)


def _fault(subject: Subject, kind: str, name: str, value: object) -> tuple[str, str]:
    """What is wrong with an annotation on a kind, and the next move; empty where it is as it should be."""
    known = known_annotations().get(name)
    if known is None or not known.is_of(subject.version):
        there = [one for one, fact in known_annotations().items() if fact.is_of(subject.version) and kind in fact.kinds]
        hint = _near(name, there) or "take it out, or make it a label if that is what Istio calls so"
        return f"is none that Istio {subject.version.minor} knows", hint
    if ANY not in known.kinds and kind not in known.kinds:
        below = "put it on spec.template.metadata: that is where its pods come from"
        moved = "move it to an object of that kind, or take it out"
        hint = below if "Pod" in known.kinds and kind not in ("Namespace", "Service") else moved
        return f"means nothing on a {kind}: Istio reads it on kind {' or '.join(known.kinds)} alone", hint
    wanted = expected(name, value) if isinstance(value, str) else None
    return (f"has a value that injection refuses: it has to be {wanted}", f"write {wanted}") if wanted else ("", "")


def _near(name: str, known: list[str]) -> str | None:
    """The annotation that was meant, where one is near."""
    hint = guess(name, known)
    meant, question, _ = (hint or "").partition("?")
    return meant + question if meant.startswith("did you mean") else None


def _deprecated(subject: Subject) -> Iterator[Breach]:
    for obj, kind, path, name, _ in _told(subject):
        fact = known_annotations().get(name)
        # As a template's annotation it is still what most charts and Istio's own samples write.
        if fact is None or not fact.is_of(subject.version) or (name == _INJECT and _is_quiet(obj, kind)):
            continue
        if fact.deprecated and fact.deprecated <= subject.version:
            hint = f"make it a label: {_INJECT}" if name == _INJECT else "take it out before a later Istio drops it"
            yield of_object(subject, obj, f"annotation {plain(name)} is deprecated", hint, path)
    yield from _deprecated_fields(subject)


def _is_quiet(obj: KubernetesObject, kind: str) -> bool:
    return obj["kind"] != kind or _INJECT in mapping(obj, "metadata", "labels")


def _deprecated_fields(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for index, route in enumerate(items(service, "spec", "http")):
            if mapping(route, "fault", "delay").get("percent"):
                path: _Path = ("spec", "http", index, "fault", "delay", "percent")
                what = "fault.delay.percent is deprecated"
                yield of_object(subject, service, what, "say percentage: {value: …} instead", path)
    for sidecar in subject.of("Sidecar", NETWORKING):
        if mapping(sidecar, "spec", "outboundTrafficPolicy").get("egressProxy"):
            path = ("spec", "outboundTrafficPolicy", "egressProxy")
            what = "outboundTrafficPolicy.egressProxy is deprecated: Istio does not look at it"
            yield of_object(subject, sidecar, what, "route to the egress gateway by a VirtualService instead", path)


RULES = (
    Rule("MG574", "warning", "An annotation of Istio's that has no effect", _without_effect, of_objects=True),
    Rule("MG575", "info", "Something that Istio has deprecated", _deprecated, of_objects=True),
)
