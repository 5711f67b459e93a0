"""The Sail operator's resources: they bring about what the charts' values say, and what they can't is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshgen.build.chart import ObjectPatch
from meshgen.build.charts import istio_releases
from meshgen.build.sail import sail_objects, sail_operator
from meshgen.build.stage import Remark
from meshgen.build.translate import translate
from meshgen.catalog import release_of
from meshgen.layout.identity import identity
from tests.apiserver import KubectlFailed, api_server
from tests.delivery.crds import problems
from tests.helmcontroller import apply
from tests.objects import Object, read_yaml, text_of
from tests.sailoperator import installed, template

PROFILES = ("ambient", "default", "demo", "minimal", "openshift", "openshift-ambient", "preview", "remote", "stable")
AMBIENT = ("ambient", "openshift-ambient")
CRDS = ("istios", "istiocnis", "ztunnels")

# Settings that the resources can say.
SAID: dict[str, Object] = {
    "nothing": {},
    "images": {"hub": "example.com/istio", "tag": "1.30.3-fips", "components": {"pilot": {"hub": "example.com/own"}}},
    "meshConfig": {
        "meshConfig": {
            "accessLogFile": "/dev/stdout",
            "enableTracing": True,
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
            "defaultConfig": {"proxyMetadata": {"A": "b"}, "concurrency": 2, "drainDuration": "45s"},
            "extensionProviders": [
                {"name": "p", "prometheus": {}},
                {"name": "z", "zipkin": {"service": "s", "port": 1}},
            ],
        }
    },
    "pilot": {
        "values": {
            "pilot": {
                "env": {"PILOT_A": True, "PILOT_B": 12, "PILOT_C": "c"},
                "autoscaleMin": 2,
                "autoscaleMax": 4,
                "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": 2}},
                "traceSampling": 1.5,
                "tolerations": [{"key": "a", "operator": "Exists"}],
                "podAnnotations": {"a": "b"},
                "rollingMaxSurge": "50%",
                "rollingMaxUnavailable": 0,
            }
        }
    },
    "global": {
        "values": {
            "global": {
                "network": "net-1",
                "meshID": "mesh-1",
                "multiCluster": {"clusterName": "one"},
                "logAsJson": True,
                "imagePullSecrets": ["s"],
                "imagePullPolicy": "Always",
                "proxy": {"resources": {"requests": {"cpu": "10m"}}, "holdApplicationUntilProxyStarts": True},
                "waypoint": {"resources": {"requests": {"cpu": "10m"}}},
                "variant": "distroless",
            },
            "sidecarInjectorWebhook": {"enableNamespacesByDefault": True},
        }
    },
    "cni": {
        "components": {"cni": {"enabled": True, "namespace": "kube-system"}},
        "values": {
            "cni": {"provider": "multus", "excludeNamespaces": ["a"], "env": {"A": True}, "logging": {"level": "debug"}}
        },
    },
    "ztunnel": {"values": {"ztunnel": {"env": {"A": 1}, "logLevel": "debug", "terminationGracePeriodSeconds": 5}}},
    "namespace": {"values": {"global": {"istioNamespace": "mesh"}}},
    "k8s": {"components": {"pilot": {"k8s": {"resources": {"requests": {"cpu": "100m"}}, "replicaCount": 2}}}},
    "gateways": {"values": {"gateways": {"istio-ingressgateway": {"serviceAnnotations": {"a": "b"}}}}},
}

# Settings that they can't say: where, how grave, and what is said.
UNSAID: dict[str, tuple[Object, str, str, str]] = {
    "field": ({"values": {"pilot": {"replicaCounts": 2}}}, "values/pilot/replicaCounts", "error", "no such field"),
    "top": ({"unvalidatedValues": {"foo": {"bar": 1}}}, "unvalidatedValues/foo", "error", "no such field"),
    "mesh": ({"meshConfig": {"accessLogfile": "x"}}, "meshConfig/accessLogfile", "error", "no such field"),
    "true": ({"values": {"global": {"logAsJson": "yes"}}}, "values/global/logAsJson", "error", "true or false"),
    "integer": ({"values": {"pilot": {"autoscaleMin": "2"}}}, "values/pilot/autoscaleMin", "error", "whole number"),
    "string": ({"hub": 3}, "hub", "error", "a string"),
    "part": ({"components": {"pilot": {"tag": 3}}}, "components/pilot/tag", "error", "a string"),
    "number": ({"values": {"pilot": {"traceSampling": "1"}}}, "values/pilot/traceSampling", "error", "a number"),
    "quantity": (
        {"values": {"pilot": {"resources": {"requests": {"memory": 0.5}}}}},
        "values/pilot/resources/requests/memory",
        "error",
        "quantity",
    ),
    "percent": ({"values": {"pilot": {"rollingMaxSurge": True}}}, "values/pilot/rollingMaxSurge", "error", "a string"),
    "list": ({"values": {"pilot": {"tolerations": {}}}}, "values/pilot/tolerations", "error", "a list"),
    "map": ({"values": {"pilot": {"nodeSelector": []}}}, "values/pilot/nodeSelector", "error", "a map"),
    "enum": (
        {"values": {"global": {"imagePullPolicy": "X"}}},
        "values/global/imagePullPolicy",
        "error",
        "no such value",
    ),
    "env": ({"values": {"pilot": {"env": {"A": 1.5}}}}, "values/pilot/env/A", "error", "a string"),
    "name": ({"meshConfig": {"extensionProviders": [{}]}}, "meshConfig/extensionProviders/0", "error", 'needs "name"'),
    "minimum": (
        {"profile": "ambient", "values": {"ztunnel": {"terminationGracePeriodSeconds": -1}}},
        "values/ztunnel/terminationGracePeriodSeconds",
        "error",
        "0 or more",
    ),
    "one": (
        {"meshConfig": {"caCertificates": [{"pem": "a", "spiffeBundleUrl": "b"}]}},
        "meshConfig/caCertificates/0",
        "error",
        "one of these at most",
    ),
    "cni": (
        {"components": {"cni": {"enabled": True}}, "values": {"cni": {"provider": 1}}},
        "values/cni/provider",
        "error",
        "a string",
    ),
}
# What the API server would take, and the operator or another chart would pass over.
PASSED_OVER: dict[str, tuple[Object, str, str, str]] = {
    "null": ({"values": {"global": {"proxy": None}}}, "values/global/proxy", "error", "as null does"),
    "crds": ({"values": {"base": {"excludedCRDs": ["x"]}}}, "values/base/excludedCRDs", "warning", "brings all CRDs"),
    "templates": (
        {"values": {"base": {"enableCRDTemplates": True}}},
        "values/base/enableCRDTemplates",
        "warning",
        "brings the CRDs",
    ),
    "policy": (
        {"values": {"base": {"validationFailurePolicy": "Fail"}}},
        "values/base/validationFailurePolicy",
        "warning",
        "leaves the failurePolicy to istiod",
    ),
    "default": ({"values": {"defaultRevision": "a"}}, "values/defaultRevision", "warning", "called default"),
    "gateways": (
        {"values": {"gateways": {"securityContext": {}}}},
        "values/gateways/securityContext",
        "error",
        "no such field",
    ),
    "boolean": (
        {"values": {"pilot": {"env": {"ENABLE_CLUSTER_TRUST_BUNDLE_API": True}}}},
        "values/pilot/env/ENABLE_CLUSTER_TRUST_BUNDLE_API",
        "error",
        "is a boolean to the charts",
    ),
    "profile": ({"values": {"profile": "own"}}, "values/profile", "error", "no such profile"),
    "namespace": (
        {"components": {"pilot": {"namespace": "other"}}},
        "components/pilot/namespace",
        "error",
        "one namespace",
    ),
    "base": ({"components": {"base": {"enabled": False}}}, "components/base", "warning", "chart base"),
    "compatibility": (
        {"profile": "ambient", "compatibilityVersion": "1.28"},
        "compatibilityVersion",
        "warning",
        "the CNI plugin",
    ),
    "ztunnel": (
        {"profile": "ambient", "values": {"global": {"trustBundleName": "x"}}},
        "values/global/trustBundleName",
        "warning",
        "does not reach ztunnel",
    ),
    "served": ({"version": "1.30.99"}, "version", "error", "no Sail operator known to this meshgen"),
    "pinned": ({"sail": {"version": "1.28.0"}}, "sail/version", "error", "does not install Istio 1.30.3"),
}


def releases(istio: Object) -> Any:
    """The releases of Istio's own charts, their patches said elsewhere."""
    known = release_of(istio)
    found, _ = istio_releases(translate(istio, hub=known.hub), istio, known)
    return [replace(release, patches=()) for release in found if release.chart.name != "gateway"]


