"""Rules about who may talk to whom, and how plainly."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.istiooperator import gateways
from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.policy.hosts import NETWORKING
from meshgen.policy.reading import Map, items, mapping, text
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.webhooks import overlapping

SECURITY = "security.istio.io"
_RBAC = "rbac.authorization.k8s.io"
_OPEN_GROUPS = ("system:unauthenticated", "system:authenticated")


def _peers_without_mtls(subject: Subject) -> Iterator[Breach]:
    if not subject.production:
        return
    for policy in subject.of("PeerAuthentication", SECURITY):
        ports = mapping(policy, "spec", "portLevelMtls")
        said = {text(policy, "spec", "mtls", "mode"): "", **{text(ports, p, "mode"): f" at port {p}" for p in ports}}
        for mode in ("DISABLE", "PERMISSIVE"):
            if mode in said:
                what = f"mTLS is {mode}{said[mode]} in production"
                yield of_object(subject, policy, what, "say mode: STRICT once every client has a sidecar")
                break


def _two_policies(subject: Subject) -> Iterator[Breach]:
    first: dict[str, KubernetesObject] = {}
    for policy in subject.of("PeerAuthentication", SECURITY):
        if mapping(policy, "spec", "selector", "matchLabels"):
            continue
        other = first.setdefault(space_of(policy), policy)
        if other is not policy:
            what = f"PeerAuthentication {other['metadata']['name']} is for the whole namespace too"
            yield of_object(subject, policy, what, "make one of them: Istio goes by the older one and drops the other")


def _allows_all(subject: Subject) -> Iterator[Breach]:
    for policy in subject.of("AuthorizationPolicy", SECURITY):
        if text(policy, "spec", "action") not in ("", "ALLOW"):
            continue
        rules = mapping(policy, "spec").get("rules")
        if any(_is_empty(rule) for rule in items(policy, "spec", "rules")) and isinstance(rules, list):
            what = "a rule without from, to and when allows every request"
            yield of_object(subject, policy, what, "say who may do what in it; to allow nothing, leave out `rules`")


def _is_empty(rule: Map) -> bool:
    return not any(rule.get(key) for key in ("from", "to", "when"))


def _calls_anywhere(subject: Subject) -> Iterator[Breach]:
    mode = subject.mesh_config("outboundTrafficPolicy", "mode")
    if subject.production and mode in (None, "ALLOW_ANY", 1):
        path = ("istio", "meshConfig", "outboundTrafficPolicy")
        said = "is ALLOW_ANY" if mode else "is left at ALLOW_ANY"
        hint = "say mode: REGISTRY_ONLY, with a ServiceEntry for each host outside that is called"
        yield of_setting(subject, path, f"{said}: workloads of production may call every host", hint)


def _egress_passed_by(subject: Subject) -> Iterator[Breach]:
    if subject.mesh_config("outboundTrafficPolicy", "mode") not in (None, "ALLOW_ANY", 1) or _sidecars_close(subject):
        return
    asked = {one["name"] for one in gateways(subject.istio, "egressGateways")}
    for kind, gateway in subject.gateways:
        # A profile for trying out brings one along, which nobody counts on.
        if kind == "egressGateways" and (gateway["name"] in asked or subject.production):
            path = ("istio", "components", kind, gateway["name"])
            hint = "say istio.meshConfig.outboundTrafficPolicy.mode: REGISTRY_ONLY, or take the gateway out"
            what = "workloads may pass this egress gateway by: outboundTrafficPolicy is ALLOW_ANY"
            yield of_setting(subject, path, what, hint)


def _sidecars_close(subject: Subject) -> bool:
    """Whether a Sidecar for the whole mesh lets workloads call known hosts alone."""
    return any(
        text(one, "spec", "outboundTrafficPolicy", "mode") == "REGISTRY_ONLY"
        for one in subject.of("Sidecar", NETWORKING)
        if space_of(one) == subject.root_namespace and not mapping(one, "spec").get("workloadSelector")
    )


def _filters_for_all(subject: Subject) -> Iterator[Breach]:
    for one in subject.of("EnvoyFilter", NETWORKING):
        spec = mapping(one, "spec")
        if space_of(one) == subject.root_namespace and not spec.get("workloadSelector") and not spec.get("targetRefs"):
            what = "patches every proxy of the mesh, gateways among them"
            yield of_object(subject, one, what, "say workloadSelector, or move it to the namespace that it is for")


def _both_injections(subject: Subject) -> Iterator[Breach]:
    for obj in subject.of("Namespace"):
        labels = mapping(obj, "metadata", "labels")
        # Without injection there is nothing to choose: so says istioctl analyze too.
        if labels.get("istio-injection", "enabled") == "disabled":
            continue
        said = [label for label in ("istio-injection", "istio.io/rev") if label in labels]
        if len(said) == 2:
            what = "has the labels istio-injection and istio.io/rev: the first wins, and the revision is not looked at"
            yield of_object(subject, obj, what, "take istio-injection out to get the revision's sidecars")
        elif said and labels.get("istio.io/dataplane-mode") == "ambient":
            what = f"has the labels {said[0]} and istio.io/dataplane-mode: its pods have sidecars, and so no ambient"
            yield of_object(subject, obj, what, "take the one out that is not meant")
    for obj, other in overlapping(subject):
        what = f"takes pods that {plain(other)} takes too: they would be injected twice"
        yield of_object(subject, obj, what, "take one of them out, or narrow the selectors of one")


def _trust_domain(subject: Subject) -> Iterator[Breach]:
    domain = subject.mesh_config("trustDomain") or subject.setting("values", "global", "trustDomain")
    if _is_multicluster(subject) and domain in (None, "", "cluster.local"):
        path = ("istio", "meshConfig", "trustDomain")
        hint = "say a domain of this mesh's own before workloads run: changing it later needs trustDomainAliases"
        yield of_setting(subject, path, "is cluster.local in a mesh of several clusters, as in every other mesh", hint)


def _is_multicluster(subject: Subject) -> bool:
    cluster = mapping(subject.setting("values", "global", "multiCluster"))
    return cluster.get("enabled") is True or cluster.get("clusterName") not in (None, "", "Kubernetes")


def _mesh_unnamed(subject: Subject) -> Iterator[Breach]:
    if not _is_multicluster(subject):
        return
    said = mapping(subject.setting("values", "global"))
    missing = [key for key in ("meshID", "network") if not said.get(key)]
    if missing:
        path = ("istio", "values", "global", "multiCluster")
        hint = " and ".join(f"istio.values.global.{key}" for key in missing)
        what = f"is set, but not {' and '.join(missing)}: clusters can't tell what they share"
        yield of_setting(subject, path, what, f"say {hint}, the same as the mesh's other clusters have")


def _cluster_admins(subject: Subject) -> Iterator[Breach]:
    for binding in subject.of("ClusterRoleBinding", _RBAC):
        if text(binding, "roleRef", "name") == "cluster-admin":
            what = "gives cluster-admin: whoever holds it may do everything in the cluster"
            yield of_object(subject, binding, what, "bind a ClusterRole that names what is needed")


def _open_bindings(subject: Subject) -> Iterator[Breach]:
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in subject.of(kind, _RBAC):
            named = [text(one, "name") for one in items(binding, "subjects")]
            group = next((one for one in named if one in (*_OPEN_GROUPS, "system:anonymous")), None)
            if group:
                what = f"gives {plain(text(binding, 'roleRef', 'name'))} to {group}"
                yield of_object(subject, binding, what, "name the users, groups or ServiceAccounts that need it")


RULES = (
    Rule("MG520", "warning", "mTLS off or permissive in production", _peers_without_mtls),
    Rule("MG522", "warning", "Two mTLS policies for one namespace", _two_policies),
    Rule("MG523", "warning", "An authorization that allows everything", _allows_all),
    Rule("MG524", "info", "Production may call every host", _calls_anywhere),
    Rule("MG525", "warning", "An egress gateway that is passed by", _egress_passed_by),
    Rule("MG526", "warning", "An EnvoyFilter for the whole mesh", _filters_for_all),
    Rule("MG527", "warning", "Injection that is asked for twice", _both_injections, of_objects=True),
    Rule("MG528", "info", "A mesh of several clusters with the usual trust domain", _trust_domain),
    Rule("MG529", "warning", "A mesh of several clusters without names", _mesh_unnamed),
    Rule("MG530", "warning", "cluster-admin for an application", _cluster_admins, of_objects=True),
    Rule("MG531", "warning", "Permissions for everyone", _open_bindings, of_objects=True),
)
