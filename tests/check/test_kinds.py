"""Objects that an API server would refuse are refused here, in words that say the next move."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.catalog import Version
from meshgen.catalog.kinds import Api
from meshgen.check.kinds import Problem, crd_types, kind_problems
from meshgen.render import build_mesh
from tests.catalog.kindfields import PROJECTS, module_zip

Object = dict[str, Any]
OLD, NEW = Version.parse("1.11.3"), Version.parse("1.30.3")


def obj(api_version: str, kind: str, spec: Any = None, **more: Any) -> Object:
    made = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "one"}, **more}
    return made if spec is None else {**made, "spec": spec}


def problems(one: Object, kubernetes: str = "1.30", istio: Version = NEW, **more: Any) -> list[Problem]:
    return list(kind_problems(one, kubernetes, istio, **more))


def said(one: Object, kubernetes: str = "1.30", istio: Version = NEW, **more: Any) -> list[tuple[str, str, str | None]]:
    return [(found.rule, found.message, found.hint) for found in problems(one, kubernetes, istio, **more)]


def deployment(**container: Any) -> Object:
    container = {"name": "app", "image": "app:1", **container}
    template = {"metadata": {"labels": {"app": "one"}}, "spec": {"containers": [container]}}
    return obj("apps/v1", "Deployment", {"selector": {"matchLabels": {"app": "one"}}, "template": template})


def virtual_service(**http: Any) -> Object:
    return obj("networking.istio.io/v1beta1", "VirtualService", {"hosts": ["a"], "http": [http]})


def test_a_good_object_has_no_problem():
    assert said(deployment(ports=[{"containerPort": 80}])) == []


def test_an_unknown_field_is_said_with_the_one_that_was_meant():
    (found,) = problems(deployment(imagePullPolcy="Always"))

    assert (found.rule, found.severity, found.at_key) == ("MG420", "error", True)
    assert found.pointer == "/spec/template/spec/containers/0/imagePullPolcy"
    assert found.message == (
        "Deployment one: spec.template.spec.containers[0].imagePullPolcy: Kubernetes 1.30 has no such field"
    )
    assert found.hint == 'did you mean "imagePullPolicy"?'


def test_a_field_of_another_istio_is_said_with_the_versions_that_have_it():
    direct = virtual_service(directResponse={"status": 503})

    assert said(direct, "1.22", OLD) == [
        (
            "MG420",
            "VirtualService one: spec.http[0].directResponse: Istio 1.11.3 has no such field",
            "take it out: Istio has it from 1.15.0 on",
        )
    ]
    assert said(direct) == []


def test_a_field_is_found_at_other_versions_whatever_stood_around_it():
    port = {"port": {"number": 80}, "loadBalancer": {"simple": "ROUND_ROBIN", "warmup": {"duration": "3s"}}}
    rule = obj(
        "networking.istio.io/v1beta1",
        "DestinationRule",
        {"host": "a", "trafficPolicy": {"portLevelSettings": [port]}},
    )
    claim = obj("v1", "PersistentVolumeClaim", {"resources": {"claims": []}})

    for version in ("1.14.0", "1.22.0", "1.23.0"):
        assert [hint for _, _, hint in said(rule, istio=Version.parse(version))] == [
            "take it out: Istio has it from 1.24.0 on"
        ]
    assert [hint for _, _, hint in said(claim, "1.30")] == ["take it out: Kubernetes had it until 1.28"]


@pytest.mark.parametrize(
    ("api_version", "kind", "kubernetes", "older"),
    [
        ("policy/v1", "PodDisruptionBudget", "1.20", "policy/v1beta1"),
        ("batch/v1", "CronJob", "1.20", "batch/v1beta1"),
        ("discovery.k8s.io/v1", "EndpointSlice", "1.19", "discovery.k8s.io/v1beta1"),
    ],
)
def test_a_kind_of_a_newer_kubernetes_is_said_with_the_version_that_is_there(
    api_version: str, kind: str, kubernetes: str, older: str
):
    assert [hint for _, _, hint in said(obj(api_version, kind), kubernetes)] == [
        f"take apiVersion: {older}; Kubernetes has it from 1.21 on"
    ]
    assert said(obj(older, kind), kubernetes) == []


def test_a_version_is_offered_once():
    ((_, _, hint),) = said(obj("v1", "Ingress"), "1.30")

    assert hint == "take apiVersion: networking.k8s.io/v1"


def test_a_field_of_another_kubernetes_is_said_with_the_minors_that_have_it():
    service = obj("v1", "Service", {"ports": [{"port": 80}], "trafficDistribution": "PreferClose"})

    assert [hint for _, _, hint in said(service, "1.29")] == ["take it out: Kubernetes has it from 1.30 on"]
    assert said(service, "1.30") == []


def test_a_version_newer_than_all_that_is_known_may_have_the_field():
    unknown = obj("v1", "Service", {"ports": [{"port": 80}], "fresh": True})

    assert [found.severity for found in problems(unknown, "1.99")] == ["warning"]
    assert [found.severity for found in problems(virtual_service(fresh=1), istio=Version.parse("1.99.0"))] == [
        "warning"
    ]


@pytest.mark.parametrize(
    "one",
    [
        obj(
            "batch/v1",
            "Job",
            {
                "podFailurePolicy": {
                    "rules": [
                        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
                        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                    ]
                },
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}},
            },
        ),
        obj("apps/v1", "StatefulSet", {"selector": {"matchLabels": {"a": "b"}}, "template": {}}),
        obj("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4"),
        obj("networking.k8s.io/v1", "NetworkPolicy", {"policyTypes": ["Ingress"]}),
        obj("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"kind": "Role", "name": "one"}),
        obj("scheduling.k8s.io/v1", "PriorityClass"),
    ],
    ids=lambda one: one["kind"],
)
@pytest.mark.parametrize("kubernetes", ["1.22", "1.28", "1.37"])
def test_what_only_older_schemas_call_required_may_be_left_out(one: Object, kubernetes: str):
    assert said(one, kubernetes) == []


def test_a_cluster_older_than_all_that_is_known_is_checked_by_the_oldest():
    assert [rule for rule, _, _ in said(deployment(imagePullPolcy="Always"), "1.22")] == ["MG420"]


@pytest.mark.parametrize("value", [True, 5, 1.5])
def test_an_annotation_without_quotes_is_told_to_have_some(value: Any):
    one = obj("example.com/v1", "Anything")
    one["metadata"]["annotations"] = {"sidecar.istio.io/inject": value}

    message = 'Anything one: metadata.annotations["sidecar.istio.io/inject"]: the value is not a text'
    assert said(one) == [("MG421", message, "write it in quotes")]


def test_the_environment_is_text_and_is_never_printed():
    (found,) = problems(deployment(env=[{"name": "PIN", "value": 483920}]))

    assert (found.rule, found.hint) == ("MG421", "write it in quotes")
    assert "483920" not in f"{found}"


@pytest.mark.parametrize(("data", "rules"), [("aGVsbG8=", []), ("aGVs\nbG8=", []), ("hello world", ["MG421"])])
def test_data_of_a_secret_is_base64_and_is_never_printed(data: str, rules: list[str]):
    found = problems(obj("v1", "Secret", data={"key": data}))

    assert [one.rule for one in found] == rules
    assert not any(data in f"{one}" for one in found)


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("replicas", "2", "write it without quotes"),
        ("replicas", 2**31, "write a whole number"),
        ("replicas", 2.5, "write a whole number"),
        ("paused", "yes", "write true or false"),
        ("template", [], "write a map"),
        ("strategy", {"type": "Recreated"}, 'did you mean "Recreate"? One of Recreate, RollingUpdate'),
        ("strategy", {"rollingUpdate": {"maxSurge": True}}, "write a whole number or a text"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(field: str, value: Any, hint: str):
    one = deployment()
    one["spec"][field] = value

    assert [(rule, text) for rule, _, text in said(one)] == [("MG421", hint)]


@pytest.mark.parametrize("memory", ["1Gi", "500m", 1, 1.5, "1e3"])
def test_a_quantity_is_a_text_or_a_number(memory: Any):
    assert said(deployment(resources={"limits": {"memory": memory}})) == []


def test_a_quantity_of_another_unit_is_refused():
    assert [rule for rule, _, _ in said(deployment(resources={"limits": {"memory": "1GB"}}))] == ["MG421"]


def test_a_null_counts_as_absent():
    assert said(deployment(command=None, env=None)) == []
    assert said(deployment(name=None)) == [
        ("MG422", 'Deployment one: spec.template.spec.containers[0]: "name" is missing', "add it: a text")
    ]


def test_a_null_in_a_list_of_a_custom_resource_is_refused():
    one = obj("networking.istio.io/v1", "VirtualService", {"hosts": ["a", None]})

    assert said(one) == [
        (
            "MG421",
            "VirtualService one: spec.hosts[1]: the value is not a text",
            "write a text, or take the item out",
        )
    ]


def test_a_missing_field_is_said_where_it_is_missing():
    (found,) = problems(obj("v1", "Service", {"ports": [{"name": "http"}]}))

    assert (found.rule, found.pointer, found.severity) == ("MG422", "/spec/ports/0", "error")
    assert (found.message, found.hint) == ('Service one: spec.ports[0]: "port" is missing', "add it: a whole number")


def test_an_enum_has_the_words_of_its_version():
    rule = obj(
        "networking.istio.io/v1beta1",
        "DestinationRule",
        {"host": "a", "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}}},
    )

    assert [found.rule for found in problems(rule, "1.22", OLD)] == ["MG421"]
    assert problems(rule) == []


def test_bounds_and_patterns_are_kept():
    wasm = {"url": "oci://a", "match": [{"ports": [{"number": 70000}]}], "sha256": "no"}

    assert said(obj("extensions.istio.io/v1alpha1", "WasmPlugin", wasm)) == [
        (
            "MG421",
            "WasmPlugin one: spec.match[0].ports[0].number: the value is out of bounds",
            "it has to be at most 65535",
        ),
        (
            "MG421",
            "WasmPlugin one: spec.sha256: the value is not written as it has to be",
            "it has to match (^$|^[a-f0-9]{64}$)",
        ),
    ]


def test_fields_that_exclude_each_other_are_said():
    match = {"uri": {"exact": "/a", "prefix": "/b"}}

    assert said(virtual_service(match=[match])) == [
        (
            "MG421",
            "VirtualService one: spec.http[0].match[0].uri: exact and prefix exclude each other",
            "keep one of them",
        )
    ]


@pytest.mark.parametrize(
    ("api_version", "kind", "istio", "pointer", "hint"),
    [
        (
            "networking.istio.io/v1",
            "Gateway",
            OLD,
            "/apiVersion",
            "take apiVersion: networking.istio.io/v1beta1 or networking.istio.io/v1alpha3; Istio has it from 1.22.0 on",
        ),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", OLD, "/apiVersion", "Istio has it from 1.12.0 on"),
        ("networking.istio.io/v1", "VirtualServce", NEW, "/kind", 'did you mean "VirtualService"? One of '),
        ("networking.istoi.io/v1", "VirtualService", NEW, "/apiVersion", "take apiVersion: networking.istio.io/v1 or "),
        ("apps/v1", "Deploymnt", NEW, "/kind", 'did you mean "Deployment"? One of '),
        ("app/v1", "Deployment", NEW, "/apiVersion", "take apiVersion: apps/v1"),
        ("apps/v2", "Deployment", NEW, "/apiVersion", "take apiVersion: apps/v1"),
        ("v1", "Ingress", NEW, "/apiVersion", "take apiVersion: networking.k8s.io/v1"),
        ("v1", "Nonsense", NEW, "/kind", "correct its kind"),
    ],
)
def test_a_kind_that_is_not_there_is_said_with_what_is(
    api_version: str, kind: str, istio: Version, pointer: str, hint: str
):
    (found,) = problems(obj(api_version, kind, {"any": "thing"}), istio=istio)

    assert (found.rule, found.severity, found.pointer) == ("MG423", "error", pointer)
    assert f"does not serve {api_version} {kind}" in found.message
    assert found.hint is not None
    assert found.hint.startswith(hint)


def test_a_kind_that_came_later_is_said_and_one_that_is_gone_is_another_rule():
    assert said(obj("autoscaling/v2", "HorizontalPodAutoscaler", {}), "1.22") == [
        (
            "MG423",
            "HorizontalPodAutoscaler one: Kubernetes 1.22 does not serve autoscaling/v2 HorizontalPodAutoscaler",
            "take apiVersion: autoscaling/v1 or autoscaling/v2beta2; Kubernetes has it from 1.23 on",
        )
    ]
    assert said(obj("policy/v1beta1", "PodDisruptionBudget", {}), "1.24") == []
    assert said(obj("policy/v1beta1", "PodDisruptionBudget", {}), "1.25") == []


def test_another_version_of_a_project_is_a_warning_that_says_by_what_it_was_judged():
    (found,) = problems(obj("source.toolkit.fluxcd.io/v1beta2", "GitRepository", {}))

    assert (found.rule, found.severity) == ("MG423", "warning")
    assert found.message == (
        "GitRepository one: Flux 2.9, which meshgen knows, does not serve "
        "source.toolkit.fluxcd.io/v1beta2 GitRepository"
    )
    assert found.hint == "leave it if your clusters serve it, else take source.toolkit.fluxcd.io/v1"


def http_route(**rule: Any) -> Object:
    rule = {"backendRefs": [{"name": "a", "port": 80}], **rule}
    return obj("gateway.networking.k8s.io/v1", "HTTPRoute", {"parentRefs": [{"name": "g"}], "rules": [rule]})


@pytest.mark.parametrize(
    "rule",
    [
        {"retry": {"attempts": 2, "codes": [503]}},
        {"sessionPersistence": {"type": "Cookie", "sessionName": "s"}},
        {"timeouts": {"request": "10s"}},
    ],
)
def test_a_field_of_any_channel_of_gateway_api_is_known(rule: dict[str, Any]):
    assert said(http_route(**rule)) == []


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("v1alpha2", "TCPRoute", {"rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}),
        ("v1alpha2", "TLSRoute", {"rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}),
        ("v1alpha3", "TLSRoute", {"hostnames": ["a.b"], "rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}),
        (
            "v1alpha3",
            "BackendTLSPolicy",
            {
                "targetRefs": [{"group": "", "kind": "Service", "name": "a"}],
                "validation": {"hostname": "a.b", "wellKnownCACertificates": "System"},
            },
        ),
        (
            "v1beta1",
            "ReferenceGrant",
            {"from": [{"group": "", "kind": "a", "namespace": "b"}], "to": [{"group": "", "kind": "a"}]},
        ),
    ],
)
def test_a_version_of_any_release_of_gateway_api_is_served(version: str, kind: str, spec: Object):
    assert said(obj(f"gateway.networking.k8s.io/{version}", kind, spec)) == []


def test_what_no_gateway_api_has_is_a_warning_that_says_by_what_it_was_judged():
    judge = "Gateway API 0.5 to 1.7, which meshgen knows"
    found = problems(http_route(retyr={}, backendRefs={}, matches=[{"method": "get"}]))

    assert {one.severity for one in found} == {"warning"}
    assert [(one.rule, one.message) for one in found] == [
        ("MG421", f"HTTPRoute one: spec.rules[0].backendRefs: the value is not a list (judged by {judge})"),
        ("MG420", f"HTTPRoute one: spec.rules[0].retyr: {judge}, has no such field"),
        ("MG421", f"HTTPRoute one: spec.rules[0].matches[0].method: the value is not one that {judge}, has"),
    ]
    assert found[1].hint is not None
    assert found[1].hint.startswith('did you mean "retry"?')
    assert found[1].hint.endswith("; or add the CRD that your clusters have to `resources`: it alone decides then")
    listener = {"name": "a", "port": 80, "protocol": "HTTP"}
    (missing,) = problems(obj("gateway.networking.k8s.io/v1", "Gateway", {"listeners": [listener]}))
    assert (missing.rule, missing.severity) == ("MG422", "warning")
    assert missing.message == f'Gateway one: spec: "gatewayClassName" is missing (judged by {judge})'


def test_the_crd_of_gateway_api_that_is_in_the_tree_decides_alone():
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"rules": {"type": "string"}}}}}
    brought = crd(schema)
    brought["spec"] |= {"group": "gateway.networking.k8s.io", "names": {"kind": "HTTPRoute", "plural": "httproutes"}}
    found = problems(http_route(), custom=crd_types(brought))

    assert [(one.rule, one.severity, one.message) for one in found] == [
        ("MG420", "error", "HTTPRoute one: spec.parentRefs: its CRD has no such field"),
        ("MG421", "error", "HTTPRoute one: spec.rules: the value is not a text"),
    ]


def test_metadata_is_kubernetes_own_also_of_a_projects_kind():
    route = http_route()
    route["metadata"]["annotations"] = {"a": True}
    (found,) = problems(route)

    assert (found.rule, found.severity, found.hint) == ("MG421", "error", "write it in quotes")


def test_an_older_version_of_external_secrets_is_served():
    spec = {"secretStoreRef": {"name": "s"}, "data": [{"secretKey": "k", "remoteRef": {"key": "r"}}]}

    assert said(obj("external-secrets.io/v1beta1", "ExternalSecret", spec)) == []
    (found,) = problems(obj("external-secrets.io/v1alpha1", "ExternalSecret", spec))
    assert found.message == (
        "ExternalSecret one: External Secrets 0.16 to 2.9, which meshgen knows, does not serve "
        "external-secrets.io/v1alpha1 ExternalSecret"
    )


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("example.com/v1", "Anything"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("external-secrets.io/v1", "SecretStore"),
        ("metrics.k8s.io/v1beta1", "PodMetrics"),
        ("install.istio.io/v1alpha1", "IstioOperator"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
    ],
)
def test_kinds_that_nobody_knows_pass(api_version: str, kind: str):
    assert said(obj(api_version, kind, {"any": [1, None]})) == []


def crd(schema: Any, **version: Any) -> Object:
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}, **version}]
    names = {"kind": "Toy", "plural": "toys"}
    spec = {"group": "example.com", "names": names, "scope": "Namespaced", "versions": versions}
    return obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec)


TOY = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "maximum": 9}}}
    },
}


def test_a_custom_resource_is_checked_by_the_users_own_crd():
    custom = crd_types(crd(TOY))

    assert said(obj("example.com/v1", "Toy", {"size": 3}), custom=custom) == []
    assert said(obj("example.com/v1", "Toy", {"sice": 12}), custom=custom) == [
        ("MG420", "Toy one: spec.sice: its CRD has no such field", 'did you mean "size"?'),
        ("MG422", 'Toy one: spec: "size" is missing', "add it: a whole number"),
    ]
    assert said(obj("example.com/v2", "Toy", {}), custom=custom) == [
        ("MG423", "Toy one: its CRD does not serve example.com/v2 Toy", "take apiVersion: example.com/v1")
    ]


def test_a_number_or_text_keeps_to_its_pattern():
    percent = {"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+%$"}
    custom = crd_types(crd({"type": "object", "properties": {"spec": {"properties": {"share": percent}}}}))

    assert said(obj("example.com/v1", "Toy", {"share": 5}), custom=custom) == []
    assert said(obj("example.com/v1", "Toy", {"share": "5%"}), custom=custom) == []
    assert [rule for rule, _, _ in said(obj("example.com/v1", "Toy", {"share": "5"}), custom=custom)] == ["MG421"]


def test_a_crd_of_the_users_own_goes_before_what_is_known():
    own = crd({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    own["spec"] |= {"group": "source.toolkit.fluxcd.io", "names": {"kind": "GitRepository", "plural": "x"}}
    newer = obj("source.toolkit.fluxcd.io/v1", "GitRepository", {"fresh": True})

    assert [rule for rule, _, _ in said(newer)] != []
    assert said(newer, custom=crd_types(own)) == []


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "object", "properties": {"spec": None}, "required": [None]},
        {"type": "object", "properties": {"spec": {"type": "array", "items": [{}]}}, "allOf": [None]},
        {"type": "object", "properties": {"spec": {"type": "string", "pattern": "(?<=a)["}}},
        {"type": "nonsense"},
    ],
)
def test_a_strange_crd_is_no_bug(schema: Any):
    custom = crd_types(crd(schema))

    assert list(custom) == [Api("example.com/v1", "Toy")]
    problems(obj("example.com/v1", "Toy", "x"), custom=custom)


def test_what_is_no_valid_crd_brings_no_types():
    wrong = crd(TOY)
    wrong["spec"]["versions"] = {"name": "v1"}

    assert crd_types(wrong) == {}
    assert crd_types(obj("v1", "Service")) == {}


def documents(path: Path | zipfile.Path) -> Iterator[Object]:
    for one in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
        if isinstance(one, dict) and "apiVersion" in one:
            yield one


def test_the_example_has_no_problem(project: Path):
    built = build_mesh(project / "meshgen.yaml")

    for cluster in built.clusters:
        istio = Version.parse(cluster.cluster.settings["istio"]["version"])
        for stage in cluster.built.stages:
            for one in stage.objects:
                assert said(one, cluster.cluster.kubernetes or "1.22", istio) == []


def test_the_wiring_of_the_example_has_no_problem(project: Path):
    folders = [path for name in ("flux", "argocd") for path in (project / "output").rglob(name) if path.is_dir()]
    wiring = [one for folder in folders for path in sorted(folder.rglob("*.yaml")) for one in documents(path)]

    assert {"Kustomization", "GitRepository", "Application"} <= {one["kind"] for one in wiring}
    assert [found for one in wiring for found in said(one)] == []


@pytest.mark.upstream
@pytest.mark.parametrize(("version", "kubernetes"), [("1.11.3", "1.22"), ("1.30.3", "1.36")])
def test_the_samples_of_a_release_have_no_problem(version: str, kubernetes: str, cases: Path):
    samples = [one for path in sorted((cases / f"istio-{version}/addons").rglob("*.yaml")) for one in documents(path)]

    assert len(samples) > 40
    assert [found for one in samples for found in said(one, kubernetes, Version.parse(version))] == []


@pytest.mark.realtools
@pytest.mark.parametrize("release", ["v0.8.1", "v1.2.1", "v1.7.0"])
def test_the_examples_of_gateway_api_have_no_problem(release: str):
    with zipfile.ZipFile(module_zip(PROJECTS["gateway"].module, release)) as archive:
        names = [name for name in archive.namelist() if "/examples/" in name and name.endswith(".yaml")]
        examples = [one for name in names for one in documents(zipfile.Path(archive, name))]

    assert len(examples) > 80
    assert [found for one in examples for found in said(one)] == []


@pytest.mark.upstream
def test_crds_have_no_problem_and_are_read(cases: Path):
    crds = [one for path in sorted(cases.glob("*/crd*/*.yaml")) for one in documents(path)]
    crds += [one for path in sorted(cases.glob("gitops-crds/*.yaml")) for one in documents(path)]

    assert len(crds) > 50
    assert [found for one in crds for found in said(one)] == []
    assert all(crd_types(one) for one in crds)


def tables(cases: Path, verdict: str) -> list[Object]:
    """The Istio resources on which the webhook of 1.11.3 gives a verdict.

    They were written as v1beta1, which WorkloadGroup was not yet.
    """
    listed = json.loads((cases / "istio-1.11.3/manifest.json").read_bytes())["files"]
    found = []
    for entry in listed:
        if entry["path"].startswith("go-tables/") and entry["expect"]["verdict"] == verdict:
            (one,) = documents(cases / "istio-1.11.3" / entry["path"])
            found.append(
                one | ({"apiVersion": "networking.istio.io/v1alpha3"} if one["kind"] == "WorkloadGroup" else {})
            )
    return found


@pytest.mark.upstream
@pytest.mark.parametrize("istio", [OLD, NEW])
def test_what_istio_accepts_has_no_problem(istio: Version, cases: Path):
    accepted = tables(cases, "accept")

    assert len(accepted) == 78
    assert [found for one in accepted for found in said(one, "1.22", istio)] == []


@pytest.mark.upstream
def test_some_of_what_istio_refuses_is_refused_by_its_fields(cases: Path):
    # At 1.11 the CRDs have hardly a rule, so nearly all is left to the webhook.
    refused = tables(cases, "reject")
    caught = {istio: sum(bool(said(one, "1.22", istio)) for one in refused) for istio in (OLD, NEW)}

    assert len(refused) == 125
    assert caught == {OLD: 0, NEW: 14}
