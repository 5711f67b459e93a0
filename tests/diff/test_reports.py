"""Reports: Markdown that fits a comment and hides no high risk, SARIF, JSON by its schema, clusters in words."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.diff.change import HIGH, RISKS, Change, Difference, FieldChange, FleetChange, Group
from meshgen.diff.group import grouped
from meshgen.diff.markdown import LIMIT, markdown
from meshgen.diff.objects import Key
from meshgen.diff.report import FORMAT, to_json
from meshgen.diff.sarif import sarif
from meshgen.diff.story import diff
from tests.diff.repositories import changed, commit, difference, fleet
from tests.objects import mesh, overlay, write_config

CONFIG = PurePosixPath("meshgen.yaml")
# The parts of SARIF 2.1.0 that are written here, as its schema has them, and nothing besides: no package of Python's
# registry that the tests need brings the schema itself.
_TEXT = {"type": "string", "minLength": 1}


def _closed(required: list[str], **properties: Any) -> Any:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_MESSAGE = _closed(["text"], text=_TEXT)
_REGION = _closed(
    ["startLine"], startLine={"type": "integer", "minimum": 1}, startColumn={"type": "integer", "minimum": 1}
)
_LOCATION = _closed(
    ["physicalLocation"],
    physicalLocation=_closed(
        ["artifactLocation", "region"],
        artifactLocation=_closed(["uri"], uri={"type": "string", "pattern": "^[A-Za-z0-9._~%/-]+$"}),
        region=_REGION,
    ),
)
_RESULT = _closed(
    ["ruleId", "ruleIndex", "level", "message", "locations"],
    ruleId={"enum": list(RISKS)},
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION, "minItems": 1},
    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
)
_RULE = _closed(["id", "shortDescription"], id=_TEXT, shortDescription=_MESSAGE)
_DRIVER = _closed(["name"], name=_TEXT, version=_TEXT, rules={"type": "array", "items": _RULE, "uniqueItems": True})
_RUN = _closed(
    ["tool", "results"],
    tool=_closed(["driver"], driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": _RESULT},
)
SARIF = _closed(
    ["version", "runs"],
    version={"const": "2.1.0"},
    runs={"type": "array", "items": _RUN, "minItems": 1, "maxItems": 1},
    **{"$schema": {"type": "string", "format": "uri"}},
)


def change(number: int, risk: str, *, fields: int = 1, length: int = 10, name: str = "object") -> Change:
    told = tuple(FieldChange(f"spec.field{n}", "changed", "a" * length, "b" * length) for n in range(fields))
    key = Key("", "", "Service", "shop", f"{name}-{number}")
    return Change(key, "changed", "addons", "addons", told, risk, ("a reason",), f"{name}-{number}")  # type: ignore[arg-type]


def many(**counts: int) -> Difference:
    return difference(
        *(
            Group(change(number, risk, fields=8, name=risk), ("c",), (), "cluster c")
            for risk, count in counts.items()
            for number in range(count)
        )
    )


def size(text: str) -> int:
    return len(text.encode())


def test_a_comment_gives_up_cosmetic_changes_first_and_counts_them():
    text = markdown(many(exposure=2, traffic=2, cosmetic=2000))

    assert size(text) <= LIMIT
    assert "Left out for the length of a comment: 2000 cosmetic." in text
    assert text.count("! spec.field7") == 4


def test_a_comment_then_folds_fields_and_keeps_every_object():
    text = markdown(many(exposure=3, traffic=300))

    assert size(text) <= LIMIT
    assert all(f"traffic-{number}`" in text for number in range(300))
    assert "more field(s)" in text
    assert "Left out" not in text


def test_a_comment_hides_no_high_risk_to_fit():
    text = markdown(many(exposure=100, security=100, replacement=100, restart=3000, traffic=3000))

    assert size(text) <= LIMIT
    for risk in HIGH:
        assert all(f"{risk}-{number}`" in text for number in range(100)), risk
    assert "3000 restart, 3000 traffic" in text


def test_a_comment_counts_high_risks_that_no_comment_holds():
    text = markdown(many(exposure=5000, security=10))

    assert size(text) <= LIMIT
    assert "**exposure** 5000, **security** 10" in text
    shown = text.count("Service shop/exposure-")
    assert shown > 1000
    assert f"{5000 - shown} exposure, 10 security" in text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(RISKS), st.text(max_size=40), st.integers(0, 30), st.integers(0, 3000)), max_size=60
    ),
    st.integers(3000, 20000),
)
def test_a_comment_is_never_too_long_and_names_every_high_risk_or_counts_it(
    drawn: list[tuple[Any, str, int, int]], limit: int
):
    groups = [
        Group(change(n, risk, fields=fields, length=length, name=f"n{name}"), ("c",), (), "all")
        for n, (risk, name, fields, length) in enumerate(drawn)
    ]
    found = difference(*groups)

    text = markdown(found, limit=limit)

    assert size(text) <= limit
    for risk, count in found.risks.items():
        assert not count or f"{risk}** {count}" in text or f"{risk} {count}" in text


def test_nothing_of_a_name_is_markup_in_a_comment():
    odd = "a`b``<script>@all|\n# x"
    text = markdown(difference(Group(change(1, "exposure", name=odd), ("c",), (), odd)))

    assert "```Service shop/a`b``<script>@all|\\u000a# x-1```" in text
    assert "\\<script\\>\\@all\\|" in text
    assert "\n# x" not in text


def test_no_difference_is_said_in_every_format(tmp_path: Path):
    config = fleet(tmp_path)
    commit(tmp_path)

    found = diff(None, config)

    assert "no difference" in markdown(found)
    assert sarif(found, CONFIG)["runs"][0]["results"] == []
    assert to_json(found)["changes"] == []


def real(folder: Path) -> Difference:
    addons = {"kiali": {}, "grafana": {}}
    flux = {"url": "https://example.com/mesh.git"}
    first = overlay("dev", clusters={"dev": {}, "gone": {}})
    config = write_config(folder, mesh(addons=addons, delivery={"flux": flux}), first)
    commit(folder)
    expose = {"kiali": {}, "grafana": {"sourceRanges": ["10.0.0.0/8"]}}
    write_config(
        folder,
        mesh(
            addons={**addons, "kiali": {"resources": {"limits": {"memory": "2Gi"}}}},
            expose=expose,
            istio={"version": "1.11.3", "meshConfig": {"accessLogFile": "/dev/stdout"}},
            delivery={"flux": {**flux, "branch": "next"}},
        ),
        overlay("dev", clusters={"dev": {"patch": {"istio": {"hub": "example.com/x"}}}}),
        overlay("prod", clusters={"new": {}}),
    )
    return diff(None, config)


def test_sarif_is_as_its_schema_has_it_and_leads_to_the_lines_of_the_config(tmp_path: Path):
    found = real(tmp_path)

    log = json.loads(json.dumps(sarif(found, CONFIG)))

    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    assert len(run["results"]) == len(found.groups) + len(found.fleet)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["level"] == "error") == (result["ruleId"] in HIGH)
    lines = (tmp_path / "meshgen.yaml").read_text(encoding="utf-8").splitlines()
    places = {
        result["message"]["text"].partition(" (")[0]: result["locations"][0]["physicalLocation"]
        for result in run["results"]
    }
    kiali = places["Service istio-system/kiali"]
    assert kiali["artifactLocation"]["uri"] == "meshgen.yaml"
    assert '"kiali"' in lines[kiali["region"]["startLine"] - 1]
    assert '"flux"' in lines[places["GitRepository flux-system/msa"]["region"]["startLine"] - 1]
    operator = places["IstioOperator istio-system/msa"]["artifactLocation"]["uri"]
    assert operator == "overlays/dev.yaml"


def test_json_is_as_the_schema_says(tmp_path: Path):
    report = to_json(real(tmp_path))

    jsonschema.Draft7Validator.check_schema(FORMAT)
    jsonschema.validate(json.loads(json.dumps(report)), FORMAT)
    assert [one["risk"] for one in report["changes"]] == sorted(
        (one["risk"] for one in report["changes"]), key=RISKS.index
    )


@pytest.mark.parametrize("report", [markdown, lambda found: json.dumps(sarif(found, CONFIG))])
def test_reports_are_the_same_each_time(tmp_path: Path, report: Any):
    assert report(real(tmp_path / "a")) == report(real(tmp_path / "b"))


def service(number: int) -> Any:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": number}]}}


NAMES = tuple(f"{environment}-{number}" for environment in ("dev", "prod") for number in range(7))
ENVIRONMENTS = {"dev": NAMES[:7], "prod": NAMES[7:]}


@pytest.mark.parametrize(
    ("having", "other", "where"),
    [
        (NAMES, (), "all 14 clusters"),
        (NAMES[:1], (), "dev-0"),
        (NAMES[:7], (), "all 7 clusters of dev"),
        (NAMES[:12], NAMES[12:], "12 of 14 clusters; 2 differ: prod-5, prod-6"),
        (NAMES[:13], (), "13 of 14 clusters; 1 does not have it: prod-6"),
        (NAMES[1:6], (), "5 of 14 clusters"),
    ],
)
def test_clusters_are_said_in_words(having: tuple[str, ...], other: tuple[str, ...], where: str):
    change, another = changed(service(1), service(2)), changed(service(1), service(3))
    changes = {name: (change,) if name in having else (another,) if name in other else () for name in NAMES}

    groups = grouped(changes, ENVIRONMENTS)

    assert next(group.where for group in groups if group.change is change) == where
    assert sum(len(group.clusters) for group in groups) == len(having) + len(other)


def test_a_fleet_change_counts_as_a_difference_of_its_risk():
    gone = FleetChange("cluster", "removed", "a", "replacement", "a reason", ("a",))
    found = Difference("A", "B", 0, (gone,), ())

    assert not found.is_empty
    assert found.reaches("restart")
    assert not found.reaches("security")
