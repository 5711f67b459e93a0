"""The built-in addons beside Istio's own samples/addons, whose place they take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from meshgen.build.addons import NAMES
from meshgen.catalog import release
from tests.build.addons import Object, build, of_kind, workload

ENDS = [("1.11", "istio-1.11.3"), ("1.30", "istio-1.30.3")]
SAMPLES = [(minor, version, name) for minor, version in ENDS for name in NAMES if name in release(minor).addons]


def sample(cases: Path, version: str, name: str) -> list[Object]:
    folder = "addons/extras" if name == "zipkin" else "addons"
    return [item for item in yaml.safe_load_all((cases / version / folder / f"{name}.yaml").read_text()) if item]


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version", "name"), SAMPLES)
def test_services_equal_the_samples(cases, minor, version, name):
    known = json.loads((cases / version / "addons" / "services.json").read_text())
    expected = {item["name"]: item for item in known if Path(item["file"]).stem == name}
    services = {item["metadata"]["name"]: item["spec"] for item in of_kind(build(minor, name), "Service")}
    assert services.keys() == expected.keys()
    for service, spec in services.items():
        assert spec["ports"] == expected[service]["ports"]
        assert spec["selector"] == expected[service]["selector"]
        assert spec.get("type") == expected[service]["type"]
        assert (spec.get("clusterIP") == "None") is expected[service]["headless"]


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version", "name"), SAMPLES)
def test_a_sample_that_was_applied_can_be_taken_over(cases, minor, version, name):
    ours, theirs = workload(build(minor, name)), workload(sample(cases, version, name))
    assert ours["kind"] == theirs["kind"]
    assert ours["metadata"]["name"] == theirs["metadata"]["name"]
    # What the API server does not let change.
    for field in ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"):
        assert ours["spec"].get(field) == theirs["spec"].get(field)


@pytest.mark.upstream
@pytest.mark.parametrize(("minor", "version"), ENDS)
@pytest.mark.parametrize("name", ["prometheus", "kiali"])
def test_permissions_cover_the_samples_and_little_more(cases, minor, version, name):
    ours, theirs = granted(build(minor, name)), granted(sample(cases, version, name))
    assert theirs <= ours
    # EndpointSlices take the place of Endpoints, whatever Istio's version.
    assert {grant for grant in ours - theirs if grant[2] != "endpointslices"} == set()


@pytest.mark.upstream
def test_loki_covers_the_samples_permissions_in_its_own_namespace_only(cases):
    # The sample's side-car reads rules from any Secret or ConfigMap of the cluster; ours may in its namespace.
    theirs = {grant[1:] for grant in granted(sample(cases, "istio-1.30.3", "loki"))}
    ours = granted(build("1.30", "loki"))
    assert {grant[1:] for grant in ours} == theirs
    assert {grant[0] for grant in ours} == {"Role"}


def granted(objects: list[Object]) -> set[tuple[str, ...]]:
    """Every (kind of role, group, resource, verb, resource name); a role that nothing binds grants nothing."""
    bound = {(item["roleRef"]["kind"], item["roleRef"]["name"]) for item in objects if "roleRef" in item}
    grants = set()
    for role in of_kind(objects, "ClusterRole", "Role"):
        if (role["kind"], role["metadata"]["name"]) not in bound:
            continue
        for rule in role["rules"]:
            for verb in rule["verbs"]:
                grants |= {(role["kind"], "url", url, verb, "") for url in rule.get("nonResourceURLs", [])}
                grants |= {
                    (role["kind"], group, resource, verb, resource_name)
                    for group in rule.get("apiGroups", [])
                    for resource in rule.get("resources", [])
                    for resource_name in rule.get("resourceNames", [""])
                }
    return grants
