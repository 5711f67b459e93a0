"""Who reaches what an Ingress or a Gateway names: what is new, and what reaches further than it did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from meshgen.build.ranges import cover_everything, is_address
from meshgen.config.problems import plain
from meshgen.diff.reach import Verdict, wider
from meshgen.policy.reading import Map, items, mapping, number, text, texts

ISTIO = "networking.istio.io"
# nginx has two names for one annotation, as other controllers have of their own.
_RANGES = re.compile(r"/((white|allow)-?list(-source-range)?|inbound-cidrs)$")
_SCHEME = "alb.ingress.kubernetes.io/scheme"
_CLASS = "kubernetes.io/ingress.class"
_INTERNAL = re.compile(r"internal|private", re.I)
# What says of an Istio Gateway of the Gateway API how it is reached; a waypoint is not, from outside.
_SERVICE_TYPE = "networking.istio.io/service-type"
_WAYPOINT = "istio-waypoint"

# A host and a port, and what is said of them: a server of Istio's, a listener or a rule.
Entries = dict[tuple[str, int | None], Map]


def entered(kind: str, group: str, action: str, old: Map, new: Map) -> Iterator[Verdict]:
    """What becomes reachable from outside by an Ingress or a Gateway."""
    if kind not in ("Ingress", "Gateway") or action == "removed":
        return
    if action == "added" and not (kind == "Gateway" and group == ISTIO):
        if not _is_inside(new):
            yield "exposure", f"{'an' if kind == 'Ingress' else 'a'} {kind} makes what it names reachable from outside"
        return
    if more := _more(old, new):
        where = "at the gateways that it selects" if group == ISTIO else "from outside"
        yield "exposure", f"it makes {more} reachable {where}"
    if group != ISTIO and kind == "Gateway" and _is_inside(old) and not _is_inside(new):
        yield "exposure", "its Service is reachable from outside"
    if action != "added" and kind == "Ingress":
        yield from _widened(old, new)


def entries(obj: Map) -> Entries:
    """The hosts and ports that an Ingress or a Gateway of either API names, each with what names it."""
    if obj.get("kind") == "Ingress":
        rules = [*items(obj, "spec", "rules")] or ([{}] if mapping(obj, "spec", "defaultBackend") else [])
        return {(text(rule, "host") or "*", None): rule for rule in rules}
    listeners = {(text(one, "hostname") or "*", number(one, "port")): one for one in items(obj, "spec", "listeners")}
    servers = {
        (host, number(server, "port", "number")): server
        for server in items(obj, "spec", "servers")
        for host in texts(server, "hosts")
    }
    return {**listeners, **servers}


def _more(old: Map, new: Map) -> str:
    """The hosts and ports that one of them names anew, in words; nothing where it is not reached from outside."""
    if _is_inside(new):
        return ""
    before = {} if _is_inside(old) else entries(old)
    said = [
        plain(host) + (f":{plain(port)}" if port else "")
        for host, port in entries(new)
        if not any(port == other and _covers(known, host) for known, other in before)
    ]
    return ", ".join(said[:3]) + ", …" * (len(said) > 3)


def _covers(known: str, host: str) -> bool:
    """Whether a host is another one or within its wildcard; Istio's may have a namespace before them."""
    inside, _, known = known.rpartition("/")
    within, _, host = host.rpartition("/")
    same = inside in ("", "*", within)
    return same and (known in ("*", host) or (known.startswith("*.") and host.endswith(known[1:])))


def _is_inside(obj: Map) -> bool:
    """Whether a Gateway is one on the way out, or reached from inside of the cluster alone."""
    selected = mapping(obj, "spec", "selector").values()
    if any("egress" in str(value) for value in selected):
        return True
    served = text(obj, "spec", "gatewayClassName")
    return served == _WAYPOINT or (served.startswith("istio") and _marks(obj).get(_SERVICE_TYPE) == "ClusterIP")


def _widened(old: Map, new: Map) -> Iterator[Verdict]:
    before, after = _class(old), _class(new)
    scheme = _marks(new).get(_SCHEME)
    if before != after and not _INTERNAL.search(after) and scheme != "internal":
        internal = _INTERNAL.search(before) or _marks(old).get(_SCHEME) == "internal"
        what = "it is not internal any more" if internal else "another controller serves it, to its own addresses"
        yield "exposure", f"its class becomes {plain(after) or 'the default one'}: {what}"
    elif scheme == "internet-facing" != _marks(old).get(_SCHEME):
        yield "exposure", "its scheme becomes internet-facing: it is not internal any more"
    ranges = _ranges(old)
    if ranges and not cover_everything(ranges):
        now = _ranges(new)
        if not now or cover_everything(now):
            yield "exposure", "no range of addresses keeps others out any more"
        elif more := wider(ranges, now):
            yield "exposure", f"it opens to more addresses: {', '.join(map(plain, more))}"


def _class(ingress: Map) -> str:
    """What says which controller serves it."""
    return text(ingress, "spec", "ingressClassName") or str(_marks(ingress).get(_CLASS) or "")


def _ranges(ingress: Map) -> tuple[str, ...]:
    said = next((str(value) for name, value in _marks(ingress).items() if _RANGES.search(name)), "")
    some = (one.strip() for one in said.split(",") if one.strip())
    return tuple(str(ip_network(one)) if is_address(one) else one for one in some)


def _marks(ingress: Map) -> Map:
    return mapping(ingress, "metadata", "annotations")
