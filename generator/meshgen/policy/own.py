"""Applies rules of the user's own to the objects of clusters, and their tests to the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.finding import Finding
from meshgen.policy.bounded import bounded
from meshgen.policy.cel import CelError, compiled, value_of
from meshgen.policy.ownrules import OwnRule
from meshgen.policy.reading import mapping
from meshgen.policy.rule import of_object
from meshgen.policy.subject import Subject
from meshgen.policy.verdict import Found

# For all rules of one run together. Kubernetes ends a policy by the cost of its expressions, which CEL's C++ library
# does not count; beside these it ends one after 10,000 steps of a macro.
SECONDS = 30.0
MEBIBYTES = 512


@dataclass(frozen=True)
class Outcome:
    """How one test of a rule went; `problem` says how where it did not go as it says."""

    rule: str
    number: int
    problem: str | None


class Answer(NamedTuple):
    """What a rule says of an object: its message, empty where it passes, None where nobody can tell for that `reason`.

    `unsaid` is why a messageExpression has no value: then the title is the message, as Kubernetes' policies have it.
    """

    message: str | None
    reason: str = ""
    unsaid: str = ""


def own_findings(rules: Sequence[OwnRule], subjects: Sequence[Subject]) -> tuple[list[Found], list[Finding]]:
    """What the rules have against the objects of each cluster, and what is wrong with the rules themselves."""
    wrong = [finding for rule in rules for finding in _unreadable(rule)]
    if wrong or not rules:
        return [], wrong
    told, ended = bounded(lambda: _told(rules, subjects), seconds=SECONDS, mebibytes=MEBIBYTES)
    found: list[Found] = []
    # Once for each key of a rule, by the first object.
    failed: dict[tuple[int, str], Finding] = {}
    for rule_at, *rest in told:
        if not rest:
            continue
        rule, subject, at, answer = rules[rule_at], subjects[rest[0]], rest[1], Answer(*rest[2:])
        obj = subject.objects[at][1]
        named = f"{obj['kind']} {plain(obj['metadata']['name'])}"
        if answer.message is None:
            failed.setdefault((rule_at, "expression"), _unevaluable(rule, named, answer.reason))
            continue
        found.append(_found(rule, subject, at, answer.message))
        if answer.unsaid:
            failed.setdefault((rule_at, "messageExpression"), _unsaid(rule, named, answer.unsaid))
    wrong += failed.values()
    if ended:
        wrong.append(_ended(rules[told[-1][0]] if told else rules[0], ended))
    return found, wrong


def _told(rules: Sequence[OwnRule], subjects: Sequence[Subject]) -> Iterator[list[Any]]:
    """A line for each rule that begins, and one for each object that breaks it: cluster, object, and the answer."""
    for rule_at, rule in enumerate(rules):
        yield [rule_at]
        check, say = compiled(rule.expression), rule.message_expression and compiled(rule.message_expression)
        # Clusters share most objects: what does not look at the cluster says the same of each of them.
        known: dict[int, Answer] | None = None if "cluster" in rule.expression + (rule.message_expression or "") else {}
        for cluster_at, subject in enumerate(subjects):
            for at, obj in _matched(rule, subject):
                answer = (known or {}).get(id(obj))
                if answer is None:
                    answer = _answer(rule, check, say, obj, facts(subject))
                if known is not None:
                    known[id(obj)] = answer
                if answer != _PASSES:
                    yield [rule_at, cluster_at, at, *answer]


def _matched(rule: OwnRule, subject: Subject) -> Iterator[tuple[int, KubernetesObject]]:
    for at, (stage, obj) in enumerate(subject.objects):
        if rule.matches(obj["kind"], stage, subject.cluster.environment):
            yield at, obj


_PASSES = Answer("")


def _answer(rule: OwnRule, check: Any, say: Any, obj: KubernetesObject, cluster: dict[str, Any]) -> Answer:
    variables = {"object": obj, "cluster": cluster, "params": rule.params}
    try:
        result = value_of(check, variables)
    except CelError as error:
        return Answer(None, str(error))
    if not isinstance(result, bool):
        return Answer(None, "it is no true or false")
    if result:
        return _PASSES
    try:
        return Answer(plain_text(value_of(say, variables) if say else rule.title) or rule.title)
    except CelError as error:
        return Answer(rule.title, unsaid=str(error))


def plain_text(message: Any) -> str:
    """A message of a rule's own on one line."""
    return " ".join(str(message).split())[:500]


