"""What a mesh's `policy` makes of what was found: another severity, or nothing where a suppression says why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from meshgen.build.stage import Remark
from meshgen.config.problems import guess, shown
from meshgen.policy.reading import mapping, text
from meshgen.policy.registry import is_changeable, titles, why_fixed
from meshgen.yaml import pointer

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A remark and the cluster that it is about; `in_entry` where its pointer leads into the cluster's own entry."""

    remark: Remark
    cluster: str
    in_entry: bool = False

    @property
    def object(self) -> str | None:
        """The object that it is about, as `KIND/NAME`; None where that is not known."""
        if self.remark.object:
            return self.remark.object
        exposed = re.match(r"/expose/([^/.]+)", self.remark.pointer)
        return f"Service/{exposed[1]}" if exposed else None

    def is_about(self, named: str) -> bool:
        """Whether `KIND/NAME`, or `KIND/NAME.NAMESPACE`, in any case, means the object that it is about."""
        if self.object is None:
            return False
        exposed = re.match(r"/expose/[^/.]+\.([^/.]+)", self.remark.pointer)
        space = self.remark.namespace or (exposed[1] if exposed else "default")
        return named.lower() in (self.object.lower(), f"{self.object}.{space}".lower())


@dataclass(frozen=True)
class Suppression:
    """One entry of `policy.suppress`: what it takes away, why, and until when (that day is the last)."""

    name: str
    rule: str
    until: date | None
    cluster: str | None
    object: str | None

    def holds(self, today: date | None) -> bool:
        """Whether it has not ended; without a today nothing ends."""
        return self.until is None or today is None or self.until >= today

    def takes(self, found: Found) -> bool:
        """Whether it means this finding."""
        if self.rule != found.remark.rule or self.cluster not in (None, found.cluster):
            return False
        return self.object is None or found.is_about(self.object)


@dataclass(frozen=True)
class Verdict:
    """What is left of the findings of a cluster, and the names of the suppressions that took something away."""

    findings: tuple[Found, ...]
    used: frozenset[str]


def apply_policy(findings: Iterable[Found], policy: Policy | None, today: date | None) -> tuple[Found, ...]:
    """The findings of a cluster as its policy wants them, with what is wrong with the policy.

    With several clusters, `judge` each and ask `unused_suppressions` once: one that serves another cluster is no
    reason to complain.
    """
    found = list(findings)
    verdict = judge(found, policy, today)
    clusters = list(dict.fromkeys(one.cluster for one in found)) or [""]
    unused = unused_suppressions([policy or {}], verdict.used, today)
    return (*verdict.findings, *(Found(remark, clusters[0]) for remark in unused))


def judge(findings: Iterable[Found], policy: Policy | None, today: date | None) -> Verdict:
    """What is left of the findings of a cluster; without a `today` no suppression ends."""
    found = tuple(findings)
    if not policy:
        return Verdict(found, frozenset())
    standing = [one for one in suppressions(policy) if one.holds(today)]
    severity, used, left = mapping(policy.get("severity")), set(), []
    for one in found:
        if not is_changeable(one.remark.rule):
            left.append(one)
            continue
        takers = [each.name for each in standing if each.takes(one)]
        used.update(takers)
        wanted = severity.get(one.remark.rule) or one.remark.severity
        if not takers and wanted != "off":
            left.append(one if wanted == one.remark.severity else replace(one, remark=_said(one.remark, wanted)))
    return Verdict(tuple(left), frozenset(used))


def _said(remark: Remark, severity: Any) -> Remark:
    return replace(remark, severity=severity)


def suppressions(policy: Policy) -> list[Suppression]:
    """The suppressions that are whole; `policy_problems` tells of the others."""
    entries = mapping(policy.get("suppress")).items()
    return [
        Suppression(name, rule, _date(entry), text(entry, "cluster") or None, text(entry, "object") or None)
        for name, entry in entries
        if (rule := text(entry, "rule")) and text(entry, "reason").strip() and not _misdated(entry)
    ]


def _date(entry: Any) -> date | None:
    try:
        return date.fromisoformat(text(entry, "until"))
    except ValueError:
        return None


def _misdated(entry: Any) -> bool:
    return bool(text(entry, "until")) and _date(entry) is None


def policy_problems(policy: Policy | None, today: date | None, own: Sequence[str] = ()) -> Iterator[Remark]:
    """What is wrong with a policy; `own` are the ids of the user's own rules."""
    for rule in mapping((policy or {}).get("severity")):
        yield from _unknown(rule, ("policy", "severity", rule), own)
    for name, entry in mapping((policy or {}).get("suppress")).items():
        at = ("policy", "suppress", name)
        yield from _incomplete(name, entry, at)
        if rule := text(entry, "rule"):
            yield from _unknown(rule, (*at, "rule"), own)
        until = _date(entry)
        if until is not None and today is not None and until < today:
            message = f"policy.suppress.{name}: ended on {until}, and {rule or 'its rule'} holds again"
            hint = "correct what it suppressed and take it out, or decide on a new date"
            yield Remark("MG592", message, pointer((*at, "until")), hint)


def _incomplete(name: str, entry: Any, at: tuple[str, ...]) -> Iterator[Remark]:
    hints = {"rule": "say which rule, such as MG514", "reason": "say why in a sentence: reviewers read it"}
    for key, hint in hints.items():
        if not text(entry, key).strip():
            yield Remark("MG591", f"policy.suppress.{name}: has no {key}", pointer(at), hint, at_key=True)
    if _misdated(entry):
        message = f"policy.suppress.{name}: {shown(text(entry, 'until'))} is no date"
        yield Remark("MG591", message, pointer((*at, "until")), 'write a day as "2027-01-31"')


def _unknown(rule: str, at: tuple[str, ...], own: Sequence[str]) -> Iterator[Remark]:
    if rule in own or (is_changeable(rule) and not rule.startswith("OWN-")):
        return
    if why := why_fixed(rule):
        message = f"{rule} can't be {'changed' if at[1] == 'severity' else 'suppressed'}: {why}"
        hint = "correct what it finds; `meshgen policy list` prints the rules that can be changed"
    else:
        message = f"there is no rule {shown(rule)}"
        hint = guess(rule, [*titles(), *own]) or "docs/reference/rules.md lists them all"
    yield Remark("MG590", f"{'.'.join(at[:2])}: {message}", pointer(at), hint, at_key=at[1] == "severity")


def unused_suppressions(policies: Iterable[Policy], used: frozenset[str], today: date | None) -> list[Remark]:
    """The suppressions of these policies that took nothing away on any cluster; expired ones are told of elsewhere."""
    names = {one.name: one.rule for policy in policies for one in suppressions(policy) if one.holds(today)}
    hint = "take it out; or is its cluster, its object or the object's namespace called otherwise?"
    return [
        Remark(
            "MG593",
            f"policy.suppress.{name}: {rule} finds nothing here that it could suppress",
            pointer(("policy", "suppress", name)),
            hint,
            "info",
            at_key=True,
        )
        for name, rule in names.items()
        if name not in used and is_changeable(rule)
    ]
