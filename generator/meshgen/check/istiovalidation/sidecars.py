"""What Istio's webhook refuses of a Sidecar.

Source in istio/istio: ValidateSidecar in pkg/config/validation, and what it calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.istiovalidation.destinations import pool_problems
from meshgen.check.istiovalidation.gateways import MODES, namespaced_host_problems, tls_problems
from meshgen.check.istiovalidation.names import (
    TLS,
    bind_problems,
    destination_problems,
    domain_problems,
    port_name_problems,
    protocol_of,
    protocol_problems,
    selector_problems,
)
from meshgen.check.istiovalidation.resource import Resource, required_port_problems, unix_problems
from meshgen.check.setting import Numbers, Problem, Setting, integer

# The first version that has the check, at each of its patches.
_TLS = (1, 13, 0)
_ENDPOINTS = (1, 15, 0)
_TARGET_PORT = (1, 20, 0)
_POOLS = (1, 21, 0)
_DYNAMIC_DNS = (1, 31, 0)
_SAID = ("egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool")
_UNSUPPORTED = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")
_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")
_ENDPOINT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>[^:\[\]]*)")


def sidecar_problems(sidecar: Resource) -> Iterator[Problem]:
    """What is wrong with a Sidecar."""
    spec, istio = sidecar.spec, sidecar.istio
    yield from selector_problems(spec.at("workloadSelector", "labels"))
    if all(spec.at(key).is_blank for key in _SAID):
        yield spec.problem("a Sidecar says one thing at least", "say egress, ingress or outboundTrafficPolicy")
        return
    yield from _ingress(spec.at("ingress"), istio)
    if istio >= _POOLS:
        yield from pool_problems(spec.at("inboundConnectionPool"), istio)
    yield from _egress(spec.at("egress"), istio)
    yield from _outbound(spec.at("outboundTrafficPolicy"), istio)


def _ingress(listeners: Setting, istio: Numbers) -> Iterator[Problem]:
    numbers: set[int] = set()
    for listener in listeners.maps():
        port = listener.at("port")
        if port.value is None:
            yield listener.problem("a listener has a port", "add port, with number and protocol")
            continue
        yield from _port(port, istio)
        yield from required_port_problems(port.at("number"), port)
        yield from bind_problems(listener.at("bind"), istio)
        yield from _once(port.at("number"), numbers)
        endpoint = listener.at("defaultEndpoint")
        # Before, Istio took no addresses of IPv6, and did not look behind a second colon.
        if istio >= _ENDPOINTS or (endpoint.text or "").removeprefix("unix:").count(":") < 2:
            yield from _endpoint(endpoint)
        if isinstance(listener.at("tls").value, dict) and istio >= _TLS:
            yield from _tls(listener.at("tls"), port, istio)
        if istio >= _POOLS:
            yield from pool_problems(listener.at("connectionPool"), istio)


def _port(port: Setting, istio: Numbers) -> Iterator[Problem]:
    if port.at("name").text:
        yield from port_name_problems(port.at("name"), port)
    yield from protocol_problems(port, istio)
    if (port.at("targetPort").number or 0) > 0 and istio >= _TARGET_PORT:
        yield port.at("targetPort").problem("a Sidecar has no use for targetPort", "take it out")


def _once(number: Setting, numbers: set[int]) -> Iterator[Problem]:
    if number.number is not None and number.number in numbers:
        yield number.problem("another listener has this port", "give each listener its own port")
    numbers.add(number.number or 0)


def _endpoint(endpoint: Setting) -> Iterator[Problem]:
    if not endpoint.text:
        return
    if endpoint.text.startswith("unix://"):
        yield from unix_problems(endpoint)
        return
    parts = _ENDPOINT.fullmatch(endpoint.text)
    host = (parts["bracketed"] if parts["host"] is None else parts["host"]) if parts else None
    port = integer(parts["port"]) if parts else None
    if host not in _LOCAL or port is None or not 1 <= port <= 65535:
        hint = "say 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:///PATH"
        yield endpoint.problem("the endpoint is no port of the pod itself, nor a Unix socket", hint)


def _tls(tls: Setting, port: Setting, istio: Numbers) -> Iterator[Problem]:
    for key in _UNSUPPORTED:
        if not tls.at(key).is_blank and tls.at(key).value is not False:
            yield tls.at(key).problem("a Sidecar does not support it", "take it out; name files, not Secrets")
    if tls.at("mode").choice(MODES) in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        yield tls.at("mode").problem("a Sidecar does not support this mode", "say SIMPLE or MUTUAL")
    if protocol_of(port) not in TLS:
        yield tls.problem("only a port of protocol HTTPS or TLS has TLS settings", "take tls out, or change protocol")
    yield from tls_problems(tls, istio)


def _egress(listeners: Setting, istio: Numbers) -> Iterator[Problem]:
    numbers: set[int] = set()
    sockets: set[str] = set()
    last = len(listeners.value) - 1 if isinstance(listeners.value, list) else 0
    for listener in listeners.maps():
        port, bind = listener.at("port"), listener.at("bind")
        if port.value is None:
            if listener.path[-1] != last:
                hint = "put it last, or merge it with the one that is"
                yield listener.problem("only the last listener takes every port, by having none", hint)
        elif port.at("number").number:
            yield from _port(port, istio)
            yield from required_port_problems(port.at("number"), port)
            yield from bind_problems(bind, istio)
            yield from _once(port.at("number"), numbers)
        else:
            yield from _port(port, istio)
            yield from _socket(listener, sockets)
        if listener.at("hosts").is_blank:
            yield listener.problem("a listener has one host at least", "add hosts, ./* for all of its own namespace")
        for _, host in listener.at("hosts").texts():
            yield from namespaced_host_problems(host, istio, gateway=False)


def _socket(listener: Setting, sockets: set[str]) -> Iterator[Problem]:
    """A listener without a number of its port: one on a Unix socket."""
    bind, mode = listener.at("bind"), listener.at("captureMode")
    if bind.text is None or (listener.at("port", "number").number is None and listener.at("port", "number").value):
        return
    if not bind.text.startswith("unix://"):
        yield listener.at("port").problem(
            "a port without a number is on a Unix socket", "say number, or bind: unix://…"
        )
    else:
        yield from unix_problems(bind)
    if mode.text not in ("", None, "DEFAULT", "NONE"):
        yield mode.problem("nothing can be captured for a Unix socket", "say NONE, or take it out")
    if bind.text in sockets:
        yield bind.problem("another listener is on this socket", "give each listener its own socket")
    sockets.add(bind.text)


def _outbound(policy: Setting, istio: Numbers) -> Iterator[Problem]:
    mode, proxy = policy.at("mode"), policy.at("egressProxy")
    if mode.text == "ALLOW_ANY_DYNAMIC_DNS":
        if istio >= _DYNAMIC_DNS:
            yield mode.problem("only the mesh config has this mode", "say ALLOW_ANY or REGISTRY_ONLY")
        return
    if not isinstance(proxy.value, dict):
        return
    if mode.text != "ALLOW_ANY":
        yield proxy.problem("an egressProxy is for mode ALLOW_ANY alone", "say mode: ALLOW_ANY, or take it out")
        return
    if proxy.at("port").value is None:
        yield proxy.problem("an egressProxy has a port", "say port: {number: NUMBER}")
    found = list(destination_problems(proxy))
    yield from found
    if not found:
        host = proxy.at("host")
        yield from domain_problems(host if host.value is not None else Setting("", proxy.path))
