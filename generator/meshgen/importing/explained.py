"""Says in which fields the rendered objects are not as they were read, and why each of them is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from meshgen.build.exposure import home_first
from meshgen.build.istiooperator import API_VERSION, istio_operator, namespace
from meshgen.catalog import release_of
from meshgen.config.resolve import Cluster
from meshgen.importing.checked import Checked
from meshgen.importing.difference import Difference, differences
from meshgen.importing.operators import NOTE, own_metadata
from meshgen.importing.profile import with_profile
from meshgen.importing.services import opened
from meshgen.importing.taken import Taken


def explained(checked: Checked, cluster: Cluster, taken: Taken) -> Iterator[Difference]:
    """The differences of one environment's objects, each with its reason; without one, something was lost."""
    yield from _of_operator(checked.mesh.name, cluster, taken)
    yield from _of_services(checked, cluster, taken)


def _of_operator(mesh: str, cluster: Cluster, taken: Taken) -> Iterator[Difference]:
    read = taken.main.value
    spec = read.get("spec") or {}
    rendered = istio_operator(mesh, cluster.settings["istio"])
    whole = rendered["spec"] if taken.profile is None else with_profile(rendered["spec"], taken.profile)
    # An object in Git has a name and a namespace: to have got them is no loss.
    given = {key: rendered["metadata"][key] for key in ("name", "namespace")}
    metadata = {**given, **own_metadata(read)}
    before = {"apiVersion": API_VERSION, "kind": "IstioOperator", "metadata": metadata, "spec": spec}
    for one in differences("IstioOperator", before, {**rendered, "spec": whole}):
        yield replace(one, why=_why(one, read, taken, operator=release_of(cluster.settings["istio"]).operator))


_NOTHING = "it says nothing at this place"
# From 1.24 on a null for one of these maps takes the profile's away.
_TAKEN_AWAY = ("spec.values", "spec.components")
_UNSAYABLE = "to istioctl it takes away all that the profile says there, which a config can't say"


def _why(one: Difference, read: dict[str, Any], taken: Taken, *, operator: bool) -> str:
    name = own_metadata(read).get("name") or ""
    if one.path == "metadata.name":
        return "istioctl's note to itself gets a name that the operator reads" if name.startswith(NOTE) else ""
    if one.read in ("null", '""') and one.rendered == "absent":
        return _NOTHING if operator or one.path not in _TAKEN_AWAY else _UNSAYABLE
    if one.path == "spec.namespace" and one.rendered == "absent":
        return "from 1.24 on istioctl goes by values.global.istioNamespace"
    if one.path.endswith("tag") and one.rendered == f'"{one.read}"':
        return "the same tag, as text"
    if len(taken.operators) > 1 and one.path.startswith("spec.components"):
        return "with the gateways of " + ", ".join(part.file for part in taken.operators if part is not taken.main)
    return ""


def _of_services(checked: Checked, cluster: Cluster, taken: Taken) -> Iterator[Difference]:
    """Services that were open: how they are reached, as it was read and as it is rendered."""
    if checked.built is None:
        return
    built = next(one.built for one in checked.built.clusters if one.cluster.name == cluster.name)
    services = [obj for stage in built.stages for obj in stage.objects if obj["kind"] == "Service"]
    for (kind, name), part in taken.recognised.documents.items():
        service = home_first(services, name, namespace(cluster.settings["istio"])) if kind == "expose" else None
        if service is not None:
            yield from differences(f"Service {name}", _reached(part.value), _reached(service))


def _reached(service: dict[str, Any]) -> dict[str, Any]:
    ports = [{"name": port.get("name"), "port": port["port"]} for port in service["spec"].get("ports") or []]
    return {**opened(service), "ports": sorted(ports, key=lambda port: int(port["port"]))}