def built(**istio: Any) -> tuple[list[Object], tuple[Remark, ...]]:
    istio = {"version": "1.30.3", **istio}
    objects, remarks = sail_objects(releases(istio), istio, release_of(istio))
    return list(objects), remarks


def said(**istio: Any) -> list[Object]:
    objects, remarks = built(**istio)
    assert not remarks
    return objects


def test_a_mesh_without_ambient_is_one_istio():
    assert said() == [
        {
            "apiVersion": "sailoperator.io/v1",
            "kind": "Istio",
            "metadata": {"name": "default"},
            "spec": {
                "version": "v1.30.3",
                "namespace": "istio-system",
                "updateStrategy": {"type": "InPlace"},
                "values": {
                    "global": {"configValidation": True, "hub": "docker.io/istio", "tag": "1.30.3"},
                    "pilot": {"cni": {"enabled": False}},
                },
            },
        }
    ]


def test_ambient_brings_the_cni_plugin_and_ztunnel_with_what_they_take_of_global():
    istio, cni, ztunnel = said(profile="ambient", values={"global": {"network": "n"}, "ztunnel": {"env": {"A": True}}})
    images = {"hub": "docker.io/istio", "tag": "1.30.3"}
    assert istio["spec"]["profile"] == cni["spec"]["profile"] == "ambient"
    assert (cni["kind"], cni["spec"]["values"]) == ("IstioCNI", {"global": images})
    own = {"istioNamespace": "istio-system", "network": "n", "env": {"A": "true"}}
    assert (ztunnel["kind"], ztunnel["spec"]["values"]) == ("ZTunnel", {"global": images, "ztunnel": own})
    assert cni["metadata"]["name"] == ztunnel["metadata"]["name"] == "default"


