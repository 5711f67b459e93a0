"""The player of helm-controller does as Flux's own: order, names, values, post-renderers, hooks, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver import api_server
from tests.helmcontroller import apply, as_rendered, install
from tests.helmrelease import Refused, Release
from tests.objects import Object, of_kind, read_yaml, text_of
from tests.tools import istio_charts

REPOSITORY = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "HelmRepository",
    "metadata": {"name": "charts", "namespace": "flux-system"},
    "spec": {"url": "https://charts.example.com", "interval": "1h"},
}
OCI = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "OCIRepository",
    "metadata": {"name": "own", "namespace": "flux-system"},
    "spec": {"url": "oci://registry.example.com/charts/small", "interval": "1h", "ref": {"tag": "1.0.0"}},
}
OWN_LABELS = {"helm.toolkit.fluxcd.io/name": "one", "helm.toolkit.fluxcd.io/namespace": "flux-system"}
TEMPLATES = {
    "role.yaml": """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "{{ .Release.Name }}"}
""",
    # Its Deployment stands before what Helm applies first.
    "config.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  selector: {matchLabels: {app: small}}
  template:
    metadata: {labels: {app: small}}
    spec: {containers: [{name: small, image: "example/small:{{ .Values.tag }}"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: "{{ .Release.Namespace }}"}
data: {values: '{{ omit .Values "global" | toJson }}', kubernetes: "{{ .Capabilities.KubeVersion.Minor }}"}
""",
    "hooks.yaml": """
{{- range $hook := list "test" "pre-install,pre-upgrade" "post-install" "pre-delete" }}
---
apiVersion: v1
kind: Pod
metadata: {name: "{{ regexReplaceAll "," $hook "-" }}", annotations: {"helm.sh/hook": "{{ $hook }}"}}
spec: {containers: [{name: hook, image: example/hook}]}
{{- end }}
""",
}
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: smalls.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: smalls, singular: small, kind: Small}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""


@pytest.fixture
def charts(tmp_path: Path) -> Mapping[str, Path]:
    chart = tmp_path / "small"
    (chart / "templates").mkdir(parents=True)
    (chart / "crds").mkdir()
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: small, version: 1.0.0}")
    (chart / "values.yaml").write_text("{tag: '1', limits: {cpu: 1, memory: 2}}")
    (chart / "crds" / "small.yaml").write_text(CRD)
    for name, text in TEMPLATES.items():
        (chart / "templates" / name).write_text(text)
    return {"small": chart}


def helm_release(name: str = "one", **spec: Any) -> Object:
    source = {"kind": "HelmRepository", "name": "charts"}
    if "chartRef" not in spec:
        spec.setdefault("chart", {"spec": {"chart": "small", "version": "1.0.0", "sourceRef": source}})
    metadata = {"name": name, "namespace": "flux-system"}
    return {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata, "spec": spec}


def names(objects: list[Object]) -> list[str]:
    return [f"{obj['kind']}/{obj['metadata']['name']}" for obj in objects]


def test_what_arrives_is_the_charts_in_helms_order_with_hooks_of_an_installation(charts: Mapping[str, Path]):
    objects = install([helm_release()], [REPOSITORY], charts)

    assert names(objects) == [
        "CustomResourceDefinition/smalls.example.com",
        "Pod/pre-install-pre-upgrade",
        "ConfigMap/values",
        "ClusterRole/one",
        "Deployment/one",
        "Pod/post-install",
    ]


def test_objects_arrive_with_their_namespace_and_their_owners(charts: Mapping[str, Path]):
    release = helm_release(targetNamespace="mesh", releaseName="small", install={"createNamespace": True})

    objects = install([release], [REPOSITORY], charts)

    namespace, crd, hook, *_, deployment, _ = objects
    assert namespace["metadata"] == {"name": "mesh", "labels": {"name": "mesh"}}
    assert crd["metadata"] == {"name": "smalls.example.com", "labels": OWN_LABELS}
    assert deployment["metadata"] == {
        "name": "small",
        "namespace": "mesh",
        "labels": {**OWN_LABELS, "app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "small", "meta.helm.sh/release-namespace": "mesh"},
    }
    assert as_rendered(deployment)["metadata"] == {"name": "small", "namespace": "mesh"}
    assert hook["metadata"]["labels"] == OWN_LABELS
    assert "namespace" not in of_kind(objects, "ClusterRole")["small"]["metadata"]


def test_values_reach_the_chart_and_a_null_takes_its_default_away(charts: Mapping[str, Path]):
    release = helm_release(values={"tag": "2", "limits": {"cpu": None}})

    data = of_kind(install([release], [REPOSITORY], charts, kubernetes="1.29.4"), "ConfigMap")["values"]["data"]

    assert json.loads(data["values"]) == {"tag": "2", "limits": {"memory": 2}}
    assert data["kubernetes"] == "29"


def test_post_renderers_work_in_their_order_on_all_but_crds(charts: Mapping[str, Path]):
    add = {"op": "add", "path": "/metadata/annotations", "value": {"example.com/by": "patch"}}
    replicas = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one"}, "spec": {"replicas": 2}}
    more = [{"op": "replace", "path": "/spec/replicas", "value": 3}]
    first = {
        "patches": [
            {"target": {"name": "(one|smalls.*)"}, "patch": json.dumps([add])},
            {"patch": json.dumps(replicas)},
            {"target": {"kind": "Service"}, "patch": json.dumps(more)},
        ],
        "images": [{"name": "example/small", "newTag": "9"}],
    }
    second = {"patches": [{"target": {"kind": "Deployment"}, "patch": json.dumps(more)}]}
    release = helm_release(postRenderers=[{"kustomize": first}, {"kustomize": second}])

    objects = install([release], [REPOSITORY], charts)

    deployment = of_kind(objects, "Deployment")["one"]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "example/small:9"
    annotated = [obj for obj in objects if "example.com/by" in obj["metadata"].get("annotations", {})]
    assert names(annotated) == ["ClusterRole/one", "Deployment/one"]


def test_a_merge_patch_of_an_object_that_is_not_there_is_refused(charts: Mapping[str, Path]):
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "two"}, "spec": {"replicas": 2}}
    release = helm_release(postRenderers=[{"kustomize": {"patches": [{"patch": json.dumps(patch)}]}}])

    with pytest.raises(Refused, match="no resource matches strategic merge patch"):
        install([release], [REPOSITORY], charts)


