"""Carries the tags that Flux moved in a tree over into the tree that is to be written."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

from meshgen.imagemarks import MarkedImage, Place, Reference, is_marked, placed, places

FILE = "kustomization.yaml"
# The directory that another stands on is the first of its resources.
_GROUND = re.compile(rb'^- "?((?:\.\./)+[^"\n]+)"?$', re.MULTILINE)


def images_of(directory: str, read: Callable[[str], bytes | None]) -> dict[str, Place]:
    """The images that a directory sets by name, and those that the one that it stands on sets; `read` gives files."""
    content = read(f"{directory}/{FILE}")
    return {} if content is None else _below(directory, content, read) | places(content)


def _below(directory: str, content: bytes, read: Callable[[str], bytes | None]) -> dict[str, Place]:
    ground = _GROUND.search(content)
    return images_of(posixpath.normpath(f"{directory}/{ground[1].decode()}"), read) if ground else {}


class MovedImages:
    """The marks of a tree that is to be written, each at the tag that Flux chose, as far as the config lets it.

    `found` are the kustomization.yaml of the tree that is there. What the config asks for wins where it is not what it
    was: then a person has changed it. A mark that is new begins where its image is already.
    """

    def __init__(self, desired: Mapping[str, bytes], found: Mapping[str, bytes]) -> None:
        self._desired = desired
        self._found = found
        self._made: dict[str, bytes] = {}
        self._marks = [
            (_stage(path), place)
            for path, content in found.items()
            if is_marked(content)
            for place in places(content).values()
            if place.image.policy
        ]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The marked files, as they are to be."""
        marked = (path for path, content in self._desired.items() if path.endswith(f"/{FILE}") and is_marked(content))
        return ((path, self._file(path)) for path in marked)

    def _file(self, path: str) -> bytes:
        if path not in self._made:
            content, directory = self._desired[path], path.removesuffix(f"/{FILE}")
            before = images_of(directory, self._found.get)
            below = _below(directory, content, self._read)
            self._made[path] = placed(content, lambda image: self._at(image, _stage(path), before, below))
        return self._made[path]

    def _read(self, path: str) -> bytes | None:
        content = self._desired.get(path)
        return self._file(path) if content is not None and is_marked(content) else content

    def _at(self, image: MarkedImage, stage: str, before: Mapping[str, Place], below: Mapping[str, Place]) -> Reference:
        """Where an image is to be, by what its directory set before, and what the one that it stands on sets."""
        if place := before.get(image.name):
            return place.at if place.image.asked == image.asked else image.asked
        ground = [place for place in (below.get(image.name),) if place and _is_alike(place, image)]
        others = [place for name, place in self._marks if name == stage and _is_alike(place, image)]
        # Its own policy's choice comes first: it is where Flux would bring it.
        for among in (_by_policy(ground, image), _by_policy(others, image), ground, others):
            if among:
                choices = {place.at for place in among}
                return choices.pop() if len(choices) == 1 else image.asked
        return image.asked


def _stage(path: str) -> str:
    return path.split("/")[-2]


def _is_alike(place: Place, image: MarkedImage) -> bool:
    """Whether two are one image for which the config asks the same; which policy moves it may change."""
    return (place.image.name, place.image.asked) == (image.name, image.asked)


def _by_policy(among: list[Place], image: MarkedImage) -> list[Place]:
    return [place for place in among if place.image.policy == image.policy]
