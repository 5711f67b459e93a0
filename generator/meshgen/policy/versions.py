"""Rules about versions that have to go together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.config.problems import plain
from meshgen.policy.images import istio_tags, tag_of
from meshgen.policy.reading import mapping, text, texts
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads

_TAG = re.compile(r"v?([0-9]{1,3})\.([0-9]{1,3})(?:[.-].*)?")
_PROXIES = ("ingressGateways", "egressGateways", "ztunnel")


def minor_of_tag(tag: str) -> tuple[int, int] | None:
    """The minor that a tag such as `1.11.3-distroless` is of; None where it does not say."""
    match = _TAG.fullmatch(tag)
    return (int(match[1]), int(match[2])) if match else None


def _skewed(subject: Subject) -> Iterator[Breach]:
    own = subject.version.numbers[:2]
    for path, tag in istio_tags(subject):
        minor = minor_of_tag(tag)
        if minor and (minor[0] != own[0] or abs(minor[1] - own[1]) > 1):
            what = f"{plain(tag)} is more than one minor away from istio.version {subject.version}"
            yield of_setting(subject, path, what, "say a tag of that minor or its neighbour, or change istio.version")


def _pilot_minor(subject: Subject) -> tuple[int, int] | None:
    """The minor of the istiod that runs."""
    for path in (("components", "pilot", "tag"), ("values", "pilot", "tag"), ("values", "global", "tag"), ("tag",)):
        if subject.setting(*path):
            return minor_of_tag(str(subject.setting(*path)))
    return subject.version.numbers[0], subject.version.numbers[1]


def _newer_proxies(subject: Subject) -> Iterator[Breach]:
    pilot = _pilot_minor(subject)
    if pilot is None:
        return
    named = f"{pilot[0]}.{pilot[1]}"
    hint = f"bring istiod to that version first, or say a tag of {named}"
    for path, tag in istio_tags(subject):
        minor = minor_of_tag(tag)
        if any(part in _PROXIES for part in path) and minor and minor > pilot:
            yield of_setting(subject, path, f"{plain(tag)} is newer than istiod, which is {named}", hint)
    yield from _newer_sidecars(subject, pilot)
    for obj, template in workloads(subject):
        minor = minor_of_tag(tag_of(text(template, "metadata", "annotations", "sidecar.istio.io/proxyImage")) or "")
        if minor and minor > pilot:
            yield of_object(subject, obj, f"its sidecar is newer than istiod, which is {named}", hint)


def _newer_sidecars(subject: Subject, pilot: tuple[int, int]) -> Iterator[Breach]:
    """Sidecars are of the mesh's tag, which istiod may be kept away from by one of its own."""
    tag = str(subject.setting("values", "global", "tag") or subject.setting("tag") or subject.version)
    minor = minor_of_tag(tag)
    for part in ("components", "values"):
        own = subject.setting(part, "pilot", "tag")
        if own and minor and minor > pilot:
            hint = f"leave it out, or bring the mesh back to {pilot[0]}.{pilot[1]} by istio.tag"
            yield of_setting(subject, ("istio", part, "pilot", "tag"), f"is older than sidecars of {plain(tag)}", hint)
            break


def _unknown_revision(subject: Subject) -> Iterator[Breach]:
    own = subject.setting("revision") or "default"
    tags = subject.setting("revisionTags")
    known = {own, "default", *texts(subject.setting("values", "revisionTags"))} | set(mapping({"t": tags}, "t"))
    for obj in subject.of("Namespace"):
        revision = text(obj, "metadata", "labels", "istio.io/rev")
        if revision and revision not in known:
            what = f"asks for revision {plain(revision)}, and this tree installs {plain(own)}"
            hint = f"say istio.io/rev: {plain(own)}, or make the tag under istio.values.revisionTags"
            yield of_object(subject, obj, f"{what}: its pods get no sidecar, unless another tree has it", hint)


RULES = (
    Rule("MG565", "warning", "A tag that is not istio.version's", _skewed),
    Rule("MG566", "warning", "A proxy that is newer than istiod", _newer_proxies),
    Rule("MG567", "info", "A revision that this tree does not install", _unknown_revision),
)
