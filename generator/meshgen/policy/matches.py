"""Rules about what routes match: expressions that Envoy refuses, and matches that never have their turn."""

from __future__ import annotations

import json
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING, routes
from meshgen.policy.re2 import problem
from meshgen.policy.reading import Map, items, mapping, text
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.subject import Subject

_Path = tuple[str | int, ...]


def _invalid(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for path, expression in _expressions(service):
            if wrong := problem(expression):
                named = plain(".".join(str(part) for part in path[1:]))
                hint = "write it as github.com/google/re2/wiki/Syntax has it"
                yield of_object(
                    subject, service, f"{named} is no expression of RE2, which Envoy reads: {wrong}", hint, path
                )


def _expressions(service: KubernetesObject) -> Iterator[tuple[_Path, str]]:
    """Every regular expression of a VirtualService's HTTP routes, with its path."""
    for index, route in enumerate(items(service, "spec", "http")):
        at: _Path = ("spec", "http", index)
        for number, match in enumerate(items(route, "match")):
            yield from _of_match((*at, "match", number), match)
        for number, origin in enumerate(items(route, "corsPolicy", "allowOrigins")):
            yield from _regex((*at, "corsPolicy", "allowOrigins", number), origin)


def _of_match(at: _Path, match: Map) -> Iterator[tuple[_Path, str]]:
    for key in ("uri", "scheme", "method", "authority"):
        yield from _regex((*at, key), mapping(match, key))
    for key in ("headers", "queryParams", "withoutHeaders"):
        for name in mapping(match, key):
            yield from _regex((*at, key, name), mapping(match, key, name))


def _regex(at: _Path, match: Map) -> Iterator[tuple[_Path, str]]:
    if expression := text(match, "regex"):
        yield (*at, "regex"), expression


def _never_used(subject: Subject) -> Iterator[Breach]:
    for service in subject.of("VirtualService", NETWORKING):
        for protocol, listed in by_protocol(service):
            found = next(_ineffective(protocol, listed), None)
            if found is not None:
                path, what = found
                hint = "take it out, or put the narrower match first: the first that fits decides"
                yield of_object(subject, service, what, hint, path)


def by_protocol(service: KubernetesObject) -> Iterator[tuple[str, list[Map]]]:
    """The routes of a VirtualService under each protocol."""
    for protocol in ("http", "tls", "tcp"):
        yield protocol, [route for one, route in routes(service) if one == protocol]


def _ineffective(protocol: str, listed: list[Map]) -> Iterator[tuple[_Path, str]]:
    """The matches of routes that an earlier one takes everything from, each with its path."""
    before: list[tuple[str, Map]] = []
    repeated = set(repeats(listed))
    for index, route in enumerate(listed):
        for number, match in enumerate(items(route, "match")):
            taken = next((place for place, other in before if _takes(other, match)), None)
            # A route that is nothing but repetition is MG547's.
            if taken and index not in repeated:
                what = f"{protocol}: match {number + 1} of route {index + 1} is never used, for {taken} takes all of it"
                yield ("spec", protocol, index, "match", number), what
            before.append((f"match {number + 1} of route {index + 1}", match))


def repeats(listed: list[Map]) -> Iterator[int]:
    """The routes each of whose matches stands in a route before it, by their index."""
    seen: set[str] = set()
    for index, route in enumerate(listed):
        keys = {json.dumps(_conditions(match), sort_keys=True, default=str) for match in items(route, "match")}
        if keys and keys <= seen:
            yield index
        seen |= keys


def _takes(earlier: Map, later: Map) -> bool:
    """Whether an earlier match takes all that a later one would: it asks for no more, or a shorter prefix."""
    one, other = _conditions(earlier), _conditions(later)
    wide, narrow = text(one, "uri", "prefix"), text(other, "uri", "prefix")
    rest = [key for key in one if key != "uri"]
    if not one or any(one[key] != other.get(key) for key in rest) or one.get(_CASE) != other.get(_CASE):
        return False
    # `/` is how a route without a match is written: what stands behind it is MG547's.
    return one.get("uri") == other.get("uri") or (wide not in ("", "/") and narrow.startswith(wide))


_CASE = "ignoreUriCase"


def _conditions(match: Map) -> Map:
    """What a match asks for, without what it is called."""
    return {key: value for key, value in match.items() if key not in ("name", "statPrefix")}


RULES = (
    Rule("MG584", "warning", "A regular expression that Envoy refuses", _invalid),
    Rule("MG586", "info", "A match that is never used", _never_used),
)
