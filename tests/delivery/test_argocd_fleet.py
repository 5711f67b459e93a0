"""One Argo CD for the clusters of an environment: a root above their roots, or one ApplicationSet, wave by wave."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.crds import problems
from tests.objects import Object, Tree, build_all, mesh, of_kind, overlay, read_yaml, render_config

URL = "https://example.com/mesh.git"
WAVES: Object = {
    "canary": {"order": 1, "labels": {"tier": "canary"}},
    "early": {"order": 5, "clusters": ["c"]},
    "rest": {"order": 9},
}
CLUSTERS: Object = {
    name: {"server": f"https://{name}.example.com:6443", "labels": {"tier": "canary" if name in "ab" else "other"}}
    for name in "abcd"
}
EVERY_KEY: Object = {
    "selfManaged": False,
    "syncWindows": {
        "nights": {"schedule": "0 22 * * *", "duration": "6h", "timeZone": "Asia/Seoul", "manualSync": True},
        "freeze": {"kind": "deny", "schedule": "0 0 24 12 *", "duration": "72h"},
    },
    "sourceHydrator": {"branch": "environments/prod", "hydrateTo": "environments/prod-next"},
}


def fleet(folder: Path, waves: Object | None = WAVES, *, version: str = "1.11.3", **argocd: Any) -> Tree:
    delivery = {"argocd": {"url": URL, **argocd}, **({"waves": waves} if waves else {})}
    config = mesh(istio={"version": version}, addons={"kiali": {}}, delivery=delivery)
    return render_config(folder, config, overlay("prod", clusters=CLUSTERS))


def of_environment(tree: Tree, kubectl: Path) -> list[Object]:
    directory = tree.output / "environments/prod/argocd"
    return list(build_all(kubectl, [directory])[directory].values())


def of_cluster(tree: Tree, kubectl: Path, cluster: str) -> list[Object]:
    directory = tree.output / tree.cluster(cluster)["wiring"]["argocd"]
    return list(build_all(kubectl, [directory])[directory].values())


def all_objects(tree: Tree, kubectl: Path) -> list[Object]:
    return [*of_environment(tree, kubectl), *(obj for name in CLUSTERS for obj in of_cluster(tree, kubectl, name))]


@pytest.mark.upstream
@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
@pytest.mark.parametrize("by_set", [False, True])
@pytest.mark.parametrize("more", [{}, EVERY_KEY])
def test_argo_cd_accepts_all_of_it(
    cases: Path, kubectl: Path, tmp_path: Path, version: str, by_set: bool, more: Object
):
    tree = fleet(tmp_path, version=version, applicationSet=by_set, **more)

    objects = all_objects(tree, kubectl)

    assert ("ApplicationSet" in {obj["kind"] for obj in objects}) is by_set
    assert [found for obj in objects for found in problems(cases / "gitops-crds", obj)] == []


def test_a_root_makes_the_roots_of_clusters_in_the_order_of_their_waves(kubectl: Path, tmp_path: Path):
    found = of_kind(of_environment(fleet(tmp_path), kubectl), "Application")

    root = found.pop("msa.prod")
    assert root["spec"]["source"]["path"] == "output/environments/prod/argocd"
    waves = {name: obj["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for name, obj in found.items()}
    assert waves == {"msa-a": "1", "msa-b": "1", "msa-c": "5", "msa-d": "9"}
    assert {obj["spec"]["source"]["path"] for obj in found.values()} == {
        f"output/clusters/{cluster}/argocd" for cluster in CLUSTERS
    }


def test_an_application_stands_in_one_directory_only(kubectl: Path, tmp_path: Path):
    for by_set in (False, True):
        tree = fleet(tmp_path / str(by_set), applicationSet=by_set)
        names = [
            (obj["kind"], obj["metadata"]["name"])
            for path in tree.output.rglob("argocd/*.yaml")
            if path.name != "kustomization.yaml"
            for obj in read_yaml(path.read_text())
        ]

        assert len(set(names)) == len(names)


def test_projects_of_clusters_hold_no_right_over_argo_cd_itself(kubectl: Path, tmp_path: Path):
    for number, keys in enumerate(({}, {"applicationSet": True}, {"selfManaged": False})):
        waves = None if keys == {"selfManaged": False} else WAVES
        tree = fleet(tmp_path / str(number), waves, **keys)

        project = of_kind(of_cluster(tree, kubectl, "a"), "AppProject")["msa-a"]["spec"]

        assert "argoproj.io" not in str(project["namespaceResourceWhitelist"])
        assert {one["server"] for one in project["destinations"]} == {"https://a.example.com:6443"}


def test_whoever_can_push_can_not_widen_rights_where_the_root_does_not_manage_itself(kubectl: Path, tmp_path: Path):
    tree = fleet(tmp_path, None, selfManaged=False)
    objects = of_cluster(tree, kubectl, "a")
    root = of_kind(objects, "Application")["msa-a"]["spec"]
    project = of_kind(objects, "AppProject")["msa-a.root"]["spec"]

    assert root["project"] == "msa-a.root"
    assert root["source"]["directory"] == {"include": "applications.yaml"}
    assert project["namespaceResourceWhitelist"] == [{"group": "argoproj.io", "kind": "Application"}]
    assert project["clusterResourceWhitelist"] == []
    assert project["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "argocd"}]
    text = (tree.output / "clusters/a/argocd/applications.yaml").read_text()
    assert {obj["kind"] for obj in read_yaml(text)} == {"Application"}


def generated(application_set: Object) -> dict[str, Object]:
    """The Applications of an ApplicationSet with a list, as Argo CD's Go templates would make them."""
    spec = application_set["spec"]
    (generator,) = spec["generators"]
    assert spec["templatePatch"] == '{"spec": {{toJson .spec}}}'
    made = {}
    for element in generator["list"]["elements"]:
        text = re.sub(r"\{\{\.(\w+)\}\}", lambda word, one=element: one[word[1]], json.dumps(spec["template"]))
        application = json.loads(text)
        patched(application["spec"], element["spec"])
        made[element["name"]] = application
    return made


