"""Configs that are wrong at random: whatever a user writes ends in a tree or in findings, never in a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshgen.config.schema import field
from meshgen.errors import InputError
from meshgen.render import render
from tests.objects import mesh, overlay, text_of

Path_ = tuple[str | int, ...]

MESH: dict[str, Any] = mesh(
    istio={
        "version": "1.11.3",
        "profile": "default",
        "namespace": "istio-system",
        "metadata": {"name": "installed", "labels": {"a": "b"}, "annotations": {"a": "b"}},
        "meshConfig": {"accessLogFile": "/dev/stdout"},
        "values": {"global": {"proxy": {"logLevel": "info"}}},
        "components": {
            "pilot": {"enabled": True, "k8s": {"replicaCount": 2}},
            "ingressGateways": {"public": {"enabled": True, "namespace": "gateways", "label": {"a": "b"}}},
            "egressGateways": [{"name": "egress", "enabled": True}],
        },
    },
    addons={
        "prometheus": {"storage": {"size": "5Gi", "storageClassName": "fast"}},
        "grafana": {"secret": "login", "image": "example.com/grafana:1"},
        "jaeger": {"version": "1.2"},
        "kiali": {"resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "1Gi"}}},
        "loki": {"source": "./own.yaml"},
    },
    expose={
        "kiali": {
            "type": "LoadBalancer",
            "internal": True,
            "sourceRanges": ["10.0.0.0/8"],
            "ports": ["http", 20001],
            "loadBalancerIP": "10.1.2.3",
            "loadBalancerClass": "example.com/lb",
            "externalTrafficPolicy": "Local",
            "annotations": {"a": "b"},
        },
        "grafana": {"type": "NodePort"},
        "own": {"public": "demo"},
    },
    delivery={
        "flux": {"url": "https://example.com/mesh.git", "branch": "main", "path": "./output", "interval": "1m"},
        "argocd": {"url": "ssh://git@example.com/mesh.git", "selfHeal": True},
    },
)
OVERLAY: dict[str, Any] = overlay(
    "dev",
    extends="shared",
    clusters={
        "one": {
            "cloud": "azure",
            "kubernetesVersion": "1.22",
            "server": "https://one.example.com:6443",
            "labels": {"a": "b"},
            "patch": {"addons": {"grafana": None}, "expose": {"grafana": None}},
        },
        "two": {"cloud": "aws"},
    },
    patch={"istio": {"meshConfig": {"accessLogFile": None}}},
)
SHARED: dict[str, Any] = overlay("shared", patch={"expose": {"tracing": {"type": "ClusterIP"}}})
OWN: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "own", "namespace": "x", "labels": {"a": "b"}, "annotations": {"a": "b"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.0.0.1",
            "selector": {"a": "b"},
            "ports": [{"name": "http", "port": 80, "targetPort": 80}, {"name": "http-metrics", "port": 90}],
        },
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "own"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "own", "image": "own", "ports": [{"containerPort": 80}]}]},
            },
        },
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "own"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "own", "namespace": "x"}],
    },
    {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}]},
]

LONG = ("x" * 100_000, "1" * 6000, "1.2." + "9" * 6000, "a." * 500 + "a", "../" * 2000)
SPECIAL = (
    "",
    "~",
    "a\nb",
    "http\n",
    "ünï☃",
    "../..",
    "/",
    "-",
    ".",
    "{{x}}",
    "$(x)",
    '"',
    "'",
    "%s",
    "\u2028",
    "=",
    "<<",
)
KNOWN = (
    "1.22",
    "1.30.0",
    "1.99.0",
    "1.11.3-a",
    "LoadBalancer",
    "gcp",
    "dev",
    "builtin",
    "::/0",
    "List",
    "None",
    "Service",
)
SCALARS = st.sampled_from([None, True, False, 0, -1, 70000, 1.5, 2**63, *LONG, *SPECIAL, *KNOWN])
KEYS = st.sampled_from(["x", "name", "kiali", "source", "<<", "", "metadata", "a/b", "a~b", "port", "size", "x" * 300])
VALUES = (
    SCALARS | st.sampled_from([{}, []]) | st.lists(SCALARS, max_size=2) | st.dictionaries(KEYS, SCALARS, max_size=2)
)
VALUES |= st.lists(st.dictionaries(KEYS, SCALARS, max_size=2), max_size=2) | st.dictionaries(KEYS, VALUES, max_size=2)


def places(value: Any, above: Path_ = ()) -> Iterator[Path_]:
    """The path of every value of a document."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*above, key)
        yield from places(item, (*above, key))


