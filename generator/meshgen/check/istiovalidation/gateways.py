"""What Istio's webhook refuses of a Gateway, and of the TLS settings of any server.

Sources in istio/istio: ValidateGateway, validateServer and validateTLSOptions in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.addresses import is_ip, is_label, is_wildcard_host
from meshgen.check.istiovalidation.names import HTTP, TLS, bind_problems, is_protocol, protocol_of
from meshgen.check.istiovalidation.resource import Resource, required_port_problems, unix_problems
from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_MUTUAL_CREDENTIAL = (1, 16, 0)
_PARTIAL_WILDCARDS = (1, 17, 0)
_PORTS = (1, 20, 0)
_REVOCATION_LIST = (1, 22, 0)
_SOURCES = (1, 27, 0)
_EXCLUSION = (1, 31, 0)
MODES = ("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL")
_FILES = ("serverCertificate", "privateKey", "caCertificates")


def gateway_problems(gateway: Resource) -> Iterator[Problem]:
    """What is wrong with a Gateway."""
    # Istio makes such Gateways itself, of the Gateway API's.
    if gateway.annotation("internal.istio.io/gateway-semantics") == "gateway":
        return
    if not is_label(gateway.name):
        where = gateway.metadata.at("name")
        yield where.problem("the name of a Gateway has no dots, and 63 characters at most", "rename it")
    servers = gateway.spec.at("servers")
    if servers.is_blank:
        yield gateway.spec.problem("a Gateway has one server at least", "add servers")
    names: set[str] = set()
    for server in servers.maps():
        yield from _server(server, gateway.istio)
        name = server.at("port", "name")
        if name.text and name.text in names:
            yield name.problem("another server has a port of this name", "give the port of each server its own name")
        names.add(name.text or "")


def _server(server: Setting, istio: Numbers) -> Iterator[Problem]:
    if server.at("hosts").is_blank:
        yield server.problem("a server has one host at least", "add hosts, * for any")
    for _, host in server.at("hosts").texts():
        yield from namespaced_host_problems(host, istio, gateway=True)
    port, bind, tls = (server.at(key) for key in ("port", "bind", "tls"))
    yield from _bind(port, bind, istio)
    yield from tls_problems(tls, istio)
    if port.value is None:
        yield server.problem("a server has a port", "add port, with number, name and protocol")
        return
    found = list(_port(port, bind, istio))
    yield from found
    if not found and isinstance(port.value, dict):
        yield from _of_protocol(server, tls, protocol_of(port))


def _port(port: Setting, bind: Setting, istio: Numbers) -> Iterator[Problem]:
    protocol, number = port.at("protocol"), port.at("number")
    if protocol.text is not None and not is_protocol(protocol.text.lower(), istio):
        where = port if protocol.value is None else protocol
        yield where.problem("Istio knows no such protocol", "say HTTP, HTTP2, GRPC, HTTPS, TLS, TCP or MONGO")
    by_path = (bind.text or "").startswith("unix://")
    if number.number or (istio >= _PORTS and not by_path):
        yield from required_port_problems(number, port)
    if (port.at("targetPort").number or 0) > 0 and istio >= _PORTS:
        yield port.at("targetPort").problem("a Gateway has no use for targetPort", "take it out")
    if port.at("name").is_blank:
        yield port.problem("a port has a name", "say name, such as https")


def _bind(port: Setting, bind: Setting, istio: Numbers) -> Iterator[Problem]:
    if not (bind.text or "").startswith("unix://"):
        yield from bind_problems(bind, istio)
        return
    yield from unix_problems(bind)
    if port.at("number").number:
        yield port.at("number").problem("a server on a Unix socket has no port", "say number: 0")


def _of_protocol(server: Setting, tls: Setting, protocol: str) -> Iterator[Problem]:
    """Whether a server has TLS settings where its protocol has TLS, and none where it has not."""
    if protocol in TLS:
        if tls.value is None:
            hint = "say tls, such as {mode: SIMPLE, credentialName: SECRET}, or protocol: HTTP"
            yield server.problem("a server of protocol HTTPS or TLS needs TLS settings", hint)
    elif not isinstance(tls.value, dict):
        return
    elif protocol not in HTTP:
        yield tls.problem("only a server of protocol HTTPS or TLS has TLS settings", "take tls out, or change protocol")
    elif not _is_passed_through(tls):
        hint = "say protocol: HTTPS, or no more than tls: {httpsRedirect: true}"
        yield tls.problem("a server of plain HTTP has no certificate", hint)


def _is_passed_through(tls: Setting) -> bool:
    """Whether TLS settings ask for no certificate, which those of a redirect alone do."""
    passed = tls.at("mode").choice(MODES) in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
    return passed and all(tls.at(key).is_blank for key in _FILES)


def tls_problems(tls: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with the TLS settings of a server."""
    if not isinstance(tls.value, dict):
        return
    mode = tls.at("mode").choice(MODES)
    if mode == "ISTIO_MUTUAL":
        yield from _istio_mutual(tls, istio)
        return
    named = [tls.at(key) for key in ("credentialName", "credentialNames") if not tls.at(key).is_blank]
    files = not any(tls.at(key).is_blank for key in _FILES[:2])
    sources = [*named, *([tls.at("serverCertificate")] if files else [])]
    sources += [tls.at("tlsCertificates")] if tls.at("tlsCertificates").value else []
    if len(sources) > 1 and istio >= _SOURCES:
        yield sources[-1].problem("the certificate comes from one place alone", "keep one of them")
    if mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"):
        if not named:
            yield from _certificates(tls, mode)
            yield from _revocation(tls, mode, istio)
    else:
        yield from _revocation(tls, mode, istio)


