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
_ESCAPE = (
    r"\\[pP](?:\{\^?\w+\}|[A-Za-z])|\\x\{[0-9A-Fa-f]+\}|\\[1-7][0-7]{1,2}|\\[zC]",
    r"\\.",
)
_CLASS = r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
_IN_CLASS = re.compile(rf"(?P<other>{_ESCAPE[0]}|\[:\^?\w+:\])|{_ESCAPE[1]}", re.DOTALL)
# Read from the left, so that what is escaped or stands in a class is no syntax.
_PART = re.compile(
    rf"(?P<quoted>\\Q.*?(?:\\E|\Z))|(?P<place>(?:\\[bBA]|[\^$])(?=[*+?{{]))|(?P<other>{_ESCAPE[0]})|{_ESCAPE[1]}"
    rf"|(?P<class>{_CLASS})|\(\?[imsU]*(?:-[imsU]+)?(?P<flags>:|\))|\(\?P?<(?P<name>\w+)>",
    re.DOTALL,
)
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
    spelled = _PART.sub(_as_python, expression)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(spelled)
    except (re.error, OverflowError) as error:
        return str(error).partition(" at position")[0] if isinstance(error, re.error) else "it is too big"
    except RecursionError:
        # Python gives up on nesting sooner than RE2 does.
        return None
    return None


def _as_python(part: re.Match[str]) -> str:
    """A part of an expression as Python spells it, or something that reads alike."""
    if part["class"]:
        return _IN_CLASS.sub(lambda inner: "a" if inner["other"] else inner[0], part["class"])
    if part["flags"]:
        # What is repeated behind flags is to RE2 what stands before them.
        is_repeated = part.string[part.end() : part.end() + 1] in tuple("*+?{")
        return "(?:" if part["flags"] == ":" else "a" if is_repeated else ""
    if part["name"]:
        # RE2 lets a name begin with a digit.
        return f"(?P<_{part['name']}>" if part["name"][0].isdigit() else f"(?P<{part['name']}>"
    # RE2 repeats a place in the text too, such as a word's edge.
    return "a" if part["quoted"] or part["place"] or part["other"] else part[0]
