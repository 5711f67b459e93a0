"""Whether an expression is one of RE2, whose syntax Envoy takes: what is surely none is told, the rest may be."""

from __future__ import annotations

import re
import warnings

# What Perl and JavaScript have and RE2 leaves out, for it never goes back.
_LEFT_OUT = (
    (re.compile(r"\(\?<?[=!]"), "it looks ahead or behind"),
    (re.compile(r"\(\?>"), "it has an atomic group"),
    (re.compile(r"\(\?\("), "it has a condition"),
    (re.compile(r"\(\?P=|\\[1-9](?![0-7])|\\k[<'{]"), "it refers back to a group"),
    (re.compile(r"[*+?]\+|\{\d+(?:,\d*)?\}\+"), "it has a possessive quantifier"),
)
# What RE2 has and Python spells otherwise, and escapes that stand for themselves.
_OTHERWISE = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[pP](?:\{\^?\w+\}|[A-Za-z])|\\x\{[0-9A-Fa-f]+\}|\\[1-7][0-7]{1,2}|\\[zC]", re.DOTALL
)
_CLASS = re.compile(r"\[\[:\^?\w+:\]")
_FLAGS = re.compile(r"\(\?[imsU]*(?:-[imsU]+)?(:|\))")
_NAMED = re.compile(r"\(\?<(\w+)>")
_LONGEST = 2000


def problem(expression: str) -> str | None:
    """What makes an expression none of RE2's; None where it is one, or nothing says that it is not."""
    if len(expression) > _LONGEST:
        return None
    for pattern, what in _LEFT_OUT:
        if pattern.search(_without_quoted(expression)):
            return what
    return _unreadable(expression)


def _without_quoted(expression: str) -> str:
    """An expression without what may look like syntax in it: classes, escaped signs and quotations."""
    bare = re.sub(r"\\Q.*?(?:\\E|\Z)", "", expression, flags=re.DOTALL)
    return re.sub(r"\\[^1-9k]|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", "x", bare)


def _unreadable(expression: str) -> str | None:
    """What Python's own reader has against an expression, once RE2's spellings are made Python's."""
    spelled = _CLASS.sub("[a", _OTHERWISE.sub("a", expression))
    spelled = _NAMED.sub(r"(?P<\1>", _FLAGS.sub(lambda found: "(?:" if found[1] == ":" else "", spelled))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(spelled)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error).partition(" at position")[0] if isinstance(error, re.error) else "it is too big"
    return None
