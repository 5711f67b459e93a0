"""What a plain scalar means: YAML 1.2's core schema, less everything on which the readers of a GitOps tree disagree.

Kubernetes and Argo CD read with a descendant of go-yaml v2 (YAML 1.1's words), Flux and kustomize with one of v3,
people and CI with whatever they have. What they take for different values is refused, so that it can't change its
meaning on its way.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

# YAML 1.1's booleans that YAML 1.2 takes for strings (https://yaml.org/type/bool.html).
_TRUE_IN_1_1 = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE_IN_1_1 = frozenset(("n", "N", "no", "No", "NO", "off", "Off", "OFF"))
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Words that some reader takes for something else than a string, in lower case: an emitter quotes them in any case.
RESERVED_WORDS = frozenset(word.lower() for word in (*_TRUE_IN_1_1, *_FALSE_IN_1_1, *_WORDS))

_NUMBER_STARTS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Go's layouts and YAML 1.1's pattern together. What looks like one and is none, such as Go's own layout
# 2006-01-02T15:04:05Z07:00, is a string to everyone, and kubectl prints it plain.
_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:[Zz]|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
# Such as a file's mode.
_OCTAL = re.compile(r"0[0-7]{1,8}")
_QUOTE = "quote it if it is a string"
_DISPUTED = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (r"[-+]?0[0-9]+", "a number with a leading zero is octal to some readers", f"write it in decimal, or {_QUOTE}"),
        (r"[-+]?0[oO][0-7]+", "an octal number is a string to some readers", f"write it in decimal, or {_QUOTE}"),
        (r"[-+]?0[bB][01]+", "a binary number is a string to some readers", f"write it in decimal, or {_QUOTE}"),
        (
            r"[-+]?0[xX][0-9a-fA-F]+",
            "a hexadecimal number with a sign or a capital X is a string to some readers",
            f"write it in decimal, or {_QUOTE}",
        ),
        (
            r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?",
            "a number with a leading zero is a string to some readers",
            f"write it without the zero, or {_QUOTE}",
        ),
        (r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "JSON has no infinite number and no NaN", _QUOTE),
        (_TIMESTAMP, "a date is a timestamp to some readers and a string to others", "quote it"),
    )
)
_SMALLEST = -(2**63)
_LARGEST = 2**64 - 1
# No number in range has more characters; int() refuses, and is slow at, thousands of them.
_MOST_CHARACTERS = 21


class DisputedError(ValueError):
    """A plain scalar that readers disagree on, or a number that JSON or Go can't hold; the hint is the next move.

    `kubernetes` is what Kubernetes and istioctl, whose reader is a descendant of go-yaml v2, take it for; None where
    that is not sure.
    """

    def __init__(self, message: str, hint: str, kubernetes: bool | int | None = None) -> None:
        self.hint, self.kubernetes = hint, kubernetes
        super().__init__(message)


def resolve(text: str) -> Scalar:
    """Give the value that every reader gives a plain scalar; raises `DisputedError` where there is no such value."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        return _resolve_number(text)
    if text in _TRUE_IN_1_1:
        raise DisputedError(
            f"{text} is true to some readers and a string to others", f'write true, or quote it: "{text}"', True
        )
    if text in _FALSE_IN_1_1:
        raise DisputedError(
            f"{text} is false to some readers and a string to others", f'write false, or quote it: "{text}"', False
        )
    return text


def in_range(number: int) -> bool:
    """Tell whether Go's readers hold an integer: int64 or uint64."""
    return _SMALLEST <= number <= _LARGEST


def _resolve_number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text, 16)
    if _FLOAT.fullmatch(text):
        return _float(text)
    for pattern, message, hint in _DISPUTED:
        if pattern.fullmatch(text):
            octal = int(text, 8) if _OCTAL.fullmatch(text) else None
            raise DisputedError(message, hint, octal)
    if "_" in text:
        _refuse_underscores(text)
    return text


def _integer(text: str, base: int) -> int:
    if len(text) <= _MOST_CHARACTERS:
        number = int(text, base)
        if in_range(number):
            return number
    raise DisputedError("an integer beyond 64 bits (-2^63 to 2^64-1) loses digits", _QUOTE)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise DisputedError("this number is too large for a 64-bit float", _QUOTE)
    return number


def _refuse_underscores(text: str) -> None:
    """Go's readers drop every underscore and then see a number, others see a string."""
    bare = text.replace("_", "")
    try:
        is_string = isinstance(resolve(bare), str)
    except DisputedError:
        is_string = False
    if not is_string:
        raise DisputedError("a number with underscores is a string to some readers", f"drop them, or {_QUOTE}")
