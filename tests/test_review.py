"""What is said of objects by their fields, wherever they come from, and for which clusters."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.findings import Findings
from meshgen.render import build_mesh, validate
from meshgen.review import review_wiring
from tests.objects import Object, mesh, overlay, text_of, write_config

FLUX: Object = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"name": "msa-istio", "namespace": "flux-system"},
    "spec": {"interval": "10m", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "msa"}},
}

SPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def said(path: Path) -> list[Finding]:
    """All findings of a config, refused or not."""
    try:
        return list(validate(path, date(2026, 1, 1)))
    except InputError as error:
        return list(error.findings)


def of_rules(path: Path, *rules: str) -> list[tuple[str, str | None, str | None, tuple[str, ...]]]:
    return [(one.rule, one.file, one.path, one.clusters) for one in said(path) if one.rule in rules]


def own(folder: Path, *objects: Object, kubernetes: tuple[str, ...] = ("1.34",)) -> Path:
    """A config with these manifests, and a cluster for each version of Kubernetes."""
    (folder / "own.yaml").write_text("\n---\n".join(text_of(obj) for obj in objects))
    clusters = {f"c{number}": {"kubernetesVersion": version} for number, version in enumerate(kubernetes)}
    config = mesh(istio={"version": "1.30.3"}, resources={"own": {"path": "own.yaml"}})
    return write_config(folder, config, overlay("dev", clusters=clusters))


def test_a_field_that_no_kind_has_is_told_at_its_line(tmp_path: Path):
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"prots": []}}
    path = own(tmp_path, obj)
    (finding,) = (one for one in said(path) if one.rule == "MG420")
    assert (finding.file, finding.path, finding.clusters) == ("own.yaml", "/spec/prots", ("c0",))
    assert '"prots"' in (tmp_path / "own.yaml").read_text().splitlines()[(finding.line or 0) - 1]
    assert (finding.hint or "").startswith('did you mean "ports"?')


def test_a_field_is_told_for_the_clusters_whose_kubernetes_lacks_it(tmp_path: Path):
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}, "trafficDistribution": "PreferClose"}
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}
    path = own(tmp_path, obj, kubernetes=("1.28", "1.34"))
    assert of_rules(path, "MG420") == [("MG420", "own.yaml", "/spec/trafficDistribution", ("c0",))]


def test_a_crd_of_ones_own_says_what_its_objects_may_hold(tmp_path: Path):
    crd: Object = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "carts.shop.example.com"},
        "spec": {
            "group": "shop.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Cart", "plural": "carts"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                        }
                    },
                }
            ],
        },
    }
    cart = {"apiVersion": "shop.example.com/v1", "kind": "Cart", "metadata": {"name": "a"}, "spec": {"size": "big"}}
    assert of_rules(own(tmp_path, crd, cart), "MG421") == [("MG421", "own.yaml", "/spec/size", ("c0",))]
    assert of_rules(own(tmp_path, cart), "MG421") == []


def test_what_fields_say_can_be_suppressed_with_a_reason(tmp_path: Path):
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"gated": True}}
    path = own(tmp_path, obj)
    config = json.loads(path.read_text())
    entry = {"rule": "MG420", "reason": "our API server has this gate", "object": "Service/a"}
    path.write_text(text_of({**config, "policy": {"suppress": {"gate": entry}}}))
    assert of_rules(path, "MG420", "MG593") == []


@pytest.mark.parametrize(("field", "rule"), [("intervall", "MG420"), ("interval", "MG421")])
def test_the_engines_own_objects_are_checked_too(tmp_path: Path, field: str, rule: str):
    built = build_mesh(own(tmp_path, SPACE, kubernetes=("1.34", "1.34")))
    findings = Findings(built.mesh)
    wrong = {**FLUX, "spec": {**FLUX["spec"], field: 10}}
    review_wiring(findings, {"clusters/c0/flux": [FLUX], "environments/dev/flux": [wrong]})
    assert [(one.rule, one.severity, one.clusters) for one in findings.all()] == [(rule, "warning", ("c0",))]


GATEWAY: Object = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "edge", "namespace": "shop"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "servers": [
            {
                "port": {"number": 80, "name": "http", "protocol": "HTTP"},
                "hosts": ["cart.example.com"],
                "tls": {"mode": "SIMPLE", "credentialName": "cart"},
            }
        ],
    },
}
ROUTE: Object = {
    "apiVersion": "networking.istio.io/v1beta1",
    "kind": "VirtualService",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {"hosts": ["cart"], "http": [{"match": [{"uri": {"regex": "(?!a)"}}], "route": []}]},
}


def test_what_the_webhook_refuses_is_told_at_its_line_and_by_no_milder_rule(tmp_path: Path):
    path = own(tmp_path, SPACE, GATEWAY, ROUTE)
    found = of_rules(path, "MG424", "MG514", "MG584")
    where = ["/spec/servers/0/tls", "/spec/http/0", "/spec/http/0/match/0/uri/regex"]
    assert [(rule, pointer) for rule, _, pointer, _ in found] == [("MG424", one) for one in where]
    (finding, *_) = (one for one in said(path) if one.rule == "MG424")
    assert '"tls"' in (tmp_path / "own.yaml").read_text().splitlines()[(finding.line or 0) - 1]


def test_what_one_version_refuses_is_told_for_its_clusters_alone(tmp_path: Path):
    weights = [{"destination": {"host": "cart"}, "weight": weight} for weight in (90, 9)]
    route = ROUTE | {"spec": {"hosts": ["cart"], "http": [{"route": weights}]}}
    path = own(tmp_path, SPACE, route, kubernetes=("1.22", "1.34"))
    text = json.loads((tmp_path / "overlays/dev.yaml").read_text())
    text["clusters"]["c0"]["patch"] = {"istio": {"version": "1.14.6"}}
    (tmp_path / "overlays/dev.yaml").write_text(json.dumps(text))
    found = of_rules(path, "MG424", "MG544")
    assert [(rule, pointer, clusters) for rule, _, pointer, clusters in found] == [
        ("MG544", "/metadata/name", ("c1",)),
        ("MG424", "/spec/http/0/route", ("c0",)),
    ]


def test_what_the_server_refuses_is_told_of_what_an_environment_gets_where_it_is_written(tmp_path: Path):
    service = {**SPACE, "kind": "Service", "spec": {"ports": [{"name": "http", "port": 80}]}}
    service["metadata"] = {"name": "cart", "namespace": "shop"}
    wrong = {**service, "spec": {"ports": [{"name": "http", "port": 80, "targetPort": "8080"}]}}
    (tmp_path / "own.yaml").write_text(text_of(service))
    (tmp_path / "prod.yaml").write_text(text_of(wrong))
    config = mesh(istio={"version": "1.30.3"}, resources={"own": {"path": "own.yaml"}})
    dev, prod = (overlay(name, clusters={name: {"cloud": "azure"}}) for name in ("dev", "prod"))
    prod["patch"] = {"resources": {"own": {"path": "prod.yaml"}}}
    path = write_config(tmp_path, config, dev, prod)

    assert of_rules(path, "MG425") == [("MG425", "prod.yaml", "/spec/ports/0/targetPort", ("prod",))]


def test_what_the_server_refuses_depends_on_the_version_of_each_cluster(tmp_path: Path):
    service = {**SPACE, "kind": "Service", "spec": {"ports": [{"name": "http", "port": 80}]}}
    service["metadata"] = {"name": "1a", "namespace": "shop"}
    path = own(tmp_path, service, kubernetes=("1.34", "1.36"))

    assert of_rules(path, "MG425") == [("MG425", "own.yaml", "/metadata/name", ("c0",))]


def test_a_reference_that_leads_nowhere_is_told_where_a_cluster_lacks_what_it_names(tmp_path: Path):
    pods = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": pods}
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    service = {**SPACE, "kind": "Service", "metadata": metadata}
    service["spec"] = {"selector": {"app": "wep"}, "ports": [{"name": "http", "port": 80}]}
    path = own(tmp_path, SPACE, workload, service)

    assert of_rules(path, "MG426") == [("MG426", "own.yaml", "/spec/selector", ("c0",))]


def test_what_the_server_refuses_is_lived_with_by_the_objects_namespace(tmp_path: Path):
    service = {**SPACE, "kind": "Service", "spec": {"ports": [{"name": "http", "port": 80}]}}
    services = [{**service, "metadata": {"name": "1a", "namespace": space}} for space in ("shop", "store")]
    own(tmp_path, *services)
    policy = {"suppress": {"shop": {"rule": "MG425", "object": "Service/1a.shop", "reason": "its server is new"}}}
    config = mesh(istio={"version": "1.30.3"}, resources={"own": {"path": "own.yaml"}}, policy=policy)
    path = write_config(tmp_path, config, overlay("dev", clusters={"c0": {"kubernetesVersion": "1.34"}}))

    (found,) = (one for one in said(path) if one.rule == "MG425")
    assert (found.line, found.path) == (located(tmp_path / "own.yaml", '"1a"', 2), "/metadata/name")


def located(file: Path, word: str, count: int) -> int:
    """The line where a word stands in a file for the nth time."""
    lines = [number for number, line in enumerate(file.read_text().splitlines(), start=1) if word in line]
    return lines[count - 1]
