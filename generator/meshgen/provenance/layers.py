"""What each layer of a cluster's config says of a setting, where it says so, and what its nulls took away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshgen.catalog import DEFAULT_GATEWAYS
from meshgen.config.merge import merge
from meshgen.config.resolve import Cluster, Layer
from meshgen.provenance.edits import Edit, at_path, leaves
from meshgen.provenance.field import Path
from meshgen.provenance.probe import CLOUD, MESH
from meshgen.yaml import NOWHERE, pointer


@dataclass(frozen=True)
class Statement:
    """What a layer says of a setting, at a place; `own` where it is the cluster's own entry.

    A null takes the setting away, or what it stands in; a value that stands around the setting replaces that.
    """

    file: str
    line: int | None
    column: int | None
    value: Any
    own: bool
    wins: bool = False


def statements(cluster: Cluster, path: Path) -> tuple[Statement, ...]:
    """The layers that say something of a setting, lowest first; of a map each one adds its part."""
    said = [one for layer in _layers(cluster, path) if (one := _statement(cluster, layer, path)) is not None]
    return tuple(_won(said))


def _layers(cluster: Cluster, path: Path) -> tuple[Layer, ...]:
    if path == CLOUD:
        return (cluster.entry,) if cluster.entry else ()
    if path == MESH:
        mesh = cluster.layers[0].document
        return (Layer(mesh, "", mesh.value),)
    return cluster.layers


def _statement(cluster: Cluster, layer: Layer, path: Path) -> Statement | None:
    at, value = _said(layer.value, path)
    if value is NOWHERE:
        return None
    document, origin = layer.document.origin(layer.prefix + pointer(at))
    place = document.place(origin)
    own = cluster.entry is not None and layer.prefix.startswith(cluster.entry.prefix)
    mark = place.value if place else None
    return Statement(document.file, mark.line if mark else None, mark.column if mark else None, value, own)


def _said(value: Any, path: Path) -> tuple[Path, Any]:
    """What a layer says of a setting: its value, or a null or a plain value around it; and where."""
    at: Path = ()
    for part in path:
        if not isinstance(value, dict | list):
            break
        here = _index(value, at, part)
        if at_path(value, (here,)) is NOWHERE:
            return at, NOWHERE
        value, at = at_path(value, (here,)), (*at, here)
    return at, value


def _index(value: Any, at: Path, part: str | int) -> str | int:
    """The key, or the index of the gateway that a list holds by its name: layers above may say it as a map."""
    is_gateways = len(at) == 3 and at[:2] == ("istio", "components") and at[2] in DEFAULT_GATEWAYS
    if not (isinstance(value, list) and isinstance(part, str) and is_gateways):
        return part
    names = [(item.get("name") or DEFAULT_GATEWAYS[str(at[2])]) if isinstance(item, dict) else None for item in value]
    return names.index(part) if part in names else part


def _won(said: list[Statement]) -> Iterator[Statement]:
    """Mark the uppermost; of maps, which merge, all above what is no map."""
    above = len(said) - 1
    while above > 0 and isinstance(said[above].value, dict) and isinstance(said[above - 1].value, dict):
        above -= 1
    for index, one in enumerate(said):
        yield Statement(one.file, one.line, one.column, one.value, one.own, wins=index >= above)


def taken(cluster: Cluster) -> list[Edit]:
    """What nulls of the layers took away and no layer above gave back, as edits that give it back."""
    found: dict[Path, Any] = {}
    below: dict[str, Any] = {}
    for layer in cluster.layers:
        for path, value in leaves(layer.value):
            lost = at_path(below, path)
            if value is None and path and lost is not NOWHERE:
                found[path] = lost
        below = merge(below, layer.value)
    return [Edit(path, value) for path, value in found.items() if at_path(cluster.settings, path) is NOWHERE]
