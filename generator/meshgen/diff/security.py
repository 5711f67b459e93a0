"""What weakens a mesh: mTLS, TLS to destinations, authorization, outbound traffic, anonymous logins, rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from meshgen.diff.fields import Field, Item
from meshgen.diff.reach import Verdict
from meshgen.policy.reading import Map, items, mapping, number, text, texts
from meshgen.sops import is_ciphertext

_AUTHORIZES = {"AuthorizationPolicy", "RequestAuthentication", "NetworkPolicy"}
_RIGHTS = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
# Weakest first; a mode that is not said is taken from what lies around it.
_MTLS = {"DISABLE": 0, "PERMISSIVE": 1, "UNSET": 2, None: 2, "STRICT": 3}
_TLS = {"DISABLE": 0, None: 1, "SIMPLE": 1, "MUTUAL": 2, "ISTIO_MUTUAL": 2}
_POD = {"privileged", "hostNetwork", "hostPID", "hostIPC", "allowPrivilegeEscalation"}
_ANONYMOUS = re.compile(
    r"\[auth\.anonymous\][^\[]*?^\s*enabled\s*=\s*true|^\s*strategy:\s*[\"']?anonymous", re.MULTILINE | re.DOTALL
)


def weakened(
    kind: str, action: str, old: dict[str, Any], new: dict[str, Any], fields: tuple[Field, ...]
) -> Iterator[Verdict]:
    """What a change of one object weakens; `fields` are taken apart (`fields.leaves`)."""
    if kind in _AUTHORIZES:
        yield from _authorization(kind, action)
    if kind == "PeerAuthentication":
        yield from _peers(action, old, new)
    if kind == "DestinationRule" and action in ("changed", "moved"):
        yield from _verified(old, new)
    if kind in _RIGHTS and action in ("changed", "moved") and any(_grants(one) for one in fields):
        yield "security", "it grants other rights than before"
    for one in fields:
        # A new webhook checks more than there was before, however it fails.
        if action != "added" or "ailurePolicy" not in one.path[-1]:
            yield from _field(kind, one)


def _authorization(kind: str, action: str) -> Iterator[Verdict]:
    if action == "removed":
        yield "security", f"{_a(kind)} goes: what it refused is let through"
    elif action in ("changed", "moved"):
        yield "security", f"{_a(kind)} changes what it lets through"


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"


def _verified(old: Map, new: Map) -> Iterator[Verdict]:
    """What clients no longer ask of a destination's certificate."""
    before = dict(_tls(mapping(old, "spec")))
    for of, tls in _tls(mapping(new, "spec")):
        was = before.get(of, {})
        if tls.get("insecureSkipVerify") is True and was.get("insecureSkipVerify") is not True:
            yield "security", "the destination's certificate is no longer verified"
        known, names = texts(was, "subjectAltNames"), texts(tls, "subjectAltNames")
        if known and not names and tls.get("mode") != "DISABLE":
            yield "security", "subjectAltNames goes: the destination may have a certificate of any other name"
        elif known and set(names) - set(known):
            yield "security", "the destination may have a certificate of other names: subjectAltNames has more"


def _tls(spec: Map) -> Iterator[tuple[tuple[str, int | None], Map]]:
    """What a DestinationRule says of TLS, by its subset and port."""
    for name, one in (("", spec), *((text(subset, "name"), subset) for subset in items(spec, "subsets"))):
        policy = mapping(one, "trafficPolicy")
        yield (name, None), mapping(policy, "tls")
        for port in items(policy, "portLevelSettings"):
            yield (name, number(port, "port", "number")), mapping(port, "tls")


def _peers(action: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Verdict]:
    if action == "removed":
        if "STRICT" in _modes(old).values():
            yield "security", "STRICT mTLS goes: plain text may be taken again"
        return
    before, after = _modes(old) if old else {}, _modes(new)
    for port in before | after:
        was, now = before.get(port, before.get("")), after.get(port, after.get(""))
        if _MTLS.get(now, 2) < _MTLS.get(was, 2):
            yield "security", f"mTLS becomes {now or 'unset'}: plain text is taken" + f" on port {port}" * bool(port)


def _modes(obj: dict[str, Any]) -> dict[str, str | None]:
    ports = mapping(obj, "spec", "portLevelMtls").items()
    return {"": text(obj, "spec", "mtls", "mode") or None} | {port: text(mtls, "mode") or None for port, mtls in ports}


def _grants(one: Field) -> bool:
    return one.action != "removed" and one.path[:1] in (("rules",), ("subjects",), ("aggregationRule",))


def _field(kind: str, one: Field) -> Iterator[Verdict]:
    key = one.path[-1]
    if key in ("failurePolicy", "validationFailurePolicy") and one.new == "Ignore":
        yield "security", "failurePolicy becomes Ignore: what the webhook can't check goes through"
    if one.path[-2:] == ("tls", "mode") and _rank(one.new) < _rank(one.old) and kind != "Gateway":
        yield "security", f"TLS to the destination becomes {one.new or 'unset'}"
    if one.path[-2:] == ("outboundTrafficPolicy", "mode") and one.old == "REGISTRY_ONLY":
        yield "security", "outboundTrafficPolicy becomes ALLOW_ANY: workloads reach every host outside of the mesh"
    if (
        kind == "ConfigMap"
        and key == "mesh"
        and "REGISTRY_ONLY" in str(one.old)
        and "REGISTRY_ONLY" not in str(one.new)
    ):
        yield "security", "outboundTrafficPolicy becomes ALLOW_ANY: workloads reach every host outside of the mesh"
    if key == "enableAutoMtls" and one.new is False:
        yield "security", "enableAutoMtls goes: clients send plain text"
    if key in _POD and one.new is True:
        yield "security", f"{key} becomes true: the container gets rights on its node"
    if is_ciphertext(one.old) and one.new is not None and not is_ciphertext(one.new):
        yield "security", "SOPS no longer encrypts a value: it stands in Git in the clear, and has to be replaced"
    if _is_anonymous(one):
        yield "security", "logins become anonymous: whoever reaches it is let in"


def _rank(mode: Any) -> int:
    return _TLS.get(mode, 1) if isinstance(mode, str) else 1


def _is_anonymous(one: Field) -> bool:
    if one.path[-1] == "strategy" and one.new == "anonymous":
        return True
    named = [step for step in one.path if isinstance(step, Item) and "ANONYMOUS_ENABLED" in step]
    by_path = one.path[-1] == "enabled" and any("anonymous" in step for step in one.path[:-1])
    if (named and one.path[-1] == "value") or by_path:
        return str(one.new).lower() == "true"
    texts = [value if isinstance(value, str) and "\n" in value else "" for value in (one.old, one.new)]
    return bool(_ANONYMOUS.search(texts[1])) and not _ANONYMOUS.search(texts[0])
