"""What `match` of the user's own rules asks for; what is not there leaves a rule that checks nothing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from meshgen.build.stage import STAGES
from meshgen.catalog.kinds import kind_names
from meshgen.config.problems import guess, shown
from meshgen.finding import Finding
from meshgen.policy.ownrules import OwnRule

# Two names of kinds that are as near as this are one, and a typing error or a plural: Deploymnt, Services.
_SAME = 0.85


def match_findings(rules: Sequence[OwnRule], environments: Collection[str]) -> list[Finding]:
    """What is wrong with the stages and environments of rules; without `environments` nobody knows these.

    An environment that resembles no other is a warning, and only where the rule has none besides: several configs may
    share a rule.
    """
    return [
        finding
        for rule in rules
        for finding in (*_unknown_stages(rule), *(_unknown_environments(rule, environments) if environments else ()))
    ]


def environment_names(folder: Path) -> frozenset[str]:
    """The environments that a config's folder has overlays for, those without a cluster too; none without overlays."""
    try:
        found = [one for one in (folder / "overlays").iterdir() if not one.name.startswith(".")]
        return frozenset(one.stem for one in found if one.suffix == ".yaml" or one.is_dir())
    except OSError:
        # A render says what is wrong with the folder; here nobody knows what is in it.
        return frozenset()


def _unknown_stages(rule: OwnRule) -> Iterator[Finding]:
    for at, stage in _asked(rule, "stages"):
        if stage not in STAGES:
            message = f"{rule.id}: there is no stage {shown(stage)}"
            yield rule.document.finding("MG594", message, at, hint=guess(stage, STAGES))


def _unknown_environments(rule: OwnRule, known: Collection[str]) -> Iterator[Finding]:
    unnamed = sorted(set(known) - rule.environments)
    for at, name in _asked(rule, "environments"):
        message, hint = f"{rule.id}: there is no environment {shown(name)}", guess(name, unnamed)
        if name not in known and (hint or "").startswith("did you mean"):
            yield rule.document.finding("MG594", message, at, hint=hint)
        elif not rule.environments & set(known):
            yield rule.document.finding("MG594", message, at, hint=hint, severity="warning")


def kind_findings(rules: Sequence[OwnRule], there: Collection[str]) -> list[Finding]:
    """The kinds of rules that no object has, of those `there`, and that resemble one that is known."""
    asked = [(rule, at, kind) for rule in rules for at, kind in _asked(rule, "kinds") if kind not in there]
    known = sorted({*kind_names(), *there}) if asked else []
    found = []
    for rule, at, kind in asked:
        near = difflib.get_close_matches(kind, known, n=1, cutoff=_SAME)
        if kind not in known and near:
            message, hint = f"{rule.id}: no object is of kind {shown(kind)}", f'did you mean "{near[0]}"?'
            found.append(rule.document.finding("MG594", message, at, hint=hint, severity="info"))
    return found


def _asked(rule: OwnRule, key: str) -> Iterator[tuple[str, str]]:
    """(pointer, word) of what a rule's `match` lists under a key."""
    words = (rule.document.value.get("match") or {}).get(key) or ()
    return ((f"/match/{key}/{index}", word) for index, word in enumerate(words))
