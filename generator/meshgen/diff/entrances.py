"""Who reaches what an Ingress or a Gateway names: what is new, and what reaches further than it did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from meshgen.build.ranges import cover_everything, is_address
from meshgen.config.problems import plain
from meshgen.diff.reach import Verdict, wider
from meshgen.policy.reading import Map, items, mapping, text, texts

ISTIO = "networking.istio.io"
# nginx has two names for one annotation, as other controllers have of their own.
_RANGES = re.compile(r"/((white|allow)-?list(-source-range)?|inbound-cidrs)$")
_SCHEME = "alb.ingress.kubernetes.io/scheme"
_CLASS = "kubernetes.io/ingress.class"
_INTERNAL = re.compile(r"internal|private", re.I)


def entered(kind: str, group: str, action: str, old: Map, new: Map) -> Iterator[Verdict]:
    """What becomes reachable from outside by an Ingress or a Gateway."""
    if action == "added" and kind == "Gateway" and group == ISTIO:
        if hosts := _listened(new):
            yield "exposure", f"it makes {hosts} reachable at the gateways that it selects"
    elif action == "added" and kind in ("Ingress", "Gateway"):
        yield "exposure", f"{'an' if kind == 'Ingress' else 'a'} {kind} makes what it names reachable from outside"
    elif action in ("changed", "moved") and kind == "Ingress":
        yield from _widened(old, new)


def _listened(gateway: Map) -> str:
    """The hosts and ports of an Istio Gateway in words; nothing where it is one on the way out."""
    if any("egress" in str(value) for value in mapping(gateway, "spec", "selector").values()):
        return ""
    said = [
        f"{plain(host)}:{plain(mapping(server, 'port').get('number'))}"
        for server in items(gateway, "spec", "servers")
        for host in texts(server, "hosts")
    ]
    return ", ".join(said[:3]) + ", …" * (len(said) > 3)


def _widened(old: Map, new: Map) -> Iterator[Verdict]:
    before, after = _class(old), _class(new)
    if before != after and _INTERNAL.search(before) and not _INTERNAL.search(after):
        yield "exposure", f"its class becomes {plain(after) or 'the default one'}: it is not internal any more"
    ranges = _ranges(old)
    if ranges and not cover_everything(ranges):
        now = _ranges(new)
        if not now or cover_everything(now):
            yield "exposure", "no range of addresses keeps others out any more"
        elif more := wider(ranges, now):
            yield "exposure", f"it opens to more addresses: {', '.join(map(plain, more))}"


def _class(ingress: Map) -> str:
    """What says which controller serves it, and how: its class, and a scheme where its controller has one."""
    marks = _marks(ingress)
    named = text(ingress, "spec", "ingressClassName") or marks.get(_CLASS) or ""
    return " ".join(str(one) for one in (named, marks.get(_SCHEME)) if one)


def _ranges(ingress: Map) -> tuple[str, ...]:
    said = next((str(value) for name, value in _marks(ingress).items() if _RANGES.search(name)), "")
    some = (one.strip() for one in said.split(",") if one.strip())
    return tuple(str(ip_network(one)) if is_address(one) else one for one in some)


def _marks(ingress: Map) -> Map:
    return mapping(ingress, "metadata", "annotations")
