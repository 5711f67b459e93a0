"""Grafana's dashboards: readable by every Grafana from 7.5 to 12, and by Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from meshgen.build.addons import DASHBOARDS
from meshgen.build.templates import read_text

# What Istio's sidecars, gateways, waypoints and istiod export, and the kubelet beside them.
KNOWN_METRICS = re.compile(
    r"(istio|pilot|citadel|galley|sidecar_injection|container|process|go)_[a-z0-9_]+|endpoint_no_pod"
)
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h"}

every_dashboard = pytest.mark.parametrize("name", DASHBOARDS)


def load(name: str) -> dict[str, Any]:
    return json.loads(read_text(f"addons/grafana/dashboards/{name}.json"))


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in load(name)["panels"] if panel["type"] != "row"]


def expressions(name: str) -> Iterator[str]:
    for panel in panels(name):
        for target in panel["targets"]:
            yield target["expr"]


def substituted(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return re.sub(r"\$[a-z]\w*", "value", expression)


@every_dashboard
def test_a_dashboard_is_formatted_and_small_enough_to_review(name):
    text = read_text(f"addons/grafana/dashboards/{name}.json")
    assert text == json.dumps(load(name), indent=2, ensure_ascii=False) + "\n"
    assert len(text.encode()) < 60_000


@every_dashboard
def test_grafana_7_5_and_12_both_know_every_panel(name):
    assert load(name)["schemaVersion"] == 27
    assert {panel["type"] for panel in load(name)["panels"]} <= {"row", "stat", "table", "timeseries"}


@every_dashboard
def test_every_panel_says_what_it_shows_in_which_unit(name):
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"] == "${datasource}"
        units = [panel["fieldConfig"]["defaults"].get("unit")] + [
            item["value"]
            for override in panel["fieldConfig"]["overrides"]
            for item in override["properties"]
            if item["id"] == "unit"
        ]
        assert any(units), panel["title"]
        if panel["type"] == "timeseries":
            assert all(target["legendFormat"] for target in panel["targets"])


@every_dashboard
def test_panels_do_not_overlap_and_rows_are_full_width(name):
    taken: set[tuple[int, int]] = set()
    for panel in load(name)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@every_dashboard
def test_ids_are_unique(name):
    ids = [panel["id"] for panel in load(name)["panels"]]
    assert len(ids) == len(set(ids))


def test_no_two_dashboards_share_uid_or_title():
    dashboards = [load(name) for name in DASHBOARDS]
    assert len({item["uid"] for item in dashboards}) == len(DASHBOARDS)
    assert len({item["title"] for item in dashboards}) == len(DASHBOARDS)


@every_dashboard
def test_every_variable_that_is_used_is_defined(name):
    dashboard = load(name)
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z][a-z_]*)", json.dumps(dashboard)))
    assert used - defined == set()
    assert defined - used == set()


@every_dashboard
def test_nothing_is_fetched_from_elsewhere(name):
    assert not re.search(r"https?://", read_text(f"addons/grafana/dashboards/{name}.json"))


@every_dashboard
def test_metrics_are_istios_or_the_kubelets(name):
    for expression in expressions(name):
        for metric in re.findall(r"([a-z_][a-z0-9_]*)\{", expression):
            assert KNOWN_METRICS.fullmatch(metric), metric


@pytest.mark.realtools
@every_dashboard
def test_promtool_parses_every_expression(tmp_path, name):
    rules = [{"record": f"r{number}", "expr": substituted(text)} for number, text in enumerate(expressions(name))]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": name, "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.realtools
@every_dashboard
def test_promtool_parses_every_variables_query(tmp_path, name):
    queries = [variable["query"] for variable in load(name)["templating"]["list"] if variable["type"] == "query"]
    selectors = []
    for query in queries:
        found = re.fullmatch(r"label_values\((.+), \w+\)|query_result\((.+)\)", query)
        assert found, query
        selectors.append(found[1] or found[2])
    rules = [{"record": f"r{number}", "expr": substituted(text)} for number, text in enumerate(selectors)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": name, "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