def test_a_platform_beside_global_is_said_in_it():
    objects = said(profile="ambient", values={"platform": "gke", "global": {"platform": "k3d"}})
    assert {obj["spec"]["values"]["global"]["platform"] for obj in objects} == {"gke"}


def test_a_revision_is_the_name_of_its_istio():
    (istio,) = said(revision="canary")
    assert istio["metadata"]["name"] == "canary"
    assert "revision" not in istio["spec"]["values"]


def test_ztunnel_has_the_version_of_its_api_that_the_operator_stores():
    assert said(version="1.24.6", profile="ambient")[2]["apiVersion"] == "sailoperator.io/v1alpha1"
    assert said(version="1.28.10", profile="ambient")[2]["apiVersion"] == "sailoperator.io/v1"


def test_the_operator_is_the_newest_that_installs_this_istio_or_the_one_that_is_named():
    def chart(**istio: Any) -> Any:
        operator = sail_operator(istio)
        assert operator is not None
        assert (operator.name, operator.namespace, operator.values) == ("sail-operator", "sail-operator", {})
        return operator.chart

    assert (chart(version="1.26.8").version, chart(version="1.30.3").version) == ("1.28.3", "1.30.3")
    assert chart(version="1.30.3").repository == "https://istio-ecosystem.github.io/sail-operator"
    own = chart(version="1.30.3", sail={"version": "1.31.0", "repository": "oci://registry.example.com/sail"})
    assert (own.version, own.repository) == ("1.31.0", "oci://registry.example.com/sail")
    assert sail_operator({"version": "1.30.3", "sail": {"install": False}}) is None


@pytest.mark.parametrize("version", ["1.24.6", "1.25.5", "1.26.8", "1.27.9", "1.28.10", "1.29.6", "1.30.3"])
@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_profile_says_can_be_said(version: str, profile: str):
    assert said(version=version, profile=profile)


@pytest.mark.parametrize("name", SAID)
def test_what_the_resources_have_a_field_for_is_said_without_a_word(name: str):
    assert said(**SAID[name])


@pytest.mark.parametrize("name", [*UNSAID, *PASSED_OVER])
def test_what_the_resources_can_not_say_is_a_remark_on_the_setting(name: str):
    istio, at, severity, message = {**UNSAID, **PASSED_OVER}[name]

    _, (remark,) = built(**istio)

    rule = "MG206" if name in ("served", "pinned") else "MG216"
    assert (remark.rule, remark.pointer, remark.severity) == (rule, f"/istio/{at}", severity)
    assert message in remark.message
    assert remark.hint


def test_a_setting_that_no_chart_gets_names_each_that_would_read_it():
    _, remarks = built(profile="ambient", values={"global": {"networkPolicy": {"enabled": True}}})
    assert [remark.message.rpartition("reach ")[2] for remark in remarks] == ["the CNI plugin", "ztunnel"]


