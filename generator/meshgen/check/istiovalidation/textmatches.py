"""What Istio's webhook refuses of a match of text: `exact`, `prefix` or `regex`.

Sources in istio/istio: validateStringMatch and validateStringRegexp in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.setting import Numbers, Problem, Setting
from meshgen.policy.re2 import problem

# The first version that has the check, at each of its patches.
_EMPTY = (1, 12, 0)
_LENGTH = (1, 13, 0)
_LONGEST = 1024


def match_problems(match: Setting, istio: Numbers, *, since: Numbers, expressions: bool) -> Iterator[Problem]:
    """What is wrong with a match whose prefix can't be empty from a version on, and with its expression if wanted."""
    prefix = match.at("prefix")
    if prefix.value == "" and istio >= since:
        yield prefix.problem("the prefix is empty", "say a prefix, or take the match out")
    if expressions:
        yield from regex_problems(match, istio)


def regex_problems(match: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with the expression of a match."""
    regex = match.at("regex")
    if regex.value == "" and istio >= _EMPTY:
        yield regex.problem("the expression is empty", "say one, such as .*, or take the match out")
    yield from expression_problems(regex, istio)


def expression_problems(regex: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with an expression that is said."""
    if not regex.text:
        return
    if len(regex.text.encode()) > _LONGEST:
        if istio >= _LENGTH:
            yield regex.problem(f"the expression is longer than {_LONGEST} characters", "divide it into matches")
    elif wrong := problem(regex.text):
        hint = "write it as github.com/google/re2/wiki/Syntax has it"
        yield regex.problem(f"it is no expression of RE2: {wrong}", hint)
