"""What Istio's webhook refuses of the values by which an AuthorizationPolicy decides.

Sources in istio/istio: ValidateAttribute, ValidateIPs, ValidatePorts and CheckServiceAccount in pkg/config/security.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.addresses import is_ip, is_range
from meshgen.check.setting import Numbers, Problem, Setting
from meshgen.config.problems import guess

# The first version that has the attribute, or the check at each of its patches.
_SERVICE_ACCOUNT = (1, 25, 0)
_TRUST_DOMAIN = (1, 30, 0)
_TRUST_DOMAIN_CHECKED = (1, 31, 0)
_MOST_ACCOUNTS, _LONGEST_ACCOUNT = 16, 320
_ADDRESSES = ("source.ip", "remote.ip", "destination.ip")
_WITH_KEY = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_PLAIN = (
    "source.namespace",
    "source.principal",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "connection.sni",
)
_GONE = {
    "destination.namespace": "take it out: the policy's own namespace says it",
    "destination.labels": "say selector instead",
    "destination.name": "say selector instead",
    "destination.user": "say selector instead",
}
_KEYED = re.compile(r"[^\[]+\[(?s:.)+\]")
_PORT = re.compile(r"[0-9]+")


def empty_problems(values: Setting) -> Iterator[Problem]:
    """Values that are empty."""
    for value, entry in values.texts():
        if not value:
            yield entry.problem("the value is empty", "say a value, or take it out; * stands for any that is there")


def address_problems(values: Setting, istio: Numbers) -> Iterator[Problem]:
    """Values that are no addresses, nor ranges of them."""
    for value, entry in values.texts():
        if not (is_range(value, istio) if "/" in value else is_ip(value, istio)):
            yield entry.problem("the value is no IP address, nor a range of them", "say 10.0.0.1 or 10.0.0.0/8")


def number_problems(values: Setting) -> Iterator[Problem]:
    """Values that are no ports."""
    for value, entry in values.texts():
        if not _PORT.fullmatch(value) or int(value[:20]) > 65535:
            yield entry.problem("the value is no number of a port", 'say the number, such as "8080"')


def account_problems(values: Setting) -> Iterator[Problem]:
    """Values that are no service accounts."""
    if len(values.texts()) > _MOST_ACCOUNTS:
        yield values.problem(f"there are more than {_MOST_ACCOUNTS} accounts", "divide them into several rules")
        return
    for value, entry in values.texts():
        if len(value.encode()) > _LONGEST_ACCOUNT or "*" in value or not re.fullmatch(r"[^/]+(/[^/]+)?", value, re.S):
            yield entry.problem("the value is no service account", "say NAME or NAMESPACE/NAME, without *")


def domain_problems(values: Setting, *, slashes: bool) -> Iterator[Problem]:
    """Values that are no trust domains, perhaps with a wildcard before or behind."""
    for value, entry in values.texts():
        inner = value.removeprefix("*") if value.startswith("*") else value.removesuffix("*")
        if not value or "*" in inner or ("/" in value and not slashes):
            yield entry.problem("the value is no trust domain", "say a domain, perhaps with one * before or behind it")


def condition_problems(condition: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with a condition of `when`."""
    key, lists = condition.at("key"), [condition.at(name) for name in ("values", "notValues")]
    if key.is_blank:
        yield condition.problem("the condition has no key", "say key, such as source.ip")
    elif all(values.is_blank for values in lists):
        yield condition.problem("the condition has no values", "say values or notValues")
    elif key.text:
        yield from _key(key, key.text, istio)
        for values in lists:
            yield from _values(key.text, values, istio)


def _known(istio: Numbers) -> list[str]:
    known = [*_ADDRESSES, *_PLAIN, "destination.port"]
    known += ["source.serviceAccount"] if istio >= _SERVICE_ACCOUNT else []
    return [*known, "source.trustDomain"] if istio >= _TRUST_DOMAIN else known


def _key(key: Setting, name: str, istio: Numbers) -> Iterator[Problem]:
    if name in _known(istio):
        return
    gone = name if not name.startswith("destination.labels") else "destination.labels"
    prefix = next((one for one in _WITH_KEY if name.startswith(one)), None)
    if gone in _GONE:
        yield key.problem("the attribute is gone", _GONE[gone])
    elif prefix is None:
        known = [*_known(istio), *_WITH_KEY[:2]]
        yield key.problem("Istio knows no such attribute", guess(name.partition("[")[0], known) or "correct the key")
    elif not _KEYED.fullmatch(name):
        yield key.problem("the attribute needs a name in brackets", f"say {prefix}[NAME]")


def _values(key: str, values: Setting, istio: Numbers) -> Iterator[Problem]:
    if key in _ADDRESSES:
        yield from address_problems(values, istio)
    elif key == "destination.port":
        yield from number_problems(values)
    elif key == "source.serviceAccount" and istio >= _SERVICE_ACCOUNT:
        yield from account_problems(values)
    elif key == "source.trustDomain" and istio >= _TRUST_DOMAIN_CHECKED:
        yield from domain_problems(values, slashes=True)
    else:
        yield from empty_problems(values)
