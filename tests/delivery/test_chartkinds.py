"""The kinds that an AppProject allows hold all that Istio's own charts have templates of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meshgen.build.chart import Chart, ChartRelease
from meshgen.delivery.chartkinds import kinds_of
from meshgen.layout.identity import CLUSTER_SCOPED
from tests.tools import istio_charts

FOLDERS = {
    "base": "base",
    "istiod": "istio-control/istio-discovery",
    "cni": "istio-cni",
    "ztunnel": "ztunnel",
    "gateway": "gateway",
}
_KIND = re.compile(r"^apiVersion: *(\S+)\n(?:\{\{.*\}\}\n)*kind: *(\w+)", re.MULTILINE)


def templated(chart: Path) -> set[tuple[str, str]]:
    """(group, kind) of every object that a chart's templates may make, whatever their conditions."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((chart / "templates").rglob("*.yaml"))]
    found = {pair for text in texts for pair in _KIND.findall(text)}
    return {("" if "/" not in version else version.partition("/")[0], kind) for version, kind in found}


@pytest.mark.realtools
@pytest.mark.parametrize("name", FOLDERS)
def test_every_kind_of_a_chart_is_allowed_where_it_belongs(name: str):
    chart = Chart(name, "https://charts.example.com", "1.31.0", "istio")
    cluster_wide, namespaced = kinds_of([ChartRelease(name, chart, "istio-system", {})])

    held = templated(istio_charts() / FOLDERS[name])

    assert len(held) > 1
    known = {*CLUSTER_SCOPED, *cluster_wide}
    assert held & known - cluster_wide == set()
    assert held - known - namespaced == set()


def test_a_tree_without_charts_needs_no_kinds_of_theirs():
    assert kinds_of([]) == (set(), set())


def test_what_a_chart_of_ones_own_holds_is_not_known():
    chart = Chart("mine", "https://charts.example.com", "1.0.0", "mine")

    _, namespaced = kinds_of([ChartRelease("mine", chart, "istio-system", {})])

    assert namespaced == {("*", "*")}
