"""Finds the file of a tree that carries a field: the last directory on the way up that has a word to say of it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshgen.layout import jsonpatch
from meshgen.layout.identity import Identity, identity
from meshgen.layout.keyed import Keyed, Shape, shape_of
from meshgen.layout.tree import Layout
from meshgen.layout.values import same
from meshgen.provenance.edits import at_path
from meshgen.provenance.field import Path
from meshgen.provenance.target import Target
from meshgen.yaml import NOWHERE, read_document


@dataclass(frozen=True)
class File:
    """A file of the tree that speaks of an object: the whole object, a strategic merge, or JSON 6902 operations."""

    path: str
    content: Any
    is_patch: bool


def carriers(layout: Layout, cluster: str, target: Target, path: Path) -> tuple[str, ...]:
    """The files that hold the field of a cluster's object, the one that decides first.

    There is one, but for a map or a list of which patches say a part each.
    """
    if target.stage is None:
        return (layout.istioctl_inputs[cluster],)
    found: list[str] = []
    for file in _files(layout, cluster, target):
        held = _held(file, target.object, path)
        if held is not NOWHERE:
            found.append(file.path)
        if not file.is_patch or (held is not NOWHERE and _is_whole(held, at_path(target.object, path))):
            break
    return tuple(found)


def removers(layout: Layout, cluster: str, target: Target, path: Path) -> tuple[str, ...]:
    """The file whose patch takes away what a path leads to: a field, or with no path the object."""
    files = [file for file in _files(layout, cluster, target) if file.is_patch]
    return tuple(file.path for file in files if _removes(file, path))[:1]


def _is_whole(held: Any, value: Any) -> bool:
    return not isinstance(value, dict | list) or same(held, value)


def _files(layout: Layout, cluster: str, target: Target) -> Iterator[File]:
    """The files about an object, from the cluster's directory down to the base."""
    directory = dict(layout.paths[cluster]).get(str(target.stage))
    while directory:
        kustomization = _read(layout.files, f"{directory}/kustomization.yaml")
        yield from _of_object(layout.files, directory, kustomization, identity(target.object).registered)
        grounds = [name for name in kustomization["resources"] if not name.endswith(".yaml")]
        directory = posixpath.normpath(f"{directory}/{grounds[0]}") if grounds else ""


def _of_object(
    files: Mapping[str, str], directory: str, kustomization: dict[str, Any], who: Identity
) -> Iterator[File]:
    for entry in kustomization.get("patches") or ():
        path = f"{directory}/{entry['path']}"
        target = entry.get("target")
        if _may_name(entry["path"], who) and _is(target or _read(files, path), who):
            yield File(path, _read(files, path), True)
    for name in kustomization["resources"]:
        path = f"{directory}/{name}"
        if name.endswith(".yaml") and _may_name(name, who) and _is(_read(files, path), who):
            yield File(path, _read(files, path), False)


def _read(files: Mapping[str, str], path: str) -> Any:
    return read_document(files[path].encode())


def _may_name(file: str, who: Identity) -> bool:
    # No need to read a hundred files: each is named after its object's kind, see `layout.kustomization`.
    return file.lower().startswith(who.kind.lower()[:20])


def _is(head: dict[str, Any], who: Identity) -> bool:
    """Whether an object, a patch or the target of a kustomization's entry means this object."""
    return identity(head).registered == who if "apiVersion" in head else head == jsonpatch.target(who)


_HEAD = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


def _held(file: File, obj: dict[str, Any], path: Path) -> Any:
    """What a file says of a field; NOWHERE where it says nothing. A patch's head names its object and sets nothing."""
    if file.is_patch and path in _HEAD:
        return NOWHERE
    if isinstance(file.content, list):
        return _operated(file.content, obj, path)
    return _walk(file.content, obj, path, shape_of(obj))


def _walk(said: Any, obj: Any, path: Path, shape: Shape | Keyed) -> Any:
    for part in path:
        here = _place(said, obj, part, shape) if isinstance(said, list) and isinstance(part, int) else part
        said, obj = at_path(said, (here,)), at_path(obj, (part,))
        if said is NOWHERE:
            return NOWHERE
        shape = shape.items if isinstance(shape, Keyed) else shape.get(str(part), {})
    return said


def _place(said: list[Any], obj: Any, index: int, shape: Shape | Keyed) -> int:
    """Where a file has the item that the object has at an index: a merged list may hold a few of them, by their key."""
    if said[:1] == [{"$patch": "replace"}]:
        return index + 1
    item = at_path(obj, (index,))
    if not isinstance(shape, Keyed) or not isinstance(item, dict):
        return index
    for keys in (shape.keys, shape.keys[:1]):
        for place, one in enumerate(said):
            if keys and isinstance(one, dict) and "$patch" not in one and _agree(one, item, keys):
                return place
    return len(said)


def _agree(one: dict[str, Any], other: dict[str, Any], keys: tuple[str, ...]) -> bool:
    return all(str(one.get(key)) == str(other.get(key)) for key in keys)


def _operated(operations: list[dict[str, Any]], obj: Any, path: Path) -> Any:
    """What operations say of a field: its value, or a part of it."""
    wanted = [str(part) for part in path]
    held: Any = NOWHERE
    for operation in operations:
        parts = _parts(operation["path"])
        if operation["op"] in ("test", "remove"):
            continue
        if parts[-1:] == ["-"] and wanted[: len(parts) - 1] == parts[:-1] and len(path) >= len(parts):
            appended = same(at_path(obj, path[: len(parts)]), operation["value"])
            parts = wanted[: len(parts)] if appended else parts
        if wanted[: len(parts)] == parts:
            held = at_path(operation["value"], path[len(parts) :])
        elif parts[: len(wanted)] == wanted:
            held = operation["value"]
    return held


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _removes(file: File, path: Path) -> bool:
    if isinstance(file.content, list):
        wanted = [str(part) for part in path]
        gone = [_parts(one["path"]) for one in file.content if one["op"] == "remove"]
        return any(wanted[: len(parts)] == parts for parts in gone)
    if file.content.get("$patch") == "delete":
        return True
    return any(at_path(file.content, path[:size]) is None for size in range(1, len(path) + 1))
