"""The names that Istio's resources share: hosts, labels, gateways, ports and where a resource is exported to.

Sources in istio/istio: ValidateWildcardDomain, validateGatewayNames and validateExportTo in pkg/config/validation,
Instance.Validate in pkg/config/labels, Parse in pkg/config/protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.addresses import is_host, is_ip, is_label, is_subnet, is_wildcard_host
from meshgen.check.istiovalidation.resource import Resource, required_port_problems
from meshgen.check.setting import Numbers, Problem, Setting

HTTP = frozenset({"http", "http2", "http_proxy", "grpc", "grpc-web"})
TLS = frozenset({"https", "tls"})
_PROTOCOLS = HTTP | TLS | {"tcp", "udp", "mongo", "redis", "mysql"}
# Thrift was the last to go, with 1.14.
_WITHOUT_THRIFT = (1, 14, 0)
_LISTED = "HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, TCP, UDP, MONGO, REDIS or MYSQL"
_WORKLOAD_SELECTOR = (1, 14, 0)
_LABEL = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_QUALIFIED = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_KEY = re.compile(rf"(?:({_LABEL}(?:\.{_LABEL})*)/)?({_QUALIFIED})")
_VALUE = re.compile(rf"(?:{_QUALIFIED})?")
_HOST_HINT = "say a domain name, or one whose first label is *, such as *.example.com"


def host_problems(host: Setting) -> Iterator[Problem]:
    """A host that is no domain name, nor one with a wildcard before it."""
    if host.text is not None and not is_wildcard_host(host.text):
        yield host.problem("the host is no domain name, nor one with a wildcard as its first label", _HOST_HINT)


def domain_problems(host: Setting, hint: str = "say a domain name") -> Iterator[Problem]:
    """A host that is no domain name."""
    if host.text is not None and not is_host(host.text):
        yield host.problem("the host is no domain name", hint)


def destination_problems(destination: Setting) -> Iterator[Problem]:
    """What is wrong with the destination of a route."""
    if not isinstance(destination.value, dict):
        return
    host, subset, port = (destination.at(key) for key in ("host", "subset", "port"))
    if host.value == "*":
        yield host.problem("traffic can't be sent to *", "name the host of a Service or of a ServiceEntry")
    else:
        yield from host_problems(host if host.value is not None else Setting("", destination.path))
    if subset.text and not is_label(subset.text):
        yield subset.problem("the subset's name is no label of a domain name", _LABEL_HINT)
    if isinstance(port.value, dict):
        yield from required_port_problems(port.at("number"), port)


_LABEL_HINT = "say letters, digits and - alone, 63 at most"


def label_problems(labels: Setting) -> Iterator[Problem]:
    """Labels that are none to Kubernetes."""
    for key, entry in labels.entries():
        parts = _KEY.fullmatch(key)
        if parts is None or len(parts[1] or "") > 253 or len(parts[2]) > 63:
            yield entry.problem("the key is no key of a label", "say letters, digits, -, _ and ., or DOMAIN/ and them")
        elif entry.text is not None and not _VALUE.fullmatch(entry.text):
            yield entry.problem("the value is no value of a label", "say letters, digits, -, _ and . alone")


def selector_problems(labels: Setting) -> Iterator[Problem]:
    """Labels of a selector that can't be selected by."""
    for key, entry in labels.entries():
        if key == "":
            yield labels.problem("a selector takes no empty key", "name the label")
        elif "*" in key + (entry.text or ""):
            yield entry.problem("a selector takes no wildcard", "say the label's whole value")


def gateway_name_problems(names: Setting) -> Iterator[Problem]:
    """Gateways that are named otherwise than NAMESPACE/NAME, NAME or `mesh`."""
    hint = "say NAMESPACE/NAME, NAME or mesh"
    for name, entry in names.texts():
        namespace, slash, rest = name.partition("/")
        if not slash:
            # Istio looks at no name behind one without a namespace.
            yield from domain_problems(entry, hint)
            return
        if not (is_label(namespace) and is_label(rest)):
            yield entry.problem("the gateway's namespace or name is no label of a domain name", hint)


def protocol_of(port: Setting) -> str:
    """The protocol of a port as Istio compares it."""
    return (port.at("protocol").text or "").lower()


def is_protocol(name: str, istio: Numbers) -> bool:
    """Say whether Istio knows a protocol, in any spelling of its letters."""
    return name in _PROTOCOLS or (name == "thrift" and istio < _WITHOUT_THRIFT)


def protocol_problems(port: Setting, istio: Numbers) -> Iterator[Problem]:
    """A protocol that Istio does not know; it finds out one that is not said."""
    protocol = port.at("protocol")
    if protocol.text and not is_protocol(protocol.text.lower(), istio):
        yield protocol.problem("Istio knows no such protocol", f"say {_LISTED}")


def port_name_problems(name: Setting, holder: Setting) -> Iterator[Problem]:
    """A port's name that is no label of a domain name."""
    if name.text is not None and not is_label(name.text):
        where = holder if name.value is None else name
        yield where.problem("the port's name is no label of a domain name", _LABEL_HINT)


def subnet_problems(subnets: Setting, istio: Numbers) -> Iterator[Problem]:
    """Addresses and address ranges that are none."""
    for subnet, entry in subnets.texts():
        if not is_subnet(subnet, istio):
            yield entry.problem("the value is no IP address, nor a range of them", "say 10.0.0.1 or 10.0.0.0/8")


def bind_problems(bind: Setting, istio: Numbers) -> Iterator[Problem]:
    """An address to listen on that is none."""
    if bind.text and not is_ip(bind.text, istio):
        yield bind.problem("the value is no IP address", "say one such as 127.0.0.1, without a port")


def export_problems(resource: Resource, *, service: bool = False) -> Iterator[Problem]:
    """What is wrong with `exportTo`; that of a service may say ~."""
    export, own = resource.spec.at("exportTo"), resource.namespace
    seen: set[str] = set()
    for name, entry in export.texts():
        key = own if name == "." else name
        if key in seen:
            yield entry.problem("the namespace is named twice, . being the resource's own", "take one of them out")
        elif name == "~" and not service:
            yield entry.problem("only a ServiceEntry can be exported to no one, ~", "say . for its own namespace")
        elif key not in ("*", "~") and not is_label(key):
            yield entry.problem("the entry is neither . nor * nor the name of a namespace", "say one of them")
        else:
            seen.add(key)
    alone = [name for name in ("*", "~") if name in seen and len(export.texts()) > 1]
    if alone:
        yield export.problem(f"{alone[0]} can't stand beside other entries", "keep one of them")
    chosen = resource.spec.at("workloadSelector").value is not None and not service
    if chosen and seen and seen != {own} and resource.istio >= _WORKLOAD_SELECTOR:
        yield export.problem("with a workloadSelector it is exported to its own namespace alone", "say [.]")
