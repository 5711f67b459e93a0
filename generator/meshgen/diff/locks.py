"""What no longer keeps requests out of an entrance: TLS, certificates of clients, logins, whose routes may attach."""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.config.problems import plain
from meshgen.diff.entrances import entries
from meshgen.diff.reach import Verdict
from meshgen.policy.reading import Map, items, mapping, text, texts

_MUTUAL = ("MUTUAL", "ISTIO_MUTUAL")
# From closed to open. What is not said is `Same`.
_FROM = {"None": 0, "Same": 1, "Selector": 2, "All": 3}
# What controllers check of a request by an annotation, and the values that turn it off.
_CHECKS = re.compile(
    r"/(auth-(type|url|secret|idp-.+|tls-secret|tls-verify-client|snippet)|(force-)?ssl-redirect"
    r"|router\.middlewares|enable-(modsecurity|owasp-core-rules)|waf(v2)?-(acl-(id|arn)|web-acl-id))$"
)
_OFF = ("", "false", "off", "none", "optional", "optional_no_ca")


def unlocked(kind: str, old: Map, new: Map) -> Iterator[Verdict]:
    """What a change of an Ingress or a Gateway no longer asks of requests."""
    if kind == "Gateway":
        yield from _served(old, new)
        yield from _attached(old, new)
    elif kind == "Ingress":
        yield from _in_plain_text(old, new)
        yield from _unchecked(old, new)


def _served(old: Map, new: Map) -> Iterator[Verdict]:
    before = entries(old)
    for key, now in entries(new).items():
        was = before.get(key)
        if was is None:
            continue
        at = f"{plain(key[0])}:{plain(key[1])}"
        if text(was, "tls", "mode") in _MUTUAL and text(now, "tls", "mode") not in _MUTUAL:
            yield "security", f"clients of {at} need no certificate any more"
        if mapping(was, "tls").get("httpsRedirect") is True and mapping(now, "tls").get("httpsRedirect") is not True:
            yield "security", f"{at} no longer redirects to HTTPS: it takes plain text"
        if _protocol(was) in ("HTTPS", "TLS") and _protocol(now) in ("HTTP", "HTTP2", "GRPC", "TCP"):
            yield "security", f"{at} takes plain text: {_protocol(was)} becomes {_protocol(now)}"


def _protocol(entry: Map) -> str:
    """The protocol of a server of Istio's, or of a listener."""
    return text(entry, "port", "protocol") or text(entry, "protocol")


def _attached(old: Map, new: Map) -> Iterator[Verdict]:
    before = {one.get("name"): one for one in items(old, "spec", "listeners") if isinstance(one.get("name"), str)}
    for one in items(new, "spec", "listeners"):
        name = text(one, "name")
        was = before.get(name)
        if was is not None and _FROM.get(_from(one), 1) > _FROM.get(_from(was), 1):
            yield "security", f"routes of more namespaces may attach to listener {plain(name)}: from {_from(one)}"


def _from(listener: Map) -> str:
    return text(listener, "allowedRoutes", "namespaces", "from") or "Same"


def _in_plain_text(old: Map, new: Map) -> Iterator[Verdict]:
    before, after = _encrypted(old), _encrypted(new)
    there = [host for host, _ in entries(new)]
    gone = [host for host, _ in entries(old) if host in there and _is_in(host, before) and not _is_in(host, after)]
    if gone:
        yield (
            "security",
            f"tls goes for {', '.join(map(plain, gone[:3]))}{', …' * (len(gone) > 3)}: it takes plain text",
        )


def _encrypted(ingress: Map) -> set[str]:
    """The hosts that an Ingress has a certificate for; `*` where one names no host."""
    return {host for one in items(ingress, "spec", "tls") for host in texts(one, "hosts") or ["*"]}


def _is_in(host: str, hosts: set[str]) -> bool:
    return bool({host, "*", f"*.{host.partition('.')[2]}"} & hosts)


def _unchecked(old: Map, new: Map) -> Iterator[Verdict]:
    before, after = (mapping(one, "metadata", "annotations") for one in (old, new))
    for name in (one for one in dict.fromkeys((*before, *after)) if _CHECKS.search(str(one))):
        was, now = (str(marks.get(name, "")).strip().lower() for marks in (before, after))
        if was != now and now in _OFF and (was not in _OFF or (name in after and name.endswith("/ssl-redirect"))):
            yield "security", f"{plain(name)} goes or is off: requests come in without what it asks of them"
        elif was not in _OFF and now not in _OFF and before[name] != after[name]:
            yield "security", f"{plain(name)} changes: requests are judged otherwise"
