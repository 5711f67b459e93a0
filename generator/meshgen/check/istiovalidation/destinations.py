"""What Istio's webhook refuses of a DestinationRule.

Source in istio/istio: ValidateDestinationRule in pkg/config/validation, and what it calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.addresses import is_host, is_ip, is_label
from meshgen.check.istiovalidation.balancing import balancer_problems
from meshgen.check.istiovalidation.names import export_problems, host_problems, label_problems, selector_problems
from meshgen.check.istiovalidation.resource import (
    Resource,
    negative_problems,
    percent_problems,
    required_port_problems,
    time_problems,
)
from meshgen.check.proxyconfig import client_tls_problems
from meshgen.check.setting import MILLISECOND, Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_EMPTY_LISTS = (1, 14, 0)
_NO_INHERITANCE = (1, 20, 0)
_EXCLUSIVE = (1, 21, 0)
_SUBSET_TWICE = (1, 22, 0)
_TCP_TIMES = (1, 23, 0)
_KEEPALIVE = (1, 31, 0)
_OF_PORT = ("outlierDetection", "connectionPool", "loadBalancer", "tls")
_OF_POLICY = (*_OF_PORT, "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")
_COUNTS = ("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries")
_LATER_COUNTS = ("maxConcurrentStreams",)


def destination_rule_problems(rule: Resource) -> Iterator[Problem]:
    """What is wrong with a DestinationRule."""
    spec, host = rule.spec, rule.spec.at("host")
    if host.text or rule.istio >= _NO_INHERITANCE:
        yield from host_problems(host if host.value is not None else Setting("", spec.path))
    yield from policy_problems(spec.at("trafficPolicy"), rule)
    names: set[str] = set()
    for subset in spec.at("subsets").maps():
        name = subset.at("name")
        if name.text is not None and not is_label(name.text):
            where = subset if name.value is None else name
            yield where.problem("the subset's name is no label of a domain name", "say letters, digits and - alone")
        elif name.text in names and rule.istio >= _SUBSET_TWICE:
            yield name.problem("another subset has this name", "give each its own name, or take one out")
        names.add(name.text or "")
        yield from label_problems(subset.at("labels"))
        yield from policy_problems(subset.at("trafficPolicy"), rule)
    yield from export_problems(rule)
    yield from selector_problems(spec.at("workloadSelector", "matchLabels"))


def policy_problems(policy: Setting, rule: Resource) -> Iterator[Problem]:
    """What is wrong with a traffic policy."""
    if not isinstance(policy.value, dict):
        return
    if not any(_is_said(policy.at(key), rule.istio) for key in _OF_POLICY):
        yield policy.problem("a traffic policy says one thing at least", "say something, or take it out")
        return
    tunnel, proxy = policy.at("tunnel"), policy.at("proxyProtocol")
    if tunnel.value is not None and proxy.value is not None and rule.istio >= _EXCLUSIVE:
        yield proxy.problem("tunnel and proxyProtocol exclude each other", "keep one of them")
        return
    yield from _of_port(policy, rule)
    yield from _ports(policy.at("portLevelSettings"), rule)
    yield from _tunnel(tunnel, rule.istio)


def _is_said(setting: Setting, istio: Numbers) -> bool:
    """Whether Istio sees a field: up to 1.13 it told an empty list from none."""
    return setting.value is not None and not (setting.value == [] and istio >= _EMPTY_LISTS)


def _of_port(policy: Setting, rule: Resource) -> Iterator[Problem]:
    outliers = policy.at("outlierDetection")
    yield from _outliers(outliers)
    yield from pool_problems(policy.at("connectionPool"), rule.istio)
    yield from balancer_problems(policy.at("loadBalancer"), rule.istio)
    yield from client_tls_problems(policy.at("tls"), rule.istio, rule.namespace)


def _ports(ports: Setting, rule: Resource) -> Iterator[Problem]:
    for port in ports.maps():
        if port.at("port").value is None:
            yield port.problem("the settings are for no port", "say port: {number: NUMBER}")
        if all(port.at(key).value is None for key in _OF_PORT):
            yield port.problem("the settings of a port say one thing at least", f"say one of {', '.join(_OF_PORT)}")
        else:
            yield from _of_port(port, rule)


def _outliers(detection: Setting) -> Iterator[Problem]:
    for key in ("baseEjectionTime", "interval"):
        yield from time_problems(detection.at(key))
    failures = detection.at("consecutiveLocalOriginFailures")
    if (failures.number or 0) > 0 and detection.at("splitExternalLocalOriginErrors").value in (None, False):
        yield failures.problem("it counts nothing without splitExternalLocalOriginErrors", "say that too, or neither")
    for key in ("maxEjectionPercent", "minHealthPercent"):
        yield from percent_problems(detection.at(key))


def pool_problems(pool: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with the limits of connections."""
    if not isinstance(pool.value, dict):
        return
    http, tcp = pool.at("http"), pool.at("tcp")
    if http.value is None and tcp.value is None:
        yield pool.problem("a connection pool says http or tcp", "say one of them, or take it out")
        return
    yield from _http(http, istio)
    yield from negative_problems(tcp.at("maxConnections"))
    for key in ("connectTimeout", "maxConnectionDuration"):
        yield from time_problems(tcp.at(key))
    if istio >= _TCP_TIMES:
        idle = tcp.at("idleTimeout")
        # Less than a millisecond is none at all.
        if idle.nanoseconds is None or abs(idle.nanoseconds) >= MILLISECOND:
            yield from time_problems(idle)
        for key in ("time", "interval"):
            yield from time_problems(tcp.at("tcpKeepalive", key))


def _http(http: Setting, istio: Numbers) -> Iterator[Problem]:
    for key in (*_COUNTS, *(_LATER_COUNTS if istio >= _EXCLUSIVE else ())):
        yield from negative_problems(http.at(key))
    yield from time_problems(http.at("idleTimeout"))
    if http.at("h2UpgradePolicy").value == "UPGRADE" and http.at("useClientProtocol").value is True:
        text = "useClientProtocol and h2UpgradePolicy: UPGRADE exclude each other"
        yield http.at("useClientProtocol").problem(text, "keep one of them")
    alive = http.at("http2KeepAlive")
    if isinstance(alive.value, dict) and istio >= _KEEPALIVE:
        for key in ("interval", "timeout"):
            if alive.at(key).value is None:
                yield alive.problem(f"{key} is missing", f"say {key}, such as 10s")
            yield from time_problems(alive.at(key))


def _tunnel(tunnel: Setting, istio: Numbers) -> Iterator[Problem]:
    if not isinstance(tunnel.value, dict):
        return
    protocol, host = tunnel.at("protocol"), tunnel.at("targetHost")
    if protocol.text and protocol.text not in ("CONNECT", "POST"):
        yield protocol.problem("there is no such tunnel", "say CONNECT or POST")
    if host.text is not None and not is_host(host.text) and not is_ip(host.text, istio):
        where = tunnel if host.value is None else host
        yield where.problem("the target of the tunnel is no domain name, nor an IP address", "say targetHost")
    yield from required_port_problems(tunnel.at("targetPort"), tunnel)
