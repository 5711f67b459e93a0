"""Addresses and CIDR ranges, as strict about them as Kubernetes is."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_BITS = re.compile(r"[0-9]{1,3}")
_EXAMPLE = "write a range as address/bits, say 10.0.0.0/8"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_address(text: str) -> bool:
    """Whether a text is one IP address; a zone (fe80::1%eth0) means nothing to a load balancer."""
    try:
        return ipaddress.ip_address(text) is not None and "%" not in text
    except ValueError:
        return False


def range_problem(text: str) -> tuple[str | None, str | None]:
    """What is wrong with a CIDR range, and what to write instead; (None, None) for a good one."""
    address, slash, bits = text.partition("/")
    if not is_address(address):
        return "is not a CIDR range", _EXAMPLE
    if not slash:
        whole = 32 if ipaddress.ip_address(address).version == 4 else 128
        return "is an address, not a CIDR range", f"write {address}/{whole} for this one address"
    if not _BITS.fullmatch(bits):
        return "is not a CIDR range", _EXAMPLE
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            outer = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return "is not a CIDR range: there are not so many bits", _EXAMPLE
        return f"has bits behind its /{outer.prefixlen}", f"did you mean {outer}, or {address}/{outer.max_prefixlen}?"
    return None, None


def cover_everything(ranges: Iterable[str]) -> bool:
    """Whether ranges leave no address of IPv4 or IPv6 out, alone (0.0.0.0/0) or together (0.0.0.0/1, 128.0.0.0/1)."""
    networks = [ipaddress.ip_network(text) for text in ranges if range_problem(text) == (None, None)]
    four = [network for network in networks if isinstance(network, ipaddress.IPv4Network)]
    six = [network for network in networks if isinstance(network, ipaddress.IPv6Network)]
    collapsed: list[Network] = [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]
    return any(network.prefixlen == 0 for network in collapsed)
