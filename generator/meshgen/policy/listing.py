"""What rules there are to be changed: meshgen's and the user's own."""

from __future__ import annotations

from pathlib import Path

from meshgen.policy.ownrules import read_own_rules
from meshgen.policy.registry import BUILT_ELSEWHERE, RULES


def listed(folder: Path) -> list[tuple[str, str, str]]:
    """(id, severity, title) of every rule that the config of a folder may change, by their ids."""
    elsewhere = [(rule, str(one.severity), one.title) for rule, one in BUILT_ELSEWHERE.items()]
    here = [(rule.id, str(rule.severity), rule.title) for rule in RULES]
    own = [(rule.id, str(rule.severity), rule.title) for rule in read_own_rules(folder)]
    return [*sorted(elsewhere + here), *sorted(own)]
