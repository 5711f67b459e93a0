"""What Istio's webhook refuses of an EnvoyFilter, but for the patches themselves: those only Envoy's own types tell.

Source in istio/istio: ValidateEnvoyFilter in pkg/config/validation/envoyfilter.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.names import selector_problems
from meshgen.check.istiovalidation.resource import Resource
from meshgen.check.setting import Problem, Setting
from meshgen.policy.re2 import problem

# What each class of objects is matched by.
_MATCHED = {
    **dict.fromkeys(("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"), "listener"),
    **dict.fromkeys(("ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"), "routeConfiguration"),
    "CLUSTER": "cluster",
}
_MATCHES = ("listener", "routeConfiguration", "cluster")
_MANAGERS = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")
_LONGEST_VERSION = 1024


def envoy_filter_problems(envoy_filter: Resource) -> Iterator[Problem]:
    """What is wrong with an EnvoyFilter."""
    yield from selector_problems(envoy_filter.spec.at("workloadSelector", "labels"))
    for patch in envoy_filter.spec.at("configPatches").maps():
        # Of those for waypoints Istio checks nothing, and some versions have none.
        if patch.at("match", "context").text != "WAYPOINT":
            yield from _patch(patch)


def _patch(entry: Setting) -> Iterator[Problem]:
    target, patch = entry.at("applyTo"), entry.at("patch")
    if target.text in ("", "INVALID"):
        yield entry.problem("applyTo is missing", "say what is changed, such as HTTP_FILTER")
    elif patch.value is None:
        yield entry.problem("patch is missing", "say patch, with operation and value")
    elif patch.at("operation").text in ("", "INVALID"):
        yield patch.problem("operation is missing", "say operation, such as MERGE")
    elif patch.at("operation").text != "REMOVE" and patch.at("value").value is None:
        yield patch.problem("value is missing", "say value, or operation: REMOVE")
    else:
        yield from _match(entry.at("match"), target.text or "")


def _match(match: Setting, target: str) -> Iterator[Problem]:
    version = match.at("proxy", "proxyVersion")
    if version.text and len(version.text) <= _LONGEST_VERSION and (wrong := problem(version.text)):
        yield version.problem(f"it is no expression of RE2: {wrong}", "write it as ^1\\.30.*")
        return
    wanted = _MATCHED.get(target)
    other = next((key for key in _MATCHES if match.at(key).value is not None), None)
    if wanted and other and match.at(wanted).value is None:
        yield match.at(other).problem(f"{target} is matched by {wanted}", f"say {wanted}, or take it out")
    elif wanted == "listener":
        yield from _filter(match.at("listener", "filterChain", "filter"), target)


def _filter(one: Setting, target: str) -> Iterator[Problem]:
    below = one.at("subFilter")
    if not isinstance(one.value, dict):
        return
    if one.at("name").is_blank:
        yield one.problem("the filter has no name to match", "say name")
    elif not isinstance(below.value, dict):
        return
    elif target != "HTTP_FILTER":
        yield below.problem("a subFilter is for applyTo: HTTP_FILTER alone", "take it out")
    elif one.at("name").text not in _MANAGERS:
        yield one.at("name").problem("a subFilter is within the HTTP connection manager", f"say {_MANAGERS[0]}")
    elif below.at("name").is_blank:
        yield below.problem("the subFilter has no name to match", "say name")
