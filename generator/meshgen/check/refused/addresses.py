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
