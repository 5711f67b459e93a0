"""What `meshgen validate` prints for other programs is read by readers of theirs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from meshgen.cli.findingformats import formatted, github, markdown, sarif
from meshgen.finding import Finding
from tests.objects import meshgen
from tests.tools import sarif_schema

CONFIG = """\
apiVersion: meshgen.dev/v1
kind: Mesh
metadata: {name: shop}
istio: {version: 1.11.3}
addons: {kiali: {}}
expose:
  kiali: {}
  kialy: {}
"""
AWKWARD = Finding(
    rule="MG101",
    severity="error",
    message='a, "b": 100% | <c> `d`\nsecond line',
    file="overlays/a b:c,d.yaml",
    line=3,
    column=5,
    path="/x",
    hint="e :: f",
)
BARE = Finding("MG605", "info", "nothing but a message")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "meshgen.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def validate(folder: Path, name: str) -> str:
    done = meshgen("validate", "-c", "mesh/meshgen.yaml", "-o", name, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


def annotations(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as GitHub's runner does: `::NAME key=value,…::message`, with its escapes."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(\w+)(?: ([^:]*(?::[^:]+)*?))?::(.*)", line)
        assert match is not None, line
        pairs = (pair.partition("=") for pair in match[2].split(","))
        properties = {key: _unescaped(value, property_=True) for key, _, value in pairs}
        found.append((match[1], properties, _unescaped(match[3], property_=False)))
    return found


def _unescaped(text: str, *, property_: bool) -> str:
    escapes = {"%0D": "\r", "%0A": "\n"} | ({"%3A": ":", "%2C": ","} if property_ else {})
    for escape, character in escapes.items():
        text = text.replace(escape, character)
    return text.replace("%25", "%")


@pytest.mark.realtools
def test_sarif_is_what_its_own_schema_says(folder: Path):
    schema = json.loads(sarif_schema().read_bytes())
    check = jsonschema.validators.validator_for(schema)(schema)

    for log in (json.loads(validate(folder, "sarif")), sarif([]), sarif([AWKWARD, BARE])):
        assert list(check.iter_errors(log)) == []


def test_sarif_says_where_and_what(folder: Path):
    (run,) = json.loads(validate(folder, "sarif"))["runs"]

    results = {result["ruleId"]: result for result in run["results"]}
    assert results["MG301"]["level"] == "error"
    assert "did you mean" in results["MG301"]["message"]["text"]
    (location,) = results["MG301"]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "mesh/meshgen.yaml"},
        "region": {"startLine": 8, "startColumn": 3},
    }
    assert results["MG501"]["level"] == "warning"
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_githubs_runner_reads_every_annotation(folder: Path):
    found = annotations(validate(folder, "github"))

    error = next(one for one in found if one[0] == "error")
    assert error[1] == {"file": "mesh/meshgen.yaml", "line": "8", "col": "3", "title": "meshgen MG301"}
    assert error[2].startswith('expose: there is no Service "kialy"\nhint: ')
    assert [name for name, _, _ in found] == ["warning", "error"]


def test_what_would_end_an_annotation_is_escaped():
    (first, second) = annotations(github([AWKWARD, BARE]))

    assert first == (
        "error",
        {"file": AWKWARD.file, "line": "3", "col": "5", "title": "meshgen MG101"},
        f"{AWKWARD.message}\nhint: {AWKWARD.hint}",
    )
    assert second == ("notice", {"title": "meshgen MG605"}, BARE.message)


def test_a_table_has_a_row_for_each_finding_the_errors_first(folder: Path):
    _, _, *rows = validate(folder, "markdown").splitlines()

    assert [row.split(" | ")[0] for row in rows] == ["| error", "| warning"]
    assert all(row.count(" | ") == 3 for row in rows)


def test_what_markdown_would_take_for_its_own_is_escaped():
    _, _, row = markdown([AWKWARD]).splitlines()

    assert row == (
        r"| error | MG101 | overlays/a b:c,d.yaml:3:5 | a, "
        r'"b": 100% \| &lt;c&gt; \`d\` second line<br>hint: e :: f |'
    )


def test_a_config_without_a_finding_says_so(tmp_path: Path):
    (tmp_path / "meshgen.yaml").write_text(CONFIG.split("addons", maxsplit=1)[0], encoding="utf-8")

    done = meshgen("validate", "-o", "markdown", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "meshgen found nothing.\n")
    assert yaml.safe_load(formatted([], "sarif", Path()))["runs"][0]["results"] == []
