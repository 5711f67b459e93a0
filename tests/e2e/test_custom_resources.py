"""Custom resources that meshgen renders, put to a real API server with Istio's own CRDs and their CEL rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.layout.identity import identity
from tests.apiserver import APIServer, KubectlFailed, api_server
from tests.e2e.cluster import Cluster
from tests.objects import Object, Tree, build_all, copy_example, render

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("custom-resources")]

# CRDs besides Istio's, by the beginnings of their files' names.
OTHERS = ("app", "gateway.networking", "kustomize.toolkit", "source.toolkit.fluxcd.io_git")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, kubectl: Path) -> list[Object]:
    """All objects of the example's tree, those of Flux and Argo CD too."""
    tree: Tree = render(copy_example(tmp_path_factory.mktemp("example")))
    built = build_all(kubectl, tree.directories())
    return [obj for objects in built.values() for obj in objects.values()]


@pytest.fixture(scope="module", params=["1.11.3", "1.30.3"])
def cluster(
    request: pytest.FixtureRequest, cases: Path, example: list[Object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """An API server with the CRDs of an Istio, of Flux, of Argo CD and of the Gateway API."""
    with api_server() as server:
        cluster = Cluster(server, tmp_path_factory.mktemp("crds"))
        # The CRD of the operator is the tree's own. Istio 1.11.3's replaces it, Istio 1.30 has none any more.
        cluster.apply(*{obj["metadata"]["name"]: obj for obj in example if _is_crd(obj)}.values())
        patterns = [f"istio-{request.param}/crds/*", *(f"gitops-crds/{others}*" for others in OTHERS)]
        cluster.install_crds(*(file for pattern in patterns for file in sorted(cases.glob(f"{pattern}.yaml"))))
        yield cluster


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> set[tuple[str, str]]:
    """(group, kind) of every custom resource that the API server knows."""
    found = json.loads(cluster.kubectl("get", "crd", "--output=json"))["items"]
    return {(crd["spec"]["group"], crd["spec"]["names"]["kind"]) for crd in found}


def test_every_custom_resource_of_the_example_is_accepted(
    cluster: Cluster, served: set[tuple[str, str]], example: list[Object]
):
    resources = custom(example, served)

    assert {obj["kind"] for obj in resources} >= {"IstioOperator", "GitRepository", "Kustomization", "Application"}
    accept(cluster.server, resources)


@pytest.mark.parametrize("cluster", ["1.30.3"], indirect=True)
def test_every_custom_resource_that_no_rule_objects_to_is_accepted(
    cluster: Cluster, served: set[tuple[str, str]], project: Path
):
    """The configs that show how to satisfy each rule of the policy: so no rule asks for what a cluster refuses."""
    files = [file for file in project.glob("tests/policy/*/good/*.yaml") if file.name != "meshgen.yaml"]
    objects = [obj for file in files for obj in yaml.safe_load_all(file.read_text()) if obj]

    resources = custom(objects, served)

    assert {obj["kind"] for obj in resources} >= {"VirtualService", "DestinationRule", "Gateway", "HTTPRoute"}
    accept(cluster.server, resources)


@pytest.mark.parametrize("cluster", ["1.30.3"], indirect=True)
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"hosts": ["*"]}, "hostname cannot be wildcard"),
        ({"hosts": ["a.example.com"], "resolutions": "DNS"}, 'unknown field "resolutions"'),
    ],
)
def test_what_a_crd_rules_out_is_refused(cluster: Cluster, spec: Object, message: str):
    """That the server would say so is what the other tests rest on: by a CEL rule, and by the schema."""
    about = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "wrong"}}

    with pytest.raises(KubectlFailed, match=message):
        accept(cluster.server, [{**about, "spec": spec}])


def custom(objects: Iterable[Object], served: set[tuple[str, str]]) -> list[Object]:
    return [obj for obj in objects if (identity(obj).group, obj["kind"]) in served]


def accept(server: APIServer, resources: list[Object]) -> None:
    """Assert that the server would take all of them, each in its namespace."""
    for namespace in {obj["metadata"].get("namespace", "default") for obj in resources}:
        made: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        server.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(made))
    # Once each by name: those of several clusters or configs may bear the same.
    for batch in _without_namesakes(resources):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": batch})
        server.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-", stdin=text)


def _without_namesakes(resources: list[Object]) -> list[list[Object]]:
    batches: list[dict[Any, Object]] = []
    for obj in resources:
        free = next((batch for batch in batches if identity(obj) not in batch), None)
        if free is None:
            batches.append(free := {})
        free[identity(obj)] = obj
    return [list(batch.values()) for batch in batches]


def _is_crd(obj: Object) -> bool:
    kind: str = obj["kind"]
    return kind == "CustomResourceDefinition"
