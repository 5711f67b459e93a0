"""Secrets that objects refer to, and what makes them."""

from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.manifests import Manifest, Places
from meshgen.build.stage import Stage
from meshgen.check.neededsecrets import needed_remarks, needed_secrets
from meshgen.config.document import Document
from tests.encryption.objects import Object, ciphertext, plain, secret

ESO = "external-secrets.io/v1"


def made(api: str, kind: str, spec: Any, namespace: str = "shop", name: str = "a", **metadata: Any) -> Object:
    head = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": api, "kind": kind, "metadata": head, "spec": spec}


def deployment(**pod: Any) -> Object:
    return made("apps/v1", "Deployment", {"template": {"spec": pod}})


def env(**ref: Any) -> Object:
    return deployment(containers=[{"name": "a", "env": [{"name": "A", "valueFrom": {"secretKeyRef": ref}}]}])


def gateway(credential: str) -> Object:
    servers = [{"tls": {"mode": "SIMPLE", "credentialName": credential}}]
    return made("networking.istio.io/v1", "Gateway", {"servers": servers})


NEEDS_TLS = env(name="tls", key="a")


def needed(*objects: Object) -> list[tuple[str | None, str]]:
    return [(one.namespace, one.name) for one in needed_secrets(objects)]


@pytest.mark.parametrize(
    ("obj", "wanted"),
    [
        (NEEDS_TLS, ("shop", "tls")),
        (deployment(volumes=[{"secret": {"secretName": "tls"}}]), ("shop", "tls")),
        (deployment(volumes=[{"projected": {"sources": [{"secret": {"name": "tls"}}]}}]), ("shop", "tls")),
        (deployment(initContainers=[{"envFrom": [{"secretRef": {"name": "tls"}}]}]), ("shop", "tls")),
        (deployment(imagePullSecrets=[{"name": "tls"}]), ("shop", "tls")),
        (
            made(
                "batch/v1",
                "CronJob",
                {"jobTemplate": {"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "tls"}]}}}}},
            ),
            ("shop", "tls"),
        ),
        ({**made("v1", "ServiceAccount", None), "imagePullSecrets": [{"name": "tls"}]}, ("shop", "tls")),
        (made("networking.k8s.io/v1", "Ingress", {"tls": [{"secretName": "tls"}]}), ("shop", "tls")),
        (gateway("tls"), (None, "tls")),
        (
            made(
                "gateway.networking.k8s.io/v1",
                "Gateway",
                {"listeners": [{"tls": {"certificateRefs": [{"name": "tls"}]}}]},
            ),
            ("shop", "tls"),
        ),
        (
            made(
                "gateway.networking.k8s.io/v1",
                "Gateway",
                {"listeners": [{"tls": {"certificateRefs": [{"name": "tls", "namespace": "certs"}]}}]},
            ),
            ("certs", "tls"),
        ),
    ],
)
def test_a_reference_is_a_need(obj: Object, wanted: tuple[str | None, str]):
    (one,) = needed_secrets([obj])

    assert (one.namespace, one.name) == wanted
    value: Any = obj
    for step in one.path:
        value = value[step]
    assert value == "tls"


@pytest.mark.parametrize(
    "obj",
    [
        env(name="tls", key="a", optional=True),
        deployment(volumes=[{"secret": {"secretName": "tls", "optional": True}}, {"configMap": {"name": "tls"}}]),
        deployment(containers=None, volumes="odd"),
        made("networking.istio.io/v1", "Gateway", {"servers": [{"port": {"number": 80}}, None]}),
        gateway("sds://tls"),
        made("v1", "Pod", None),
    ],
)
def test_what_is_optional_or_no_reference_is_no_need(obj: Object):
    assert needed(obj) == []


@pytest.mark.parametrize(
    "maker",
    [
        plain({"a": "b"}, name="tls") | {"metadata": {"name": "tls", "namespace": "shop"}},
        secret({"a": ciphertext()}, name="tls") | {"metadata": {"name": "tls", "namespace": "shop"}},
        made(ESO, "ExternalSecret", {"target": {"name": "tls"}}),
        made("external-secrets.io/v1beta1", "ExternalSecret", {}, name="tls"),
        made(ESO, "ClusterExternalSecret", {"externalSecretSpec": {"target": {"name": "tls"}}}),
        made(ESO, "ClusterExternalSecret", {"externalSecretName": "tls"}),
        made("bitnami.com/v1alpha1", "SealedSecret", {}, name="tls"),
        made("bitnami.com/v1alpha1", "SealedSecret", {"template": {"metadata": {"name": "tls"}}}),
        made("cert-manager.io/v1", "Certificate", {"secretName": "tls"}),
        made("secrets.hashicorp.com/v1beta1", "VaultStaticSecret", {"destination": {"name": "tls", "create": True}}),
        made(
            "networking.k8s.io/v1",
            "Ingress",
            {"tls": [{"secretName": "tls"}]},
            annotations={"cert-manager.io/cluster-issuer": "letsencrypt"},
        ),
    ],
)
def test_what_makes_a_secret_meets_the_need(maker: Object):
    assert needed(NEEDS_TLS, gateway("tls"), maker) == []


@pytest.mark.parametrize(
    "maker",
    [
        made(ESO, "ExternalSecret", {"target": {"name": "other"}}, name="tls"),
        made(ESO, "ExternalSecret", {"target": {"name": "tls", "creationPolicy": "Merge"}}),
        made(ESO, "ExternalSecret", {"target": {"name": "tls"}}, namespace="elsewhere"),
        made("cert-manager.io/v1", "Certificate", {}, name="tls"),
        made("v1", "ConfigMap", None, name="tls"),
    ],
)
def test_what_makes_another_secret_does_not(maker: Object):
    assert needed(NEEDS_TLS, maker) == [("shop", "tls")]


def told(*objects: Object, own: bool = True) -> list[tuple[str, str, str | None]]:
    documents = [Manifest(obj, Document("a.yaml", b"", {})) for obj in objects if own]
    remarks = needed_remarks(Places(documents), Stage("resources", objects))
    return [(remark.severity, remark.pointer, remark.hint) for remark in remarks]


def test_a_need_is_told_where_the_tree_makes_other_secrets():
    maker = made("cert-manager.io/v1", "Certificate", {"secretName": "shop-tls"})

    assert told(gateway("shop-tsl")) == []
    assert told(gateway("shop-tsl"), maker, own=False) == []
    ((severity, pointer, hint),) = told(gateway("shop-tsl"), maker)
    assert (severity, pointer) == ("info", "/spec/servers/0/tls/credentialName")
    assert 'did you mean "shop-tls"?' in str(hint)
    assert told(gateway("shop-tls"), maker) == []
