"""Changes of a tree of settings, each of which leaves the tree that it was given as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.provenance.field import Path
from meshgen.yaml import NOWHERE

Tree = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """A setting, and the value that it gets; NOWHERE takes it away."""

    path: Path
    value: Any


def edited(tree: Tree, edits: Iterable[Edit]) -> Tree:
    """The tree with all edits made; the later items of a list first, so that no index moves before its turn."""
    result: Any = tree
    for edit in sorted(edits, key=lambda one: [str(part).zfill(9) for part in one.path], reverse=True):
        result = _with(result, edit.path, edit.value)
    changed: Tree = result
    return changed


def _with(node: Any, path: Path, value: Any) -> Any:
    if isinstance(node, list):
        return _with_item(node, path, value)
    children = dict(node) if isinstance(node, dict) else {}
    key = str(path[0])
    if len(path) > 1 and (key in children or value is not NOWHERE):
        children[key] = _with(children.get(key), path[1:], value)
    elif len(path) == 1 and value is NOWHERE:
        children.pop(key, None)
    elif len(path) == 1:
        children[key] = value
    return children


def _with_item(items: list[Any], path: Path, value: Any) -> list[Any]:
    index = path[0]
    if not isinstance(index, int) or index >= len(items):
        return items
    if len(path) == 1:
        return [*items[:index], *([] if value is NOWHERE else [value]), *items[index + 1 :]]
    return [*items[:index], _with(items[index], path[1:], value), *items[index + 1 :]]


def at_path(value: Any, path: Path) -> Any:
    """What stands at a path; NOWHERE where nothing does."""
    for part in path:
        if not _has(value, part):
            return NOWHERE
        value = value[part]
    return value


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value


def path_of(tree: Any, pointer: str) -> Path:
    """The path that a JSON pointer (RFC 6901) means, with an index for each item of a list that is there."""
    path: Path = ()
    for escaped in pointer.split("/")[1:]:
        part = escaped.replace("~1", "/").replace("~0", "~")
        path = (*path, int(part) if isinstance(at_path(tree, path), list) and part.isdigit() else part)
    return path


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that holds no other, empty maps and lists among them, with its path."""
    children = _children(value)
    if not children:
        yield path, value
    for part, child in children:
        yield from leaves(child, (*path, part))


def branches(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every map and list that holds something, the outermost first."""
    children = _children(value)
    if children:
        yield path
    for part, child in children:
        yield from branches(child, (*path, part))


def _children(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
