"""Marks by which Flux's image automation finds a tag in a kustomization.yaml: written, and read back when moved.

A marked image is an entry of Kustomize's `images`, and says what the config asks for beside what runs:

    - name: "docker.io/grafana/grafana" # the config says 11.2.0
      newTag: "11.2.3" # {"$imagepolicy": "flux-system:grafana:tag"}

So what Flux moved is told from what a person edited, and a tag that changes in the config from one that does not.
The form of a mark is that of fluxcd.io/flux/guides/image-update.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MarkedImage:
    """An image by its name, with the tag, the digest or both that the config asks for.

    `policy` is the ImagePolicy that moves it, as NAMESPACE:NAME. With none, Kustomize sets what the config asks for,
    whatever is marked in a directory below.
    """

    name: str
    tag: str | None
    digest: str | None
    policy: str | None


def entry(image: MarkedImage) -> str:
    """The lines of an image in Kustomize's list `images`."""
    if image.policy:
        return _entry(image, image)
    lines = [f'- name: "{image.name}"', *(f'  {key}: "{value}"' for key, _, value in _parts(image))]
    return "".join(f"{line}\n" for line in lines)


def is_marked(content: bytes) -> bool:
    """Whether Flux may move something in a file."""
    return _SAYS.encode() in content


def settled(content: bytes) -> bytes:
    """A file with every marked image at what the config asks for: what meshgen wrote, if only Flux edited it since."""
    return _rewritten(content, {}) if is_marked(content) else content


def moved(content: bytes, found: bytes) -> bytes:
    """A file that is to be written, with the tags that Flux gave to the one that is there.

    What the config asks for wins where it is not what it was: then a person has changed it.
    """
    return _rewritten(content, dict(_marks(found)))


_TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "sha256:[0-9a-f]{64}"
_POLICY = "[a-z0-9-]+:[a-z0-9.-]+"
_SAYS = " # the config says "
_MARK = re.compile(
    rf'- name: "?(?P<name>[a-z0-9._:/-]+)"?{_SAYS}(?P<tag>{_TAG})?(?:@(?P<digest>{_DIGEST}))?\n'
    rf'(?:  newTag: "?(?P<at_tag>{_TAG})"? # {{"\$imagepolicy": "(?P<by_tag>{_POLICY}):tag"}}\n)?'
    rf'(?:  digest: "?(?P<at_digest>{_DIGEST})"? # {{"\$imagepolicy": "(?P<by_digest>{_POLICY}):digest"}}\n)?'
)


def _entry(image: MarkedImage, place: MarkedImage) -> str:
    """A marked image that is at the tag and digest of `place`."""
    asked = f"{image.tag or ''}{f'@{image.digest}' if image.digest else ''}"
    marks = (f'  {key}: "{value}" # {{"$imagepolicy": "{image.policy}:{part}"}}' for key, part, value in _parts(place))
    return "".join(f"{line}\n" for line in (f'- name: "{image.name}"{_SAYS}{asked}', *marks))


def _parts(image: MarkedImage) -> list[tuple[str, str, str]]:
    """(Kustomize's key, Flux's word, value) of what an image has."""
    parts = (("newTag", "tag", image.tag), ("digest", "digest", image.digest))
    return [(key, word, value) for key, word, value in parts if value]


def _marks(content: bytes) -> Iterator[tuple[MarkedImage, MarkedImage]]:
    """The marked images of a file, each with where it is."""
    return (mark for found in _MARK.finditer(_text(content)) if (mark := _read(found)))


def _read(found: re.Match[str]) -> tuple[MarkedImage, MarkedImage] | None:
    name, tag, digest = found["name"], found["tag"], found["digest"]
    policies = {policy for policy in (found["by_tag"], found["by_digest"]) if policy}
    if len(policies) != 1 or (tag is None, digest is None) != (found["at_tag"] is None, found["at_digest"] is None):
        return None
    policy = policies.pop()
    return MarkedImage(name, tag, digest, policy), MarkedImage(name, found["at_tag"], found["at_digest"], policy)


def _rewritten(content: bytes, places: Mapping[MarkedImage, MarkedImage]) -> bytes:
    def replacement(found: re.Match[str]) -> str:
        mark = _read(found)
        return _entry(mark[0], places.get(mark[0], mark[0])) if mark else found[0]

    return _MARK.sub(replacement, _text(content)).encode(errors="surrogateescape")


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")
