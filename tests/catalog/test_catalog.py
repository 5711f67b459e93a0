from __future__ import annotations

import json
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen import catalog
from meshgen.catalog import Removal, UnknownMinor, Version

FACTS = Path(catalog.__file__).parent
PROFILES = ("default", "demo", "empty", "external", "minimal", "openshift", "preview", "remote")
ADDONS = ("prometheus", "configmapReload", "grafana", "jaeger", "kiali", "zipkin", "loki", "lokiSidecar")


def test_every_minor_from_1_11_to_1_31_is_known():
    assert catalog.minors() == tuple(f"1.{minor}" for minor in range(11, 32))


def test_every_minor_has_the_same_keys():
    releases = json.loads((FACTS / "istio.json").read_bytes())["releases"]
    assert {tuple(facts) for facts in releases.values()} == {tuple(releases["1.11"])}


@pytest.mark.parametrize("minor", catalog.minors())
def test_facts_of_a_minor_agree_with_each_other(minor):
    release = catalog.release(minor)
    assert Version.parse(release.latest_patch).minor == Version.parse(release.read_at).minor == minor
    assert catalog.minor_key(release.kubernetes[0]) < catalog.minor_key(release.kubernetes[1])
    assert release.operator == (catalog.minor_key(minor) <= (1, 23))
    assert release.profiles == tuple(sorted(release.profiles))
    assert release.components_by_profile["default"] == ("base", "pilot", "istio-ingressgateway")
    enabled = {name for names in release.components_by_profile.values() for name in names}
    assert enabled <= {*release.components, "istio-ingressgateway", "istio-egressgateway"}


@pytest.mark.parametrize("minor", catalog.minors())
def test_images_are_pinned_and_in_one_order(minor):
    addons = catalog.release(minor).addons
    assert tuple(addons) == tuple(name for name in ADDONS if name in addons)
    assert all(":" in image and not image.endswith(":latest") for image in addons.values())
    assert addons["kiali"].count(".") >= 3
    assert ("all-in-one" in addons["jaeger"]) == (catalog.release(minor).jaeger_major == 1)


@pytest.mark.parametrize("minor", catalog.minors())
def test_an_installation_breaks_exactly_where_kubernetes_drops_what_the_charts_emit(minor):
    release = catalog.release(minor)
    broken = []
    for kubernetes in (f"1.{minor}" for minor in range(16, 38)):
        for kind, emitted in release.autoscaling.items():
            started = [
                api for api, since in emitted.items() if catalog.minor_key(since) <= catalog.minor_key(kubernetes)
            ]
            if started and catalog.removed(kubernetes, started[-1], kind):
                broken.append(kubernetes)
    assert (broken[0] if broken else None) == release.broken_from_kubernetes


@pytest.mark.parametrize("minor", catalog.minors())
def test_supported_kubernetes_is_never_a_broken_one(minor):
    release = catalog.release(minor)
    assert release.supports(release.kubernetes[0])
    assert release.supports(f"v{release.kubernetes[1]}.3-gke.100")
    assert release.broken_from_kubernetes is None or not release.supports(release.broken_from_kubernetes)


def test_the_seeds_release():
    release = catalog.release("1.11")
    assert release.profiles == PROFILES
    assert release.hub == "docker.io/istio"
    assert "compatibilityVersion" not in release.spec_fields
    assert "ztunnel" not in release.components
    assert release.addons["kiali"] == "quay.io/kiali/kiali:v1.38.0"
    assert "loki" not in release.addons


def test_an_unknown_minor_names_the_known_ones():
    with pytest.raises(UnknownMinor, match=r"^1\.10 is not a known minor; known are 1\.11, .*, 1\.31$"):
        catalog.release("1.10")


