"""What kustomize does to any object, and which objects are refused because it would break them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from meshgen.layout.identity import identity
from meshgen.layout.normal import normalise, refusals
from tests.layout.kustomize import BuildFailed, build, exactly, write_base
from tests.layout.objects import OBJECTS, SERVICE, Object, obj
from tests.layout.strategies import renamed

BINDING: dict[str, Any] = {
    "api_version": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "name": "it",
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "it"},
}


def annotated(annotations: Any, **fields: Any) -> Object:
    return obj("v1", "ConfigMap", "it", metadata={"annotations": annotations}, **fields)


def configured(value: Any) -> Object:
    return obj("example.io/v1", "Custom", "it", spec={"a": value})


def webhook(service: Object) -> Object:
    webhooks = [{"name": "a.b.c", "clientConfig": {"service": service}}]
    return obj("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "it", None, webhooks=webhooks)


CARRIED: list[Object] = [
    *OBJECTS,
    annotated({}),
    annotated(None),
    annotated({"a": 1, "b": True, "c": None, "d": 1.5, "e": "", "f": "two\nlines", "g": False, "h": 2**40}),
    annotated({"config.kubernetes.io/local-config": "false"}),
    annotated({"1a": "x", "1.2.3": "x", "example.io/1": "x", "yes": "x", "-": "x", "12:30": "x"}),
    obj("v1", "ConfigMap", "it", metadata={"labels": {}, "creationTimestamp": None}),
    obj("v1", "ConfigMap", "it", metadata={"labels": None, "generateName": "it-"}),
    obj("example.io/v1", "WhiteList", "it", spec={}),
    obj(**BINDING, subjects=[{"kind": "ServiceAccount", "name": "it"}, {"kind": "User", "name": "it"}]),
    obj(**BINDING, subjects=None),
    configured([None, {}, [], {"b": None}, "", 1.5, 0.0001, 1e300, 2**64 - 1, -(2**63), 10_000_000]),
    configured({"=": "<<", "": 1, "1": 2, "null": 3, "2020-01-01": "2020-01-01"}),
    configured(["\ta\nb", "\ta", "a\r\nb", "\u2028", "\ufeff", "🚀", "yes", "1e3", "0o7", " ", "a \n b \n\n"]),
]

REFUSED: list[tuple[Object, str]] = [
    ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "it-"}}, "/metadata/generateName"),
    ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "/metadata/name"),
    ({"apiVersion": "v1", "metadata": {"name": "it"}}, "/kind"),
    (obj("example.io/v1", "WhiteList", "it", items=[]), "/kind"),
    (annotated("text"), "/metadata/annotations"),
    (annotated(["a"]), "/metadata/annotations"),
    (annotated({"a/b": {"c": 1}}), "/metadata/annotations/a~1b"),
    (annotated({"a": []}), "/metadata/annotations/a"),
    *((annotated({key: "x"}), f"/metadata/annotations/{key}") for key in ("", "1", "+1", "08", "1_0", ".5", "0x1F")),
    *((annotated({key: "x"}), f"/metadata/annotations/{key}") for key in ("true", "Null", "1e3", "2020-1-1", ".NaN")),
    (annotated({"~": "x"}), "/metadata/annotations/~0"),
    (annotated({"config.kubernetes.io/local-config": ""}), "/metadata/annotations/config.kubernetes.io~1local-config"),
    (annotated({"config.kubernetes.io/path": "x"}), "/metadata/annotations/config.kubernetes.io~1path"),
    (annotated({"config.kubernetes.io/origin": "x"}), "/metadata/annotations/config.kubernetes.io~1origin"),
    (
        annotated({"internal.config.kubernetes.io/needsHashSuffix": "enabled"}),
        "/metadata/annotations/internal.config.kubernetes.io~1needsHashSuffix",
    ),
    (obj(**BINDING, subjects=[{"kind": "ServiceAccount"}]), "/subjects/0/name"),
    (obj(**BINDING, subjects=[{"kind": None, "name": "it", "namespace": "it"}]), "/subjects/0/kind"),
    (obj(**BINDING, subjects=[{"kind": "ServiceAccount", "name": "it", "namespace": None}]), "/subjects/0/namespace"),
    (obj(**BINDING, subjects=["it"]), "/subjects/0"),
    (webhook({"namespace": "it"}), "/webhooks/0/clientConfig/service/name"),
    (configured({"<<": 1}), "/spec/a/<<"),
    (configured([2**64]), "/spec/a/0"),
    (configured(-(2**63) - 1), "/spec/a"),
]

# These come through a single directory, but not through an overlay or a patch; or YAML can't hold them at all.
REFUSED_FIRST: list[tuple[Object, str]] = [
    (obj("v1", "ConfigMap", "it", metadata={"labels": ["a"]}), "/metadata/labels"),
    (annotated({"a": "\ta\nb"}), "/metadata/annotations/a"),
    (obj("v1", "ConfigMap", "it", metadata={"namespace": ""}), "/metadata/namespace"),
    (obj("v1", "ConfigMap", "it", metadata={"namespace": None}), "/metadata/namespace"),
    ({"kind": "ConfigMap", "metadata": {"name": "it"}}, "/apiVersion"),
    ({"apiVersion": "v1", "kind": "ConfigMap"}, "/metadata"),
    (webhook({"name": "it"}), "/webhooks/0/clientConfig/service/namespace"),
    (configured(float("nan")), "/spec/a"),
    (configured(float("inf")), "/spec/a"),
    *((configured({"b": f"x{char}"}), "/spec/a/b") for char in ("\x7f", "\x85", "\x9f", "\ufffe", "\uffff", "\ud800")),
    (configured({"\x85": 1}), "/spec/a/\x85"),
]


def test_carried_objects_come_back_as_normalised(kubectl: Path, tmp_path: Path) -> None:
    given = [renamed(state, f"it-{number}") for number, state in enumerate(CARRIED)]
    write_base(tmp_path / "base", given)
    built = build(kubectl, tmp_path / "base")
    assert [state for state in given if refusals(state)] == []
    assert [state for state in given if not exactly(built[identity(state)], normalise(state))] == []


@pytest.mark.parametrize(("given", "at"), [*REFUSED, *REFUSED_FIRST])
def test_objects_that_kustomize_breaks_are_refused_with_a_pointer(given: Object, at: str) -> None:
    assert at in [pointer for pointer, _ in refusals(given)]


@pytest.mark.parametrize("given", [given for given, _ in REFUSED])
def test_refused_objects_do_fail_or_change_in_kustomize(given: Object, kubectl: Path, tmp_path: Path) -> None:
    text = _json(given)
    (tmp_path / "it.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "kustomization.yaml").write_text('{"resources": ["it.yaml"]}', encoding="utf-8")
    try:
        built = list(build(kubectl, tmp_path).values())
    except BuildFailed:
        return
    assert not (len(built) == 1 and exactly(built[0], given))


def test_messages_hold_no_value() -> None:
    secret = obj("v1", "Secret", "it", stringData={"password": "hunter2\x7f"})
    assert "hunter2" not in str(refusals(secret))


def test_every_problem_of_an_object_is_told() -> None:
    state = annotated({"1": "x", "2": "y"}, data={"a": "\x7f"})
    assert [pointer for pointer, _ in refusals(state)] == [
        "/metadata/annotations/1",
        "/metadata/annotations/2",
        "/data/a",
    ]


def test_normalising_leaves_its_input_alone() -> None:
    before = copy.deepcopy(SERVICE)
    assert "annotations" not in normalise(SERVICE)["metadata"]
    assert before == SERVICE


def test_object_that_is_normal_is_returned_itself() -> None:
    assert normalise(OBJECTS[0]) is OBJECTS[0]


def test_normalising_twice_changes_nothing_more() -> None:
    once = [normalise(state) for state in CARRIED]
    assert [normalise(state) for state in once] == once


def _json(value: Any) -> str:
    """JSON, which is YAML too: the emitter would refuse some of these itself."""
    return json.dumps(value, ensure_ascii=False)
