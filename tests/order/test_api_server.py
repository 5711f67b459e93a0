"""The verdicts against a real API server: what the check says is refused is refused, and what it lets pass is taken.

Stages are applied as Flux does it (`ApplyAllStaged` of fluxcd/pkg/ssa): definitions, then classes, then all else once
without keeping it and once for good. Nothing runs here, which is what a webhook before its pods meets too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import tests.apiserver
from meshgen.build.manifests import Places
from meshgen.build.stage import ISTIO, RESOURCES, Memory, Stage
from meshgen.order.scene import scene_of
from meshgen.order.selectors import is_asked, plural
from meshgen.order.webhooks import as_asked
from tests.apiserver import PATIENCE, APIServer, KubectlFailed, api_server, wait_for_crds
from tests.objects import Object
from tests.order.checked import own_stages
from tests.order.test_cases import CASES
from tests.tools import istio_charts

pytestmark = pytest.mark.realtools


@contextmanager
def strict_server() -> Iterator[APIServer]:
    """An API server that, unlike the one of other tests, looks for the ServiceAccounts of pods."""
    ours = tests.apiserver._kube_apiserver
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            tests.apiserver,
            "_kube_apiserver",
            lambda *inputs: [flag for flag in ours(*inputs) if not flag.startswith("--disable-admission")],
        )
        with api_server() as server:
            yield server


def apply(server: APIServer, objects: list[Object], *flags: str) -> None:
    if objects:
        text = "\n---\n".join(json.dumps(one) for one in objects)
        server.kubectl("apply", "--server-side", *flags, "-f", "-", stdin=text)


def rank(obj: Object) -> int:
    if obj["kind"] in ("Namespace", "CustomResourceDefinition", "ClusterRole"):
        return 0
    return 1 if obj["kind"].endswith("Class") else 2


def apply_as_flux(server: APIServer, objects: list[Object]) -> None:
    for number in range(3):
        some = [one for one in objects if rank(one) == number]
        apply(server, some, "--dry-run=server")
        apply(server, some)
        for one in some:
            if one["kind"] == "CustomResourceDefinition":
                wait_for_crds(server.kubectl, f"crd/{one['metadata']['name']}")


def refused(story: str, side: str, server: APIServer) -> str:
    """What the API server refuses first of a case; nothing where it takes all."""
    try:
        for stage, objects in own_stages(CASES / story / side / "meshgen.yaml"):
            if stage == ISTIO:
                apply_crds(server)
            apply_as_flux(server, objects)
    except KubectlFailed as error:
        return str(error)
    return ""


def apply_crds(server: APIServer) -> None:
    """What Istio's stage brings that others need."""
    (path,) = (istio_charts() / "base").rglob("crd-all.gen.yaml")
    server.kubectl("apply", "--server-side", "-f", str(path))
    wait_for_crds(server.kubectl, "crd/peerauthentications.security.istio.io")


REFUSED = [
    ("istios-kind-before-istio", 'no matches for kind "PeerAuthentication"'),
    ("pod-with-its-serviceaccount", "error looking up service account shop/probe"),
    ("conversion-by-what-is-not-running", "conversion webhook for shop.example.com"),
    ("namespace-that-nobody-makes", 'namespaces "shop" not found'),
    ("namespace-of-a-later-addon", 'namespaces "monitoring" not found'),
]


@pytest.mark.parametrize(("story", "message"), REFUSED)
def test_what_is_refused_and_how_it_is_set_right(story: str, message: str) -> None:
    with strict_server() as server:
        assert message in refused(story, "bad", server)
        assert refused(story, "good", server) == ""


def test_an_api_that_does_not_run_serves_no_kind() -> None:
    with strict_server() as server:
        assert 'no matches for kind "Order"' in refused("resource-of-an-api-that-is-not-running", "bad", server)


def test_kubectl_takes_a_crd_and_its_resource_at_the_second_time() -> None:
    stages = own_stages(CASES / "crd-and-its-resource-at-once-by-hand" / "bad" / "meshgen.yaml")
    objects = [obj for _, some in stages for obj in some]

    with strict_server() as server:
        with pytest.raises(KubectlFailed, match='no matches for kind "Order"'):
            apply(server, objects)
        apply(server, objects)


def pod(name: str, space: str, **labels: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space, "labels": labels},
        "spec": {"containers": [{"name": name, "image": "example.com/a:1"}]},
    }


