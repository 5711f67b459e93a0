"""What Istio's webhook refuses of headers in routes: their names, and the variables in their values.

Sources in istio/istio: ValidateHTTPHeaderValue, validateAuthorityRewrite and what stands beside them in
pkg/config/validation; the values are read as Envoy's own header_parser.cc reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_VALUES = (1, 18, 0)
_AUTHORITY = (1, 21, 0)
_NAMES = (1, 23, 0)
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~A-Za-z0-9]+")
_PSEUDO = (":method", ":scheme", ":authority", ":path", ":status")
_CLAIM = re.compile(r"@request\.auth\.claims(?:\.(?s:.)+|\[(?s:.)+\])", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Where a sign leads from each place in a value, `else` any other: `%NAME%`, `%NAME(ARGUMENT)%`, `%NAME(["ARGUMENT"])%`.
_STEPS = {
    "text": {"%": "percent", "else": "text"},
    "percent": {"%": "text", "(": "arguments", "else": "name"},
    "name": {"%": "text", "(": "arguments", "else": "name"},
    "arguments": {" ": "arguments", "[": "list", "else": "argument"},
    "list": {" ": "list", '"': "argument"},
    "argument": {"\\": "escaped", ")": "closed", '"': "listed", "else": "argument"},
    "escaped": {"else": "argument"},
    "listed": {" ": "listed", ",": "list", "]": "ended"},
    "ended": {" ": "ended", ")": "closed"},
    "closed": {" ": "closed", "%": "text"},
}


def is_claim(name: str) -> bool:
    """Say whether a header's name stands for a claim of a token."""
    return bool(_CLAIM.fullmatch(name))


def matched_name_problems(headers: Setting, istio: Numbers) -> Iterator[Problem]:
    """Names of headers to match that are none."""
    for name, header in headers.entries():
        if name == "":
            yield headers.problem("a header has a name", "name it")
        elif istio >= _NAMES and not (_TOKEN.fullmatch(name) or name in _PSEUDO or is_claim(name)):
            yield header.problem("the name is none of a header", "say letters, digits and - alone")


def listed_name_problems(names: Setting, istio: Numbers) -> Iterator[Problem]:
    """Names of headers in a list, * for any, that are none."""
    for name, entry in names.texts():
        if name != "*" and (not name or (istio >= _NAMES and not _TOKEN.fullmatch(name))):
            yield entry.problem("the name is none of a header", "say letters, digits and - alone, or *")


def header_problems(headers: Setting, istio: Numbers, *, destination: bool = False) -> Iterator[Problem]:
    """What is wrong with the headers that a route, or a destination of it, sets, adds and removes."""
    authority = ("host", ":authority") if istio >= _AUTHORITY or not destination else ("host",)
    for key in ("add", "set"):
        yield from _changed(headers.at("request", key), istio, authority)
        yield from _changed(headers.at("response", key), istio, ())
    for side in ("request", "response"):
        for name, entry in headers.at(side, "remove").texts():
            yield from _name(name, entry, ())


def _changed(headers: Setting, istio: Numbers, authority: tuple[str, ...]) -> Iterator[Problem]:
    for name, entry in headers.entries():
        yield from _name(name, entry, authority)
        if entry.text and istio >= _VALUES and not is_value(entry.text):
            yield entry.problem("the value has a % that begins no variable, or one without an end", "write % as %%")


def _name(name: str, entry: Setting, authority: tuple[str, ...]) -> Iterator[Problem]:
    lower = name.lower()
    if name == "":
        yield entry.problem("a header has a name", "name it")
    elif (lower == "host" or lower.startswith(":")) and lower not in authority:
        text = "Envoy changes no header whose name begins with :, and Host in a request alone"
        yield entry.problem(text, "say rewrite.authority for the host, rewrite.uri for the path")


def is_value(value: str) -> bool:
    """Say whether Envoy reads a value of a header, in which % begins a variable and %% is a percent sign."""
    at: str | None = "text"
    for sign in value:
        steps = _STEPS[at] if at else {}
        at = steps.get(sign, steps.get("else"))
    return at == "text" and not _UNPRINTABLE.search(value)


def authority_problems(route: Setting) -> Iterator[Problem]:
    """A route that says its request's host several times."""
    said = [route.at("rewrite", "authority")] if route.at("rewrite", "authority").text else []
    for key in ("set", "add"):
        for name, entry in route.at("headers", "request", key).entries():
            if name.lower() in ("host", ":authority"):
                said.append(entry)
    if len(said) > 1:
        yield said[1].problem("the route says the request's host twice", "keep one of them")
