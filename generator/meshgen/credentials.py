"""What a credential is called and what it looks like: one vocabulary for whoever checks, hides or compares.

What checks must not cry wolf, and what hides must not leak, so each asks with a width of its own. No value is kept.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from meshgen.sops import is_ciphertext

# `pass` and `pwd` where they are a word of their own: neither `bypass` nor `compass`.
_SHORT = (
    r"((?<![A-Za-z0-9])(db|user|admin|root|mysql|pg|redis|smtp|mail|ldap|proxy|ssh)?(pass|pwd)"
    r"|(?-i:(?<=[a-z0-9])(Pass|Pwd|PWD)))"
)
# From narrow to wide. Each is searched for in the last key of a path, but for those of an import and a diff.

# Keys under which charts take a credential itself, not the name of a Secret: whatever stands there is one.
TAKES_CREDENTIAL = re.compile(r"(password|passwd|signing_?key|api_?key|client_?secret|token)$", re.I)
# Names that are a reason to look at the value: `monkey` and `secretName` are none.
NAMES_CREDENTIAL = re.compile(
    r"((^|[_.\-/]|(?<=[a-z]))(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    rf"|signing[_-]?key|encryption[_-]?key|credentials?)|{_SHORT})$",
    re.I,
)
_KINDS_OF_KEY = r"(signing|api|access|secret|private|encryption)[-_. ]?key"
# Where a diff hides the value, in a field and in a line of text; not `secret`, which in objects is a reference mostly.
HIDDEN_IN_DIFF = (
    rf"(pass(word|wd|phrase)|{_SHORT}|{_KINDS_OF_KEY}|client[-_. ]?secret|(?<!account)token|credentials?|htpasswd"
    r"|bearer)"
)
# Where an explanation hides it: a name of a Secret that is kept back does no harm.
HIDDEN_IN_EXPLANATION = re.compile(
    rf"((passw(or)?d|passphrase|{_KINDS_OF_KEY}|secret|token|credential|bearer)s?|{_SHORT})$", re.I
)
# Where an import hides it, anywhere in a path: what differs is listed without having been judged.
HIDDEN_IN_IMPORT = re.compile(r"pass|pwd|secret|token|key|credential|certificate", re.I)

# What nobody writes but as a credential, whatever it is called.
_TOKEN = (
    r"\b(AKIA[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{20,}"
    r"|eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,})"
)
TOKEN = re.compile(_TOKEN)
_SHAPES = re.compile(
    rf"{_TOKEN}|-----BEGIN (RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s/:@${}]{0,64}:[^\s/:@${}<>*]{6,128}@"
)
# URLs by which whoever knows them may post: of Slack, Discord, Microsoft Teams, Lark and Zapier.
WEBHOOK = re.compile(
    r"(?P<host>https?://(hooks\.slack(-gov)?\.com/(services|workflows|triggers)"
    r"|((canary|ptb)\.)?discord(app)?\.com/api/(v\d+/)?webhooks"
    r"|([\w.-]+\.webhook|outlook)\.office(365)?\.com/webhook(b2)?"
    r"|open\.(feishu\.cn|larksuite\.com)/open-apis/bot/(v2/)?hook"
    r"|hooks\.zapier\.com/hooks/catch)/)"
    r"(?P<value>[^\s\"'<>]+)",
    re.I,
)
# Parameters of a URL that are a credential where they are random.
_PARAMETER = re.compile(
    r"[?&](sig|([a-z]+[_-])*(signature|token)|api[_-]?key|client[_-]?secret|passw(or)?d|pwd)=(?P<value>[^&\s\"'#]+)",
    re.I,
)
# `Server=db;User Id=me;Password=…`, and the keys of Azure's storage and service bus.
_CONNECTION = re.compile(
    r"\b(server|data source|host|address|endpoint|accountname|database|initial catalog|user id|uid|user)=[^;\n]{0,200};"
    r"([^;\n]{0,200};){0,20}?[ ]?(password|pwd|accountkey|sharedaccesskey)=(?P<value>[^;\s\"'{$<%(]{6,})(?=[;\s\"']|$)",
    re.I,
)
PRIVATE_KEY = re.compile(r"PRIVATE KEY-----|BEGIN OPENSSH")
# What stands in the place of a credential until someone knows it.
_PLACEHOLDER = re.compile(
    r"\$\{|\$\(|\{\{|^<[^>]*>$|^\{cipher\}"
    # What bank-vaults, vals, 1Password, Azure and others put the credential in the place of.
    r"|^(>>)?vault:|^ref\+|^(op|sm|ssm|awsssm|awssecretsmanager|gcpsm|azkv|azurekeyvault|vault|secret|secretref|k8s)://"
    r"|^arn:aws[a-z-]*:(secretsmanager|ssm):|^(aws|gcp|azure|oci|ibm)[a-z]*:[a-z]*(secret|vault|ssm|parameter)[a-z]*:"
    r"|^projects/[^/]+/secrets/|^@Microsoft\.KeyVault\("
    r"|^(change|replace)[-_ ]?(me|it|this)([-_ !.].*)?$"
    r"|^(todo|tbd|dummy|example|placeholder|redacted)$|^your[-_ ]|^(?P<sign>[x*.-])(?P=sign)*$",
    re.I,
)
_WORDS = re.compile(r"pass|pwd|secret|token|key|credential|://|eyJ|gh[opsur]_|xox|glpat|AKIA")
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
    return has_shape(value) or (NAMES_CREDENTIAL.search(name) is not None and is_random(value))


def has_shape(text: str) -> bool:
    """Whether a text holds what nobody writes but as a credential, whatever it is called."""
    if _SHAPES.search(text) or any(not is_placeholder(one["value"]) for one in _CONNECTION.finditer(text)):
        return True
    if any(is_random(one["value"]) for one in _PARAMETER.finditer(text)):
        return True
    ends = (one["value"].rstrip("/").rpartition("/")[2] for one in WEBHOOK.finditer(text))
    return any(len(end) >= 8 and _kinds(end) >= 2 and not is_placeholder(end) for end in ends)


def is_random(value: str) -> bool:
    """Whether a value is as random as a credential, and neither a path, a reference nor a name."""
    if not 8 <= len(value) <= 512 or " " in value or "<" in value or is_placeholder(value):
        return False
    if value.startswith(("/", "./", "@/", "file:", "unix:", "http:", "https:", "$", "`")) or _CALLED.fullmatch(value):
        return False
    return _kinds(value) >= 2 and _entropy(value) >= _ENTROPY


def _kinds(value: str) -> int:
    """How many kinds of characters a text has: small and capital letters, digits, marks."""
    return sum(any(test(char) for char in value) for test in (str.islower, str.isupper, str.isdigit, _is_mark))


def _is_mark(char: str) -> bool:
    return not char.isalnum()


def _entropy(value: str) -> float:
    """Shannon's entropy of a text, in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


@lru_cache(maxsize=2048)
def secret_lines(text: str) -> tuple[str, ...]:
    """The names of all credentials in a text of lines `name: value` or `name=value`; one without a name is told too."""
    if not _WORDS.search(text) and not _WORDS.search(text.lower()):
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
