"""The images of containers and volumes, however deep their pod template stands in an object."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any


def container_images(node: Any, lists: Collection[str]) -> Iterator[str]:
    """The `image` of every container in the lists of these names, anywhere in an object or in several."""
    return _texts(item.get("image") for item in _items(node, lists))


def volume_images(node: Any) -> Iterator[str]:
    """The image of every volume that is one, anywhere in an object or in several."""
    images = (item.get("image") for item in _items(node, ("volumes",)))
    return _texts(image.get("reference") for image in images if isinstance(image, dict))


def _texts(values: Iterator[Any]) -> Iterator[str]:
    return (value for value in values if value and isinstance(value, str))


def _items(node: Any, lists: Collection[str]) -> Iterator[dict[str, Any]]:
    """The maps in every list of these names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in lists and isinstance(value, list):
                yield from (item for item in value if isinstance(item, dict))
            yield from _items(value, lists)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _items(item, lists)
