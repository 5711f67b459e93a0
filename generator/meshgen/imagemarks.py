"""Marks by which Flux's image automation finds a tag in a kustomization.yaml: written, and read back when moved.

A marked image is an entry of Kustomize's `images`, and says what the config asks for beside what runs:

    - name: "docker.io/grafana/grafana" # the config says 11.2.0
      newTag: "11.2.3" # {"$imagepolicy": "flux-system:grafana:tag"}

So what Flux moved is told from what a person edited, and a tag that changes in the config from one that does not.
The form of a mark is that of fluxcd.io/flux/guides/image-update.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from meshgen.yaml.scalars import DisputedError, resolve

Reference = tuple[str | None, str | None]
"""The tag and the digest of an image."""


@dataclass(frozen=True)
class MarkedImage:
    """An image by its name, with the tag, the digest or both that the config asks for.

    `policy` is the ImagePolicy that moves it, as NAMESPACE:NAME. With none, Kustomize sets what the config asks for,
    whatever is marked in a directory below. To Kustomize a name is a regular expression: `literal` spells it so that a
    dot meets nothing but a dot.
    """

    name: str
    tag: str | None
    digest: str | None
    policy: str | None
    literal: bool = False

    @property
    def spelled(self) -> str:
        """The name as Kustomize is to read it."""
        return self.name.replace(".", "[.]") if self.literal else self.name

    @property
    def asked(self) -> Reference:
        """What the config asks for."""
        return self.tag, self.digest


@dataclass(frozen=True)
class Place:
    """An image of a kustomization.yaml, and the tag and digest that it is at."""

    image: MarkedImage
    at: Reference

    @property
    def is_moved(self) -> bool:
        """Whether Flux chose it."""
        return self.at != self.image.asked


def entry(image: MarkedImage, at: Reference | None = None) -> str:
    """The lines of an image in Kustomize's list `images`; where `at` is given, a marked one is there by now."""
    says, mark = "", ""
    if image.policy:
        says = f"{_SAYS}{image.tag or ''}{f'@{image.digest}' if image.digest else ''}"
        mark = f' # {{"$imagepolicy": "{image.policy}:%s"}}'
    tag, digest = at or image.asked
    parts = (("newTag", "tag", tag), ("digest", "digest", digest))
    lines = (f'  {key}: "{value}"{mark and mark % word}' for key, word, value in parts if value)
    return "".join(f"{line}\n" for line in (f'- name: "{image.spelled}"{says}', *lines))


def is_marked(content: bytes) -> bool:
    """Whether Flux may move something in a file."""
    return _SAYS.encode() in content


def settled(content: bytes) -> bytes:
    """A file with every marked image at what the config asks for: what meshgen wrote, if only Flux edited it since."""
    return placed(content, lambda image: image.asked) if is_marked(content) else content


def placed(content: bytes, at: Callable[[MarkedImage], Reference]) -> bytes:
    """A file with each marked image where `at` has it."""

    def replacement(found: re.Match[str]) -> str:
        place = _read(found)
        return entry(place.image, at(place.image)) if place and place.image.policy else found[0]

    return _ENTRY.sub(replacement, _text(content)).encode(errors="surrogateescape")


def places(content: bytes) -> dict[str, Place]:
    """The images of a kustomization.yaml by name, those too that have no policy."""
    found = (_read(match) for match in _ENTRY.finditer(_text(content)))
    return {place.image.name: place for place in found if place}


def written(reference: Reference) -> str:
    """A tag, a digest or both, as they stand behind an image's name."""
    return "@".join(filter(None, reference))


_TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "sha256:[0-9a-f]{64}"
_POLICY = "[a-z0-9-]+:[a-z0-9.-]+"
_SAYS = " # the config says "
_ENTRY = re.compile(
    rf'^- name: "?(?P<name>[a-z0-9._:/\[\]-]+)"?(?P<says>{_SAYS}(?P<tag>{_TAG})?(?:@(?P<digest>{_DIGEST}))?)?\n'
    rf'(?:  newTag: (?P<quote>"?)(?P<at_tag>{_TAG})(?P=quote)'
    rf'(?: # {{"\$imagepolicy": "(?P<by_tag>{_POLICY}):tag"}})?\n)?'
    rf'(?:  digest: "?(?P<at_digest>{_DIGEST})"?(?: # {{"\$imagepolicy": "(?P<by_digest>{_POLICY}):digest"}})?\n)?',
    re.MULTILINE,
)


def _read(found: re.Match[str]) -> Place | None:
    at = found["at_tag"], found["at_digest"]
    policies = {policy for value, policy in zip(at, (found["by_tag"], found["by_digest"]), strict=True) if value}
    if len(policies) != 1 or (found["quote"] == "" and not _is_string(found["at_tag"])):
        return None
    policy = policies.pop()
    asked = (found["tag"], found["digest"]) if found["says"] else at
    # An entry is marked as a whole or not at all.
    if bool(found["says"]) != bool(policy) or [part is None for part in asked] != [part is None for part in at]:
        return None
    name = found["name"].replace("[.]", ".")
    image = MarkedImage(name, *asked, policy, literal=name != found["name"])
    return Place(image, at) if image.spelled == found["name"] else None


def _is_string(value: str) -> bool:
    """Whether YAML's readers take a value without quotes for a string."""
    try:
        return isinstance(resolve(value), str)
    except DisputedError:
        return False


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")
