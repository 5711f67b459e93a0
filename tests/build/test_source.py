"""`source:` with manifests of one's own, Istio's real samples/addons above all: opened, and otherwise untouched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from meshgen.layout.identity import Identity, identity
from tests.layout.kustomize import build, exactly
from tests.objects import (
    Object,
    Tree,
    assert_built_is_shown,
    load_balancers,
    mesh,
    meshgen,
    of_kind,
    overlay,
    render_config,
    shown,
    text_of,
    write_config,
)
from tests.tools import tool

NAMES = ("kiali", "jaeger", "grafana", "prometheus")
OPEN = {"kiali": {}, "tracing": {}, "grafana": {}}
VERSIONS = {"istio-1.11.3": "1.11.3", "istio-1.30.3": "1.30.3"}


def sources(folder: Path, *files: Path) -> Object:
    """Addons whose sources are copies beside the config, or folders of them."""
    (folder / "addons").mkdir()
    for file in files:
        shutil.copy(file, folder / "addons")
    return {file.stem: {"source": f"./addons/{file.name}"} for file in files}


def as_kubectl_reads(files: list[Path], folder: Path) -> dict[Identity, Object]:
    """The objects of files as kubectl itself builds them, with nothing changed."""
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder)
    (folder / "kustomization.yaml").write_text(text_of({"resources": [file.name for file in files]}))
    return build(tool("kubectl"), folder)


def assert_survived(objects: list[Object], samples: dict[Identity, Object], opened: set[str]) -> None:
    """Everything of the samples is there as it was, but for the type and the annotations of the opened Services."""
    rendered = {identity(obj): obj for obj in objects}
    assert set(samples) <= set(rendered)
    for key, sample in samples.items():
        obj = rendered[key]
        if key.kind == "Service" and key.name in opened:
            wanted: Any = sample | {"spec": sample["spec"] | {"type": "LoadBalancer"}}
            assert exactly(obj, wanted), f"{text_of(obj)}\n{text_of(wanted)}"
        else:
            assert exactly(obj, sample), key


@pytest.mark.upstream
@pytest.mark.parametrize("case", VERSIONS)
def test_the_real_samples_are_opened_and_otherwise_untouched(cases: Path, kubectl: Path, tmp_path: Path, case: str):
    files = [cases / case / "addons" / f"{name}.yaml" for name in NAMES]
    istio = {"version": VERSIONS[case], "profile": "default", "hub": "gcr.io/istio-release"}

    tree = render_config(tmp_path, mesh(istio=istio, addons=sources(tmp_path, *files), expose=OPEN))
    objects = assert_built_is_shown(kubectl, tree)["msa"]

    assert load_balancers(objects) == {"kiali", "tracing", "grafana"}
    assert_survived(objects, as_kubectl_reads(files, tmp_path / "read"), set(OPEN))


@pytest.mark.upstream
@pytest.mark.parametrize("case", VERSIONS)
def test_the_real_samples_as_one_folder(cases: Path, kubectl: Path, tmp_path: Path, case: str):
    files = sorted((cases / case / "addons").glob("*.yaml"))
    sources(tmp_path, *files)

    # Which addon brings the folder does not matter: it is the user's own.
    tree = render_config(
        tmp_path, mesh(istio={"version": VERSIONS[case]}, addons={"kiali": {"source": "addons"}}, expose=OPEN)
    )
    objects = assert_built_is_shown(kubectl, tree)["msa"]

    assert load_balancers(objects) == {"kiali", "tracing", "grafana"}
    assert_survived(objects, as_kubectl_reads(files, tmp_path / "read"), set(OPEN))


@pytest.mark.upstream
@pytest.mark.parametrize(
    ("case", "file", "name", "service"),
    [
        ("istio-1.11.3", "extras/zipkin.yaml", "zipkin", "tracing"),
        ("istio-1.30.3", "extras/zipkin.yaml", "zipkin", "zipkin"),
        ("istio-1.30.3", "loki.yaml", "loki", "loki"),
    ],
)
def test_the_other_samples_too(
    cases: Path, kubectl: Path, tmp_path: Path, case: str, file: str, name: str, service: str
):
    path = cases / case / "addons" / file
    addons = sources(tmp_path, path)

    tree = render_config(tmp_path, mesh(istio={"version": VERSIONS[case]}, addons=addons, expose={service: {}}))
    objects = assert_built_is_shown(kubectl, tree)["msa"]

    assert list(addons) == [name]
    assert load_balancers(objects) == {service}
    assert_survived(objects, as_kubectl_reads([path], tmp_path / "read"), {service})


@pytest.mark.upstream
@pytest.mark.parametrize("case", VERSIONS)
def test_every_service_of_the_samples_can_be_opened(cases: Path, kubectl: Path, tmp_path: Path, case: str):
    files = [cases / case / "addons" / f"{name}.yaml" for name in NAMES]
    services = ("kiali", "tracing", "grafana", "prometheus", "zipkin", "jaeger-collector")
    expose = {name: {"internal": True} for name in services}

    tree = render_config(
        tmp_path,
        mesh(istio={"version": VERSIONS[case]}, addons=sources(tmp_path, *files)),
        overlay("dev", patch={"expose": expose}, clusters={"a": {"cloud": "azure"}, "b": {"cloud": "gcp"}}),
    )
    objects = assert_built_is_shown(kubectl, tree)

    assert load_balancers(objects["a"]) == load_balancers(objects["b"]) == set(services)


@pytest.mark.upstream
def test_moving_from_the_samples_of_one_version_to_the_next(cases: Path, kubectl: Path, tmp_path: Path):
    for case in VERSIONS:
        (tmp_path / case).mkdir()
        for name in NAMES:
            shutil.copy(cases / case / "addons" / f"{name}.yaml", tmp_path / case)

    def addons(case: str) -> Object:
        return {name: {"source": f"{case}/{name}.yaml"} for name in NAMES}

    new = {"istio": {"version": "1.11.8"}, "addons": addons("istio-1.30.3")}
    tree = render_config(
        tmp_path,
        mesh(addons=addons("istio-1.11.3"), expose=OPEN),
        overlay("dev", clusters={"old": None, "new": {"patch": new}}),
    )
    objects = assert_built_is_shown(kubectl, tree)

    for cluster, case in (("old", "istio-1.11.3"), ("new", "istio-1.30.3")):
        files = [tmp_path / case / f"{name}.yaml" for name in NAMES]
        assert_survived(objects[cluster], as_kubectl_reads(files, tmp_path / f"read-{cluster}"), set(OPEN))


WEB = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80}, {"name": "udp", "port": 81, "protocol": "UDP"}],
    },
}


def own(folder: Path, *objects: Object) -> Tree:
    (folder / "own.yaml").write_text("\n---\n".join(text_of(obj) for obj in objects))
    addons = {"kiali": {"source": "own.yaml"}}
    return render_config(folder, mesh(addons=addons, expose={"web": {"ports": [81], "type": "NodePort"}}))


def test_a_service_of_ones_own_is_opened_by_the_ports_that_are_named(kubectl: Path, tmp_path: Path):
    service = of_kind(assert_built_is_shown(kubectl, own(tmp_path, WEB))["msa"], "Service")["web"]

    assert service["spec"]["type"] == "NodePort"
    assert service["spec"]["ports"] == [{"name": "udp", "port": 81, "protocol": "UDP"}]
    assert service["spec"]["selector"] == {"app": "web"}


def test_a_list_as_kubectl_prints_it_is_taken_apart(kubectl: Path, tmp_path: Path):
    listed = {"apiVersion": "v1", "kind": "List", "items": [WEB, {**WEB, "metadata": {"name": "b"}}]}

    objects = assert_built_is_shown(kubectl, own(tmp_path, listed))["msa"]

    assert {"web", "b"} <= set(of_kind(objects, "Service"))


def test_an_object_in_two_sources_is_refused(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(text_of(WEB))
    (tmp_path / "b.yaml").write_text(text_of(WEB))
    write_config(tmp_path, mesh(addons={"kiali": {"source": "a.yaml"}, "grafana": {"source": "b.yaml"}}))

    done = meshgen("validate", cwd=tmp_path)

    assert done.returncode == 1
    assert "MG405: Service web in shop is there twice" in done.stdout


def test_one_file_for_two_addons_is_one_set_of_objects_or_refused(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(text_of(WEB))
    write_config(tmp_path, mesh(addons={"kiali": {"source": "a.yaml"}, "grafana": {"source": "./a.yaml"}}))

    assert meshgen("validate", cwd=tmp_path).returncode == 1


def test_an_environment_may_take_its_addon_from_elsewhere(kubectl: Path, tmp_path: Path):
    (tmp_path / "own.yaml").write_text(text_of(WEB))
    tree = render_config(
        tmp_path,
        mesh(addons={"kiali": {"version": "v1.2.3"}}),
        overlay("dev", clusters={"a": None}),
        overlay("own", clusters={"b": None}, patch={"addons": {"kiali": {"version": None, "source": "own.yaml"}}}),
    )
    objects = assert_built_is_shown(kubectl, tree)

    assert "kiali" in of_kind(objects["a"], "Service")
    assert set(of_kind(objects["b"], "Service")) == {"web", "istio-operator"}
    assert {entry["cluster"] for entry in shown(tmp_path, "deployment/kiali")} == {"a"}
