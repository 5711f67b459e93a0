"""Argo CD's wiring: objects that its own CRDs accept, with no more rights than the stages need, and without drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.layout.identity import CLUSTER_SCOPED, identity
from tests.delivery.crds import problems
from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    build_all,
    copy_example,
    mesh,
    of_kind,
    overlay,
    render,
    render_config,
    text_of,
)

URL = "https://example.com/mesh.git"
EVERY_KEY = {
    "url": "git@example.com:mesh.git",
    "branch": "v1.11",
    "path": "./tree",
    "prune": False,
    "selfHeal": False,
    "retry": {"limit": 0, "refresh": True},
    "namespace": "gitops",
}


def wiring(tree: Tree, kubectl: Path, cluster: str = "msa") -> list[Object]:
    directory = tree.output / tree.cluster(cluster)["wiring"]["argocd"]
    return list(build_all(kubectl, [directory])[directory].values())


def applications(folder: Path, kubectl: Path, argocd: Object, **keys: Any) -> dict[str, Object]:
    """The Application of each stage; the one that applies them all is at ''."""
    tree = render_config(folder, mesh(addons={"kiali": {}}, delivery={"argocd": argocd}, **keys))
    found = of_kind(wiring(tree, kubectl), "Application")
    return {name.removeprefix("msa-msa").removeprefix("-"): obj for name, obj in found.items()}


@pytest.mark.upstream
def test_argo_cd_accepts_the_examples_wiring(cases: Path, kubectl: Path, tmp_path: Path):
    tree = render(copy_example(tmp_path))

    objects = [obj for cluster in ("prod-kr", "prod-eu", "prod-us") for obj in wiring(tree, kubectl, cluster)]

    assert {obj["kind"] for obj in objects} == {"AppProject", "Application"}
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.12.9", "1.31.0"])
def test_argo_cd_accepts_every_key(cases: Path, kubectl: Path, tmp_path: Path, version: str):
    istio = {"version": version, "revision": "canary", "namespace": "mesh-system"}
    tree = render_config(tmp_path, mesh(istio=istio, addons={"kiali": {}}, delivery={"argocd": EVERY_KEY}))

    objects = wiring(tree, kubectl)

    charts = ["istio-base", "istiod-canary", "istio-ingressgateway"] if version == "1.31.0" else []
    assert len(objects) == 2 + len(tree.stages("msa")) + len(charts)
    assert {f"msa-msa-{name}" for name in charts} <= of_kind(objects, "Application").keys()
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


@pytest.mark.upstream
def test_a_field_that_argo_cd_does_not_know_would_be_seen(cases: Path, kubectl: Path, tmp_path: Path):
    wrong = applications(tmp_path, kubectl, {"url": URL})["istio"]
    wrong["spec"]["syncPolicy"]["automated"]["selfHeel"] = True

    assert len(problems(cases / "gitops-crds", wrong)) == 1


def test_every_key_reaches_its_field(kubectl: Path, tmp_path: Path):
    tree = render_config(tmp_path, mesh(addons={"kiali": {}}, delivery={"argocd": EVERY_KEY}))
    objects = wiring(tree, kubectl)
    (project,) = of_kind(objects, "AppProject").values()

    assert {obj["metadata"]["namespace"] for obj in objects} == {"gitops"}
    assert project["spec"]["sourceRepos"] == ["git@example.com:mesh.git"]
    for name, application in of_kind(objects, "Application").items():
        spec = application["spec"]
        stage = name.removeprefix("msa-msa").removeprefix("-")
        assert spec["source"]["repoURL"] == "git@example.com:mesh.git"
        assert spec["source"]["targetRevision"] == "v1.11"
        assert spec["source"]["path"] == (f"tree/environments/msa/{stage}" if stage else "tree/clusters/msa/argocd")
        assert spec["syncPolicy"]["automated"] == {"prune": False, "selfHeal": False}
        assert spec["syncPolicy"]["retry"].items() >= {"limit": 0, "refresh": True}.items()
        assert spec["project"] == project["metadata"]["name"]


def test_stages_come_one_after_the_other_and_the_root_before_them(kubectl: Path, tmp_path: Path):
    found = applications(tmp_path, kubectl, {"url": URL})
    waves = {
        stage: application["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave")
        for stage, application in found.items()
    }

    assert waves == {"": None, "namespaces": "0", "operator": "1", "istio": "2", "addons": "3"}


def test_only_addons_are_ever_pruned(kubectl: Path, tmp_path: Path):
    found = applications(tmp_path, kubectl, {"url": URL})

    pruned = {stage for stage, app in found.items() if app["spec"]["syncPolicy"]["automated"]["prune"]}
    # The root deletes Applications of stages that leave, and neither itself nor its project.
    assert pruned == {"", "addons"}
    assert found[""]["metadata"]["annotations"] == {"argocd.argoproj.io/sync-options": "Prune=false"}


@pytest.mark.parametrize(("prune", "cascading"), [(True, {"addons"}), (False, set())])
def test_only_what_is_pruned_is_deleted_with_its_application(
    kubectl: Path, tmp_path: Path, prune: bool, cascading: set[str]
):
    # On the others a finalizer would make the deletion of an Application uninstall the mesh.
    found = applications(tmp_path, kubectl, {"url": URL, "prune": prune})

    assert {stage for stage, app in found.items() if "finalizers" in app["metadata"]} == cascading


def test_dashboards_too_large_for_client_side_apply_are_applied_by_the_server(kubectl: Path, tmp_path: Path):
    for application in applications(tmp_path, kubectl, {"url": URL}).values():
        assert "ServerSideApply=true" in application["spec"]["syncPolicy"]["syncOptions"]


@pytest.mark.parametrize("said", [{}, {"retry": None}, {"retry": {"refresh": False}}, {"retry": {"limit": None}}])
def test_unless_it_is_asked_for_no_field_is_written_that_an_older_argo_cd_does_not_know(
    kubectl: Path, tmp_path: Path, said: Object
):
    found = applications(tmp_path, kubectl, {"url": URL, **said})

    retries = [app["spec"]["syncPolicy"]["retry"] for app in found.values()]
    assert [(retry["limit"], set(retry)) for retry in retries] == [(10, {"limit", "backoff"})] * len(found)


def test_the_project_still_allows_what_addons_had_when_they_leave(kubectl: Path, tmp_path: Path):
    """Argo CD neither deletes nor sees what the project does not allow."""
    addons: list[Object] = [
        {"prometheus": {"storage": {"size": "5Gi"}}, "grafana": {}, "jaeger": {}, "kiali": {}, "loki": {}},
        {"zipkin": {}},
        {},
    ]
    allowed = []
    for number, one in enumerate(addons):
        config = mesh(istio={"version": "1.23.6"}, addons=one, delivery={"argocd": {"url": URL}})
        (project,) = of_kind(wiring(render_config(tmp_path / str(number), config), kubectl), "AppProject").values()
        allowed.append(project["spec"])

    assert allowed[0] == allowed[1] == allowed[2]


CONFIGS: dict[str, Object] = {
    "seed": {"addons": {"prometheus": {}, "grafana": {}, "jaeger": {}, "kiali": {}}},
    "bare": {},
    "storage": {"addons": {"prometheus": {"storage": {"size": "5Gi"}}, "loki": {}}, "istio": {"version": "1.23.6"}},
    "no Istio": {
        "addons": {"loki": {}, "zipkin": {}},
        "istio": {"version": "1.31.0", "profile": "empty", "components": {"base": {"enabled": False}}},
    },
    "elsewhere": {
        "istio": {
            "version": "1.11.3",
            "namespace": "mesh-system",
            "metadata": {"namespace": "operators"},
            "components": {"ingressGateways": {"edge": {"namespace": "edge"}}},
        },
        "addons": {"kiali": {"source": "own.yaml"}},
    },
}
OWN: list[Object] = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "no-namespace"}},
    {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "s"}, "provisioner": "p"},
    {"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "odd", "namespace": "shop"}},
]


@pytest.mark.parametrize("name", CONFIGS)
def test_the_project_may_do_exactly_what_the_stages_need(kubectl: Path, tmp_path: Path, name: str):
    (tmp_path / "own.yaml").write_text("\n---\n".join(text_of(obj) for obj in OWN))
    tree = render_config(tmp_path, mesh(**CONFIGS[name], delivery={"argocd": {"url": URL, "prune": False}}))
    objects = assert_built_is_shown(kubectl, tree)["msa"]
    (project,) = of_kind(wiring(tree, kubectl), "AppProject").values()
    spec = project["spec"]

    held = {(key.group, key.kind) for key in map(identity, objects)}
    cluster_wide = held & CLUSTER_SCOPED
    own = {("argoproj.io", "Application"), ("argoproj.io", "AppProject")}
    assert kinds(spec["clusterResourceWhitelist"]) == sorted(cluster_wide)
    assert kinds(spec["namespaceResourceWhitelist"]) == sorted((held - cluster_wide) | own)
    home = {"istio-system" if "namespace" not in mesh_istio(name) else "mesh-system", "argocd"}
    reached = {
        key.namespace or "default" for key in map(identity, objects) if (key.group, key.kind) not in cluster_wide
    }
    assert {one["namespace"] for one in spec["destinations"]} == reached | home
    assert "*" not in str(spec)


def of(kind: str, group: str, namespace: str | None = None) -> Object:
    metadata = {"name": "one", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": metadata}


def crd(group: str, kind: str, scope: str) -> Object:
    names = {"kind": kind, "plural": f"{kind.lower()}s"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    made = of("CustomResourceDefinition", "apiextensions.k8s.io")
    made["metadata"]["name"] = f"{names['plural']}.{group}"
    return made | {"spec": {"group": group, "names": names, "scope": scope, "versions": [version]}}


def placed(folder: Path, kubectl: Path, *own: Object) -> tuple[set[str], set[str], set[str], set[str]]:
    """What the project allows of the groups of `own`: in no namespace, in one, in which; and that of Applications."""
    (folder / "own.yaml").write_text("\n---\n".join(text_of(obj) for obj in own))
    config = mesh(resources={"own": {"path": "own.yaml"}}, delivery={"argocd": {"url": URL, "prune": False}})
    objects = wiring(render_config(folder, config), kubectl)
    ((_, project),) = of_kind(objects, "AppProject").items()
    groups = {identity(obj).group for obj in own}
    cluster, namespaced = (
        {kind for group, kind in kinds(project["spec"][f"{scope}ResourceWhitelist"]) if group in groups}
        for scope in ("cluster", "namespace")
    )
    reached = {one["namespace"] for one in project["spec"]["destinations"]}
    applied = {one["spec"]["destination"]["namespace"] for one in of_kind(objects, "Application").values()}
    return cluster, namespaced, reached - {"istio-system", "istio-operator", "argocd"}, applied - {"argocd"}


@pytest.mark.parametrize(
    ("own", "cluster", "namespaced", "reached", "applied"),
    [
        # Kinds of well-known projects.
        ([of("ClusterPolicy", "kyverno.io")], {"ClusterPolicy"}, set(), set(), {"istio-system"}),
        ([of("NodePool", "karpenter.sh")], {"NodePool"}, set(), set(), {"istio-system"}),
        ([of("Policy", "kyverno.io", "shop")], set(), {"Policy"}, {"shop"}, {"istio-system"}),
        # A kind that nobody knows: in a namespace only where it says so.
        ([of("Odd", "example.com")], {"Odd"}, {"Odd"}, set(), {"istio-system"}),
        ([of("Odd", "example.com", "shop")], set(), {"Odd"}, {"shop"}, {"istio-system"}),
        # CRDs of the tree know it.
        ([crd("example.com", "Odd", "Cluster"), of("Odd", "example.com")], {"Odd"}, set(), set(), {"istio-system"}),
        ([crd("example.com", "Odd", "Namespaced"), of("Odd", "example.com")], set(), {"Odd"}, {"default"}, {"default"}),
        # What names no namespace goes where kubectl would put it.
        ([of("Certificate", "cert-manager.io")], set(), {"Certificate"}, {"default"}, {"default"}),
    ],
)
def test_the_project_knows_what_is_in_a_namespace(
    kubectl: Path,
    tmp_path: Path,
    own: list[Object],
    cluster: set[str],
    namespaced: set[str],
    reached: set[str],
    applied: set[str],
):
    found = placed(tmp_path, kubectl, *own)

    assert (found[0] - {"CustomResourceDefinition"}, *found[1:]) == (cluster, namespaced, reached, applied)


def mesh_istio(name: str) -> Object:
    return CONFIGS[name].get("istio", {})


def kinds(whitelist: list[Object]) -> list[tuple[str, str]]:
    return [(entry["group"], entry["kind"]) for entry in whitelist]


def test_each_cluster_of_one_argo_cd_has_names_of_its_own(kubectl: Path, tmp_path: Path):
    server = "https://b.example.com:6443"
    tree = render_config(
        tmp_path,
        mesh(delivery={"argocd": {"url": URL}}),
        overlay("dev", clusters={"a": None, "b": {"server": server}}),
    )
    a, b = (of_kind(wiring(tree, kubectl, cluster), "Application") for cluster in ("a", "b"))

    assert not set(a) & set(b)
    assert {app["spec"]["destination"]["server"] for name, app in b.items() if name != "msa-b"} == {server}
    # The Applications themselves live beside Argo CD.
    assert b["msa-b"]["spec"]["destination"] == {"server": "https://kubernetes.default.svc", "namespace": "argocd"}


def drift(app: Object) -> dict[tuple[str, str], list[str]]:
    rules = app["spec"].get("ignoreDifferences", [])
    assert {rule["group"] for rule in rules} <= {"admissionregistration.k8s.io"}
    return {(rule["kind"], rule["name"]): rule["jqPathExpressions"] for rule in rules}


@pytest.mark.upstream
def test_drift_rules_name_the_webhooks_that_istio_makes(cases: Path, kubectl: Path, tmp_path: Path):
    text = (cases / "istio-1.11.3/istioctl-output/manifest-generate-seed.yaml").read_text()
    made = {
        (obj["kind"], obj["metadata"]["name"])
        for obj in yaml.load_all(text, yaml.CSafeLoader)
        if obj and obj["apiVersion"].startswith("admissionregistration.k8s.io/")
    }
    found = applications(tmp_path, kubectl, {"url": URL})

    assert set(drift(found["istio"])) == made
    assert not any(drift(app) for stage, app in found.items() if stage != "istio")


@pytest.mark.parametrize(
    ("istio", "validators", "injector"),
    [
        ({"version": "1.11.3"}, ["istio-validator-istio-system"], "istio-sidecar-injector"),
        (
            {"version": "1.11.3", "revision": "canary"},
            ["istio-validator-canary-istio-system"],
            "istio-sidecar-injector-canary",
        ),
        (
            {"version": "1.11.3", "namespace": "mesh-system"},
            ["istio-validator-mesh-system"],
            "istio-sidecar-injector-mesh-system",
        ),
        (
            {"version": "1.12.0", "revision": "canary", "namespace": "mesh-system"},
            ["istio-validator-canary-mesh-system", "istiod-default-validator"],
            "istio-sidecar-injector-canary-mesh-system",
        ),
    ],
)
def test_drift_rules_follow_revision_and_namespace(
    kubectl: Path, tmp_path: Path, istio: Object, validators: list[str], injector: str
):
    rules = drift(applications(tmp_path, kubectl, {"url": URL}, istio=istio)["istio"])

    assert rules == {
        **{
            ("ValidatingWebhookConfiguration", name): [
                ".webhooks[]?.clientConfig.caBundle",
                ".webhooks[]?.failurePolicy",
            ]
            for name in validators
        },
        ("MutatingWebhookConfiguration", injector): [".webhooks[]?.clientConfig.caBundle"],
    }


def test_drift_rules_are_respected_when_syncing_too(kubectl: Path, tmp_path: Path):
    app = applications(tmp_path, kubectl, {"url": URL})["istio"]

    assert "RespectIgnoreDifferences=true" in app["spec"]["syncPolicy"]["syncOptions"]
