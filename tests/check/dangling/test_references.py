"""References inside a tree that lead nowhere are said where they stand, where nobody else may bring the rest."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.build.manifests import Manifest, Places
from meshgen.check.dangling import reference_remarks
from meshgen.config.document import Document
from tests.policy.subjects import subject

Object = dict[str, Any]
TREE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {port: http}}
        lifecycle: {preStop: {tcpSocket: {port: 8080}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "registry.example.com/db:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: tcp, port: 5432, targetPort: 5432}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web}]
"""


class Tree:
    """The objects of a tree that is right, to be changed."""

    def __init__(self) -> None:
        self.objects: list[Object] = list(yaml.safe_load_all(TREE))

    def of(self, kind: str, name: str = "") -> Object:
        return next(one for one in self.objects if one["kind"] == kind and name in ("", one["metadata"]["name"]))

    def leave_out(self, kind: str) -> None:
        self.objects = [one for one in self.objects if one["kind"] != kind]

    def found(self, apart: frozenset[str] = frozenset()) -> list[tuple[str, str, str, str | None]]:
        places = Places(Manifest(one, Document("manifests.yaml", b"", {})) for one in self.objects)
        remarks = reference_remarks(replace(subject(self.objects), places=places), apart)
        assert all(one.rule == "MG426" and one.document for one in remarks)
        return [(one.severity, one.pointer, one.message, one.hint) for one in remarks]


@pytest.fixture
def tree() -> Tree:
    return Tree()


def test_a_tree_that_is_right_has_nothing_to_say(tree: Tree):
    assert tree.found() == []


def test_a_service_without_pods(tree: Tree):
    tree.of("Service", "web")["spec"]["selector"] = {"app": "wep"}

    assert tree.found() == [
        (
            "warning",
            "/spec/selector",
            "Service web in shop: no workload of namespace shop has its labels: app: wep",
            'app: did you mean "web"? One of db, web',
        )
    ]


@pytest.mark.parametrize(
    "selector",
    [
        {"statefulset.kubernetes.io/pod-name": "db-0"},
        {"app": "db", "role": "leader"},
        {"service.istio.io/canonical-name": "web"},
    ],
)
def test_labels_that_pods_come_to_have_are_not_missed(tree: Tree, selector: dict[str, str]):
    tree.of("Service", "db")["spec"]["selector"] = selector

    assert tree.found() == []


def test_a_port_that_no_container_names(tree: Tree):
    tree.of("Service", "web")["spec"]["ports"][0]["targetPort"] = "htp"

    assert tree.found() == [
        (
            "warning",
            "/spec/ports/0/targetPort",
            'Service web in shop: no container of its pods names a port "htp"',
            'did you mean "http"?',
        )
    ]


def test_the_ports_of_sidecars_are_not_missed(tree: Tree):
    pod = tree.of("Deployment")["spec"]["template"]["spec"]
    pod["initContainers"] = [{"name": "log", "restartPolicy": "Always", "ports": [{"name": "log", "containerPort": 1}]}]
    port = tree.of("Service", "web")["spec"]["ports"][0]

    found = [port.update(targetPort=name) or tree.found() for name in ("log", "http-envoy-prom")]

    assert found == [[], []]


def test_a_probe_and_a_hook_of_a_port_that_the_container_does_not_name(tree: Tree):
    container = tree.of("Deployment")["spec"]["template"]["spec"]["containers"][0]
    container["readinessProbe"]["httpGet"]["port"] = "web"
    container["lifecycle"]["preStop"]["tcpSocket"]["port"] = "admin"

    assert [(pointer, message) for _, pointer, message, _ in tree.found()] == [
        (
            "/spec/template/spec/containers/0/readinessProbe/httpGet/port",
            'Deployment web in shop: it is asked at port "web", which container web does not name',
        ),
        (
            "/spec/template/spec/containers/0/lifecycle/preStop/tcpSocket/port",
            'Deployment web in shop: it is asked at port "admin", which container web does not name',
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "path", "named", "what"),
    [
        ("StatefulSet", "spec serviceName", "database", "Service database"),
        ("HorizontalPodAutoscaler", "spec scaleTargetRef name", "wep", "Deployment wep"),
        ("RoleBinding", "roleRef name", "writer", "Role writer"),
        ("Ingress", "spec rules 0 http paths 0 backend service name", "shop", "Service shop"),
    ],
)
def test_names_of_what_is_not_there(tree: Tree, kind: str, path: str, named: str, what: str):
    *before, last = path.split()
    holder: Any = tree.of(kind)
    for step in before:
        holder = holder[int(step) if step.isdecimal() else step]
    holder[last] = named

    ((severity, pointer, message, hint),) = tree.found()

    assert (severity, pointer) == ("warning", "/" + path.replace(" ", "/"))
    assert message.endswith(f": it names {what}, which nothing in the tree makes in namespace shop")
    assert hint


