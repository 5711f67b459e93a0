"""EndpointSlices and Endpoints: addresses that somebody writes by hand.

Sources: k8s.io/kubernetes pkg/apis/discovery/validation, and validateEndpointSubsets in its pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.refused.addresses import family_of, is_address, special_of
from meshgen.check.refused.names import LABEL, misnamed, repeated
from meshgen.check.refused.ports import bad_number
from meshgen.check.refused.refusal import Path, Refusal, Refusals, strings
from meshgen.policy.reading import Map, placed, text

_FAMILIES = {"IPv4": "10.0.0.7", "IPv6": "fd00::7"}


def endpoint_slice(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with an EndpointSlice."""
    family = text(obj, "addressType")
    for index, endpoint in placed(obj, "endpoints"):
        if endpoint.get("addresses") == []:
            yield Refusal(("endpoints", index, "addresses"), "it has no address", "add one", at_key=True)
        for number, address in strings(endpoint, "addresses") if family in _FAMILIES else ():
            yield from _address(address, ("endpoints", index, "addresses", number), family)
        yield from misnamed(endpoint, ("endpoints", index), "hostname", LABEL)
    for index, port in placed(obj, "ports"):
        yield from misnamed(port, ("ports", index), "name", LABEL)
    yield from repeated(obj, (), "ports", "name", "ports")


def endpoints(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with Endpoints."""
    for index, subset in placed(obj, "subsets"):
        here = ("subsets", index)
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield Refusal(here, "it has no address", "add addresses, with an ip each")
        for key in ("addresses", "notReadyAddresses"):
            for number, one in placed(subset, key):
                if isinstance(one.get("ip"), str):
                    yield from _address(one["ip"], (*here, key, number, "ip"), "")
                yield from misnamed(one, (*here, key, number), "hostname", LABEL)
        yield from _ports(list(placed(subset, "ports")), (*here, "ports"))


def _ports(ports: list[tuple[int, Map]], at: Path) -> Refusals:
    for index, port in ports:
        yield from bad_number(port, (*at, index), "port")
        yield from misnamed(port, (*at, index), "name", LABEL)
        if len(ports) > 1 and not port.get("name"):
            yield Refusal((*at, index), "of several ports each has a name", "add name, as http-web")


def _address(address: str, at: Path, family: str) -> Iterator[Refusal]:
    example = _FAMILIES.get(family, "10.0.0.7")
    if not is_address(address):
        hint = f"say one such as {example}; a name is an ExternalName's, or a ServiceEntry's"
        yield Refusal(at, "it is no IP address", hint)
    elif family and family_of(address) != family:
        yield Refusal(at, f"it is no address of {family}", f"say one such as {example}, or correct addressType")
    elif special := special_of(address):
        yield Refusal(at, f"the address is {special}, and no endpoint's", f"say one such as {example}")