def keys_of_schema(dotted: str, name: str, depth: int = 0) -> Iterator[Path_]:
    """The path of every key that the schema has below another; `name` stands for any name."""
    node = field(dotted) or {}
    if depth < 7:
        children = list(node.get("properties", {}))
        children += [name] if isinstance(node.get("additionalProperties"), dict) else []
        for child in children:
            key = f"{dotted}.{child}" if dotted else child
            yield tuple(key.split("."))
            yield from keys_of_schema(key, name, depth + 1)


IN_MESH = st.sampled_from([*places(MESH), *keys_of_schema("", "kiali")])
IN_OVERLAY = st.sampled_from(
    [
        *places(OVERLAY),
        *keys_of_schema("clusters", "one"),
        *(("patch", *path) for path in keys_of_schema("", "kiali")),
    ]
)
IN_OWN = st.sampled_from([(index,) for index in range(len(OWN))] + [*places(OWN)])


def changed(document: Any, changes: list[tuple[Path_, Any]]) -> Any:
    """A copy of a document with values put at paths, and maps made on the way where there are none."""
    copy = deepcopy(document)
    for path, value in changes:
        at = copy
        for key, following in pairwise(path):
            below = at.get(key) if isinstance(at, dict) else at[key] if _fits(at, key) else None
            if not isinstance(below, dict | list) or (isinstance(below, list) and not _fits(below, following)):
                below = {}
                if not isinstance(at, dict) and not _fits(at, key):
                    break
                at[key] = below
            at = below
        else:
            if isinstance(at, dict) or _fits(at, path[-1]):
                at[path[-1]] = deepcopy(value)
    return copy


def _fits(items: list[Any], key: Any) -> bool:
    return isinstance(key, int) and key < len(items)


def write(folder: Path, mesh: Any, dev: Any, own: Any) -> Path:
    (folder / "overlays").mkdir(exist_ok=True)
    (folder / "overlays" / "dev.yaml").write_text(text_of(dev), encoding="utf-8")
    (folder / "overlays" / "shared.yaml").write_text(text_of(SHARED), encoding="utf-8")
    (folder / "own.yaml").write_text("\n---\n".join(text_of(one) for one in own), encoding="utf-8")
    (folder / "meshgen.yaml").write_text(text_of(mesh), encoding="utf-8")
    return folder / "meshgen.yaml"


def ends_well(config: Path) -> bool:
    """Whether a config renders; where not, it says why in findings that a person can use."""
    try:
        render(config)
    except InputError as error:
        findings = error.findings
    else:
        return True
    assert findings
    for finding in findings:
        assert "\n" not in finding.message, finding
        assert len(finding.message) < 1000, finding
        assert finding.file, finding
        assert finding.hint, finding
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def fuzz(examples: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


def test_what_the_fuzz_begins_with_is_right(folder: Path) -> None:
    assert ends_well(write(folder, MESH, OVERLAY, OWN))


@given(st.lists(st.tuples(IN_MESH, VALUES), max_size=3), st.lists(st.tuples(IN_OVERLAY, VALUES), max_size=2))
@fuzz(400)
def test_no_value_in_a_config_ends_in_a_traceback(
    folder: Path, in_mesh: list[tuple[Path_, Any]], in_overlay: list[tuple[Path_, Any]]
) -> None:
    ends_well(write(folder, changed(MESH, in_mesh), changed(OVERLAY, in_overlay), OWN))


@given(st.lists(st.tuples(IN_OWN, VALUES), min_size=1, max_size=2))
@fuzz(250)
def test_no_value_in_own_manifests_ends_in_a_traceback(folder: Path, changes: list[tuple[Path_, Any]]) -> None:
    ends_well(write(folder, MESH, OVERLAY, changed(OWN, changes)))


@given(st.data())
@fuzz(200)
def test_no_slip_of_the_finger_ends_in_a_traceback(folder: Path, data: st.DataObject) -> None:
    config = write(folder, MESH, OVERLAY, OWN)
    text = config.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 4)))
    typed = data.draw(st.sampled_from(["", "\t", "\n", " ", ":", "- ", "'", '"', "*", "&a ", "!!x ", "\x07", "#", "}"]))

    config.write_text(text[:start] + typed + text[end:], encoding="utf-8")

    ends_well(config)