def _istio_mutual(tls: Setting, istio: Numbers) -> Iterator[Problem]:
    keys = [*_FILES, "tlsCertificates", "credentialNames"]
    if istio >= _MUTUAL_CREDENTIAL:
        keys.append("credentialName")
    for key in keys:
        if not tls.at(key).is_blank:
            yield tls.at(key).problem("mode ISTIO_MUTUAL takes Istio's own certificate", "take it out")


def _certificates(tls: Setting, mode: str) -> Iterator[Problem]:
    hint = "say credentialName, the Secret that has it"
    if mode != "SIMPLE" and tls.at("caCertificates").is_blank:
        yield tls.problem(f"mode {mode} needs the CA certificate of the clients", f"{hint}, or caCertificates")
    listed = tls.at("tlsCertificates").maps()
    for one in listed or [tls]:
        lacking = [key for key in ("serverCertificate", "privateKey") if one.at(key).is_blank]
        if lacking:
            either = f"or {' and '.join(lacking)}"
            yield one.problem(f"mode {mode} needs a certificate and its key", f"{hint}, {either}")


def _revocation(tls: Setting, mode: str, istio: Numbers) -> Iterator[Problem]:
    revoked = tls.at("caCrl")
    if revoked.is_blank or istio < _REVOCATION_LIST:
        return
    if not tls.at("credentialName").is_blank:
        yield revoked.problem("caCrl can't stand beside credentialName", "put the list into the Secret, as ca.crl")
    if mode == "SIMPLE":
        yield revoked.problem("mode SIMPLE asks clients for no certificate that could be revoked", "take it out")


def namespaced_host_problems(host: Setting, istio: Numbers, *, gateway: bool) -> Iterator[Problem]:
    """What is wrong with a host such as `NAMESPACE/HOST`, of a Sidecar or of a Gateway, which needs no `NAMESPACE/`."""
    namespace, slash, name = (host.text or "").partition("/")
    if not slash:
        if not gateway:
            yield host.problem("the host has no namespace", "say NAMESPACE/HOST, such as ./*, */* or istio-system/*")
            return
        name, namespace = namespace, "*"
    if not gateway and (namespace == "~" or (istio >= _EXCLUSION and namespace.startswith("~"))):
        namespace = namespace[1:] or "*"
    if namespace not in ("*", ".") and not is_label(namespace):
        hint = "say *, . or a namespace before the /"
        yield host.problem("before the / stands no namespace", hint)
    # An address is one to a Gateway, where it has dots.
    if name != "*" and "." not in name:
        yield host.problem("the host is a short name", "say the whole name, such as cart.shop.svc.cluster.local")
    elif not is_wildcard_host(name) and not (gateway and is_ip(name, istio)):
        yield host.problem("the host is no domain name, nor one with a wildcard as its first label", "correct it")
    elif "*" in name and name != "*" and not name.startswith("*.") and istio >= _PARTIAL_WILDCARDS:
        yield host.problem("a wildcard stands for a whole label", "say *.DOMAIN")
