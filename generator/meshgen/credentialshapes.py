"""What a credential looks like, whatever it is called: tokens, and what stands in URLs and connection strings.

What only stands for a credential is none, nor what is no more random than a name.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator

from meshgen.sops import is_ciphertext

Span = tuple[int, int]

# What nobody writes but as a credential.
TOKEN = re.compile(
    # AWS, GitHub, GitLab, Slack, Stripe.
    r"\b(AKIA[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{20,}"
    r"|[rs]k_(live|test)_[A-Za-z0-9]{16,}"
    # Google, npm, PyPI, Docker Hub, DigitalOcean, Hugging Face, SendGrid, Grafana.
    r"|AIza[\w-]{35}|GOCSPX-[\w-]{28}|npm_[A-Za-z0-9]{36}|pypi-AgEI[\w-]{50,}|dckr_pat_[\w-]{20,}|dop_v1_[0-9a-f]{64}"
    r"|hf_[A-Za-z]{34}|SG\.[\w-]{22}\.[\w-]{43}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"
    # Vault, age, OpenAI and Anthropic, a JWT; a bot of Telegram, whose URL has `bot` before it.
    r"|hv[bs]\.[\w-]{20,}|AGE-SECRET-KEY-1[0-9A-Z]{58}|sk-(proj|svcacct|admin|ant)-[\w-]{20,}|sk-[A-Za-z0-9]{48}"
    r"|eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,})|(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])"
)
_KEY = re.compile(r"-----BEGIN (RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----")
PRIVATE_KEY = re.compile(r"PRIVATE KEY-----|BEGIN OPENSSH")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@${}]{0,64}:(?P<value>[^\s:@${}<>*]{6,128})@")
# A data source of Go's MySQL driver: `me:…@tcp(db:3306)/shop`.
_DATA_SOURCE = re.compile(r"(?<![\w/])[\w.-]{1,64}:(?P<value>[^\s:@${}<>*\"'%]{6,128})@(tcp|udp|unix)[46]?\(")
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
# `PlainLoginModule required username="me" password="…";`, of Java's clients of Kafka.
_LOGIN_MODULE = re.compile(
    r"LoginModule\s+(required|requisite|sufficient|optional)\b[^;]{0,500}?\b(password|clientSecret)\s*=\s*"
    r"(?P<quote>[\"'])(?P<value>[^\"'\s{$<%(]{6,})(?P=quote)"
)
_NETRC = re.compile(r"\bmachine\s+\S+\s+login\s+\S+\s+password\s+(?P<value>[^\s{$<%(]{6,})")
# A user and a password in base64: a header, and the logins of Docker.
_BASIC = re.compile(r"(\b[Bb]asic\s+|\"auth\"\s*:\s*\")(?P<value>[A-Za-z0-9+/]{8,512}={0,2})")
_BEARER = re.compile(r"\bauthorization[\"']?\s*[:=]\s*[\"']?(bearer|token)\s+(?P<value>[\w.~+/=-]{16,})", re.I)
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
# A name of something, such as `grafana-admin-v2`: what a Secret is called, not what it holds.
_CALLED = re.compile(r"([A-Za-z]+|v?[0-9]{1,4})([-_./:@]([A-Za-z]+|v?[0-9]{1,4}))*")
_ENTROPY = 2.8


def is_placeholder(value: str) -> bool:
    """Whether a value only stands for a credential: empty, `CHANGEME`, `${PASSWORD}`, `<password>`, ciphertext."""
    return not value.strip() or _PLACEHOLDER.search(value.strip()) is not None or is_ciphertext(value)


def has_shape(text: str) -> bool:
    """Whether a text holds what nobody writes but as a credential, whatever it is called."""
    return any(True for _ in shaped(text))


def shaped(text: str) -> Iterator[Span]:
    """Where a text holds such a credential: its start and its end."""
    for regex in (TOKEN, _KEY):
        yield from (one.span() for one in regex.finditer(text))
    for regex, is_one in _HOLDERS:
        yield from (one.span("value") for one in regex.finditer(text) if is_one(one["value"]))


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


def _is_given(value: str) -> bool:
    return not is_placeholder(value)


def _is_end(value: str) -> bool:
    """Whether a path ends as a webhook's does: in a token."""
    end = value.rstrip("/").rpartition("/")[2]
    return len(end) >= 8 and _kinds(end) >= 2 and not is_placeholder(end)


def _is_login(value: str) -> bool:
    """Whether base64 is that of a user and a password."""
    try:
        user, colon, password = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return False
    return bool(colon) and user.isprintable() and password.isprintable() and not is_placeholder(password)


# What may hold a credential, and what tells whether it does.
_HOLDERS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_URL, _is_given),
    (_DATA_SOURCE, _is_given),
    (WEBHOOK, _is_end),
    (_PARAMETER, is_random),
    (_CONNECTION, _is_given),
    (_LOGIN_MODULE, _is_given),
    (_NETRC, _is_given),
    (_BASIC, _is_login),
    (_BEARER, is_random),
)
