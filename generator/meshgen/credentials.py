"""What a credential is called: one vocabulary for whoever checks, hides or compares; `credentialshapes` is the other.

What checks must not cry wolf, and what hides must not leak, so each asks with a width of its own. No value is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from meshgen.credentialshapes import TOKEN, Span, has_shape, is_random, shaped

# `pass`, `pwd` and `pw` where they are a word of their own: neither `bypass` nor `compass`.
_SHORT = (
    r"((?<![A-Za-z0-9])(db|user|admin|root|mysql|pg|redis|smtp|mail|ldap|proxy|ssh)?(pass|pwd|pw)"
    r"|(?-i:(?<=[a-z0-9])(Pass|Pwd|PWD)))"
)
# From narrow to wide. Each is searched for in the last key of a path, but for those of an import and a diff.

# Keys under which charts take a credential itself, not the name of a Secret: whatever stands there is one.
TAKES_CREDENTIAL = re.compile(r"(password|passwd|signing_?key|api_?key|client_?secret|token)$", re.I)
# Names that are a reason to look at the value: `monkey` and `secretName` are none.
NAMES_CREDENTIAL = re.compile(
    r"((^|[_.\-/]|(?<=[a-z]))(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    rf"|signing[_-]?key|encryption[_-]?key|account[_-]?key|creds|credentials?)|{_SHORT})$",
    re.I,
)
_KINDS_OF_KEY = r"(signing|api|access|secret|private|encryption|account)[-_. ]?key"
# Where a diff hides the value, in a field and in a line of text; not `secret`, which in objects is a reference mostly.
HIDDEN_IN_DIFF = (
    rf"(pass(word|wd|phrase)|{_SHORT}|{_KINDS_OF_KEY}|client[-_. ]?secret|(?<!account)token|creds|credentials?|htpasswd"
    r"|bearer)"
)
# Where an explanation hides it: a name of a Secret that is kept back does no harm.
HIDDEN_IN_EXPLANATION = re.compile(
    rf"((passw(or)?d|passphrase|{_KINDS_OF_KEY}|secret|token|credential|bearer)s?|creds|{_SHORT})$", re.I
)
# Where an import hides it, anywhere in a path: what differs is listed without having been judged.
HIDDEN_IN_IMPORT = re.compile(r"pass|pwd|(^|[_.-])pw$|secret|token|key|cred|salt|certificate", re.I)
# Names whose value every report hides where it is random, and no check tells: `DD_KEY`, `COOKIE_SALT`; no public key.
_HIDDEN_IF_RANDOM = re.compile(r"(?<!public)(?<!public[-_. ])(key|secret|salt|pepper|auth)s?$", re.I)

# One of these is in every text of several lines that holds a credential, but for tokens.
_WORDS = re.compile(r"pass|pwd|pw|secret|token|key|cred|auth|basic|://|@(tcp|udp|unix)", re.I)
_LINE = re.compile(
    r"""^[ \t-]*["']?([\w.\-]{1,80})["']?[ \t]*[:=][ \t]*["']?([^\s"',#]{8,512})["']?,?[ \t\r]*$""", re.M
)


def looks_secret(name: str, value: str) -> bool:
    """Whether a value looks like a credential, by its own shape or by its name and how random it is."""
    return has_shape(value) or (NAMES_CREDENTIAL.search(name) is not None and is_random(value))


def may_be_secret(name: str, value: str) -> bool:
    """Whether no report shows a value for its name alone: a random one, by names that a check passes over too."""
    named = NAMES_CREDENTIAL.search(name) or _HIDDEN_IF_RANDOM.search(name)
    return named is not None and is_random(value)


# What a line says of a name: `name: value`, `NAME=value`, `"name": "value"`, and `--name value`.
_SAID = re.compile(
    r"""(?<![\w.-])(?=(?P<name>[\w.-]{1,80})["']?[ \t]*[:=][ \t]*["']?(?P<value>[^\s"']{0,511}[^\s"',;&)}\]]))"""
)
_GIVEN = re.compile(r"""(?<!\S)--?(?=(?P<name>[A-Za-z][\w.-]*)[ \t]+["']?(?P<value>[^\s"'-][^\s"']*))""")


def secret_spans(text: str) -> Iterator[Span]:
    """Where no report shows a text: what has a credential's shape, and what its own words call one."""
    yield from shaped(text)
    for regex in (_SAID, _GIVEN):
        yield from (one.span("value") for one in regex.finditer(text) if may_be_secret(one["name"], one["value"]))


@lru_cache(maxsize=2048)
def secret_lines(text: str) -> tuple[str, ...]:
    """The names of all credentials in a text of lines `name: value` or `name=value`; one without a name is told too."""
    if not _WORDS.search(text) and not TOKEN.search(text):
        return ()
    found = [one for one in _LINE.finditer(text) if looks_secret(one[1], one[2])]
    rest = text
    for one in reversed(found):
        rest = rest[: one.start()] + rest[one.end() :]
    names = dict.fromkeys(one[1] for one in found)
    return (*names, "a key, token or password") if has_shape(rest) else tuple(names)


_OPTION = re.compile(r"--?([A-Za-z][\w.-]*)")
_ASSIGNED = re.compile(r"-{0,2}([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)


def awaiting(argument: Any) -> str | None:
    """The name of an option whose value is the argument after it, as of `--password`; None for anything else."""
    option = _OPTION.fullmatch(argument) if isinstance(argument, str) else None
    return option[1] if option else None


def arguments(given: Iterable[Any]) -> Iterator[tuple[int, str, str]]:
    """What each argument of a command says: (index, name, value), the name empty where it has none.

    `--name=value`, `--name value` and, in scripts, `NAME=value`.
    """
    before: str | None = None
    for index, argument in enumerate(given):
        if isinstance(argument, str):
            parts = argument.split()
            said = [(name, value) for _, name, value in arguments(parts)] if len(parts) > 1 else []
            yield from ((index, name, value) for name, value in said or [_said(before, argument)])
        before = awaiting(argument)


def _said(before: str | None, argument: str) -> tuple[str, str]:
    assigned = _ASSIGNED.fullmatch(argument.strip("\"'"))
    if argument.startswith("-"):
        # The next option: the one before it takes no value.
        before = None
    name, value = (assigned[1], assigned[2]) if assigned and not before else (before or "", argument)
    return name, value.strip("\"'")