def rule(group: str, resource: str, **more: object) -> Object:
    return {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resource], **more}


def expression(key: str, operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


WEBHOOKS: dict[str, Object] = {
    "pods": {"rules": [rule("", "pods")]},
    "updates": {"rules": [rule("", "pods", operations=["UPDATE"])]},
    "other-group": {"rules": [rule("apps", "pods")]},
    "everything": {"rules": [rule("*", "*")]},
    "subresources": {"rules": [rule("*", "*/*")]},
    "only-subresources": {"rules": [rule("", "pods/status")]},
    "cluster-wide": {"rules": [rule("*", "*", scope="Cluster")]},
    "namespaced": {"rules": [rule("*", "*", scope="Namespaced")]},
    "plurals": {"rules": [rule("networking.k8s.io", "networkpolicies"), rule("", "endpoints")]},
    "exempt": {"rules": [rule("", "pods")], "namespaceSelector": expression("guard", "DoesNotExist")},
    "by-label": {"rules": [rule("*", "*")], "namespaceSelector": {"matchLabels": {"guard": "exempt"}}},
    "not-in": {
        "rules": [rule("*", "*")],
        "namespaceSelector": expression("kubernetes.io/metadata.name", "NotIn", "guard", "kube-system"),
    },
    "in": {"rules": [rule("", "*")], "namespaceSelector": expression("kubernetes.io/metadata.name", "In", "shop")},
    "exists": {"rules": [rule("", "*")], "namespaceSelector": expression("guard", "Exists")},
    "objects": {"rules": [rule("*", "*")], "objectSelector": {"matchLabels": {"app": "cart"}}},
    "other-objects": {"rules": [rule("*", "*")], "objectSelector": expression("app", "NotIn", "cart")},
}
SPACES: list[Object] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guard", "labels": {"guard": "exempt"}}},
]
OBJECTS: list[Object] = [
    pod("cart", "shop", app="cart"),
    pod("cart", "guard", app="cart"),
    pod("stock", "shop"),
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "guard"}},
    {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a", "namespace": "shop"}},
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"podSelector": {}},
    },
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "labels": {"guard": "exempt"}}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}, "rules": []},
    {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "a"}, "provisioner": "a.b"},
]


def configuration(name: str, webhook: Object) -> Object:
    """A webhook that never answers, and one beside it that is asked about one ConfigMap only."""
    common = {
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"name": "guard", "namespace": "guard"}},
    }
    sentinel = {"rules": [rule("", "configmaps")], "objectSelector": {"matchLabels": {"sentinel": name}}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "guard"},
        "webhooks": [
            {**common, **sentinel, "name": f"{name}.sentinel.io"},
            {**common, **webhook, "name": f"{name}.guard.io"},
        ],
    }


def dry_run(server: APIServer, obj: Object) -> str:
    try:
        server.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(obj))
    except KubectlFailed as error:
        return str(error)
    return ""


def wait_for(server: APIServer, name: str) -> None:
    """The API server hears of a webhook in its own time."""
    metadata = {"name": "sentinel", "labels": {"sentinel": name}}
    sentinel = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    end = time.monotonic() + PATIENCE
    while f'webhook "{name}.' not in dry_run(server, sentinel):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_webhooks_are_asked_about_what_the_check_says() -> None:
    scene = scene_of("shop", (Stage(RESOURCES, tuple(SPACES)),), {"istio": {}}, "1.33", Places(), Memory())
    wrong = []
    with api_server() as server:
        apply(server, SPACES)
        for name, webhook in WEBHOOKS.items():
            apply(server, [configuration(name, webhook)])
            wait_for(server, name)
            for obj in OBJECTS:
                answer = dry_run(server, obj)
                assert not answer or "failed calling webhook" in answer
                if bool(answer) != is_asked(webhook, as_asked(scene, obj)):
                    wrong.append((name, obj["kind"], obj["metadata"]["name"], answer))

    assert wrong == []


def test_plurals_are_those_of_the_api_server() -> None:
    with api_server() as server:
        apply_crds(server)
        listed = [line.split() for line in server.kubectl("api-resources", "--no-headers").splitlines()]

    assert len(listed) > 60
    assert [(words[-1], words[0]) for words in listed if plural(words[-1]) != words[0]] == []