def test_versions_are_ordered_as_semver_orders_them():
    ordered = ("1.9.9", "1.11.3-alpha.1", "1.11.3-alpha.2", "1.11.3-alpha.10", "1.11.3-beta", "1.11.3", "1.11.10")
    assert all(Version.parse(older) < Version.parse(newer) for older, newer in pairwise(ordered))
    assert Version.parse("1.11.3-alpha.1").minor == "1.11"
    assert str(Version.parse("1.11.3-alpha.1")) == "1.11.3-alpha.1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.11",
        "v1.11.3",
        "1.11.3-",
        "1.11.3 ",
        "1.11.3\n",
        "latest",
        "\N{FULLWIDTH DIGIT ONE}.11.3",
        "1.11." + "9" * 5000,
    ],
)
def test_what_is_no_version_is_refused(text):
    with pytest.raises(ValueError, match="is not a version"):
        Version.parse(text)


def test_a_removed_api_says_since_when_and_what_instead():
    assert catalog.removed("1.25", "policy/v1beta1", "PodDisruptionBudget") == Removal("1.25", "policy/v1")
    assert catalog.removed("1.24", "policy/v1beta1", "PodDisruptionBudget") is None
    assert catalog.removed("1.37", "policy/v1beta1", "PodSecurityPolicy") == Removal("1.25", None)
    assert catalog.removed("1.37", "v1", "Service") is None


def test_an_api_is_served_between_its_introduction_and_its_removal():
    served = [catalog.served(f"1.{minor}", "autoscaling/v2", "HorizontalPodAutoscaler") for minor in (22, 23, 37)]
    assert served == [False, True, True]
    assert catalog.introduced("autoscaling/v2", "HorizontalPodAutoscaler") == "1.23"
    assert catalog.served("1.25", "autoscaling/v2beta2", "HorizontalPodAutoscaler") is True
    assert catalog.served("1.26", "autoscaling/v2beta2", "HorizontalPodAutoscaler") is False
    assert catalog.served("1.30", "networking.istio.io/v1", "Gateway") is None


def test_what_replaces_a_removed_api_is_served_by_then():
    for minor, apis in json.loads((FACTS / "kubernetes.json").read_bytes())["removed"].items():
        for api, instead in apis.items():
            assert instead is None or catalog.served(minor, instead, api.split()[1]) is not False, api


def test_the_operator_changes_with_its_version():
    old, new = (catalog.operator_facts(Version.parse(version)) for version in ("1.11.3", "1.23.6"))
    assert old["deployment"]["command"] == ["operator", "server"]
    assert old["deployment"]["securityContext"]["runAsUser"] == 1337
    assert old["namespace"]["labels"]["istio-injection"] == "disabled"
    assert new["deployment"]["command"] == [*old["deployment"]["command"], *new["deployment"]["command"][2:]]
    assert "runAsUser" not in new["deployment"]["securityContext"]
    assert new["namespace"] == {}
    assert len(new["clusterRole"]["rules"]) == len(old["clusterRole"]["rules"]) + 2


def test_the_operator_changes_within_a_minor():
    before, after = (
        catalog.operator_facts(Version.parse(version))["clusterRole"]["rules"][-1]["resources"]
        for version in ("1.11.4", "1.11.5")
    )
    assert set(after) - set(before) == {"pods/portforward"}


def test_there_is_no_operator_from_1_24_on():
    with pytest.raises(UnknownMinor, match=r"known are 1\.11, .*, 1\.23$"):
        catalog.operator_facts(Version.parse("1.24.0"))


def dumped(version: str, name: str = "default") -> dict[str, Any]:
    return catalog.profile_dump(Version.parse(version), name)["spec"]


def test_a_dump_can_be_changed_without_changing_the_catalogue():
    dumped("1.11.3", "demo")["values"]["global"].clear()
    assert dumped("1.11.3", "demo")["values"]["global"]


@pytest.mark.parametrize("minor", [minor for minor in catalog.minors() if catalog.release(minor).operator])
def test_a_dump_enables_what_its_profile_installs(minor):
    release = catalog.release(minor)
    for name, installed in release.components_by_profile.items():
        spec = dumped(release.read_at, name)
        assert (spec["hub"], spec["tag"], spec["profile"]) == (release.hub, release.read_at, name)
        assert enabled(spec["components"]) == set(installed)


