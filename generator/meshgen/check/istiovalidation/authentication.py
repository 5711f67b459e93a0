"""What Istio's webhook refuses of a PeerAuthentication and a RequestAuthentication.

Sources in istio/istio: ValidatePeerAuthentication and validateJwtRule in pkg/config/validation, ParseJwksURI in
pkg/config/security.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from meshgen.check.istiovalidation.names import selector_problems
from meshgen.check.istiovalidation.resource import Resource, time_problems
from meshgen.check.istiovalidation.targets import target_problems
from meshgen.check.setting import Numbers, Problem, Setting, integer

# The first version that has the check, at each of its patches.
_KEY_SET = (1, 13, 0)
_CLAIMS = (1, 17, 0)
_COOKIES = (1, 21, 0)
_STRICT = (1, 23, 0)
_ISSUER_OPTIONAL = (1, 27, 0)
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
# A host and a port that Go surely reads as that; a part for credentials is left alone.
_PORT = re.compile(r"https?://[-.A-Za-z0-9]*:(?P<port>[^/?#@:]*)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_HEADER = re.compile(r"[-_A-Za-z0-9]+")


def peer_authentication_problems(policy: Resource) -> Iterator[Problem]:
    """What is wrong with a PeerAuthentication."""
    ports, labels = policy.spec.at("portLevelMtls"), policy.spec.at("selector", "matchLabels")
    if ports.value and not labels.value:
        hint = "say selector.matchLabels, or take portLevelMtls out"
        yield ports.problem("only a policy for chosen workloads has modes by port", hint)
    for port, entry in ports.entries():
        number = integer(port)
        if number is None or number < 1 or (number > 65535 and policy.istio >= _STRICT):
            yield entry.problem("the key is no number of a port", "say the port of the workload, 1 to 65535")
    yield from selector_problems(labels)


def request_authentication_problems(policy: Resource) -> Iterator[Problem]:
    """What is wrong with a RequestAuthentication."""
    yield from target_problems(policy)
    for rule in policy.spec.at("jwtRules").maps():
        yield from _issuer(rule, policy.istio)
        yield from _keys(rule, policy.istio)
        yield from _places(rule, policy.istio)
        if policy.istio >= _CLAIMS:
            for entry in rule.at("outputClaimToHeaders").maps():
                yield from _claim(entry, policy.istio)
        if policy.istio >= _STRICT:
            yield from time_problems(rule.at("timeout"))


def _issuer(rule: Setting, istio: Numbers) -> Iterator[Problem]:
    if not rule.at("issuer").is_blank:
        return
    if istio < _ISSUER_OPTIONAL:
        yield rule.problem("the rule has no issuer", "say issuer, the iss of the tokens")
    elif rule.at("jwksUri").is_blank:
        yield rule.problem("the rule has neither issuer nor jwksUri", "say issuer, the iss of the tokens")


def _keys(rule: Setting, istio: Numbers) -> Iterator[Problem]:
    uri, keys = rule.at("jwksUri"), rule.at("jwks")
    if uri.text and not _is_uri(uri.text):
        yield uri.problem("the keys can be fetched by http or https alone", "say https://HOST/PATH")
    if keys.text and istio >= _KEY_SET and not _is_key_set(keys.text):
        yield keys.problem("the text is no JSON Web Key Set", 'say {"keys": [...]}, or jwksUri')


def _is_uri(text: str) -> bool:
    """Whether a text may be a URI of HTTP, with a port that is a number where it has one."""
    port = _PORT.fullmatch(text)
    return bool(_SCHEME.match(text)) and not (port and re.search(r"[^0-9]", port["port"]))


def _is_key_set(text: str) -> bool:
    """Whether a text may begin with a set of keys, or one key: what is in the keys is Istio's to judge."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip(" \t\r\n"))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict)


def _places(rule: Setting, istio: Numbers) -> Iterator[Problem]:
    keys = ["audiences", "fromParams", *(["fromCookies"] if istio >= _COOKIES else [])]
    for key in keys:
        for value, entry in rule.at(key).texts():
            if not value:
                yield entry.problem("the value is empty", "say a value, or take it out")
    for header in rule.at("fromHeaders").maps():
        if header.at("name").is_blank:
            yield header.problem("a header has a name", "say name")


def _claim(entry: Setting, istio: Numbers) -> Iterator[Problem]:
    header, claim = entry.at("header"), entry.at("claim")
    if header.is_blank or claim.is_blank:
        yield entry.problem("header or claim is missing", "say both")
    elif header.text and istio >= _STRICT and not _HEADER.fullmatch(header.text):
        yield header.problem("the name is none of a header", "say letters, digits and - alone")
