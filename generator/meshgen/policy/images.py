"""Rules about where images come from, and whether they stay the same."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.catalog import release_of
from meshgen.config.problems import plain
from meshgen.policy.reading import mapping, placed_images, texts
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads

_PILOTS = ("pilot", "cni", "ztunnel")


def _unpinned(subject: Subject) -> Iterator[Breach]:
    hint = "name a version, or better a digest: what runs would change without a commit"
    for obj, _ in workloads(subject):
        for path, image, whose in placed_images(obj):
            tag = tag_of(image)
            if image and image != "auto" and tag in (None, "latest"):
                said = "tag latest" if tag else "no tag"
                yield of_object(subject, obj, f"image {plain(image)} of {whose} has {said}", hint, path)
    for setting, tag in istio_tags(subject):
        if tag == "latest":
            yield of_setting(
                subject, setting, "is latest", "name a version: istiod and proxies would part without a commit"
            )


def tag_of(image: str) -> str | None:
    """The tag of an image, the digest where it has one; None where it has neither."""
    if "@" in image:
        return image.partition("@")[2]
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return tag if colon and tag else None


def istio_tags(subject: Subject) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every tag that the settings of Istio name, with its path."""
    paths = [("tag",), ("values", "global", "tag")]
    paths += [("components", name, "tag") for name in _PILOTS] + [("values", name, "tag") for name in _PILOTS]
    for path in paths:
        if subject.setting(*path):
            yield ("istio", *path), str(subject.setting(*path))
    for kind, gateway in subject.gateways:
        if gateway.get("tag"):
            yield ("istio", "components", kind, gateway["name"], "tag"), str(gateway["tag"])


def _foreign_hub(subject: Subject) -> Iterator[Breach]:
    allowed = texts(subject.settings.get("policy"), "allowedHubs")
    if not allowed:
        return
    hint = f"mirror it to {' or '.join(plain(hub) for hub in allowed[:3])}, or add its registry to policy.allowedHubs"
    for obj, _ in workloads(subject):
        for image in dict.fromkeys(image for _, image, _ in placed_images(obj)):
            if image and image != "auto" and not is_allowed(image, allowed):
                yield of_object(subject, obj, f"image {plain(image)} comes from a registry that is not allowed", hint)
    for path, hub in _istio_hubs(subject):
        if not is_allowed(f"{hub}/image", allowed):
            yield of_setting(subject, path, f"{plain(hub)} is not an allowed registry", hint)


def _istio_hubs(subject: Subject) -> Iterator[tuple[tuple[str, ...], str]]:
    """The registries that Istio's own images come from, each with the setting that says so."""
    said = mapping(subject.setting("values", "global")).get("hub")
    if said:
        yield ("istio", "values", "global", "hub"), str(said)
    else:
        yield ("istio", "hub"), str(subject.setting("hub") or release_of(subject.istio).hub)
    for name in _PILOTS:
        if hub := subject.setting("components", name, "hub") or subject.setting("values", name, "hub"):
            yield ("istio", "components", name, "hub"), str(hub)
    for kind, gateway in subject.gateways:
        if gateway.get("hub"):
            yield ("istio", "components", kind, gateway["name"], "hub"), str(gateway["hub"])


def is_allowed(image: str, allowed: list[str]) -> bool:
    """Whether an image comes from one of these registries or folders of them; Docker Hub's short names count as its."""
    full = _full(image)
    return any(full == hub or full.startswith(f"{hub}/") for hub in (one.rstrip("/") for one in allowed))


def _full(image: str) -> str:
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return f"docker.io/{rest}" if first == "index.docker.io" else image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


RULES = (
    Rule("MG560", "warning", "An image without a pinned tag", _unpinned),
    Rule("MG561", "error", "An image from a registry that is not allowed", _foreign_hub),
)
