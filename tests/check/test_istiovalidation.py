"""What Istio's webhook refuses of its resources, check by check, and from which version on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.catalog import Version, minors
from meshgen.check.istiovalidation import istio_problems
from meshgen.check.kinds import kind_problems
from meshgen.check.webhook import refused_problems
from meshgen.yaml import pointer
from tests.check.test_kinds import documents

Object = dict[str, Any]
NEWEST = (1, 31, 0)
OLDEST = (1, 11, 0)
VALID = Path(__file__).with_name("istioresources.yaml")
GROUPS = {
    "networking.istio.io/v1alpha3": ("EnvoyFilter",),
    "networking.istio.io/v1beta1": ("ProxyConfig",),
    "security.istio.io/v1": ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"),
    "telemetry.istio.io/v1": ("Telemetry",),
    "extensions.istio.io/v1alpha1": ("WasmPlugin", "TrafficExtension"),
}


def resource(kind: str, spec: Any, **metadata: Any) -> Object:
    group = next((group for group, kinds in GROUPS.items() if kind in kinds), "networking.istio.io/v1")
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": "cart", "namespace": "shop", **metadata},
        "spec": spec,
    }


def refused(obj: Object, istio: tuple[int, int, int] = NEWEST) -> list[str]:
    return [pointer(one.path) for one in istio_problems(obj, istio)]


def gateway(**server: Any) -> Any:
    there = {"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"]}
    return {"servers": [{**there, "tls": {"mode": "SIMPLE", "credentialName": "cart"}, **server}]}


def tls(**keys: Any) -> Any:
    return gateway(tls=keys)


def plain(**keys: Any) -> Any:
    return gateway(port={"number": 80, "name": "http", "protocol": "HTTP"}, tls=keys)


def policy(**keys: Any) -> Any:
    return {"host": "cart", "trafficPolicy": keys}


def http(**keys: Any) -> Any:
    return {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart"}}], **keys}]}


def match(**keys: Any) -> Any:
    return http(match=[keys])


def entry(**keys: Any) -> Any:
    there = {"hosts": ["a.example.com"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]}
    return {**there, "resolution": "STATIC", **keys}


def rule(**keys: Any) -> Any:
    return {"action": "DENY", "rules": [keys]}


def source(**keys: Any) -> Any:
    return rule(**{"from": [{"source": keys}]})


def when(key: str, *values: str) -> Any:
    return rule(when=[{"key": key, "values": list(values)}])


def jwt(**keys: Any) -> Any:
    return {"jwtRules": [{"issuer": "a", **keys}]}


def egress(**keys: Any) -> Any:
    return {"egress": [{"hosts": ["./*"], **keys}]}


def ingress(**keys: Any) -> Any:
    return {"ingress": [{"port": {"number": 80, "protocol": "HTTP", "name": "http"}, **keys}]}


def patch(**keys: Any) -> Any:
    return {"configPatches": [{"applyTo": "HTTP_FILTER", "patch": {"operation": "REMOVE"}, **keys}]}


def wasm(**keys: Any) -> Any:
    return {"url": "oci://example.com/a", **keys}


def probe(**keys: Any) -> Any:
    return {"template": {}, "probe": {"exec": {"command": ["a"]}, **keys}}


SERVER = "/spec/servers/0"
ROUTE = "/spec/http/0"
# (kind, spec, where it is refused, since when: at every version where it is not said).
REFUSED: list[tuple[str, Any, str, tuple[int, int, int]]] = [
    ("Gateway", {"servers": []}, "/spec", OLDEST),
    ("Gateway", gateway(hosts=[]), SERVER, OLDEST),
    ("Gateway", gateway(hosts=["short"]), f"{SERVER}/hosts/0", OLDEST),
    ("Gateway", gateway(hosts=["*.*.com"]), f"{SERVER}/hosts/0", OLDEST),
    ("Gateway", gateway(hosts=["a_b/*"]), f"{SERVER}/hosts/0", OLDEST),
    ("Gateway", gateway(hosts=["*-a.example.com"]), f"{SERVER}/hosts/0", (1, 17, 0)),
    ("Gateway", gateway(port={"number": 443, "protocol": "HTTPS"}), f"{SERVER}/port", OLDEST),
    ("Gateway", gateway(port={"number": 0, "name": "a", "protocol": "HTTPS"}), f"{SERVER}/port/number", (1, 20, 0)),
    ("Gateway", gateway(port={"number": 70000, "name": "a", "protocol": "TLS"}), f"{SERVER}/port/number", OLDEST),
    ("Gateway", gateway(port={"number": 1, "name": "a", "protocol": "TLSS"}), f"{SERVER}/port/protocol", OLDEST),
    ("Gateway", gateway(bind="a"), f"{SERVER}/bind", OLDEST),
    ("Gateway", gateway(tls=None), SERVER, OLDEST),
    ("Gateway", tls(mode="SIMPLE"), f"{SERVER}/tls", OLDEST),
    ("Gateway", tls(mode="MUTUAL", serverCertificate="a", privateKey="b"), f"{SERVER}/tls", OLDEST),
    ("Gateway", tls(mode="ISTIO_MUTUAL", privateKey="b"), f"{SERVER}/tls/privateKey", OLDEST),
    ("Gateway", tls(mode="ISTIO_MUTUAL", credentialName="b"), f"{SERVER}/tls/credentialName", (1, 16, 0)),
    ("Gateway", tls(mode="PASSTHROUGH", credentialName="a", caCrl="b"), f"{SERVER}/tls/caCrl", (1, 22, 0)),
    (
        "Gateway",
        tls(mode="SIMPLE", credentialName="a", serverCertificate="b", privateKey="c"),
        f"{SERVER}/tls/serverCertificate",
        (1, 27, 0),
    ),
    ("Gateway", plain(mode="SIMPLE", credentialName="a"), f"{SERVER}/tls", OLDEST),
    ("Gateway", plain(httpsRedirect=True, privateKey="a"), f"{SERVER}/tls", OLDEST),
    ("DestinationRule", {"host": "*.*"}, "/spec/host", OLDEST),
    ("DestinationRule", {"host": ""}, "/spec/host", (1, 20, 0)),
    ("DestinationRule", policy(), "/spec/trafficPolicy", OLDEST),
    ("DestinationRule", policy(connectionPool={}), "/spec/trafficPolicy/connectionPool", OLDEST),
    (
        "DestinationRule",
        policy(connectionPool={"tcp": {"maxConnections": -1}}),
        "/spec/trafficPolicy/connectionPool/tcp/maxConnections",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(connectionPool={"tcp": {"idleTimeout": "1.0005s"}}),
        "/spec/trafficPolicy/connectionPool/tcp/idleTimeout",
        (1, 23, 0),
    ),
    (
        "DestinationRule",
        policy(connectionPool={"tcp": {"connectTimeout": "5"}}),
        "/spec/trafficPolicy/connectionPool/tcp/connectTimeout",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(connectionPool={"http": {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}}),
        "/spec/trafficPolicy/connectionPool/http/useClientProtocol",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(outlierDetection={"maxEjectionPercent": 101}),
        "/spec/trafficPolicy/outlierDetection/maxEjectionPercent",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(outlierDetection={"consecutiveLocalOriginFailures": 1}),
        "/spec/trafficPolicy/outlierDetection/consecutiveLocalOriginFailures",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(loadBalancer={"localityLbSetting": {"distribute": [{"from": "a", "to": {"b": 50}}]}}),
        "/spec/trafficPolicy/loadBalancer/localityLbSetting/distribute/0/to",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(loadBalancer={"consistentHash": {"maglev": {"tableSize": 10}}}),
        "/spec/trafficPolicy/loadBalancer/consistentHash/maglev/tableSize",
        (1, 22, 0),
    ),
    (
        "DestinationRule",
        policy(loadBalancer={"consistentHash": {"httpCookie": {"ttl": "0s"}}}),
        "/spec/trafficPolicy/loadBalancer/consistentHash/httpCookie",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(loadBalancer={"warmup": {"duration": "0s"}}),
        "/spec/trafficPolicy/loadBalancer/warmup/duration",
        (1, 24, 0),
    ),
    ("DestinationRule", policy(portLevelSettings=[{"tls": {}}]), "/spec/trafficPolicy/portLevelSettings/0", OLDEST),
    (
        "DestinationRule",
        policy(tls={"mode": "SIMPLE", "credentialName": "a", "caCertificates": "b"}),
        "/spec/trafficPolicy/tls/caCertificates",
        OLDEST,
    ),
    (
        "DestinationRule",
        policy(tls={"mode": "SIMPLE", "credentialName": "configmap://other/a"}),
        "/spec/trafficPolicy/tls/credentialName",
        (1, 26, 0),
    ),
    (
        "DestinationRule",
        policy(tunnel={"targetHost": "a_b", "targetPort": 1}),
        "/spec/trafficPolicy/tunnel/targetHost",
        OLDEST,
    ),
    ("DestinationRule", {"host": "a", "subsets": [{"name": "a.b"}]}, "/spec/subsets/0/name", OLDEST),
    ("DestinationRule", {"host": "a", "subsets": [{"name": "a"}, {"name": "a"}]}, "/spec/subsets/1/name", (1, 22, 0)),
    (
        "DestinationRule",
        {"host": "a", "subsets": [{"name": "a", "labels": {"a": "b c"}}]},
        "/spec/subsets/0/labels/a",
        OLDEST,
    ),
    ("DestinationRule", {"host": "a", "exportTo": ["*", "b"]}, "/spec/exportTo", OLDEST),
    ("DestinationRule", {"host": "a", "exportTo": [".", "shop"]}, "/spec/exportTo/1", OLDEST),
    ("DestinationRule", {"host": "a", "exportTo": ["~"]}, "/spec/exportTo/0", OLDEST),
    (
        "DestinationRule",
        {"host": "a", "exportTo": ["b"], "workloadSelector": {"matchLabels": {"a": "b"}}},
        "/spec/exportTo",
        (1, 14, 0),
    ),
    ("VirtualService", {"hosts": ["cart"]}, "/spec", OLDEST),
    ("VirtualService", {"gateways": ["edge"], "http": http()["http"]}, "/spec/gateways", OLDEST),
    ("VirtualService", {**http(), "hosts": ["*"]}, "/spec/hosts/0", OLDEST),
    ("VirtualService", {**http(), "hosts": ["*.*.com"]}, "/spec/hosts/0", OLDEST),
    ("VirtualService", {**http(), "hosts": ["a.b.com", "*.b.com"]}, "/spec/hosts/1", OLDEST),
    ("VirtualService", {**http(), "gateways": ["a/b.c"]}, "/spec/gateways/0", OLDEST),
    ("VirtualService", http(route=[]), ROUTE, OLDEST),
    ("VirtualService", http(redirect={"uri": "/a"}), f"{ROUTE}/route", OLDEST),
    ("VirtualService", http(directResponse={"status": 200}), f"{ROUTE}/route", (1, 15, 0)),
    ("VirtualService", http(delegate={"name": "a"}), f"{ROUTE}/route", OLDEST),
    ("VirtualService", http(timeout="0s"), f"{ROUTE}/timeout", OLDEST),
    ("VirtualService", http(route=[{"destination": {"host": "*"}}]), f"{ROUTE}/route/0/destination/host", OLDEST),
    (
        "VirtualService",
        http(route=[{"destination": {"host": "a", "subset": "a.b"}}]),
        f"{ROUTE}/route/0/destination/subset",
        OLDEST,
    ),
    (
        "VirtualService",
        http(route=[{"destination": {"host": "a"}}, {"destination": {"host": "b"}}]),
        f"{ROUTE}/route",
        OLDEST,
    ),
    ("VirtualService", match(uri={"regex": "(?=a)"}), f"{ROUTE}/match/0/uri/regex", OLDEST),
    ("VirtualService", match(uri={"regex": "a" * 1025}), f"{ROUTE}/match/0/uri/regex", (1, 13, 0)),
    ("VirtualService", match(method={"prefix": ""}), f"{ROUTE}/match/0/method/prefix", (1, 22, 0)),
    ("VirtualService", match(headers={"a b": {"exact": "c"}}), f"{ROUTE}/match/0/headers/a b", (1, 23, 0)),
    (
        "VirtualService",
        match(headers={"@request.auth.claims.a": {"exact": "c"}}),
        f"{ROUTE}/match/0/headers/@request.auth.claims.a",
        (1, 12, 0),
    ),
    ("VirtualService", match(sourceLabels={"a": "-"}), f"{ROUTE}/match/0/sourceLabels/a", OLDEST),
    (
        "VirtualService",
        http(headers={"request": {"set": {"a": "%A"}}}),
        f"{ROUTE}/headers/request/set/a",
        (1, 18, 0),
    ),
    ("VirtualService", http(headers={"response": {"remove": [":a"]}}), f"{ROUTE}/headers/response/remove/0", OLDEST),
    (
        "VirtualService",
        http(headers={"request": {"set": {"host": "a"}}}, rewrite={"authority": "b"}),
        f"{ROUTE}/headers/request/set/host",
        OLDEST,
    ),
    ("VirtualService", http(corsPolicy={"allowOrigins": [{}]}), f"{ROUTE}/corsPolicy/allowOrigins/0", OLDEST),
    ("VirtualService", http(corsPolicy={"allowMethods": ["get"]}), f"{ROUTE}/corsPolicy/allowMethods/0", OLDEST),
    ("VirtualService", http(corsPolicy={"maxAge": "1.5s"}), f"{ROUTE}/corsPolicy/maxAge", OLDEST),
    ("VirtualService", http(fault={}), f"{ROUTE}/fault", OLDEST),
    ("VirtualService", http(fault={"abort": {"httpStatus": 700}}), f"{ROUTE}/fault/abort/httpStatus", OLDEST),
    ("VirtualService", http(fault={"abort": {"grpcStatus": "A"}}), f"{ROUTE}/fault/abort/grpcStatus", OLDEST),
    (
        "VirtualService",
        http(fault={"delay": {"percentage": {"value": 0.00001}, "fixedDelay": "1s"}}),
        f"{ROUTE}/fault/delay/percentage/value",
        OLDEST,
    ),
    ("VirtualService", http(mirror={"host": ""}), f"{ROUTE}/mirror/host", OLDEST),
    ("VirtualService", http(mirrorPercentage={"value": 101}), f"{ROUTE}/mirrorPercentage/value", OLDEST),
    ("VirtualService", http(retries={"retryOn": "5xx"}), f"{ROUTE}/retries", OLDEST),
    ("VirtualService", http(retries={"attempts": 1, "retryOn": "5xx, reset"}), f"{ROUTE}/retries/retryOn", OLDEST),
    ("VirtualService", http(rewrite={}), f"{ROUTE}/rewrite", OLDEST),
    ("VirtualService", http(route=[], redirect={}), f"{ROUTE}/redirect", OLDEST),
    (
        "VirtualService",
        http(route=[], redirect={"uri": "/", "redirectCode": 200}),
        f"{ROUTE}/redirect/redirectCode",
        OLDEST,
    ),
    ("VirtualService", {"hosts": ["a"], "tls": [{"route": [{"destination": {"host": "a"}}]}]}, "/spec/tls/0", OLDEST),
    (
        "VirtualService",
        {"hosts": ["a"], "tls": [{"match": [{"sniHosts": ["b"]}], "route": [{"destination": {"host": "a"}}]}]},
        "/spec/tls/0/match/0/sniHosts/0",
        OLDEST,
    ),
    ("VirtualService", {"hosts": ["a"], "tcp": [{"match": [{"port": 1}]}]}, "/spec/tcp/0", OLDEST),
    (
        "VirtualService",
        {
            "hosts": ["a"],
            "tcp": [{"match": [{"destinationSubnets": ["a"]}], "route": [{"destination": {"host": "a"}}]}],
        },
        "/spec/tcp/0/match/0/destinationSubnets/0",
        OLDEST,
    ),
    ("ServiceEntry", entry(hosts=[]), "/spec", OLDEST),
    ("ServiceEntry", entry(hosts=["*"]), "/spec/hosts/0", OLDEST),
    ("ServiceEntry", entry(addresses=["a"]), "/spec/addresses/0", OLDEST),
    ("ServiceEntry", entry(addresses=["10.0.0.0/8"], resolution="DNS"), "/spec/addresses/0", OLDEST),
    ("ServiceEntry", entry(hosts=["*.a.com"], resolution="DNS"), "/spec/hosts/0", OLDEST),
    ("ServiceEntry", entry(ports=[{"number": 1, "name": "a", "protocol": "TLSS"}]), "/spec/ports/0/protocol", OLDEST),
    (
        "ServiceEntry",
        entry(ports=[{"number": 1, "name": "a"}, {"number": 1, "name": "b"}]),
        "/spec/ports/1/number",
        OLDEST,
    ),
    (
        "ServiceEntry",
        entry(ports=[{"number": 1, "name": "a"}, {"number": 2, "name": "a"}]),
        "/spec/ports/1/name",
        OLDEST,
    ),
    ("ServiceEntry", entry(ports=[{"number": 1, "name": "a_b"}]), "/spec/ports/0/name", OLDEST),
    ("ServiceEntry", entry(hosts=["a.com", "b.com"], ports=[{"number": 1, "name": "a"}]), "/spec/ports/0", OLDEST),
    ("ServiceEntry", entry(endpoints=[{"address": "a.com"}]), "/spec/endpoints/0/address", OLDEST),
    ("ServiceEntry", entry(endpoints=[{"address": "1.1.1.1", "ports": {"b": 1}}]), "/spec/endpoints/0/ports/b", OLDEST),
    ("ServiceEntry", entry(endpoints=[{"address": "1.1.1.1"}], resolution="NONE"), "/spec/endpoints", OLDEST),
    (
        "ServiceEntry",
        entry(endpoints=[{"address": "a"}, {"address": "b"}], resolution="DNS_ROUND_ROBIN"),
        "/spec/endpoints",
        (1, 16, 0),
    ),
    (
        "ServiceEntry",
        entry(endpoints=[{"address": "1.1.1.1"}], workloadSelector={"labels": {"a": "b"}}),
        "/spec/endpoints",
        OLDEST,
    ),
    ("ServiceEntry", entry(resolution="DYNAMIC_DNS"), "/spec/hosts/0", OLDEST),
    ("WorkloadEntry", {}, "/spec", OLDEST),
    ("WorkloadEntry", {"address": "http://1.2.3.4"}, "/spec/address", OLDEST),
    ("WorkloadEntry", {"address": "unix://a"}, "/spec/address", OLDEST),
    ("WorkloadEntry", {"address": "1.1.1.1", "ports": {"a": 0}}, "/spec/ports/a", OLDEST),
    ("WorkloadEntry", {"address": "1.1.1.1", "labels": {"-": "a"}}, "/spec/labels/-", OLDEST),
    ("WorkloadGroup", {}, "/spec", OLDEST),
    ("WorkloadGroup", {"template": {}, "probe": {}}, "/spec/probe", OLDEST),
    ("WorkloadGroup", probe(exec=None, grpc={"port": 80}), "/spec/probe/grpc", OLDEST),
    ("WorkloadGroup", probe(periodSeconds=-1), "/spec/probe/periodSeconds", OLDEST),
    ("WorkloadGroup", probe(exec=None, httpGet={"port": 1, "scheme": "http"}), "/spec/probe/httpGet/scheme", OLDEST),
    ("WorkloadGroup", probe(exec=None, tcpSocket={}), "/spec/probe/tcpSocket", OLDEST),
    ("Sidecar", {}, "/spec", OLDEST),
    ("Sidecar", egress(hosts=["a.com"]), "/spec/egress/0/hosts/0", OLDEST),
    ("Sidecar", egress(hosts=[]), "/spec/egress/0", OLDEST),
    ("Sidecar", egress(port={"number": 0, "protocol": "TCP"}), "/spec/egress/0/port", OLDEST),
    ("Sidecar", {"egress": [*egress()["egress"], *egress()["egress"]]}, "/spec/egress/0", OLDEST),
    ("Sidecar", ingress(port=None), "/spec/ingress/0", OLDEST),
    ("Sidecar", ingress(bind="unix:///a"), "/spec/ingress/0/bind", OLDEST),
    ("Sidecar", ingress(defaultEndpoint="1.2.3.4:80"), "/spec/ingress/0/defaultEndpoint", OLDEST),
    ("Sidecar", {"ingress": [*ingress()["ingress"], *ingress()["ingress"]]}, "/spec/ingress/1/port/number", OLDEST),
    ("Sidecar", ingress(tls={}), "/spec/ingress/0/tls", (1, 13, 0)),
    (
        "Sidecar",
        {"outboundTrafficPolicy": {"egressProxy": {"host": "a", "port": {"number": 1}}}},
        "/spec/outboundTrafficPolicy/egressProxy",
        OLDEST,
    ),
    ("Sidecar", {**egress(), "workloadSelector": {"labels": {"a": "*"}}}, "/spec/workloadSelector/labels/a", OLDEST),
    ("ProxyConfig", {"concurrency": -1}, "/spec/concurrency", OLDEST),
    ("EnvoyFilter", patch(applyTo=None), "/spec/configPatches/0", OLDEST),
    ("EnvoyFilter", patch(patch=None), "/spec/configPatches/0", OLDEST),
    ("EnvoyFilter", patch(patch={"operation": "MERGE"}), "/spec/configPatches/0/patch", OLDEST),
    ("EnvoyFilter", patch(match={"cluster": {}}), "/spec/configPatches/0/match/cluster", OLDEST),
    (
        "EnvoyFilter",
        patch(match={"proxy": {"proxyVersion": "("}}),
        "/spec/configPatches/0/match/proxy/proxyVersion",
        OLDEST,
    ),
    (
        "EnvoyFilter",
        patch(match={"listener": {"filterChain": {"filter": {}}}}),
        "/spec/configPatches/0/match/listener/filterChain/filter",
        OLDEST,
    ),
    ("AuthorizationPolicy", {"action": "DENY"}, "/spec", OLDEST),
    ("AuthorizationPolicy", {"action": "CUSTOM", "rules": [{}]}, "/spec", OLDEST),
    ("AuthorizationPolicy", {"provider": {"name": "a"}}, "/spec/provider", OLDEST),
    (
        "AuthorizationPolicy",
        {**source(principals=["a"]), "action": "CUSTOM", "provider": {"name": "a"}},
        "/spec/rules/0/from/0/source/principals",
        OLDEST,
    ),
    ("AuthorizationPolicy", rule(**{"from": [{}]}), "/spec/rules/0/from/0", OLDEST),
    ("AuthorizationPolicy", source(), "/spec/rules/0/from/0/source", OLDEST),
    ("AuthorizationPolicy", source(ipBlocks=["10.0.0.0/33"]), "/spec/rules/0/from/0/source/ipBlocks/0", OLDEST),
    ("AuthorizationPolicy", source(namespaces=[""]), "/spec/rules/0/from/0/source/namespaces/0", OLDEST),
    ("AuthorizationPolicy", source(serviceAccounts=["a/b/c"]), "/spec/rules/0/from/0/source/serviceAccounts/0", OLDEST),
    ("AuthorizationPolicy", source(trustDomains=["a/b"]), "/spec/rules/0/from/0/source/trustDomains/0", OLDEST),
    ("AuthorizationPolicy", rule(to=[{"operation": {}}]), "/spec/rules/0/to/0/operation", OLDEST),
    (
        "AuthorizationPolicy",
        rule(to=[{"operation": {"ports": ["http"]}}]),
        "/spec/rules/0/to/0/operation/ports/0",
        OLDEST,
    ),
    (
        "AuthorizationPolicy",
        rule(to=[{"operation": {"paths": ["/{a}"]}}]),
        "/spec/rules/0/to/0/operation/paths/0",
        (1, 22, 0),
    ),
    (
        "AuthorizationPolicy",
        rule(to=[{"operation": {"paths": ["/{**}/{*}"]}}]),
        "/spec/rules/0/to/0/operation/paths/0",
        (1, 25, 0),
    ),
    ("AuthorizationPolicy", when("a.b", "c"), "/spec/rules/0/when/0/key", OLDEST),
    ("AuthorizationPolicy", when("request.headers", "c"), "/spec/rules/0/when/0/key", OLDEST),
    ("AuthorizationPolicy", when("destination.labels[a]", "c"), "/spec/rules/0/when/0/key", OLDEST),
    ("AuthorizationPolicy", when("source.ip"), "/spec/rules/0/when/0", OLDEST),
    ("AuthorizationPolicy", when("source.ip", "a"), "/spec/rules/0/when/0/values/0", OLDEST),
    ("AuthorizationPolicy", when("destination.port", "65536"), "/spec/rules/0/when/0/values/0", OLDEST),
    ("AuthorizationPolicy", {"selector": {"matchLabels": {"a": "*"}}}, "/spec/selector/matchLabels/a", OLDEST),
    ("AuthorizationPolicy", {"targetRef": {"kind": "Pod", "name": "a"}}, "/spec/targetRef", OLDEST),
    (
        "AuthorizationPolicy",
        {"selector": {}, "targetRefs": [{"kind": "Service", "name": "a"}]},
        "/spec/targetRefs",
        OLDEST,
    ),
    ("PeerAuthentication", {"portLevelMtls": {"80": {"mode": "STRICT"}}}, "/spec/portLevelMtls", OLDEST),
    (
        "PeerAuthentication",
        {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"http": {}}},
        "/spec/portLevelMtls/http",
        OLDEST,
    ),
    (
        "PeerAuthentication",
        {"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"65536": {}}},
        "/spec/portLevelMtls/65536",
        (1, 23, 0),
    ),
    ("RequestAuthentication", jwt(issuer=""), "/spec/jwtRules/0", OLDEST),
    ("RequestAuthentication", jwt(jwksUri="ftp:/bad"), "/spec/jwtRules/0/jwksUri", OLDEST),
    ("RequestAuthentication", jwt(jwksUri="https://a:b/c"), "/spec/jwtRules/0/jwksUri", OLDEST),
    ("RequestAuthentication", jwt(jwks="{"), "/spec/jwtRules/0/jwks", (1, 13, 0)),
    ("RequestAuthentication", jwt(audiences=[""]), "/spec/jwtRules/0/audiences/0", OLDEST),
    ("RequestAuthentication", jwt(fromHeaders=[{"name": ""}]), "/spec/jwtRules/0/fromHeaders/0", OLDEST),
    (
        "RequestAuthentication",
        jwt(outputClaimToHeaders=[{"header": "a b", "claim": "c"}]),
        "/spec/jwtRules/0/outputClaimToHeaders/0/header",
        (1, 23, 0),
    ),
    ("Telemetry", {"tracing": [{"providers": [{"name": ""}]}]}, "/spec/tracing/0/providers/0", OLDEST),
    (
        "Telemetry",
        {"tracing": [{"randomSamplingPercentage": 101}]},
        "/spec/tracing/0/randomSamplingPercentage",
        OLDEST,
    ),
    (
        "Telemetry",
        {"tracing": [{"customTags": {"a": {"literal": {"value": ""}}}}]},
        "/spec/tracing/0/customTags/a/literal",
        OLDEST,
    ),
    (
        "Telemetry",
        {"metrics": [{"overrides": [{"tagOverrides": {"a": {}}}]}]},
        "/spec/metrics/0/overrides/0/tagOverrides/a",
        OLDEST,
    ),
    ("Telemetry", {"accessLogging": [{"filter": {"expression": ""}}]}, "/spec/accessLogging/0/filter", (1, 13, 0)),
    ("WasmPlugin", wasm(url=""), "/spec", OLDEST),
    ("WasmPlugin", wasm(url="example.com:5000/a"), "/spec/url", OLDEST),
    ("WasmPlugin", wasm(sha256="a"), "/spec/sha256", OLDEST),
    ("WasmPlugin", wasm(vmConfig={"env": [{"name": "a"}, {"name": "a"}]}), "/spec/vmConfig/env/1/name", (1, 14, 0)),
    ("WasmPlugin", wasm(match=[{"ports": [{"number": 70000}]}]), "/spec/match/0/ports/0/number", (1, 16, 0)),
    ("TrafficExtension", {}, "/spec", OLDEST),
    ("TrafficExtension", {"lua": {"inlineCode": ""}}, "/spec/lua", OLDEST),
]
IDS = [f"{kind} {where} {index}" for index, (kind, _, where, _) in enumerate(REFUSED)]


@pytest.mark.parametrize(("kind", "spec", "where", "since"), REFUSED, ids=IDS)
def test_it_is_refused_where_it_stands_from_its_version_on(
    kind: str, spec: Any, where: str, since: tuple[int, int, int]
) -> None:
    obj = resource(kind, spec)

    assert refused(obj) == [where]
    assert where in refused(obj, since)
    if since != OLDEST:
        before = (since[0], since[1] - 1, 99)
        assert where not in refused(obj, before)


def test_every_problem_says_the_next_move() -> None:
    found = [one for kind, spec, _, _ in REFUSED for one in istio_problems(resource(kind, spec), NEWEST)]

    assert all(one.text and one.hint and not one.warns for one in found)
    assert not [one for one in found if one.text.endswith(".") or one.hint.endswith(".")]


# The API versions that every Istio serves which has the kind.
OLD_APIS = {
    "networking.istio.io/v1": "networking.istio.io/v1alpha3",
    "security.istio.io/v1": "security.istio.io/v1beta1",
    "telemetry.istio.io/v1": "telemetry.istio.io/v1alpha1",
}
# What older versions do refuse of what the newest accepts: where, and the first version that does not.
GONE = {
    ("cart", "/spec/http/3/fault/abort/grpcStatus"): (1, 15, 0),
    ("cart", "/spec/tcp/0/route"): (1, 15, 0),
    ("static", "/spec/endpoints/1"): (1, 19, 0),
    ("cart", "/spec/rules/0/when/5/key"): (1, 25, 0),
    ("cart", "/spec/rules/0/when/6/key"): (1, 30, 0),
}


@pytest.mark.parametrize("minor", minors())
def test_what_is_valid_is_refused_by_no_version(minor: str) -> None:
    istio = Version.parse(f"{minor}.0")
    found: list[tuple[str, str]] = []
    for obj in documents(VALID):
        old = obj | {"apiVersion": OLD_APIS.get(obj["apiVersion"], obj["apiVersion"])}
        by_fields = list(kind_problems(old, "1.30", istio))
        found += [(obj["metadata"]["name"], one.pointer) for one in refused_problems(old, istio, by_fields)]

    assert [one for one in found if istio.numbers >= GONE.get(one, OLDEST)] == []


def found_of(obj: Object, istio: str = "1.30.3") -> list[tuple[str, str, str]]:
    """(rule, place, severity) of all that is wrong with an object, by its fields and by the webhook."""
    version = Version.parse(istio)
    by_fields = list(kind_problems(obj, "1.34", version))
    both = (*by_fields, *refused_problems(obj, version, by_fields))
    return [(one.rule, one.pointer, one.severity) for one in both]


def test_what_the_fields_say_is_not_said_again() -> None:
    misspelled = tls(mode="SIMPLE", credentialname="cart")
    missing = resource("WasmPlugin", wasm(vmConfig={"env": [{"value": "a"}]}))
    unserved = resource("WasmPlugin", {"url": ""}) | {"apiVersion": "extensions.istio.io/v1"}

    assert found_of(resource("Gateway", misspelled)) == [("MG420", f"{SERVER}/tls/credentialname", "error")]
    assert found_of(missing) == [("MG422", "/spec/vmConfig/env/0", "error")]
    assert [rule for rule, _, _ in found_of(unserved)] == ["MG423"]


def test_a_newer_istio_than_all_that_is_known_may_let_it_pass() -> None:
    assert found_of(resource("Sidecar", {}), "1.99.0") == [("MG424", "/spec", "warning")]


def test_a_value_of_a_wrong_type_is_left_to_its_type() -> None:
    found = [rule for obj in scrambled() for rule, _, _ in found_of(obj)]

    assert found
    assert set(found) <= {"MG420", "MG421", "MG422", "MG424"}


def scrambled() -> list[Object]:
    """Valid resources with each field of their spec in turn made a value of every type."""
    values = (None, True, 7, -1.5, "a", [], {}, [None], [7], [{}], {"a": None}, {"a": 7}, {"": "a"})
    return [
        obj | {"spec": {**obj["spec"], key: value}}
        for obj in documents(VALID)
        for key in obj["spec"]
        for value in values
    ]
