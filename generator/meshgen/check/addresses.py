"""Hosts, addresses and address ranges as Istio takes them: what Go's libraries read, and Istio's own rules for names.

Sources in istio/istio: ValidateProxyAddress and ValidateFQDN in pkg/config/validation, labels in pkg/config/labels.
"""

from __future__ import annotations

import ipaddress
import re

from meshgen.check.setting import Numbers, integer
from meshgen.config.problems import shown

# From 1.16 on Istio reads addresses with net/netip; before, with net. 1.11 is built with Go 1.16, whose net still
# reads leading zeros.
_NETIP = (1, 16, 0)
_NO_LEADING_ZEROS = (1, 12, 0)
# Go 1.22 refuses a sign or leading zeros in a prefix length; every patch of 1.24 is built with a newer one.
_PLAIN_LENGTH = (1, 24, 0)
# Go's net.SplitHostPort.
_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>[^:\[\]]*)")
_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD_LABEL = re.compile(r"\*|(?:\*-?)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")


def address_fault(text: str, version: Numbers) -> str | None:
    """Say why a text is no `host:port`; None where it is one."""
    parts = _ADDRESS.fullmatch(text)
    if parts is None:
        if ":" not in text or text.endswith("]"):
            return "missing port in address"
        return "too many colons in address" if text.count(":") > 1 else "unexpected bracket in address"
    number, host = integer(parts["port"]), parts["bracketed"] if parts["host"] is None else parts["host"]
    if number is None:
        return "its port is not a number"
    if not is_port(number):
        return f"port number {number} is not in the range 1..65535"
    return None if is_host(host) or is_ip(host, version) else "not a valid hostname or an IP address"


def shown_address(text: str) -> str:
    """An address as a message quotes it; one with a part for credentials is not shown."""
    return "the value" if "@" in text else shown(text)


def is_port(number: int) -> bool:
    """Say whether a number is a port that something can listen on."""
    return 1 <= number <= 65535


def is_host(name: str) -> bool:
    """Say whether a name is a fully qualified domain name; one label is enough."""
    return 1 <= len(name) <= 255 and _are_labels(name)


def is_wildcard_host(name: str) -> bool:
    """Say whether a name is a domain name, its first label perhaps a wildcard."""
    first, dot, rest = name.partition(".")
    fits = 1 <= len(name) <= 255 and len(first) <= 63 and bool(_WILDCARD_LABEL.fullmatch(first))
    return fits and (not dot or _are_labels(rest))


def is_trust_domain(name: str) -> bool:
    """Say whether a name is a trust domain: labels, the last of which may be empty or a number."""
    *first, last = name.split(".")
    return name != "" and all(map(is_label, first)) and (last == "" or is_label(last))


def _are_labels(domain: str) -> bool:
    *first, last = domain.split(".")
    if integer(last) is not None:
        return False
    return all(map(is_label, first)) and (last == "" or is_label(last))


def is_label(text: str) -> bool:
    """Say whether a text is a label of a domain name, which Istio takes in capitals too."""
    return len(text) <= 63 and bool(_LABEL.fullmatch(text))


def is_ip(text: str, version: Numbers) -> bool:
    """Say whether a text is an IP address to this version of Istio."""
    if version < _NO_LEADING_ZEROS:
        head, colon, tail = text.rpartition(":")
        if "." in tail:
            text = f"{head}{colon}{'.'.join(part.lstrip('0') or part[:1] for part in tail.split('.'))}"
    address, zoned, zone = text.partition("%")
    if zoned and (not zone or version < _NETIP):
        return False
    try:
        return ipaddress.ip_address(address).version == 6 or not zoned
    except ValueError:
        return False


def is_range(text: str, version: Numbers) -> bool:
    """Say whether a text is an address range such as 10.0.0.0/8 to this version of Istio."""
    if version < _NETIP:
        address, _, bits = text.partition("/")
        plain = bits.isdecimal()
    else:
        address, _, bits = text.rpartition("/")
        plain = version < _PLAIN_LENGTH or bits == "0" or bits[:1] in tuple("123456789")
    length = integer(bits) if plain else None
    if length is None or "%" in address or not is_ip(address, version):
        return False
    return 0 <= length <= (128 if ":" in address else 32)


def is_subnet(text: str, version: Numbers) -> bool:
    """Say whether a text is an address range, or an address, to this version of Istio."""
    return is_range(text, version) if text.count("/") == 1 else is_ip(text, version)
