"""Istio's in-cluster operator, beside what istioctl itself printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshgen.build.operator import OPERATOR_NAMESPACE, operator_objects
from meshgen.catalog import minors, release
from meshgen.layout.identity import identity
from tests.objects import Object, build_all, mesh, of_kind, read_yaml, render_config

HUB = "gcr.io/istio-release"

# Where the operator differs on purpose from the one that `istioctl operator dump` prints: (kind, path) and the reason.
DIFFERENCES = {
    (
        "CustomResourceDefinition",
        "/spec/versions/0/additionalPrinterColumns/2/description",
    ): "words for people; meshgen ships none that others wrote",
    ("ClusterRole", "/metadata/creationTimestamp"): "a null that Go's encoder leaves behind and that says nothing",
    (
        "Deployment",
        "/spec/template/spec/containers/0/env/0/value",
    ): "WATCH_NAMESPACE without a value is the empty string: all namespaces, either way",
}


@pytest.fixture(scope="module")
def dumped(cases: Path) -> dict[Any, Object]:
    text = (cases / "istio-1.11.3/istioctl-output/operator-dump-seed.yaml").read_text()
    return {identity(obj): obj for obj in read_yaml(text)}


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """JSON pointers to all that differs between two JSON values."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{path}/{key}" for key in ours.keys() ^ theirs.keys()]
        both = [
            at for key in ours.keys() & theirs.keys() for at in differences(ours[key], theirs[key], f"{path}/{key}")
        ]
        return missing + both
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [found for i, (one, other) in pairs for found in differences(one, other, f"{path}/{i}")]
    return [] if type(ours) is type(theirs) and ours == theirs else [path]


@pytest.mark.upstream
def test_operator_is_what_istioctl_dumps_but_for_the_listed_differences(
    dumped: dict[Any, Object], kubectl: Path, tmp_path: Path
):
    tree = render_config(tmp_path, mesh(istio={"version": "1.11.3", "profile": "default", "hub": HUB}))
    stages = tree.stages("msa")
    built = build_all(kubectl, [stages["namespaces"], stages["operator"]])
    ours = {key: obj for objects in built.values() for key, obj in objects.items()}
    home = next(key for key in ours if key.kind == "Namespace" and key.name == "istio-system")
    # `operator init` makes the control plane's namespace too, though `operator dump` does not print it.
    del ours[home]

    assert set(ours) == set(dumped)
    assert {(key.kind, path) for key in ours for path in differences(ours[key], dumped[key])} == set(DIFFERENCES)


@pytest.mark.upstream
def test_operator_takes_its_namespace_from_the_dump(dumped: dict[Any, Object]):
    assert OPERATOR_NAMESPACE in dumped.values()


def test_operator_is_there_for_every_minor_that_has_one():
    for minor in minors():
        if release(minor).operator:
            objects = operator_objects(f"{minor}.0", hub="h", tag="t")
            kinds = [obj["kind"] for obj in objects]
            assert kinds == [
                "CustomResourceDefinition",
                "ServiceAccount",
                "ClusterRole",
                "ClusterRoleBinding",
                "Service",
                "Deployment",
            ]


def test_operator_of_1_24_does_not_exist():
    with pytest.raises(KeyError):
        operator_objects("1.24.0", hub="h", tag="t")


def test_hub_and_tag_reach_the_operators_own_image(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(istio={"version": "1.11.3", "hub": "example.com:5000/a", "tag": "1.11.3-x"}))
    stage = tree.stages("msa")["operator"]

    (deployment,) = of_kind(build_all(kubectl, [stage])[stage].values(), "Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    assert container["image"] == "example.com:5000/a/operator:1.11.3-x"


def test_without_hub_and_tag_the_operator_is_istios_own_of_that_version(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(istio={"version": "1.20.8"}))
    stage = tree.stages("msa")["operator"]

    (deployment,) = of_kind(build_all(kubectl, [stage])[stage].values(), "Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    assert container["image"] == "docker.io/istio/operator:1.20.8"


def test_operators_objects_share_no_state_between_calls():
    first = operator_objects("1.11.3", hub="h", tag="t")
    first[0]["spec"].clear()
    first[-1]["spec"].clear()

    second = operator_objects("1.11.3", hub="h", tag="t")

    assert second[0]["spec"]
    assert second[-1]["spec"]
