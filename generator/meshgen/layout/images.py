"""Kustomize's `images` of a directory: the marks of its own, and what keeps the marks of its ground from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meshgen.build.imagepolicies import meets_others, references
from meshgen.imagemarks import MarkedImage
from meshgen.layout.identity import Identity
from meshgen.layout.patch import JSONPatch, Patch

KubernetesObject = dict[str, Any]
Objects = Mapping[Identity, KubernetesObject]


@dataclass(frozen=True)
class ImageChanges:
    """The entries of a directory, and the objects of its ground that no entry can change as they would have to be."""

    entries: tuple[MarkedImage, ...] = ()
    whole: tuple[Identity, ...] = ()


def marks(images: tuple[MarkedImage, ...], objects: Objects) -> tuple[MarkedImage, ...]:
    """Those of a stage's images that these objects of it run."""
    if not images:
        return ()
    there = references(list(objects.values()))
    return tuple(image for image in images if image.name in there)


def image_changes(
    ground: tuple[MarkedImage, ...],
    images: tuple[MarkedImage, ...],
    lower: Objects,
    upper: Objects,
    written: Sequence[KubernetesObject | Patch],
) -> ImageChanges:
    """What a directory says of images over a ground whose marks are `ground`, for its own to be `images`.

    `written` are its own resources and patches, which no mark of the ground reaches.
    """
    below, own = ({image.name: image for image in one} for one in (ground, images))
    entries: list[MarkedImage] = []
    whole: list[Identity] = []
    for name, image in own.items():
        if not _is_same(image, below.get(name)) or any(_mentions(name, one) for one in written):
            entries.append(image)
    if unasked := below.keys() - own.keys():
        there = references(list(upper.values()))
        for name in unasked & there.keys():
            if len(there[name]) > 1:
                # One entry would move all containers to one tag.
                whole += [key for key, obj in lower.items() if name in references([obj])]
            else:
                literal = meets_others(name, there)
                entries += [MarkedImage(name, tag, digest, None, literal) for tag, digest in there[name]]
    return ImageChanges(tuple(sorted(entries, key=lambda one: one.name)), tuple(whole))


def _is_same(image: MarkedImage, below: MarkedImage | None) -> bool:
    """Whether a mark says nothing that the one below does not; how that spells the name is for what stands there."""
    return below is not None and image == replace(below, literal=image.literal)


def _mentions(name: str, written: KubernetesObject | Patch) -> bool:
    if isinstance(written, dict):
        return name in references([written])
    content = written.operations if isinstance(written, JSONPatch) else written.body
    return any(text == name or text.startswith((f"{name}:", f"{name}@")) for text in _texts(content))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for one in inner:
        yield from _texts(one)
