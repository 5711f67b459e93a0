"""docs/rules says what the rules do: its blocks are the cases, its list is the registry."""

from __future__ import annotations

import pytest

from meshgen.policy.registry import RULES
from meshgen.policy.rule import Rule
from tests.policy.pages import PAGES, index, page


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_page_shows_the_case_of_its_rule(rule: Rule) -> None:
    text = (PAGES / f"{rule.id}.md").read_text(encoding="utf-8")

    assert text == page(rule)
    assert text.startswith(f"# {rule.id}: {rule.title}\n\nDefault severity: {rule.severity}.\n\n")
    assert "TODO" not in text
    assert "## Bad" in text
    assert "## Good" in text


def test_index_lists_every_rule() -> None:
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index()
    assert {file.stem for file in PAGES.glob("MG*.md")} == {rule.id for rule in RULES}
