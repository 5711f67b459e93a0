"""One Kustomize directory: its resources, its patches, and its kustomization.yaml."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from meshgen.build.stage import Memory
from meshgen.imagemarks import MarkedImage, entry
from meshgen.layout.identity import Identity, identity
from meshgen.layout.patch import JSONPatch, Patch
from meshgen.yaml import emit

KubernetesObject = dict[str, Any]
_UNSAFE = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True)
class Directory:
    """A directory that `kustomize build` accepts, by its content; files are values until they are written.

    `ground` is the directory that it stands on; `patches` come with the object that each changes. `images` are changed
    last of all.
    """

    path: str
    ground: str | None
    resources: tuple[KubernetesObject, ...]
    patches: tuple[tuple[KubernetesObject, Patch], ...] = ()
    images: tuple[MarkedImage, ...] = ()

    def files(self, memory: Memory) -> dict[str, str]:
        """The text of every file, by its path in the tree; what directories share is emitted once."""
        names = file_names([*self.resources, *(obj for obj, _ in self.patches)])
        files: dict[str, str] = {}
        listed: list[str] = [up(self.path) + self.ground] if self.ground else []
        for obj in self.resources:
            name = f"{names[identity(obj)]}.yaml"
            listed.append(name)
            files[f"{self.path}/{name}"] = memory.recall_same(emit, obj)
        entries: list[dict[str, Any]] = []
        for obj, patch in self.patches:
            name = f"{names[identity(obj)]}.patch.yaml"
            content: Any
            if isinstance(patch, JSONPatch):
                entries.append({"path": name, "target": patch.target})
                content = patch.operations
            else:
                entries.append({"path": name})
                content = patch.body
            files[f"{self.path}/{name}"] = memory.recall_same(emit, content)
        return {f"{self.path}/kustomization.yaml": memory.recall(kustomization, listed, entries, self.images), **files}


def kustomization(resources: list[str], patches: list[dict[str, Any]], images: tuple[MarkedImage, ...] = ()) -> str:
    """The text of a kustomization.yaml."""
    body: KubernetesObject = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    }
    if patches:
        body["patches"] = patches
    return emit(body) + ("images:\n" + "".join(map(entry, images)) if images else "")


def up(path: str) -> str:
    """The way from a directory of the tree up to the tree's root."""
    return "../" * (path.count("/") + 1)


def file_names(objects: Iterable[KubernetesObject]) -> dict[Identity, str]:
    """A file name for each object, `kind-name`, made longer only where two would share it."""
    names: dict[Identity, str] = {}
    taken: set[str] = set()
    for key in sorted({identity(obj) for obj in objects}):
        name = _safe(f"{key.kind}-{key.name}")
        if name in taken:
            name = _safe(f"{key.kind}-{key.name}-{key.namespace or key.group}")
        if name in taken:
            name = f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:8]}"
        taken.add(name)
        names[key] = name
    return names


def _safe(name: str) -> str:
    """A name that every file system takes and that no case folds into another."""
    safe = _UNSAFE.sub("_", name.lower()).strip(".")
    if len(safe) > 200:
        safe = f"{safe[:180]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return safe
