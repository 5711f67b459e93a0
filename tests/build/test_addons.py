"""What every built-in addon promises, for every Istio minor."""

from __future__ import annotations

import json
import re
from functools import cache

import kubernetes_validate
import pytest

from meshgen.build.addons import CONTAINER_SECURITY, addon_objects, required_secrets
from meshgen.catalog import release
from tests.build.addons import ALL, PAIRS, STORAGE, build, containers, every_addon, of_kind, workload

# One minor of each era: the check is slow, and between them only images and permissions change.
SHAPES = ("1.11", "1.20", "1.29", "1.31")


@pytest.mark.parametrize(("minor", "name"), [pair for pair in PAIRS if pair[0] in SHAPES])
@pytest.mark.parametrize("kubernetes", ["1.25", kubernetes_validate.latest_version()])
def test_kubernetes_accepts_every_object(minor, name, kubernetes):
    for settings in ({}, STORAGE):
        for item in build(minor, name, settings):
            accepted(json.dumps(item), kubernetes)


@cache
def accepted(item: str, kubernetes: str) -> None:
    """Most objects are the same for many minors, and this check is slow."""
    kubernetes_validate.validate(json.loads(item), kubernetes, strict=True)


@every_addon
def test_selectors_match_the_pods(minor, name):
    objects = build(minor, name)
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]
    selectors = [service["spec"]["selector"] for service in of_kind(objects, "Service")]
    selectors.append(workload(objects)["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector.items() <= labels.items()


@every_addon
def test_target_ports_are_open_in_a_container(minor, name):
    objects = build(minor, name)
    ports = [port for container in containers(objects) for port in container["ports"]]
    known = {port["containerPort"] for port in ports} | {port["name"] for port in ports}
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in known


@every_addon
def test_containers_are_locked_down_probed_and_bounded(minor, name):
    objects = build(minor, name)
    pod = workload(objects)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(objects):
        assert container["securityContext"] == CONTAINER_SECURITY
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
        assert container["livenessProbe"]
        assert container["readinessProbe"]


@every_addon
def test_images_are_pinned(minor, name):
    for container in containers(build(minor, name)):
        assert re.fullmatch(r"[a-z0-9./-]+:v?[0-9][0-9A-Za-z.-]*", container["image"])


@every_addon
def test_nothing_opens_without_a_credential(minor, name):
    text = json.dumps([item for item in build(minor, name) if "dashboard" not in item["metadata"]["name"]])
    assert not re.search(r"changeme|anonymous: true|strategy: anonymous|admin/admin|\"admin\"", text, re.IGNORECASE)
    assert "GF_AUTH_ANONYMOUS_ENABLED" not in text
    assert not of_kind(build(minor, name), "Secret")


@every_addon
def test_the_mesh_does_not_inject_its_addons(minor, name):
    metadata = workload(build(minor, name))["spec"]["template"]["metadata"]
    assert metadata["labels"]["sidecar.istio.io/inject"] == "false"
    if minor == "1.11":
        assert metadata["annotations"]["sidecar.istio.io/inject"] == "false"


@every_addon
def test_only_prometheus_and_kiali_reach_the_api_server(minor, name):
    pod = workload(build(minor, name))["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is (name in ("prometheus", "kiali"))


@every_addon
def test_objects_carry_meshgens_label_and_no_selector_does(minor, name):
    for item in build(minor, name):
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "meshgen"
        assert "managed-by" not in json.dumps(item.get("spec", {}).get("selector", {}))


@every_addon
def test_no_two_objects_have_one_name(minor, name):
    identities = [(item["kind"], item["metadata"]["name"]) for item in build(minor, name)]
    assert len(identities) == len(set(identities))


@every_addon
def test_the_same_settings_give_the_same_objects_in_the_same_order(minor, name):
    assert json.dumps(build(minor, name)) == json.dumps(build(minor, name))


@every_addon
def test_namespaced_objects_and_subjects_are_in_the_chosen_namespace(minor, name):
    objects = addon_objects(name, {}, images=release(minor).addons, namespace="mesh", addons=ALL, minor=minor)
    assert "istio-system" not in json.dumps(objects)
    for item in objects:
        if item["kind"] not in ("ClusterRole", "ClusterRoleBinding"):
            assert item["metadata"]["namespace"] == "mesh"


@every_addon
def test_pods_take_only_secrets_that_the_user_is_told_to_make(minor, name):
    told = {(secret.name, key) for secret in required_secrets(name, {}, ALL) for key in secret.keys}
    pod = workload(build(minor, name))["spec"]["template"]["spec"]
    references = [
        env["valueFrom"]["secretKeyRef"]
        for container in pod["containers"]
        for env in container.get("env", [])
        if "secretKeyRef" in env.get("valueFrom", {})
    ]
    taken = {(reference["name"], reference["key"]) for reference in references if not reference.get("optional")}
    for volume in pod["volumes"]:
        if "secret" in volume and not volume["secret"].get("optional"):
            taken |= {(volume["secret"]["secretName"], item["key"]) for item in volume["secret"]["items"]}
    assert taken == told
