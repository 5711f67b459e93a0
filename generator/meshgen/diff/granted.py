"""What a new object grants, sees or lets through: rights, webhooks, references across namespaces, requests, hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from meshgen.build.ranges import cover_everything
from meshgen.config.problems import plain
from meshgen.diff.reach import Verdict
from meshgen.policy.reading import Map, items, mapping, text, texts

_AGGREGATES = "rbac.authorization.k8s.io/aggregate-to-"
# Whom everyone belongs to, with a credential or without.
_EVERYONE = {
    "system:unauthenticated": "whoever reaches the API server",
    "system:anonymous": "whoever reaches the API server",
    "system:authenticated": "everyone with an account",
    "system:serviceaccounts": "every pod",
}
# What an AuthorizationPolicy names by address alone.
_ADDRESSES = ("ipBlocks", "remoteIpBlocks")
_MOST = 3


def granted(kind: str, new: Map, *, beside: bool = False) -> Iterator[Verdict]:
    """What a new object opens or asks for; nothing for kinds that do neither.

    `beside` says that its namespace had an ALLOW AuthorizationPolicy.
    """
    spec = mapping(new, "spec")
    if kind in ("Role", "ClusterRole"):
        yield "security", _role(kind, new)
    elif kind in ("RoleBinding", "ClusterRoleBinding"):
        yield "security", _binding(kind, new)
    elif kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        yield "security", _webhook("change" if kind.startswith("Mutating") else "refuse", new)
    elif kind == "ReferenceGrant":
        yield "security", _references(spec)
    elif kind == "AuthorizationPolicy":
        yield _authorization(spec, beside=beside)
    elif kind == "NetworkPolicy" and any({} in items(spec, way) for way in ("ingress", "egress")):
        yield "security", "it lets every connection through, whatever other NetworkPolicies leave out"
    elif kind == "APIService" and spec.get("service"):
        yield "security", "the API server hands the requests of its group on to a Service"


def let_out(old: Map, new: Map) -> Iterator[Verdict]:
    """What a ServiceEntry opens where workloads reach only the hosts that the mesh knows."""
    before, after = (texts(one, "spec", "hosts") for one in (old, new))
    more = [one for one in after if one not in before]
    if more and not _is_within(mapping(new, "spec")):
        yield "security", f"outboundTrafficPolicy is REGISTRY_ONLY, and workloads reach {_few(more)} from now on"


def let_in(kind: str, old: Map, new: Map) -> Iterator[Verdict]:
    """What a ReferenceGrant lets others refer to that it did not."""
    if kind == "ReferenceGrant" and any(
        one not in items(old, "spec", key) for key in ("from", "to") for one in items(new, "spec", key)
    ):
        yield "security", _references(mapping(new, "spec"))


def let_all(old: Map) -> Iterator[Verdict]:
    """What follows once a Sidecar goes that kept its workloads from hosts that the mesh does not know."""
    if text(old, "spec", "outboundTrafficPolicy", "mode") == "REGISTRY_ONLY":
        yield (
            "security",
            "its workloads reach every host outside of the mesh, unless another Sidecar keeps them from it",
        )


def _role(kind: str, new: Map) -> str:
    labels = mapping(new, "metadata", "labels")
    joined = [
        name.removeprefix(_AGGREGATES)
        for name, value in labels.items()
        if name.startswith(_AGGREGATES) and value == "true"
    ]
    reason = f"it says what those who are bound to it may do{_rights(list(items(new, 'rules')))}"
    if kind == "ClusterRole" and joined:
        reason += f"; all who have {_few(sorted(joined))} get it too"
    return reason


def _rights(rules: list[Map]) -> str:
    """The widest of rules in words; nothing for narrow ones."""
    wide = [rule for rule in rules if "*" in texts(rule, "verbs")]
    if any("*" in texts(rule, "resources") and "*" in texts(rule, "apiGroups") for rule in wide):
        return ": all verbs on all resources"
    named = {verb for rule in rules for verb in texts(rule, "verbs")} & {"escalate", "bind", "impersonate"}
    if named:
        return f": {_few(sorted(named))}, and so rights of others"
    if wide:
        return f": all verbs on {_few(one for rule in wide for one in texts(rule, 'resources'))}"
    read = {"get", "list", "watch"}
    secrets = any(
        {"secrets", "*"} & {*texts(rule, "resources")} and read & {*texts(rule, "verbs")}
        for rule in rules
        if {"", "*"} & {*texts(rule, "apiGroups")}
    )
    return ": Secrets can be read" if secrets else ""


def _binding(kind: str, new: Map) -> str:
    role = mapping(new, "roleRef")
    subjects = [f"{one.get('kind')} {one.get('name')}" for one in items(new, "subjects")]
    everyone = [_EVERYONE[name] for one in items(new, "subjects") if (name := str(one.get("name"))) in _EVERYONE]
    where = " in every namespace" if kind == "ClusterRoleBinding" else ""
    who = f", that is {everyone[0]}" if everyone else ""
    return f"it grants {plain(role.get('kind'))} {plain(role.get('name'))} to {_few(subjects)}{where}{who}"


def _webhook(may: str, new: Map) -> str:
    hooks = list(items(new, "webhooks"))
    what = _few(one for hook in hooks for rule in items(hook, "rules") for one in texts(rule, "resources"))
    reason = f"it may {may} {'every object' if '*' in what else what or 'objects'} before they are stored"
    hosts = [host for hook in hooks if (host := _host(text(hook, "clientConfig", "url")))]
    if hosts:
        reason += f", and sends them to {_few(hosts)}"
    if any(hook.get("failurePolicy") != "Ignore" for hook in hooks):
        reason += "; where it does not answer, none are stored"
    return reason


def _host(url: str) -> str | None:
    """The host of a webhook that is no Service of the cluster; the rest of its URL may be a credential."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return "a URL"