def test_a_mistake_that_every_chart_would_get_is_said_once():
    _, remarks = built(profile="ambient", tag=1.5)
    assert [remark.pointer for remark in remarks] == ["/istio/tag"]


def test_a_patch_is_a_remark_for_the_operator_makes_none():
    istio = {"version": "1.30.3"}
    base, pilot = releases(istio)
    patch = ObjectPatch("Deployment", "istiod", {"spec": {"paused": True}}, "/istio/components/pilot/k8s/overlays/0")

    _, (remark,) = sail_objects([base, replace(pilot, patches=(patch,))], istio, release_of(istio))

    assert (remark.rule, remark.severity, remark.pointer) == ("MG215", "error", patch.pointer)


@pytest.mark.parametrize("env", [{"A": 1.5}, {"ENABLE_CLUSTER_TRUST_BUNDLE_API": "true"}])
def test_a_value_that_was_made_of_k8s_settings_leads_back_to_them(env: Object):
    istio = {"version": "1.30.3", "components": {"pilot": {"k8s": {"env": [{"name": "A"}]}}}}
    base, pilot = releases(istio)
    made = replace(pilot, values={**pilot.values, "pilot": {"env": env}})

    _, (remark,) = sail_objects([base, made], istio, release_of(istio))

    assert remark.pointer == "/istio/components/pilot/k8s"


def test_no_message_holds_a_value():
    _, remarks = built(values={"pilot": {"env": {"A": ["hunter2"]}, "hub": ["hunter2"]}})
    assert len(remarks) == 2
    assert "hunter2" not in str(remarks)


@pytest.mark.upstream
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SAID)
def test_the_resources_fit_their_crds(cases: Path, profile: str, name: str):
    objects = said(**{"profile": profile, **SAID[name]})
    assert [problem for obj in objects for problem in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.realtools
@pytest.mark.upstream
def test_an_api_server_takes_what_has_no_remark_and_refuses_what_has_one(cases: Path):
    crds = [read_yaml((cases / "gitops-crds" / f"sailoperator.io_{name}.yaml").read_text()) for name in CRDS]
    with api_server() as server:
        apply([crd for (crd,) in crds], server.kubectl)
        create = ("create", "--dry-run=server", "--validate=strict", "--filename=-")
        for name, istio in SAID.items():
            for obj in said(**{"profile": "ambient", **istio}):
                assert server.kubectl(*create, stdin=text_of(obj)), name
        for istio, *_ in UNSAID.values():
            stream = "---\n".join(text_of(obj) + "\n" for obj in built(**istio)[0])
            with pytest.raises(KubectlFailed, match=r"is invalid|unknown field|cannot unmarshal"):
                server.kubectl(*create, stdin=stream)


@pytest.mark.realtools
@pytest.mark.parametrize(
    ("profile", "name"),
    [*((profile, "nothing") for profile in PROFILES), *(("ambient", name) for name in SAID), ("default", "pilot")],
)
def test_what_arrives_is_what_the_charts_make_of_the_translated_values(profile: str, name: str):
    istio = {"version": "1.30.3", "profile": profile, **SAID[name]}
    translated = {release.chart.name: release for release in releases(istio)}
    by_operator = {one.chart: one for one in installed(said(**istio))}

    assert set(by_operator) == set(translated)
    for chart, one in by_operator.items():
        release = translated[chart]
        arrives = relevant(template(chart, one.name, one.namespace, one.values))
        wanted = relevant(template(chart, one.name, one.namespace, release.values))
        if chart == "base":
            # Known: with the default revision the operator always lets the chart validate.
            arrives = {key: obj for key, obj in arrives.items() if key.group != "admissionregistration.k8s.io"}
        assert release.namespace == one.namespace or chart == "base"
        assert arrives == wanted


def relevant(objects: list[Object]) -> dict[Any, Object]:
    """Objects by identity, but for the ConfigMap in which a chart shows its own values."""
    shown = [obj for obj in objects if obj["kind"] == "ConfigMap" and "merged-values" in obj["data"]]
    return {identity(obj): _injecting(obj) for obj in objects if obj not in shown}


def _injecting(obj: Object) -> Object:
    """An object, of whose values for the templates of injection only those are left that they read."""
    if obj["kind"] != "ConfigMap" or "values" not in obj["data"]:
        return obj
    values = json.loads(obj["data"]["values"])
    pilot = {"cni": {key: values["pilot"]["cni"].get(key) for key in ("enabled", "provider")}}
    return {**obj, "data": {**obj["data"], "values": {**values, "pilot": pilot}}}
