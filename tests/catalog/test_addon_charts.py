from __future__ import annotations

from itertools import pairwise

import pytest

from meshgen.build.addonparts import PARTS
from meshgen.build.addons import NAMES
from meshgen.catalog import Version, minors, release
from meshgen.catalog.addoncharts import AddonChart, addon_chart

every_addon = pytest.mark.parametrize("name", NAMES)


def shapes(facts: AddonChart) -> list[dict]:
    """The shape at both ends of every range that is known, and at each default version."""
    ends = [version for known in facts.known for version in known]
    return [facts.shape(version) for version in {*ends, *map(Version.parse, facts.versions.values())}]


@every_addon
def test_every_minor_that_has_the_sample_has_a_version_of_the_chart(name):
    assert tuple(addon_chart(name).versions) == tuple(minor for minor in minors() if name in release(minor).addons)


@every_addon
def test_versions_of_the_chart_never_go_back_and_are_known(name):
    facts = addon_chart(name)
    versions = [Version.parse(version) for version in facts.versions.values()]
    assert all(older <= newer for older, newer in pairwise(versions))
    assert all(facts.knows(version) for version in versions)


@every_addon
def test_a_chart_comes_from_a_repository_that_one_name_stands_for(name):
    facts = addon_chart(name)
    assert facts.repository.startswith("https://")
    assert not facts.repository.endswith("/")
    same = {addon_chart(other).repository for other in NAMES if addon_chart(other).origin == facts.origin}
    assert same == {facts.repository}


def test_charts_that_moved_are_taken_from_where_they_are_now():
    assert {addon_chart(name).repository for name in ("grafana", "loki")} == {
        "https://grafana-community.github.io/helm-charts"
    }


@pytest.mark.parametrize("minor", minors())
def test_the_chart_of_kiali_runs_the_image_of_the_sample(minor):
    # The project gives both one version.
    assert release(minor).addons["kiali"] == f"quay.io/kiali/kiali:v{addon_chart('kiali').versions[minor]}"


@pytest.mark.parametrize("minor", minors())
def test_the_chart_of_jaeger_is_that_of_the_samples_major(minor):
    facts = addon_chart("jaeger")
    assert facts.shape(Version.parse(facts.versions[minor]))["imageMajor"] == release(minor).jaeger_major


@every_addon
def test_a_shape_names_what_is_there(name):
    for shape in shapes(addon_chart(name)):
        assert set(shape["from"]) <= set(PARTS)
        assert {"repository", "tag"} <= set(shape["image"])
        assert all("ports" in service for service in shape["services"].values())
        assert ("objects" in shape) == ("objects" in shape["from"])


def test_values_are_called_as_the_chart_calls_them_at_that_version():
    facts = addon_chart("prometheus")
    before, after = facts.shape(Version.parse("15.18.0")), facts.shape(Version.parse("16.0.0"))
    assert ("nodeExporter" in before["values"], "prometheus-node-exporter" in before["values"]) == (True, False)
    assert ("nodeExporter" in after["values"], "prometheus-node-exporter" in after["values"]) == (False, True)


def test_a_shape_is_a_copy():
    facts, version = addon_chart("kiali"), Version.parse("2.27.0")
    facts.shape(version)["values"]["deployment"]["ingress"]["enabled"] = True
    assert facts.shape(version)["values"]["deployment"]["ingress"] == {"enabled": False}


def test_a_version_between_two_samples_is_like_the_older_one():
    kiali = addon_chart("kiali")
    between = {version: kiali.alike(Version.parse(version)) for version in ("1.0.0", "2.0.0", "2.4.9", "3.0.0")}
    assert between == {"1.0.0": "1.11", "2.0.0": "1.24", "2.4.9": "1.24", "3.0.0": "1.31"}
    assert not kiali.knows(Version.parse("3.0.0"))
