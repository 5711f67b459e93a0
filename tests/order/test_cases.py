"""Mistakes planted one a folder: what the check finds in `bad`, with its message, and how `good` sets it right.

A new case is a new folder; `MESHGEN_UPDATE=1 pytest tests/order` writes its message for you to read.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from meshgen.finding import Finding
from tests.order.checked import checked

CASES = Path(__file__).parent / "cases"
STORIES = sorted(path.name for path in CASES.iterdir())
UPDATE = bool(os.environ.get("MESHGEN_UPDATE"))


def _text(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    return f"{place}: {finding.severity} {finding.rule}: {finding.message}\n  hint: {finding.hint}\n"


@pytest.mark.parametrize("story", STORIES)
def test_bad_is_found_and_said_with_its_names(story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / story / "bad")

    said = "".join(_text(finding) for _, finding in checked(Path("meshgen.yaml")))

    message = CASES / story / "bad" / "message.txt"
    if UPDATE:
        message.write_text(said, encoding="utf-8")
    assert said
    assert said == message.read_text(encoding="utf-8")


@pytest.mark.parametrize("story", STORIES)
def test_good_gives_nothing(story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / story / "good")

    assert [_text(finding) for _, finding in checked(Path("meshgen.yaml"))] == []


def test_cases_show_every_rule() -> None:
    told = {rule for story in STORIES for rule in re.findall(r"MG\d+", (CASES / story / "bad/message.txt").read_text())}

    assert told == {f"MG44{number}" for number in range(10)}
