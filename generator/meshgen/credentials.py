"""What a credential is called and what it looks like: one vocabulary for whoever checks, hides or compares.

What checks must not cry wolf, and what hides must not leak, so each asks with a width of its own. No value is kept.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

from meshgen.sops import is_ciphertext

# From narrow to wide. Each is searched for in the last key of a path, but for those of an import and a diff.

# Keys under which charts take a credential itself, not the name of a Secret: whatever stands there is one.
TAKES_CREDENTIAL = re.compile(r"(password|passwd|signing_?key|api_?key|client_?secret|token)$", re.I)
# Names that are a reason to look at the value: `monkey` and `secretName` are none.
NAMES_CREDENTIAL = re.compile(
    r"(^|[_.\-/]|(?<=[a-z]))(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|encryption[_-]?key|credentials?)$",
    re.I,
)
_KINDS_OF_KEY = r"(signing|api|access|secret|private|encryption)[-_. ]?key"
# Where a diff hides the value, in a field and in a line of text; not `secret`, which in objects is a reference mostly.
HIDDEN_IN_DIFF = (
    rf"(pass(word|wd|phrase)|{_KINDS_OF_KEY}|client[-_. ]?secret|(?<!account)token|credentials?|htpasswd|bearer)"
)
# Where an explanation hides it: a name of a Secret that is kept back does no harm.
HIDDEN_IN_EXPLANATION = re.compile(rf"(passw(or)?d|passphrase|{_KINDS_OF_KEY}|secret|token|credential|bearer)s?$", re.I)
# Where an import hides it, anywhere in a path: what differs is listed without having been judged.
HIDDEN_IN_IMPORT = re.compile(r"pass|secret|token|key|credential|certificate", re.I)

# What nobody writes but as a credential, whatever it is called.
_TOKEN = (
    r"\b(AKIA[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{20,}"
    r"|eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,})"
)
TOKEN = re.compile(_TOKEN)
SHAPES = re.compile(
    rf"{_TOKEN}|-----BEGIN (RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s/:@${}]{1,64}:[^\s/:@${}<>*]{6,128}@"
)
PRIVATE_KEY = re.compile(r"PRIVATE KEY-----|BEGIN OPENSSH")
# What stands in the place of a credential until someone knows it.
_PLACEHOLDER = re.compile(
    r"\$\{|\$\(|\{\{|^<[^>]*>$|^(change|replace)[-_ ]?(me|it|this)([-_ !.].*)?$"
    r"|^(todo|tbd|dummy|example|placeholder|redacted)$|^your[-_ ]|^(?P<sign>[x*.-])(?P=sign)*$",
    re.I,
)
_WORDS = re.compile(r"passw|passphrase|secret|token|key|credential|://|eyJ|gh[opsur]_|xox|glpat|AKIA")
_LINE = re.compile(
    r"""^[ \t-]*["']?([\w.\-]{1,80})["']?[ \t]*[:=][ \t]*["']?([^\s"',#]{8,512})["']?,?[ \t\r]*$""", re.M
)
# A name of something, such as `grafana-admin-v2`: what a Secret is called, not what it holds.
_CALLED = re.compile(r"([A-Za-z]+|v?[0-9]{1,4})([-_./:@]([A-Za-z]+|v?[0-9]{1,4}))*")
_ENTROPY = 2.8


def is_placeholder(value: str) -> bool:
    """Whether a value only stands for a credential: empty, `CHANGEME`, `${PASSWORD}`, `<password>`, ciphertext."""
    return not value.strip() or _PLACEHOLDER.search(value.strip()) is not None or is_ciphertext(value)


def looks_secret(name: str, value: str) -> bool:
    """Whether a value looks like a credential, by its own shape or by its name and how random it is."""
    if SHAPES.search(value):
        return True
    return NAMES_CREDENTIAL.search(name) is not None and is_random(value)


def is_random(value: str) -> bool:
    """Whether a value is as random as a credential, and neither a path, a reference nor a name."""
    if not 8 <= len(value) <= 512 or " " in value or "<" in value or is_placeholder(value):
        return False
    if value.startswith(("/", "./", "file:", "http:", "https:", "$")) or _CALLED.fullmatch(value):
        return False
    kinds = sum(any(test(char) for char in value) for test in (str.islower, str.isupper, str.isdigit, _is_mark))
    return kinds >= 2 and _entropy(value) >= _ENTROPY


def _is_mark(char: str) -> bool:
    return not char.isalnum()


def _entropy(value: str) -> float:
    """Shannon's entropy of a text, in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


@lru_cache(maxsize=2048)
def secret_line(text: str) -> str | None:
    """The name of the first credential in a text of lines `name: value` or `name=value`; None where there is none."""
    if not _WORDS.search(text) and not _WORDS.search(text.lower()):
        return None
    found = next((name for name, value in _LINE.findall(text) if looks_secret(name, value)), None)
    return found or ("a key or token" if SHAPES.search(text) else None)
