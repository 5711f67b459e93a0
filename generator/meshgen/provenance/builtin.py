"""What a field is before any layer speaks: meshgen's own value, a manifest's, or that of Istio's profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from meshgen.build.manifests import Manifests
from meshgen.catalog import UnknownMinor, Version, profile_dump
from meshgen.config.resolve import Cluster
from meshgen.provenance.edits import at_path
from meshgen.provenance.field import Path
from meshgen.provenance.target import Target
from meshgen.provenance.trace import Trace
from meshgen.yaml import NOWHERE, pointer


@dataclass(frozen=True)
class BuiltIn:
    """The lowest layer of a field: its value (NOWHERE: the field is not there), and whose it is."""

    value: Any
    source: str


def built_in(cluster: Cluster, target: Target, path: Path, found: Trace, manifests: Manifests) -> BuiltIn | None:
    """What the field is without the settings that it depends on; None where nothing tells."""
    own = found.own
    if own is None:
        return None
    if own.value is not NOWHERE:
        return BuiltIn(own.value, _source(cluster, target, path, found, manifests))
    profile = _profile(cluster, target, path)
    return profile or BuiltIn(NOWHERE, _source(cluster, target, path, found, manifests))


def _source(cluster: Cluster, target: Target, path: Path, found: Trace, manifests: Manifests) -> str:
    places = manifests.places(cluster.settings.get("addons") or {}, cluster.settings.get("resources") or {})
    if document := places.of(target.object):
        place = document.location(pointer(path))
        return f"the manifest in {document.file}" + (f":{place.value.line}:{place.value.column}" if place else "")
    stage = f"stage {target.stage}" if target.stage else "istioctl's input"
    version = any(one.path == ("istio", "version") for one in found.influences)
    return f"meshgen, in {stage}" + (
        f", by the facts of Istio {cluster.settings['istio']['version']}" if version else ""
    )


def _profile(cluster: Cluster, target: Target, path: Path) -> BuiltIn | None:
    """What Istio's profile says where the IstioOperator says nothing; a list of gateways has no order to go by."""
    istio = cluster.settings["istio"]
    if target.object["kind"] != "IstioOperator" or any(isinstance(part, int) for part in path):
        return None
    name = istio.get("profile") or "default"
    try:
        value = at_path(profile_dump(Version.parse(istio["version"]), name), path)
    except (UnknownMinor, KeyError):
        return None
    return None if value is NOWHERE else BuiltIn(value, f"Istio {istio['version']}, profile {name}")