def patched(target: Object, patch: Object) -> None:
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            patched(target[key], value)
        else:
            target[key] = value


def test_go_reads_its_templates_so(helm: Path, kubectl: Path, tmp_path: Path):
    found = of_kind(of_environment(fleet(tmp_path, version="1.30.3", applicationSet=True), kubectl), "ApplicationSet")
    spec = found["msa.prod"]["spec"]
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: set, version: 1.0.0}")
    (chart / "values.yaml").write_text(json.dumps(spec["generators"][0]["list"]))
    both = f'{{"kind": "Both", "template": {json.dumps(spec["template"])}, "patch": {spec["templatePatch"]}}}'
    text = f"{{{{- range .Values.elements }}}}\n---\n{both}\n{{{{- end }}}}"
    (chart / "templates" / "all.yaml").write_text(text)

    # Helm has the same Go templates, with the same functions.
    printed = subprocess.run([helm, "template", chart], capture_output=True, text=True, check=True).stdout

    applications = {}
    for made in filter(None, read_yaml(printed)):
        patched(made["template"], made["patch"])
        applications[made["template"]["metadata"]["name"]] = made["template"]
    assert applications == generated(found["msa.prod"])


@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
@pytest.mark.parametrize("more", [{}, {"prune": False, "selfHeal": False, "branch": "release", "path": "tree"}])
def test_an_application_set_makes_the_applications_that_a_root_would(
    kubectl: Path, tmp_path: Path, version: str, more: Object
):
    sets = of_kind(
        of_environment(fleet(tmp_path / "set", version=version, applicationSet=True, **more), kubectl), "ApplicationSet"
    )
    tree = fleet(tmp_path / "roots", version=version, **more)
    by_roots = {
        name: obj["spec"]
        for cluster in CLUSTERS
        for name, obj in of_kind(of_cluster(tree, kubectl, cluster), "Application").items()
    }

    assert {name: obj["spec"] for name, obj in generated(sets["msa.prod"]).items()} == by_roots


def test_no_application_is_synced_before_all_of_the_steps_before_it(kubectl: Path, tmp_path: Path):
    found = of_kind(of_environment(fleet(tmp_path, applicationSet=True), kubectl), "ApplicationSet")["msa.prod"]
    steps = found["spec"]["strategy"]["rollingSync"]["steps"]
    order: list[str] = []
    for step in steps:
        chosen = {one["key"]: one["values"] for one in step["matchExpressions"]}
        names = [
            name
            for name, application in generated(found).items()
            if all(application["metadata"]["labels"][key] in values for key, values in chosen.items())
        ]
        assert names
        order += names

    stages = ("namespaces", "operator", "istio", "addons")
    assert order == [f"msa-{name}-{stage}" for wave in ("ab", "c", "d") for stage in stages for name in wave]


def test_without_waves_stages_come_one_after_the_other_on_all_clusters(kubectl: Path, tmp_path: Path):
    found = of_kind(of_environment(fleet(tmp_path, None, applicationSet=True), kubectl), "ApplicationSet")["msa.prod"]

    keys = [
        [one["key"] for one in step["matchExpressions"]] for step in found["spec"]["strategy"]["rollingSync"]["steps"]
    ]
    assert keys == [["meshgen.dev/step"]] * 4


