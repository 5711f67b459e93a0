"""The images of containers, however deep their pod template stands in an object."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any


def container_images(node: Any, lists: Collection[str]) -> Iterator[str]:
    """The `image` of every container in the lists of these names, anywhere in an object or in several."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in lists and isinstance(value, list):
                images = (item.get("image") for item in value if isinstance(item, dict))
                yield from (image for image in images if image and isinstance(image, str))
            yield from container_images(value, lists)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from container_images(item, lists)