def test_common_metadata_is_on_objects_but_not_on_pods(charts: Mapping[str, Path]):
    common = {"labels": {"team": "mesh", **dict.fromkeys(OWN_LABELS, "taken")}, "annotations": {"cost": "7"}}

    objects = install([helm_release(commonMetadata=common)], [REPOSITORY], charts)

    deployment = of_kind(objects, "Deployment")["one"]
    labels = {**OWN_LABELS, "team": "mesh", "app.kubernetes.io/managed-by": "Helm"}
    assert deployment["metadata"]["labels"] == labels
    assert deployment["metadata"]["annotations"]["cost"] == "7"
    assert deployment["spec"]["template"]["metadata"] == {"labels": {"app": "small"}}


def test_crds_and_hooks_can_be_left_out(charts: Mapping[str, Path]):
    release = helm_release(install={"crds": "Skip", "disableHooks": True})

    assert names(install([release], [REPOSITORY], charts)) == ["ConfigMap/values", "ClusterRole/one", "Deployment/one"]


def test_releases_come_after_those_that_they_depend_on(charts: Mapping[str, Path]):
    chart_ref = {"kind": "OCIRepository", "name": "own"}
    last = helm_release("last", dependsOn=[{"name": "middle"}], targetNamespace="c", chartRef=chart_ref)
    middle = helm_release("middle", dependsOn=[{"name": "first", "namespace": "flux-system"}], targetNamespace="b")
    first = helm_release("first", targetNamespace="a")

    objects = install([last, first, middle], [OCI, REPOSITORY], charts)

    assert list(of_kind(objects, "Deployment")) == ["a-first", "b-middle", "c-last"]


@pytest.mark.parametrize(
    ("releases", "message"),
    [
        ([helm_release(dependsOn=[{"name": "two"}])], "no HelmRelease here"),
        ([helm_release(dependsOn=[{"name": "one", "namespace": "mesh"}])], "no HelmRelease here"),
        (
            [helm_release("one", dependsOn=[{"name": "two"}]), helm_release("two", dependsOn=[{"name": "one"}])],
            "in a circle",
        ),
        ([helm_release("one", releaseName="two"), helm_release("two")], "one release name"),
        ([helm_release(chartRef={"kind": "OCIRepository", "name": "other"})], "no source"),
        ([helm_release(chartRef={"kind": "OCIRepository", "name": "own", "namespace": "mesh"})], "no source"),
        ([helm_release(chart=None)], "needs one of chart and chartRef"),
        ([helm_release(valuesFrom=[{"kind": "ConfigMap", "name": "values"}])], r"has \['valuesFrom'\]"),
        ([helm_release(), helm_release("two", targetNamespace="flux-system")], "there already"),
    ],
)
def test_what_helm_controller_would_not_install_is_refused(
    releases: list[Object], message: str, charts: Mapping[str, Path]
):
    with pytest.raises(Refused, match=message):
        install(releases, [REPOSITORY, OCI], charts)


def test_a_long_release_name_is_cut_as_helm_controller_cuts_it():
    release = Release(helm_release("some-release", targetNamespace="a-namespace-of-which-the-name-is-a-very-long-one"))

    assert release.name == "a-namespace-of-which-the-name-is-a-very--de4a82d447df"


@pytest.mark.realtools
def test_istios_base_chart_arrives_at_a_real_api_server():
    chart = {"spec": {"chart": "base", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}
    release = helm_release("base", chart=chart, targetNamespace="istio-system", install={"createNamespace": True})

    objects = install([release], [REPOSITORY], {"base": istio_charts() / "base"})

    with api_server() as server:
        apply(objects, server.kubectl)
        sidecar = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "default"}}
        server.kubectl("create", "--filename=-", stdin=text_of({**sidecar, "spec": {"egress": [{"hosts": ["./*"]}]}}))
        assert server.kubectl("get", "sidecars", "-oname").split() == ["sidecar.networking.istio.io/default"]
        # Applied again, nothing changes.
        before = server.kubectl("get", "crd,validatingwebhookconfiguration,serviceaccount", "-A", "-ojson")
        apply(objects, server.kubectl)
        assert server.kubectl("get", "crd,validatingwebhookconfiguration,serviceaccount", "-A", "-ojson") == before


@pytest.mark.realtools
@pytest.mark.upstream
def test_a_null_among_values_stays_when_flux_applies_a_helm_release(cases: Path):
    values = {"none": None, "limits": {"cpu": None, "memory": 2}, "list": [None, {"none": None}]}
    release = helm_release(values=values, interval="1h")
    release["metadata"]["namespace"] = "default"
    crd = (cases / "gitops-crds" / "helm.toolkit.fluxcd.io_helmreleases.yaml").read_text()

    with api_server() as server:
        apply(read_yaml(crd), server.kubectl)
        apply([release], server.kubectl)
        assert json.loads(server.kubectl("get", "helmrelease", "one", "-ojsonpath={.spec.values}")) == values
