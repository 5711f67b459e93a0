"""IP addresses and ranges as an API server reads them: zeros in front are read, and bits beyond the length.

From 1.36 on it refuses both in new objects, and takes them in those that have them: what all take is taken here.
Source: ParseIPSloppy and ParseCIDRSloppy in k8s.io/utils.
"""

from __future__ import annotations

import ipaddress
import re

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ZEROS = re.compile(r"(?<![0-9a-fA-F:.])0+(?=[0-9])|(?<=\.)0+(?=[0-9])")


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    return "/" not in text and "%" not in text and range_of(f"{text}/{128 if ':' in text else 32}") is not None


_SPECIAL = {
    "unspecified": ("0.0.0.0/32", "::/128"),
    "the loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "link-local multicast": ("224.0.0.0/24", "ff02::/16"),
}


def family_of(text: str) -> str:
    """The family of an address, IPv4 or IPv6; one of IPv4 may be written as one of IPv6."""
    return f"IPv{_address_of(text).version}"


def special_of(text: str) -> str | None:
    """What an address is, in words, where it leads to no other machine."""
    address = _address_of(text)
    for words, ranges in _SPECIAL.items():
        if any(address in ipaddress.ip_network(one) for one in ranges):
            return words
    return None


def _address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text if ":" in text else _ZEROS.sub("", text))
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def range_of(text: str) -> Network | None:
    """The range that a text is, as 10.0.0.0/8; None where it is none."""
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or "%" in address:
        return None
    if ":" not in address:
        address = _ZEROS.sub("", address)
    try:
        return ipaddress.ip_network(f"{address}/{length}", strict=False)
    except ValueError:
        return None