def enabled(components: dict[str, Any]) -> set[str]:
    listed = [one for kind in catalog.DEFAULT_GATEWAYS for one in components[kind]]
    named = [{"name": kind, **one} for kind, one in components.items() if kind not in catalog.DEFAULT_GATEWAYS]
    return {one["name"] for one in [*listed, *named] if one["enabled"]}


@pytest.mark.parametrize("minor", catalog.minors())
def test_a_profile_is_there_exactly_where_its_release_names_it(minor):
    release = catalog.release(minor)
    give = catalog.profile_dump if release.operator else catalog.profile_spec
    for name in catalog.load_facts("profiles")["profiles"]:
        with nullcontext() if name in release.profiles else pytest.raises(KeyError, match=name):
            give(Version.parse(release.latest_patch), name)


@pytest.mark.parametrize(
    ("version", "privileged", "overlaid"),
    [("1.11.5", None, True), ("1.11.6", True, False), ("1.12.1", None, True), ("1.12.2", True, False)],
)
def test_a_profile_changes_within_a_minor(version, privileged, overlaid):
    spec = dumped(version, "openshift")
    assert spec["values"]["cni"].get("privileged") is privileged
    assert ("k8s" in spec["components"]["cni"]) is overlaid


def test_a_prerelease_dumps_what_its_release_does():
    assert dumped("1.21.0-beta.1", "demo") == {**dumped("1.21.0", "demo"), "tag": "1.21.0-beta.1"}


def test_from_1_21_on_a_profile_leaves_to_the_charts_what_they_default():
    assert "meshConfig" in dumped("1.20.8", "demo")
    assert dumped("1.21.0", "demo")["values"] == {
        "defaultRevision": "",
        "gateways": {"istio-egressgateway": {}, "istio-ingressgateway": {}},
        "global": {"configValidation": True, "istioNamespace": "istio-system"},
        "profile": "demo",
    }


def test_gateways_are_merged_by_name():
    spec = dumped("1.18.2", "demo")
    ingress = spec["components"]["ingressGateways"][0]
    assert (ingress["name"], ingress["enabled"]) == ("istio-ingressgateway", True)
    assert ingress["k8s"]["resources"] == {"requests": {"cpu": "10m", "memory": "40Mi"}}
    assert [one["name"] for one in spec["meshConfig"]["extensionProviders"]] == ["otel", "skywalking", "otel-tracing"]


@pytest.mark.parametrize("version", ["1.10.0", "1.24.0", "1.99.0"])
def test_other_versions_dump_no_profile(version):
    with pytest.raises(UnknownMinor, match=r"known are 1\.11, .*, 1\.23$"):
        dumped(version)


@pytest.mark.upstream
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_what_istioctl_dumps(cases, name):
    dump = (cases / "istio-1.11.3" / "istioctl-output" / f"profile-dump-{name}.yaml").read_text(encoding="utf-8")
    assert catalog.profile_dump(Version.parse("1.11.3"), name) == yaml.safe_load(dump)


@pytest.mark.upstream
def test_the_operator_is_what_istioctl_dumps(cases):
    dump = (cases / "istio-1.11.3" / "istioctl-output" / "operator-dump-seed.yaml").read_text(encoding="utf-8")
    objects = {document["kind"]: document for document in yaml.safe_load_all(dump) if document}
    facts = catalog.operator_facts(Version.parse("1.11.3"))
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert objects["ClusterRole"]["rules"] == facts["clusterRole"]["rules"]
    assert objects["Namespace"]["metadata"]["labels"] == facts["namespace"]["labels"]
    assert objects["Service"]["spec"]["ports"] == facts["service"]["ports"]
    for key in ("command", "securityContext", "imagePullPolicy", "resources"):
        assert pod["containers"][0][key] == facts["deployment"][key]
    assert [entry["name"] for entry in pod["containers"][0]["env"]] == [
        entry["name"] for entry in facts["deployment"]["env"]
    ]