@pytest.mark.parametrize(
    ("port", "found"),
    [
        ({"number": 80}, []),
        ({"number": 8080}, [("number", "Ingress web in shop: Service web has no port 8080", "it has 80")]),
        ({"name": "web"}, [("name", "Ingress web in shop: Service web has no port web", "there is only http")]),
    ],
)
def test_an_ingress_to_a_port_that_the_service_does_not_have(tree: Tree, port: Object, found: list[Any]):
    tree.of("Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = port

    assert [(where.rpartition("/")[2], message, hint) for _, where, message, hint in tree.found()] == found


def test_an_annotation_that_aws_reads_as_a_backend_is_no_service(tree: Tree):
    backend = tree.of("Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    backend.update(name="ssl-redirect", port={"name": "use-annotation"})

    assert tree.found() == []


def test_a_budget_that_protects_nothing(tree: Tree):
    tree.of("PodDisruptionBudget")["spec"]["selector"] = {"matchLabels": {"app": "wep"}}

    assert [(pointer, message) for _, pointer, message, _ in tree.found()] == [
        (
            "/spec/selector",
            "PodDisruptionBudget web in shop: no workload of namespace shop has its labels: it protects nothing",
        )
    ]


@pytest.fixture
def broken(tree: Tree) -> Tree:
    """A tree with everything wrong that others could bring."""
    tree.of("Service", "web")["spec"]["selector"] = {"app": "wep"}
    tree.of("StatefulSet")["spec"]["serviceName"] = "other"
    tree.of("PodDisruptionBudget")["spec"]["selector"] = {"matchLabels": {"app": "wep"}}
    tree.of("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"] = "wep"
    assert len(tree.found()) == 4
    return tree


def test_a_namespace_that_others_made_may_have_more_in_it(broken: Tree):
    broken.leave_out("Namespace")

    assert [severity for severity, *_ in broken.found()] == ["info"] * 4


def test_a_namespace_without_workloads_is_somebody_elses(broken: Tree):
    broken.leave_out("Deployment")
    broken.leave_out("StatefulSet")

    assert broken.found() == []


def other(api_version: str, kind: str, space: str = "shop") -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": space}, "spec": {"a": "b"}}


@pytest.mark.parametrize(
    "maker",
    [
        other("argoproj.io/v1alpha1", "Rollout"),
        other("gateway.networking.k8s.io/v1", "Gateway"),
        other("helm.toolkit.fluxcd.io/v2", "HelmRelease", "flux-system"),
        other("helm.cattle.io/v1", "HelmChart", "kube-system"),
    ],
)
def test_what_makes_pods_that_no_tree_shows_keeps_it_quiet(broken: Tree, maker: Object):
    broken.objects.append(maker)

    assert broken.found() == []


@pytest.mark.parametrize(
    "harmless",
    [
        other("networking.istio.io/v1", "VirtualService"),
        other("monitoring.coreos.com/v1", "ServiceMonitor"),
        other("argoproj.io/v1alpha1", "Rollout", "other"),
    ],
)
def test_what_makes_no_pods_there_does_not(broken: Tree, harmless: Object):
    broken.objects.append(harmless)

    assert len(broken.found()) == 4


def test_namespaces_of_gateways_have_pods_that_the_tree_does_not_show(broken: Tree):
    assert broken.found(frozenset({"shop"})) == []


def test_a_virtual_machine_is_a_workload(tree: Tree):
    tree.of("Service", "web")["spec"]["selector"] = {"app": "vm"}
    machine = other("networking.istio.io/v1", "WorkloadEntry")
    tree.objects.append({**machine, "spec": {"address": "10.0.0.7", "labels": {"app": "vm"}}})

    assert tree.found() == []


def test_services_without_selectors_are_somebody_elses(tree: Tree):
    for spec in ({"clusterIP": "None"}, {"type": "ExternalName", "externalName": "a.b", "selector": {"app": "x"}}):
        service = copy.deepcopy(tree.of("Service", "web"))
        tree.objects.append(
            {**service, "metadata": {"name": f"s{len(tree.objects)}", "namespace": "shop"}, "spec": spec}
        )

    assert tree.found() == []


def _objects(path: Path) -> Iterator[Object]:
    for one in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
        if isinstance(one, dict) and isinstance(one.get("metadata"), dict) and one["metadata"].get("name"):
            yield one


@pytest.mark.upstream
def test_samples_of_istio_have_nothing_to_say(cases: Path):
    """Read by eye: what istioctl's analyzers are tested with is wrong on purpose, and left out."""
    looked_at = 0
    for path in sorted(cases.glob("istio-*/**/*.yaml")):
        if {"testdata", "manifest-generate", "crds"} & {*path.parts}:
            continue
        tree = Tree()
        tree.objects = list(_objects(path))
        looked_at += bool(tree.objects)
        assert tree.found() == [], path

    assert looked_at > 30
