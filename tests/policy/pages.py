"""Writes docs/rules: a page for each rule, whose bad and good are the files of its case.

`python -m tests.policy.pages` writes them anew; a test compares. What a page says of its own, the reasons between its
head and `## Bad`, is kept: that is where to write. Rules without a case are written by hand as a whole.
"""

from __future__ import annotations

from pathlib import Path

from meshgen.policy.registry import RULES
from meshgen.policy.rule import Rule
from tests.tools import PROJECT

PAGES = PROJECT / "docs" / "rules"
CASES = Path(__file__).parent


def page(rule: Rule) -> str:
    """The page of a rule as it should be, with the reasons that it gives already."""
    file = PAGES / f"{rule.id}.md"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if not (CASES / rule.id).is_dir():
        return before
    head, bad = _head(rule), "## Bad"
    why = before.partition("\n\n")[2].partition("\n\n")[2].partition(bad)[0].strip() or "TODO"
    message = (CASES / rule.id / "bad" / "message.txt").read_text(encoding="utf-8").strip()
    told = f"```text\n{message}\n```"
    parts = [head, why, bad, *_files(rule.id, "bad"), told, "## Good", *_files(rule.id, "good")]
    return "\n\n".join([*parts, "## To live with it", _suppression(rule.id)]) + "\n"


def _head(rule: Rule) -> str:
    return f"# {rule.id}: {rule.title}\n\nDefault severity: {rule.severity}."


def _files(rule: str, which: str) -> list[str]:
    """The files of a case in which bad and good differ, each as a block under its name."""
    other = CASES / rule / ("good" if which == "bad" else "bad")
    blocks = []
    for file in sorted((CASES / rule / which).glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if text != (other / file.name).read_text(encoding="utf-8"):
            blocks.append(f"`{file.name}`:\n\n```yaml\n{text.strip()}\n```")
    return blocks


def _suppression(rule: str) -> str:
    return (
        "Say why, and until when; `cluster` and `object` (`KIND/NAME`, or `KIND/NAME.NAMESPACE`) narrow it down.\n\n"
        "```yaml\npolicy:\n  suppress:\n    a-name-of-your-own:\n"
        f'      rule: {rule}\n      reason: what makes it right here\n      until: "2027-01-31"\n```\n\n'
        f"Or change what it counts for everywhere: `policy: {{severity: {{{rule}: info}}}}`."
    )


def index() -> str:
    """The list of all pages."""
    rows = [f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {rule.title} |" for rule in RULES]
    head = (
        "# Rules of the policy\n\n<!-- Written by `python -m tests.policy.pages`. -->\n\n"
        "What each rule finds, why, and how it is set right. [docs/policy.md](../policy.md) tells how to change them, "
        "and\nhow to write your own; [reference/rules.md](../reference/rules.md) lists every rule of meshgen.\n\n"
        "| rule | severity | what it finds |\n|---|---|---|"
    )
    return "\n".join([head, *rows]) + "\n"


def main() -> None:
    """Write every page."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for rule in RULES:
        (PAGES / f"{rule.id}.md").write_text(page(rule), encoding="utf-8")
    (PAGES / "README.md").write_text(index(), encoding="utf-8")


if __name__ == "__main__":
    main()
