"""Who decrypts what a cluster gets encrypted: Flux where it is told to; Argo CD and kubectl never."""

from __future__ import annotations

from typing import Any

import pytest

from meshgen.build.stage import Memory, Stage
from meshgen.check.secrets import decryption_remarks
from tests.encryption.objects import ciphertext, plain, secret

ENCRYPTED = Stage("resources", (secret({"a": ciphertext()}), secret({"a": ciphertext()}, name="kiali")))
PLAIN = Stage("resources", (plain({"a": "b"}),))
FLUX = {"url": "https://example.com/mesh.git"}


def found(*stages: Stage, **settings: Any) -> list[tuple[str, str, str]]:
    remarks = decryption_remarks(settings, stages, Memory())
    return [(remark.rule, remark.severity, remark.pointer) for remark in remarks]


@pytest.mark.parametrize(
    ("delivery", "told"),
    [
        ({"flux": FLUX}, [("MG453", "error", "/delivery/flux")]),
        ({"flux": {**FLUX, "decryption": None}}, [("MG453", "error", "/delivery/flux")]),
        ({"flux": {**FLUX, "decryption": {"secretRef": "sops-age"}}}, []),
        # A cloud's key service, by the controller's own identity.
        ({"flux": {**FLUX, "decryption": {}}}, []),
        ({"argocd": FLUX}, [("MG454", "warning", "/delivery/argocd")]),
        ({"argocd": FLUX, "flux": {**FLUX, "decryption": {}}}, [("MG454", "warning", "/delivery/argocd")]),
        ({"argocd": None, "flux": None}, [("MG455", "warning", "/resources")]),
        (None, [("MG455", "warning", "/resources")]),
    ],
)
def test_each_engine_is_asked_whether_it_decrypts(delivery: Any, told: list[tuple[str, str, str]]):
    assert found(ENCRYPTED, delivery=delivery, resources={"a": {"path": "a"}}) == told


@pytest.mark.parametrize("delivery", [{"flux": FLUX}, {"argocd": FLUX}, None])
def test_what_is_in_the_clear_needs_no_decryption(delivery: Any):
    assert found(PLAIN, delivery=delivery) == []


def test_encrypted_objects_are_named_once_with_their_number():
    (remark,) = decryption_remarks({"delivery": {"flux": FLUX}}, (ENCRYPTED, PLAIN), Memory())

    assert "Secret grafana in istio-system and 1 more are encrypted" in remark.message
