"""Finds the keys that no layer sets and that would change a field."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from meshgen.layout.identity import identity
from meshgen.provenance.edits import Edit, at_path
from meshgen.provenance.field import Path
from meshgen.provenance.probe import Probe
from meshgen.provenance.search import search
from meshgen.provenance.variants import schema_of
from meshgen.yaml import NOWHERE

_MOST = 3


def additions(probe: Probe, found: list[Path], among: Collection[Path] | None) -> list[Path]:
    """The keys of the schema that would change the field, beside the settings that were found; only those `among`."""
    keys = (one for parent in dict.fromkeys(_parents(probe, found)) for one in _of(probe, parent))
    values = {path: tried for path, tried in keys if among is None or path in among}
    changing: dict[Path, None] = {}
    # One value of each key at a time: of two, the second would hide the first.
    for turn in range(_MOST):
        waiting = [path for path, tried in values.items() if turn < len(tried) and path not in changing]
        hits = search(probe, [Edit(path, values[path][turn]) for path in waiting])
        changing |= dict.fromkeys(hit.edit.path for hit in hits if hit.seen.object is not None)
    return list(changing)


def _of(probe: Probe, parent: Path) -> Iterator[tuple[Path, list[Any]]]:
    present = at_path(probe.tree, parent)
    keys = schema_of(parent).get("properties", {})
    if present is NOWHERE:
        # Any key would open a Service that has no entry, by the entry: `type` says so.
        keys = {key: node for key, node in keys.items() if key == "type"}
    for key, node in keys.items():
        if not isinstance(present, dict) or key not in present:
            yield (*parent, key), _examples(node)[:_MOST]


def _parents(probe: Probe, found: list[Path]) -> Iterator[Path]:
    who = identity(probe.target.object)
    if who.kind == "Service":
        yield "expose", who.name
    yield from (path[:2] for path in found if path[0] in ("expose", "addons") and len(path) > 1)
    yield from (path[:-1] for path in found if path[0] == "addons" and len(path) > 2)
    yield ("istio",)


def _examples(node: dict[str, Any]) -> list[Any]:
    types = node.get("type")
    switch = [True, False] if "boolean" in (types if isinstance(types, list) else [types]) else []
    examples = [*node.get("enum", ()), *switch, *node.get("examples", ())]
    # The example may be what holds without the key.
    others = [f"{one}x" for one in node.get("examples", ())[:1] if isinstance(one, str) and "enum" not in node]
    return [one for one in (*others, *examples) if one is not None]
