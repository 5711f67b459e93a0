"""What Istio's webhook refuses of an HTTP route: what excludes each other, what it matches and where it leads.

Sources in istio/istio: validateHTTPRoute in pkg/config/validation/virtualservice.go, and what it calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.addresses import is_label
from meshgen.check.istiovalidation.headers import authority_problems, header_problems, matched_name_problems
from meshgen.check.istiovalidation.httpactions import action_problems
from meshgen.check.istiovalidation.names import destination_problems, gateway_name_problems, label_problems
from meshgen.check.istiovalidation.resource import percent_problems, time_problems
from meshgen.check.istiovalidation.textmatches import match_problems, regex_problems
from meshgen.check.istiovalidation.weights import weight_problems
from meshgen.check.proxyconfig import port_problems
from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_DIRECT_RESPONSE = (1, 15, 0)
_HEADER_PREFIX = (1, 18, 0)
_MIRRORS = (1, 20, 0)
_EVERY_ROUTE = (1, 22, 0)
_FINAL = ("redirect", "directResponse")


def http_route_problems(route: Setting, delegate: bool, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with an HTTP route, of a VirtualService that is a delegate or not."""
    yield from _conflicts(route, delegate, istio)
    independent = not delegate and route.at("delegate").value is None
    for match in route.at("match").maps():
        yield from _match(match, independent or istio >= _EVERY_ROUTE, istio)
    yield from header_problems(route.at("headers"), istio)
    yield from authority_problems(route)
    yield from action_problems(route, istio)
    yield from _mirrors(route, istio)
    for one in route.at("route").maps():
        if one.at("destination").value is None:
            yield one.problem("the destination is missing", "say destination: {host: HOST}")
        yield from destination_problems(one.at("destination"))
        yield from header_problems(one.at("headers"), istio, destination=True)
    yield from weight_problems(route.at("route"), istio)
    yield from time_problems(route.at("timeout"))


def _conflicts(route: Setting, delegate: bool, istio: Numbers) -> Iterator[Problem]:
    said = {key for key in (*_FINAL, "route", "fault", "rewrite", "delegate") if not route.at(key).is_blank}
    if "delegate" in said and not delegate:
        for key in ("redirect", "route"):
            if key in said:
                text = f"a route that delegates has no {key} of its own"
                yield route.at(key).problem(text, "keep delegate or this")
        return
    if "delegate" in said:
        yield route.at("delegate").problem("a delegate can't delegate on", "say route, or take it out")
    final = next((key for key in _FINAL if key in said and (key == "redirect" or istio >= _DIRECT_RESPONSE)), None)
    if final is not None:
        for key in ("directResponse", "route", "fault", "rewrite"):
            if key in said and key != final and (key != "directResponse" or istio >= _DIRECT_RESPONSE):
                yield route.at(key).problem(f"{key} and {final} exclude each other", "keep one of them")
    elif "route" not in said:
        yield route.problem("the route leads nowhere", "say route, redirect or directResponse")
    if not route.at("mirror").is_blank and not route.at("mirrors").is_blank and istio >= _MIRRORS:
        yield route.at("mirror").problem("mirror and mirrors exclude each other", "keep mirrors")


def _match(match: Setting, whole: bool, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with a match; up to 1.21 Istio read expressions in routes without a delegate alone."""
    for key in ("headers", "withoutHeaders"):
        yield from matched_name_problems(match.at(key), istio)
        for _, header in match.at(key).entries():
            if key == "headers":
                yield from match_problems(header, istio, since=_HEADER_PREFIX, expressions=whole)
            elif header.at("regex").value != "*":
                # `*` is no expression here: it stands for a header that is there.
                yield from match_problems(header, istio, since=_HEADER_PREFIX, expressions=istio >= _EVERY_ROUTE)
    if whole:
        yield from regex_problems(match.at("uri"), istio)
    others = [match.at(key) for key in ("scheme", "method", "authority")]
    for other in (*others, *(entry for _, entry in match.at("queryParams").entries())):
        yield from match_problems(other, istio, since=_EVERY_ROUTE, expressions=whole)
    if match.at("port").number:
        yield from port_problems(match.at("port"))
    yield from label_problems(match.at("sourceLabels"))
    yield from gateway_name_problems(match.at("gateways"))
    namespace = match.at("sourceNamespace")
    if namespace.text and not is_label(namespace.text):
        yield namespace.problem("the name is none of a namespace", "say letters, digits and - alone")


def _mirrors(route: Setting, istio: Numbers) -> Iterator[Problem]:
    yield from destination_problems(route.at("mirror"))
    for key in ("mirrorPercent", "mirrorPercentage"):
        share = route.at(key) if key == "mirrorPercent" else route.at(key, "value")
        yield from percent_problems(share)
    for mirror in route.at("mirrors").maps() if istio >= _MIRRORS else ():
        if mirror.at("destination").value is None:
            yield mirror.problem("the destination is missing", "say destination: {host: HOST}")
        yield from destination_problems(mirror.at("destination"))
        yield from percent_problems(mirror.at("percentage", "value"))
