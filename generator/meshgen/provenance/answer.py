"""An answer: what a field is, which layers made it so, and which file carries it; clusters of one answer together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from meshgen.provenance.builtin import BuiltIn
from meshgen.provenance.layers import Statement
from meshgen.provenance.role import Role
from meshgen.yaml import NOWHERE


@dataclass(frozen=True)
class Setting:
    """A setting that the field depends on, and what each layer says of it, the lowest first."""

    name: str
    role: Role
    layers: tuple[Statement, ...]


@dataclass(frozen=True)
class Answer:
    """Where a field comes from, for clusters that are alike in it.

    `value` is NOWHERE where the field, or its object, is not there; what may be a secret is not in it. `files` are by
    cluster, relative to the tree. What a cluster's own entry says, and where, is the first cluster's.
    """

    clusters: tuple[str, ...]
    object: str
    field: str
    stage: str | None
    value: Any
    has_object: bool
    files: dict[str, tuple[str, ...]]
    built_in: BuiltIn | None
    settings: tuple[Setting, ...]
    unset: tuple[str, ...]
    is_complete: bool

    def to_json(self) -> dict[str, Any]:
        """Give the object that `-o json` prints."""
        return {
            "clusters": list(self.clusters),
            "object": self.object,
            "field": self.field,
            "stage": self.stage,
            "present": self.value is not NOWHERE,
            "value": _plain(self.value),
            "files": {cluster: list(files) for cluster, files in self.files.items()},
            "builtIn": None if self.built_in is None else _built_in(self.built_in),
            "settings": [_setting(one) for one in self.settings],
            "unset": list(self.unset),
            "complete": self.is_complete,
        }


def _plain(value: Any) -> Any:
    return None if value is NOWHERE else value


def _built_in(one: BuiltIn) -> dict[str, Any]:
    return {"present": one.value is not NOWHERE, "value": _plain(one.value), "source": one.source}


def _setting(one: Setting) -> dict[str, Any]:
    layers = [
        {"file": said.file, "line": said.line, "column": said.column, "value": said.value, "wins": said.wins}
        for said in one.layers
    ]
    return {"setting": one.name, "role": one.role, "layers": layers}


def grouped(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Answers with the clusters together of which the same holds, in the order of the first of them."""
    groups: dict[str, Answer] = {}
    for one in answers:
        key = _key(one)
        first = groups.get(key)
        groups[key] = one if first is None else _joined(first, one)
    return tuple(groups.values())


def _joined(first: Answer, other: Answer) -> Answer:
    files = {**first.files, **other.files}
    return replace(first, clusters=(*first.clusters, *other.clusters), files=files)


def _key(one: Answer) -> str:
    """What has to be the same: all but the cluster's name, and what its own entry says, and where, to the same end."""
    said = one.to_json()
    files = [[tidied(path, cluster) for path in paths] for cluster, paths in one.files.items()]
    layers = [
        [("own",) if said.own else (said.file, said.line, said.column, said.value) for said in setting.layers]
        for setting in one.settings
    ]
    settings = [(setting.name, setting.role) for setting in one.settings]
    return json.dumps([{**said, "clusters": 0, "files": files, "settings": settings}, layers])


def tidied(path: str, cluster: str) -> str:
    """A path of the tree, the same for clusters that have a file of the same name each."""
    own = f"clusters/{cluster}/"
    return f"clusters/CLUSTER/{path.removeprefix(own)}" if path.startswith(own) else path