def _references(spec: Map) -> str:
    who = _few(f"{one.get('kind')}s of {one.get('namespace')}" for one in items(spec, "from"))
    what = _few(f"{one.get('kind')} {one.get('name') or ''}".strip() for one in items(spec, "to"))
    return f"{who} may refer to what is in its namespace: {what}"


def _authorization(spec: Map, *, beside: bool) -> Verdict:
    action = text(spec, "action") or "ALLOW"
    if action != "ALLOW":
        said = {"DENY": "refused", "CUSTOM": "decided by an external authorizer", "AUDIT": "audited"}
        return "traffic", f"what this AuthorizationPolicy names is {said.get(action, 'judged otherwise')} from now on"
    if any(_is_for_everyone(rule) for rule in items(spec, "rules")):
        return "security", "it allows every request, whatever other ALLOW policies leave out"
    if beside and spec.get("rules"):
        return "security", (
            "it allows more where another ALLOW policy of its namespace is for the same workloads; "
            "where none is, what it does not allow is refused from now on"
        )
    return "traffic", "what no ALLOW AuthorizationPolicy of its workloads allows is refused from now on"


def _is_for_everyone(rule: Map) -> bool:
    """Whether a rule of an AuthorizationPolicy keeps no request out."""
    senders = [mapping(one, "source") for one in items(rule, "from")]
    operations = [mapping(one, "operation") for one in items(rule, "to")]
    if rule.get("when") or (senders and not any(map(_is_any_sender, senders))):
        return False
    return not operations or any(map(_is_any_operation, operations))


def _is_any_sender(source: Map) -> bool:
    # Any principal, namespace or token (`*`) still has to be one.
    return all(key in _ADDRESSES and cover_everything(texts(source, key)) for key, said in source.items() if said)


def _is_any_operation(operation: Map) -> bool:
    return all(
        not key.startswith("not") and {"*", "/*"} & {*texts(operation, key)} for key, said in operation.items() if said
    )


def _is_within(spec: Map) -> bool:
    """Whether a ServiceEntry names workloads of the mesh, and no host outside."""
    return spec.get("location") == "MESH_INTERNAL" and bool(spec.get("workloadSelector"))


def _few(names: Iterable[object]) -> str:
    """The first few of some names."""
    some = [plain(one) for one in dict.fromkeys(names)]
    return ", ".join(some[:_MOST]) + ", …" * (len(some) > _MOST)
