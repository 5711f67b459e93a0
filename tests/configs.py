"""Configs that are valid however odd: layers that set, change, replace and take away, drawn at random.

What a cluster ends up with is worked out here a second time, in the words of the config's contract, so that tests can
ask of meshgen's own layering whether it says the same.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from meshgen.catalog import Release, Version, minors, release
from tests.objects import Object, mesh, overlay


def _parted(text: str) -> list[str]:
    return text.split(" ")


# fmt: off
WORDS = (

    *_parted("yes no on off y n Y N ON Off TRUE nO true false null Null NULL ~ 0o17 00 -0 0_1 1e-7 6e5 12e03 .5 5."),
    *_parted("+.5 -.inf .NaN 1:30 20:30:15 0x 0b 0x1F 1__0 2021-01-01 2021-01-01T00:00:00Z 123e 100m 1Gi 0755 08 0o7"),
    *_parted("1,000 #c a: | > ! % @ ` {} [] {a a} a,b a]b ? = << * & --- ... - : ' \" \\ '\"\\ $patch"), "delete",
    "1.0", "1.11", "",
    " ", "true ", " lead", "a\nb", "a\n", "\n", "a\n\n", "\na", " a\nb", "a\n  b\n", "a\tb", "\t", "a\r\nb", "\r",
    "a: b", "- a", "a #b", "x\n---\ny", "{{ 7*7 }}", "{% raw %}", "${HOME}", "$(id)", "$(HOME)", "<a&b>", "a" * 300,
    "é", "한글", "\U0001f600", "a\u2028b", "a\u2029b", "\ufeffa", "a\u00a0b", "\u200b", "\U0010ffff", "a\u0301",
)
# fmt: on
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\n\t"),
    max_size=8,
)
TEXTS = st.sampled_from(WORDS) | _TEXT
_PLAIN_KEYS = st.sampled_from(["accessLogFile", "defaultConfig", "global", "proxy", "name", "env", "a", "b", "enabled"])
# Kustomize takes `<<` for a YAML merge, and meshgen refuses it.
_KEYS = _PLAIN_KEYS | TEXTS.filter(lambda key: key != "<<")
_NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.integers(-3, 70000) | st.floats(-1e9, 1e9).map(lambda x: round(x, 3))
_SCALARS = st.none() | st.booleans() | _NUMBERS | TEXTS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)
_TREES = st.dictionaries(_KEYS, _VALUES, max_size=4)
# The same few keys in every layer, so that layers meet.
_MEETING = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("global", "accessLogFile", "defaultConfig", "list", "1", "yes"), _VALUES | _TREES)
)
_ODD = st.none() | _MEETING | _TREES


def _readable(values: Any) -> Any:
    """Values whose `global` is a map, as every chart reads it."""
    if not isinstance(values, dict) or isinstance(values.get("global"), dict):
        return values
    return {key: value for key, value in values.items() if key != "global"}


_UNVALIDATED = _ODD.map(_readable)

VERSIONS = [version for minor in minors() for version in (f"{minor}.0", release(minor).latest_patch)] + ["1.11.3"]
_COMMON = [("1.11.3", 6), ("1.11.8", 2), ("1.23.6", 2), ("1.24.6", 2), ("1.30.3", 2)]
_VERSION = st.sampled_from([version for version, weight in _COMMON for _ in range(weight)] + VERSIONS)
_PROFILES = ("default", "demo", "minimal", "empty", "openshift", "preview")


def _some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    return st.fixed_dictionaries({}, optional=keys)


_TEXT_OR_NULL = st.none() | TEXTS
_ODD_TEXTS = st.dictionaries(_PLAIN_KEYS, _TEXT_OR_NULL, max_size=3)
# The same few keys here too, in between any.
_TEXT_MAP = st.dictionaries(st.sampled_from(["a", "1", "yes"]) | _KEYS, _TEXT_OR_NULL, max_size=8)
_TEXT_LIST = st.lists(TEXTS, max_size=3)
_BOOL = st.none() | st.booleans()
_WEIGHT = st.none() | st.integers(1, 100)

# Fields of every type that all versions of Istio have, as layers may change the version. Most often the ones that
# take anything, in which layers meet.
_METADATA = st.none() | _TEXT_MAP
_MESH_CONFIG = _METADATA.map(lambda texts: {"defaultConfig": {"proxyMetadata": texts}}) | _some(
    accessLogFile=_TEXT_OR_NULL,
    accessLogFormat=_TEXT_OR_NULL,
    enableTracing=_BOOL,
    proxyHttpPort=st.none() | st.integers(-(2**31), 2**31 - 1),
    outboundTrafficPolicy=st.none() | _some(mode=st.sampled_from(["REGISTRY_ONLY", "ALLOW_ANY", None])),
    defaultServiceExportTo=st.none() | _TEXT_LIST,
    discoverySelectors=st.none() | st.lists(_some(matchLabels=_TEXT_MAP), max_size=2),
    extensionProviders=st.none()
    | st.lists(_some(name=TEXTS, envoyFileAccessLog=_some(path=_TEXT_OR_NULL)), max_size=2),
    defaultConfig=st.none()
    | _some(
        proxyMetadata=_METADATA,
        concurrency=st.none() | st.integers(-1, 8),
        holdApplicationUntilProxyStarts=_BOOL,
        extraStatTags=st.none() | _TEXT_LIST,
        tracing=st.none() | _some(sampling=st.floats(0, 100).map(lambda x: round(x, 3)), maxPathTagLength=_WEIGHT),
    ),
)
_GLOBAL_VALUES = _some(
    meshID=_TEXT_OR_NULL,
    logAsJson=_BOOL,
    imagePullSecrets=st.none() | _TEXT_LIST,
    meshNetworks=_ODD,
    proxy=st.none() | _some(logLevel=_TEXT_OR_NULL, privileged=_BOOL, readinessPeriodSeconds=_WEIGHT),
)
_VALUES_TREE = _ODD.map(lambda odd: {"pilot": {"env": odd}}) | _some(
    **{"global": _GLOBAL_VALUES},
    pilot=st.none()
    | _some(env=_ODD, deploymentLabels=_ODD, traceSampling=_WEIGHT | st.just(0.5), autoscaleMin=_WEIGHT),
    sidecarInjectorWebhook=st.none() | _some(injectedAnnotations=_ODD, templates=_ODD, rewriteAppHTTPProbe=_BOOL),
    meshConfig=st.none() | _MESH_CONFIG,
    revisionTags=st.none() | _TEXT_LIST,
)

_OPERATORS = st.sampled_from(["In", "NotIn", "Exists"])
_NODES = _some(matchExpressions=st.lists(_some(key=TEXTS, operator=_OPERATORS, values=_TEXT_LIST), max_size=2))
_PODS = _some(topologyKey=TEXTS, namespaces=_TEXT_LIST, labelSelector=st.none() | _some(matchLabels=_TEXT_MAP))
_REQUIRED, _PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
_AFFINITY = _some(
    nodeAffinity=st.none()
    | _some(
        **{
            _REQUIRED: st.none() | _some(nodeSelectorTerms=st.lists(_NODES, max_size=2)),
            _PREFERRED: st.lists(_some(weight=_WEIGHT, preference=_NODES), max_size=2),
        }
    ),
    podAntiAffinity=st.none()
    | _some(
        **{
            _REQUIRED: st.lists(_PODS, max_size=2),
            _PREFERRED: st.lists(_some(weight=_WEIGHT, podAffinityTerm=_PODS), max_size=2),
        }
    ),
)
_TOLERATION = _some(
    key=_TEXT_OR_NULL,
    operator=st.sampled_from(["Exists", "Equal", None]),
    value=_TEXT_OR_NULL,
    effect=_TEXT_OR_NULL,
    tolerationSeconds=st.none() | st.integers(-(2**63), 2**63 - 1),
)
_SECURITY_CONTEXT = _some(
    runAsNonRoot=_BOOL,
    fsGroup=st.none() | st.integers(-(2**63), 2**63 - 1),
    supplementalGroups=st.none() | st.lists(st.integers(0, 70000), max_size=3),
    sysctls=st.none() | st.lists(_some(name=TEXTS, value=_TEXT_OR_NULL), max_size=2),
    seLinuxOptions=st.none() | _some(user=_TEXT_OR_NULL, level=_TEXT_OR_NULL),
)
# What charts take of a gateway by their values alone, which Argo CD and Flux both can bring.
_GATEWAY_K8S = st.none() | _some(
    podAnnotations=_TEXT_MAP,
    nodeSelector=st.none() | _ODD_TEXTS,
    affinity=st.none() | _AFFINITY,
    tolerations=st.lists(_TOLERATION, max_size=2),
    replicaCount=st.integers(0, 3),
    env=st.lists(st.fixed_dictionaries({"name": _PLAIN_KEYS, "value": TEXTS}), max_size=2),
    service=_some(type=st.sampled_from(["NodePort", "ClusterIP", None]), loadBalancerIP=TEXTS),
    serviceAnnotations=_ODD_TEXTS,
    resources=st.none() | st.just({"requests": {"cpu": "0.5", "memory": "1Gi"}}),
)
_HPA = st.just({"minReplicas": 2, "maxReplicas": 3})
_K8S = _GATEWAY_K8S | _some(hpaSpec=_HPA, securityContext=st.none() | _SECURITY_CONTEXT)
_BASE = st.none() | _some(enabled=_BOOL, k8s=_K8S)
_COMPONENT = st.none() | _some(
    enabled=_BOOL, k8s=_K8S, namespace=st.sampled_from(["istio-system", "edge"]), hub=st.just("h/x")
)
_GATEWAY = _some(
    enabled=_BOOL,
    k8s=_GATEWAY_K8S,
    namespace=st.sampled_from(["edge", "istio-system", None]),
    label=st.none() | st.dictionaries(st.sampled_from(["app", "istio"]), TEXTS | st.none()),
)


def _gateways(*names: str) -> st.SearchStrategy[Any]:
    """Gateways as a map by name, or as a list."""
    return (
        st.none()
        | _some(**dict.fromkeys(names, st.none() | _GATEWAY))
        | _some(**dict.fromkeys(names, _GATEWAY)).map(
            lambda named: [{"name": name, **gateway} for name, gateway in named.items()]
        )
    )


# On an annotation that begins with a tab and has several lines it fails.
_MARK = st.none() | TEXTS.filter(lambda text: not (text.startswith("\t") and "\n" in text))
_MARKS = st.none() | st.dictionaries(st.sampled_from(["a", "example.com/b", "c.d/E"]), _MARK, max_size=3)
_BY_KIND = {
    "ingressGateways": _gateways("istio-ingressgateway", "internal", "second"),
    "egressGateways": _gateways("istio-egressgateway", "outside", "third"),
}
_ISTIO = {
    "profile": st.none() | st.sampled_from(_PROFILES),
    "hub": st.none() | st.sampled_from(["gcr.io/istio-release", "example.com:5000/h"]),
    "tag": st.none() | st.sampled_from(["1.11.3-distroless", "latest"]),
    "namespace": st.none() | st.sampled_from(["istio-system", "istio-system", "mesh-system"]),
    "revision": st.none() | st.sampled_from(["canary", "1-11"]),
    "metadata": st.none() | _some(name=st.sampled_from(["installed", None]), labels=_MARKS, annotations=_MARKS),
    "meshConfig": st.none() | _MESH_CONFIG,
    "values": st.none() | _VALUES_TREE,
    "unvalidatedValues": _UNVALIDATED,
    "components": st.none() | _some(pilot=_COMPONENT, base=_BASE, cni=_COMPONENT, **_BY_KIND),
}
_QUANTITIES = _some(
    requests=st.none() | st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "100m", "1Gi", 2])),
    limits=st.none() | st.just({"memory": "2Gi"}),
)
OWN = "own.yaml"
_ADDON = st.just({}) | _some(
    version=st.sampled_from(["1.2.3", "v9.9.9", None]),
    image=st.sampled_from(["example.com:5000/mirror/x:v1", "example.com/y@sha256:" + "a" * 64, None]),
    resources=st.none() | _QUANTITIES,
    storage=st.none()
    | st.fixed_dictionaries({"size": st.sampled_from(["5Gi", "1.5Ti"])}, optional={"storageClassName": st.just("0x1")}),
    secret=st.sampled_from(["creds", "1e3", None]),
)
_ADDONS = st.none() | st.fixed_dictionaries(
    {},
    optional={name: st.none() | _ADDON for name in ("prometheus", "grafana", "jaeger", "kiali", "zipkin")}
    | {"loki": st.none() | _ADDON | st.just({"source": OWN})},
)
# The user's own manifests, which an addon's `source` names.
OWN_OBJECTS: tuple[Object, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"example.com/on": "yes"}, "labels": {}},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": "web"},
            "ports": [
                {"name": "udp", "port": 53, "protocol": "UDP"},
                {"name": "tcp", "port": 53},
                {"name": "web", "port": 8080},
            ],
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "bare"},
        "spec": {"ports": [{"port": 1, "name": "p"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "odd"},
        "data": {f"word-{number}": word for number, word in enumerate(WORDS)},
    },
    {
        "apiVersion": "example.com/v1",
        "kind": "Odd",
        "metadata": {"name": "a.b", "namespace": "x"},
        "spec": {"": None, **{word: word for word in WORDS if word not in ("", "<<")}},
    },
)
# What `resources` names, by file: the same objects twice, and different in the second.
MORE: dict[str, tuple[Object, ...]] = {
    name: (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "more", "labels": {"a": words[0]}}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "more"},
            "data": dict(zip("abcdefgh", words, strict=False)),
        },
        {
            "apiVersion": "example.com/v1",
            "kind": "Route",
            "metadata": {"name": "more", "namespace": "more"},
            "spec": {"hosts": list(words), "http": [{"name": word, "route": []} for word in words]},
        },
        *({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one}} for one in alone),
    )
    for name, words, alone in (
        ("more.yaml", ("yes", "0755", "a: b"), ()),
        ("more/deep/other.yaml", ("no", "0755", "- a", "~", ""), ("alone",)),
    )
}
SERVICES: dict[str, tuple[tuple[str, ...], tuple[str | int, ...]]] = {
    "kiali": (("kiali",), ("http", "http-metrics")),
    "grafana": (("grafana",), (3000,)),
    "prometheus": (("prometheus",), ("http",)),
    "tracing": (("jaeger", "zipkin"), (80,)),
    "zipkin": (("jaeger", "zipkin"), (9411,)),
    "jaeger-collector": (("jaeger",), (9411, 14250)),
    "web.shop": ((OWN,), ("udp", 8080)),
    "bare": ((OWN,), ("p",)),
}
_BALANCER = ("internal", "sourceRanges", "loadBalancerIP", "loadBalancerClass")


def _exposure(ports: tuple[str | int, ...]) -> st.SearchStrategy[Any]:
    return st.none() | _some(
        type=st.sampled_from(["LoadBalancer", "LoadBalancer", "NodePort", "ClusterIP", None]),
        internal=st.booleans() | st.none(),
        sourceRanges=st.none()
        | st.lists(st.sampled_from(["10.0.0.0/8", "fd00::/8", "0.0.0.0/0"]), min_size=1, max_size=2),
        annotations=_MARKS,
        public=st.sampled_from(["a reason", "yes", None]),
        ports=st.none() | st.lists(st.sampled_from(ports), min_size=1, max_size=2, unique=True),
        externalTrafficPolicy=st.sampled_from(["Local", "Cluster", None]),
        loadBalancerIP=st.sampled_from(["10.1.2.3", None]),
        loadBalancerClass=st.sampled_from(["example.com/lb", None]),
    )


_EXPOSE = st.none() | st.fixed_dictionaries(
    {}, optional={name: _exposure(ports) for name, (_, ports) in SERVICES.items()}
)
_ENGINE = {
    "branch": st.sampled_from(["main", "v1.10", "2024"]),
    "path": st.sampled_from(["./output", ".", "a/b", None]),
}
IMAGE_POLICIES = st.none() | st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("grafana/grafana", "docker.io/grafana/grafana", "prom/prometheus", "quay.io/kiali/kiali"),
        st.sampled_from(["flux-system:stable", "flux-system:canary", None]),
    ),
)
_DELIVERY = st.none() | _some(
    flux=st.none()
    | _some(
        url=st.just("https://git@example.com/mesh.git"),
        interval=st.just("1h30m"),
        prune=st.booleans(),
        suspend=st.booleans(),
        secretRef=st.just("1e3"),
        namespace=st.just("gitops"),
        imagePolicies=IMAGE_POLICIES,
        **_ENGINE,
    ),
    argocd=st.none()
    | _some(
        url=st.just("git@example.com:mesh.git"),
        selfHeal=st.booleans(),
        prune=st.booleans(),
        retry=st.none() | _some(limit=st.integers(0, 9), refresh=st.booleans()),
        namespace=st.just("gitops"),
        **_ENGINE,
    ),
)


_RESOURCES = st.none() | _some(
    more=st.none()
    | st.fixed_dictionaries(
        {"path": st.sampled_from(["more.yaml", "./more"])},
        optional={"stage": st.sampled_from(["namespaces", "resources", None])},
    )
)


def _patch(version: st.SearchStrategy[str], *, whole: bool) -> st.SearchStrategy[Object]:
    istio = st.fixed_dictionaries(
        {"version": version} if whole else {}, optional=_ISTIO if whole else _ISTIO | {"version": version}
    )
    parts = {
        "istio": istio,
        "addons": _ADDONS,
        "expose": _EXPOSE,
        "delivery": _DELIVERY,
        "resources": _RESOURCES,
    }
    if whole:
        return st.fixed_dictionaries({"istio": istio}, optional={k: v for k, v in parts.items() if k != "istio"})
    return st.fixed_dictionaries({}, optional=parts)


@dataclass
class Config:
    """A config, and what each of its clusters ends up with."""

    mesh: Object
    overlays: list[Object]
    wanted: dict[str, Object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return json.dumps({"mesh": self.mesh, "overlays": self.overlays})


@st.composite
def configs(draw: st.DrawFn) -> Config:
    ground = deepcopy(draw(_patch(_VERSION, whole=True)))
    config = Config(mesh(**ground), [])
    if draw(st.integers(0, 9)) == 0:
        _mend(config.mesh, layered({}, ground), "generic")
        config.wanted["msa"] = layered({}, _settings(config.mesh))
        return config
    lower: dict[str, Object] = {}
    for name in ("dev", "stage", "prod")[: draw(st.integers(1, 3))]:
        below = draw(st.none() | st.sampled_from(sorted(lower))) if lower else None
        one = overlay(name, patch=deepcopy(draw(_patch(_VERSION, whole=False))), clusters={})
        if below:
            one["extends"] = below
        start = lower[below] if below else layered({}, ground)
        if draw(st.booleans()):
            _mend(one["patch"], layered(start, one["patch"]), "generic")
        lower[name] = layered(start, one["patch"])
        # An overlay of no clusters is there to be extended.
        for number in range(draw(st.integers(0 if config.wanted else 1, 2))):
            _cluster(draw, config, one, f"{name}-{number}", lower[name])
        config.overlays.append(one)
    return config


def _cluster(draw: st.DrawFn, config: Config, one: Object, name: str, lower: Object) -> None:
    cloud = draw(st.sampled_from(["azure", "aws", "gcp", "generic", None]))
    patch = deepcopy(draw(st.just({}) | _patch(_VERSION, whole=False)))
    _mend(patch, layered(lower, patch), cloud or "generic")
    entry: Object = {"cloud": cloud, "patch": patch} if cloud or patch else None
    settings = layered(lower, patch)
    if entry and draw(st.booleans()):
        entry["kubernetesVersion"] = _release(settings).kubernetes[1]
        entry["server"] = "https://" + name + ".example.com"
    one["clusters"][name] = entry
    config.wanted[name] = settings


def _settings(mesh: Object) -> Object:
    return {key: value for key, value in mesh.items() if key not in ("apiVersion", "kind", "metadata")}


_KEEPS_NULL = ("meshConfig", "values", "unvalidatedValues", "components")


def layered(lower: Any, upper: Object, path: tuple[str, ...] = ()) -> Object:
    """Maps merge by key, all else is replaced, null takes away; where there is nothing to take, some keep it."""
    gateways = path[:2] == ("istio", "components") and path[2:] in (("ingressGateways",), ("egressGateways",))
    if gateways and isinstance(lower, list):
        lower = {gateway["name"]: gateway for gateway in lower}
    result = dict(lower) if isinstance(lower, dict) else {}
    for key, value in upper.items():
        if isinstance(value, dict):
            result[key] = layered(result.get(key), value, (*path, key))
        elif value is not None:
            result[key] = value
        elif key in result:
            del result[key]
        elif path[:1] == ("istio",) and path[1:2] and path[1] in _KEEPS_NULL and not gateways:
            result[key] = None
    return result


def _release(settings: Object) -> Release:
    return release(Version.parse(settings["istio"]["version"]).minor)


def _mend(patch: Object, settings: Object, cloud: str) -> None:
    """Take away, by nulls, what does not go together in the settings that a patch leads to."""
    if settings["istio"].get("profile", "default") not in _release(settings).profiles:
        _take(patch, "istio", "profile")
    if settings.get("delivery", {}).get("argocd"):
        _mend_patched(patch, settings)
    there = _mend_addons(patch, settings)
    for name, exposure in settings.get("expose", {}).items():
        if not there & {*SERVICES[name][0]}:
            _take(patch, "expose", name)
            continue
        for key in _unsaid(exposure, cloud):
            _take(patch, "expose", name, key)
    for engine, wiring in settings.get("delivery", {}).items():
        if "url" not in wiring:
            _take(patch, "delivery", engine)


def _mend_patched(patch: Object, settings: Object) -> None:
    """Take away what charts get by patches, which Argo CD has none of."""
    if not _release(settings).operator:
        for name, component in settings["istio"].get("components", {}).items():
            if not name.endswith("Gateways") and (component or {}).get("k8s"):
                _take(patch, "istio", "components", name, "k8s")


def _mend_addons(patch: Object, settings: Object) -> set[str]:
    """Give what brings Services."""
    there = set()
    addons = settings.get("addons", {})
    for name, addon in addons.items():
        own = addon.get("source") == OWN
        if (name not in _release(settings).addons and not own) or (name == "zipkin" and "jaeger" in addons):
            _take(patch, "addons", name)
            continue
        there.add(OWN if own else name)
        for key in addon:
            if (own and key != "source") or (key == "secret" and name not in ("grafana", "kiali")):
                _take(patch, "addons", name, key)
    return there


def _unsaid(exposure: Object, cloud: str) -> list[str]:
    sort = exposure.get("type", "LoadBalancer")
    keys = []
    if sort != "LoadBalancer":
        keys += [key for key in _BALANCER if key in exposure]
    if sort == "ClusterIP":
        keys.append("externalTrafficPolicy")
    if cloud == "generic" and exposure.get("internal"):
        keys.append("internal")
    return keys


def _take(patch: Object, *path: str) -> None:
    node = patch
    for key in path[:-1]:
        if not isinstance(node.get(key), dict):
            # A null here takes all of it away already.
            if key in node:
                return
            node[key] = {}
        node = node[key]
    node[path[-1]] = None