def test_an_application_set_deletes_nothing_and_misses_no_key(kubectl: Path, tmp_path: Path):
    spec = of_kind(of_environment(fleet(tmp_path, applicationSet=True), kubectl), "ApplicationSet")["msa.prod"]["spec"]

    assert spec["syncPolicy"] == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}
    assert (spec["goTemplate"], spec["goTemplateOptions"]) == (True, ["missingkey=error"])


def test_its_directory_holds_the_projects_of_all_clusters(kubectl: Path, tmp_path: Path):
    found = of_kind(of_environment(fleet(tmp_path, applicationSet=True), kubectl), "AppProject")

    assert set(found) == {"msa.prod", "msa-a", "msa-b", "msa-c", "msa-d"}


def test_windows_are_those_of_the_project(kubectl: Path, tmp_path: Path):
    project = of_kind(of_cluster(fleet(tmp_path, None, **EVERY_KEY), kubectl, "a"), "AppProject")["msa-a"]

    assert project["spec"]["syncWindows"] == [
        {
            "kind": "allow",
            "schedule": "0 22 * * *",
            "duration": "6h",
            "timeZone": "Asia/Seoul",
            "applications": ["*"],
            "manualSync": True,
        },
        {
            "kind": "deny",
            "schedule": "0 0 24 12 *",
            "duration": "72h",
            "applications": ["*"],
            "manualSync": False,
        },
    ]


def test_stages_are_hydrated_and_charts_and_roots_are_not(kubectl: Path, tmp_path: Path):
    tree = fleet(tmp_path, None, version="1.30.3", sourceHydrator={"branch": "environments/prod"})
    found = of_kind(of_cluster(tree, kubectl, "a"), "Application")

    assert found["msa-a-addons"]["spec"]["sourceHydrator"] == {
        "drySource": {"repoURL": URL, "targetRevision": "main", "path": "output/environments/prod/addons"},
        # Clusters share the dry directory; Argo CD refuses two Applications that hydrate into one.
        "syncSource": {"targetBranch": "environments/prod", "path": "output/clusters/a/addons"},
    }
    assert "source" not in found["msa-a-addons"]["spec"]
    assert "sources" in found["msa-a-istiod"]["spec"]
    assert "source" in found["msa-a"]["spec"]


def test_a_wave_may_follow_a_branch_of_its_own(kubectl: Path, tmp_path: Path):
    waves = {**WAVES, "rest": {"order": 9, "branch": "mesh-stable"}}
    tree = fleet(tmp_path, waves)

    revisions = {
        cluster: {
            app["spec"]["source"]["targetRevision"]
            for app in of_kind(of_cluster(tree, kubectl, cluster), "Application").values()
        }
        for cluster in ("a", "d")
    }
    assert revisions == {"a": {"main"}, "d": {"mesh-stable"}}
    root = of_kind(of_environment(tree, kubectl), "Application")["msa.prod"]
    assert root["spec"]["source"]["targetRevision"] == "main"


@pytest.mark.parametrize(
    ("waves", "by_set", "name", "key"),
    [
        (None, False, "argocd-cm", "resource.customizations.health.argoproj.io_Application"),
        (WAVES, False, "argocd-cm", "resource.customizations.health.argoproj.io_Application"),
        (WAVES, True, "argocd-cmd-params-cm", "applicationsetcontroller.enable.progressive.syncs"),
    ],
)
def test_what_argo_cd_has_to_be_told_is_a_patch_that_the_readme_applies(
    tmp_path: Path, waves: Object | None, by_set: bool, name: str, key: str
):
    tree = fleet(tmp_path, waves, applicationSet=by_set)
    readme = (tree.output / "README.md").read_text()

    (patch,) = read_yaml((tree.output / f"{name}.patch.yaml").read_text())
    assert list(patch["data"]) == [key]
    assert all(isinstance(value, str) for value in patch["data"].values())
    assert f"kubectl patch configmap {name} --namespace argocd --patch-file {name}.patch.yaml" in readme
    assert len(list(tree.output.glob("*.patch.yaml"))) == 1


def test_projects_that_people_apply_are_told_of(tmp_path: Path):
    tree = fleet(tmp_path, selfManaged=False, applicationSet=True)

    readme = (tree.output / "README.md").read_text()
    assert 'for file in clusters/*/argocd*/project.yaml; do kubectl apply -f "$file"; done' in readme
    assert "whoever can push can't widen rights" in readme
