"""What a real API server holds after Flux's helm-controller is what it holds after istioctl."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.apiserver import APIServer, api_server
from tests.helmcontroller import apply, install
from tests.installs.differences import KNOWN, Known, unexplained
from tests.installs.gateways import KNOWN_OF_GATEWAYS
from tests.installs.proof import KUBERNETES, by_istioctl, charts, differ, settings, shown_by_meshgen
from tests.objects import Object, text_of

pytestmark = pytest.mark.realtools
# What the server fills in where the published chart leaves something to it.
DEFAULTED = (
    Known(
        "Gateway", "*", "/pod/imagePullPolicy", "Always", "IfNotPresent", "the image auto has no tag until injection"
    ),
)
HOME = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
# What the server chooses anew for each object that it takes.
_OF_METADATA = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_OF_SERVICE = ("clusterIP", "clusterIPs", "healthCheckNodePort")


@pytest.mark.parametrize("name", ["profile-default", "profile-ambient"])
def test_what_arrives_equals_istioctls(name: str, tmp_path: Path):
    shown = shown_by_meshgen(tmp_path, settings(name))
    _, generated = by_istioctl(tmp_path, shown.operator)
    rendered = install(shown.releases, shown.sources, charts(), kubernetes=KUBERNETES)

    with api_server() as ours, api_server() as theirs:
        arrived, wanted = applied(ours, rendered), applied(theirs, generated)

    differences, of_gateways = differ(arrived, wanted, shown.releases)
    assert len(arrived) == len(rendered)
    assert unexplained(differences, KNOWN) == []
    assert unexplained(of_gateways, (*KNOWN_OF_GATEWAYS, *DEFAULTED)) == []
    if of_gateways:
        assert [known for known in DEFAULTED if not any(known.covers(one) for one in of_gateways)] == []


def applied(server: APIServer, objects: Sequence[Object]) -> list[Object]:
    """The objects as the server gives them back."""
    apply([HOME, *objects], server.kubectl)
    references = text_of({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    found: list[Object] = json.loads(server.kubectl("get", "-f-", "-ojson", stdin=references))["items"]
    return [chosen_by_us(obj) for obj in found]


def chosen_by_us(obj: Object) -> Object:
    """An object without what its server chose, and without its status."""
    kept = {key: value for key, value in obj.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in obj["metadata"].items() if key not in _OF_METADATA}
    if obj["kind"] == "Service":
        spec = {key: value for key, value in obj["spec"].items() if key not in _OF_SERVICE}
        ports = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec["ports"]]
        kept["spec"] = {**spec, "ports": ports}
    return kept
