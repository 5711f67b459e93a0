"""Clusters that come and go are told as such, with what that means for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshgen.diff.change import FleetChange
from meshgen.diff.story import diff
from tests.objects import Object, mesh, overlay, text_of, write_config

SOURCE: Object = {"url": "https://example.com/mesh.git"}
DELIVERIES: list[Object] = [{}, {"flux": SOURCE}, {"argocd": SOURCE}, {"flux": SOURCE, "argocd": SOURCE}]
INSTALLS = [("1.22.3", "operator"), ("1.30.2", "helm"), ("1.30.2", "sail")]


def told(folder: Path, old: str, new: str, *, manifest: Object | None = None, **keys: object) -> list[FleetChange]:
    """What is said of a fleet whose clusters are some letters before, and others after."""
    keys = {key: value for key, value in keys.items() if value}
    if manifest:
        keys["resources"] = {"all": {"path": "all.yaml"}}
    for side, names in (("old", old), ("new", new)):
        clusters = {name: {"cloud": "azure", "server": f"https://{name}.example.com"} for name in names}
        write_config(folder / side, mesh(**keys), *([overlay("prod", clusters=clusters)] if clusters else []))
        (folder / side / "all.yaml").write_text(text_of(manifest))
    return list(diff(str(folder / "old"), folder / "new" / "meshgen.yaml").fleet)


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize(("version", "install"), INSTALLS)
def test_a_new_cluster_is_an_exposure_however_its_open_gateway_is_installed(
    tmp_path: Path, delivery: Object, version: str, install: str
):
    istio = {"version": version, "install": install}

    (change,) = told(tmp_path / "open", "a", "ab", istio=istio, delivery=delivery)
    assert (change.risk, change.name) == ("exposure", "b")
    assert change.reason == "it is new, and opens to the outside: istio-ingressgateway"

    expose = {"istio-ingressgateway": {"internal": True}}
    (change,) = told(tmp_path / "closed", "a", "ab", istio=istio, delivery=delivery, expose=expose)
    assert change.risk == "cosmetic"


@pytest.mark.parametrize(
    ("kind", "api", "spec", "risk"),
    [
        (
            "Ingress",
            "networking.k8s.io/v1",
            {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}},
            "exposure",
        ),
        (
            "Gateway",
            "gateway.networking.k8s.io/v1",
            {"gatewayClassName": "istio", "listeners": [{"name": "a", "port": 80, "protocol": "HTTP"}]},
            "exposure",
        ),
        # It is reachable where the Service of its gateway is, which is internal here.
        (
            "Gateway",
            "networking.istio.io/v1",
            {
                "selector": {"istio": "ingressgateway"},
                "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
            },
            "cosmetic",
        ),
    ],
)
def test_a_new_cluster_is_an_exposure_by_what_makes_a_controller_open_it(
    tmp_path: Path, kind: str, api: str, spec: Object, risk: str
):
    manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": "way", "namespace": "istio-system"}, "spec": spec}
    expose = {"istio-ingressgateway": {"internal": True}}

    (change,) = told(tmp_path, "a", "ab", istio={"version": "1.30.2"}, expose=expose, manifest=manifest)

    assert change.risk == risk
    assert (f"{kind} way" in change.reason) == (risk == "exposure")


HUB: Object = {"flux": {**SOURCE, "kubeConfig": {}}}
SET: Object = {"argocd": {**SOURCE, "applicationSet": True}}
STAYS = "its stages leave the tree: no commit reaches it any more, and what runs there stays as it is"


@pytest.mark.parametrize(
    ("delivery", "reason"),
    [
        ({"flux": SOURCE}, "Flux goes on with the stages that it shares"),
        (HUB, "Flux goes on with the stages that it shares"),
        ({"argocd": SOURCE}, "Argo CD goes on with the stages that it shares"),
        (SET, "nothing deletes its Applications, and a sync may go on with the stages that it shares"),
        ({"flux": {**SOURCE, "selfManaged": False}}, "what applies its wiring may delete the stages"),
        ({}, STAYS),
    ],
)
def test_a_cluster_that_leaves_goes_on_with_its_environment_while_that_is_there(
    tmp_path: Path, delivery: Object, reason: str
):
    (change,) = told(tmp_path, "ab", "a", delivery=delivery)

    assert (change.action, change.name, change.risk) == ("removed", "b", "replacement")
    assert change.reason.startswith(reason)


@pytest.mark.parametrize("delivery", [*DELIVERIES, HUB, SET])
def test_an_environment_that_leaves_takes_all_of_its_stages_along(tmp_path: Path, delivery: Object):
    keys = {"delivery": delivery} if delivery else {}
    overlays = [overlay(name, clusters={name: {"server": f"https://{name}.example.com"}}) for name in ("dev", "prod")]
    write_config(tmp_path / "old", mesh(**keys), *overlays)
    new = write_config(tmp_path / "new", mesh(**keys), overlays[0])

    (change,) = diff(str(tmp_path / "old"), new).fleet

    assert (change.kind, change.name, change.reason) == ("environment", "prod", STAYS)