def facts(subject: Subject) -> dict[str, Any]:
    """What an expression may know of the cluster."""
    cluster = subject.cluster
    return {
        "name": cluster.name,
        "environment": cluster.environment,
        "cloud": cluster.cloud,
        "labels": mapping(cluster.entry.value.get("labels")) if cluster.entry else {},
        "istio": subject.istio.get("version"),
    }


def _found(rule: OwnRule, subject: Subject, at: int, message: str) -> Found:
    breach = of_object(subject, subject.objects[at][1], message, rule.hint)
    return Found(breach.remark(rule.id, rule.severity), subject.cluster.name)


def _unreadable(rule: OwnRule) -> Iterator[Finding]:
    for key, expression in (("expression", rule.expression), ("messageExpression", rule.message_expression)):
        try:
            if expression is not None:
                compiled(expression)
        except CelError as error:
            hint = "it sees object, cluster and params, and CEL's own functions"
            yield rule.document.finding("MG594", f"{rule.id}: {key}: {error}", f"/{key}", hint=hint)


_ASK = "ask whether a field is there before you read it"


def _unevaluable(rule: OwnRule, what: str, reason: str) -> Finding:
    hint = f"{_ASK}: !has(object.spec.replicas) || …; and add a test of it"
    return rule.document.finding("MG594", f"{rule.id}: can't tell of {what}: {reason}", "/expression", hint=hint)


def _unsaid(rule: OwnRule, what: str, reason: str) -> Finding:
    message = f"{rule.id}: messageExpression has no value for {what}, so the title is said: {reason}"
    hint = f"{_ASK}: has(object.spec.replicas) ? string(object.spec.replicas) : 'no'"
    return rule.document.finding("MG594", message, "/messageExpression", hint=hint, severity="info")


def _ended(rule: OwnRule, why: str) -> Finding:
    hint = "make it look at less, with `match` or without a macro within a macro"
    return rule.document.finding("MG594", f"{rule.id} was stopped: {why}", "/expression", hint=hint)


def try_rules(rules: Sequence[OwnRule]) -> tuple[list[Outcome], list[Finding]]:
    """How the tests of the rules go, and what is wrong with the rules themselves."""
    wrong = [finding for rule in rules for finding in _unreadable(rule)]
    if wrong or not rules:
        return [], wrong
    told, ended = bounded(lambda: _tried(rules), seconds=SECONDS, mebibytes=MEBIBYTES)
    tried = [one for one in told if len(one) > 1]
    outcomes = [Outcome(rules[rule_at].id, at + 1, problem) for rule_at, at, problem, _ in tried]
    wrong += [_unsaid(rules[rule_at], f"test {at + 1}", unsaid) for rule_at, at, _, unsaid in tried if unsaid]
    return outcomes, [*wrong, _ended(rules[told[-1][0]] if told else rules[0], ended)] if ended else wrong


def _tried(rules: Sequence[OwnRule]) -> Iterator[list[Any]]:
    for rule_at, rule in enumerate(rules):
        yield [rule_at]
        check, say = compiled(rule.expression), rule.message_expression and compiled(rule.message_expression)
        for at, case in enumerate(rule.tests):
            answer = _answer(rule, check, say, case.object, case.cluster)
            passed = answer == _PASSES
            problem = None if passed is case.passes else "passes" if passed else f"does not: {answer.message}"
            yield [
                rule_at,
                at,
                problem if answer.message is not None else f"can't tell: {answer.reason}",
                answer.unsaid,
            ]
