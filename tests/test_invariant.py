"""The core promise: what the real kubectl builds from a stage is exactly what was validated, shown and reviewed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from meshgen.build.stages import Built
from meshgen.catalog import Version, release
from meshgen.errors import InputError
from meshgen.layout.identity import identity
from meshgen.layout.values import same
from meshgen.render import BuiltMesh, Rendering, build_mesh, render
from meshgen.show import select
from meshgen.tree.update import update
from tests.configs import IMAGE_POLICIES, MORE, OWN, OWN_OBJECTS, SERVICES, Config, configs
from tests.objects import Object, assert_same, build_all, files_of, text_of, write_config

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=80, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs())
def test_what_kubectl_builds_is_what_show_says(kubectl: Path, config: Config):
    holds(kubectl, config)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs())
def test_what_kubectl_builds_is_what_show_says_for_hundreds_of_configs(kubectl: Path, config: Config):
    holds(kubectl, config)


@settings(max_examples=200, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs())
def test_istio_operator_says_what_the_layers_say(config: Config):
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config)
        for one in accepted(path).clusters:
            assert_layered(one.built, config.wanted[one.cluster.name])
            assert_opened(one.built, config.wanted[one.cluster.name])


@settings(max_examples=40, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.data())
def test_a_tag_that_flux_moves_reaches_the_clusters_that_ask_for_it_and_no_other(
    kubectl: Path, config: Config, data: st.DataObject
):
    moves(kubectl, config, data)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.data())
def test_a_tag_that_flux_moves_reaches_no_other_cluster_of_hundreds_of_configs(
    kubectl: Path, config: Config, data: st.DataObject
):
    moves(kubectl, config, data)


def write(folder: Path, config: Config) -> Path:
    for name, objects in {OWN: OWN_OBJECTS, **MORE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n---\n".join(text_of(obj) for obj in objects), encoding="utf-8")
    return write_config(folder, config.mesh, *config.overlays)


def accepted(path: Path) -> BuiltMesh:
    try:
        return build_mesh(path)
    except InputError as error:
        raise AssertionError(f"refused: {error.findings}") from None


def holds(kubectl: Path, config: Config) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config)
        accepted(path)
        rendering = render(path)
        output = Path(folder, "output")
        update(output, rendering.files)

        assert render(path).files == rendering.files
        assert files_of(output).keys() - {".meshgen/lock.json"} == rendering.files.keys()
        assert sorted(cluster.name for cluster in rendering.clusters) == sorted(config.wanted)
        assert_built_is_said(kubectl, rendering, output, path)


def moves(kubectl: Path, config: Config, data: st.DataObject) -> None:
    """Move the tag of every mark, and build: the containers of a cluster's own policies have it, and no others."""
    config.mesh["addons"] = {**(config.mesh.get("addons") or {}), "grafana": {}, "kiali": data.draw(_KIALI)}
    patches = [one["patch"] for one in config.overlays]
    clusters = [cluster for one in config.overlays for cluster in one["clusters"].values() if cluster]
    for patch in (config.mesh, *patches, *(one["patch"] for one in clusters)):
        patch["delivery"] = {"flux": {"url": "https://example.com/a.git", "imagePolicies": data.draw(IMAGE_POLICIES)}}
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config)
        rendering = render(path)
        output = Path(folder, "output")
        update(output, rendering.files)
        for file in output.rglob("kustomization.yaml"):
            file.write_text(_MARK.sub(r'\1"moved-\3"\2\3\4', file.read_text()))

        assert update(output, render(path).files).is_clean
        stages = {stage.path for cluster in rendering.clusters for stage in cluster.stages if stage.path is not None}
        built = build_all(kubectl, [output / directory for directory in sorted(stages)])
        settings = {one.cluster.name: one.cluster.settings for one in build_mesh(path).clusters}
        said = select(path)[0]
        moved = 0
        for cluster in rendering.clusters:
            policies = settings[cluster.name]["delivery"]["flux"].get("imagePolicies") or {}
            for stage in cluster.stages:
                mine = [one.object for one in said if (one.cluster, one.stage) == (cluster.name, stage.name)]
                wanted = [_moved(obj, policies) for obj in mine]
                moved += mine != wanted
                assert stage.path is not None
                assert_same(built[output / stage.path], wanted, f"{cluster.name}/{stage.name} ({stage.path})")
        event(f"moved in {min(moved, 3)} stages")


# To Kustomize the name of grafana's image is a regular expression, which meets this one.
_KIALI = st.sampled_from([{}, {"image": "docker-io/grafana/grafana:v1"}])
_MARK = re.compile(r'(newTag: )"[^"]*"( # {"\$imagepolicy": "flux-system:)([a-z]*)(:tag"})')


def _moved(node: Any, policies: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_moved(item, policies) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _moved(value, policies) for key, value in node.items()}
    for key in ("containers", "initContainers"):
        for container in made.get(key) or ():
            name = container["image"].rpartition(":")[0]
            if name in policies:
                container["image"] = f"{name}:moved-{policies[name].removeprefix('flux-system:')}"
    return made


def assert_built_is_said(kubectl: Path, rendering: Rendering, output: Path, path: Path) -> None:
    stages = {stage.path for cluster in rendering.clusters for stage in cluster.stages if stage.path is not None}
    wiring = {directory for cluster in rendering.clusters for directory in cluster.wiring.values()}
    event(f"{len(stages)} stage directories")
    built = build_all(kubectl, [output / directory for directory in sorted(stages | wiring)])
    said = select(path)[0]
    pipeline = {one.cluster.name: one.built for one in build_mesh(path).clusters}
    for cluster in rendering.clusters:
        # Helm releases that Argo CD alone installs have no directory.
        pures = [stage for stage in pipeline[cluster.name].stages if stage.objects or not stage.releases]
        assert [stage.name for stage in cluster.stages] == [stage.name for stage in pures]
        for stage, pure in zip(cluster.stages, pures, strict=True):
            where = f"{cluster.name}/{stage.name} ({stage.path})"
            mine = [one.object for one in said if (one.cluster, one.stage) == (cluster.name, stage.name)]
            assert stage.path is not None
            assert_same(built[output / stage.path], mine, where)
            assert same(mine, list(pure.objects)), where


def assert_layered(built: Built, wanted: Object) -> None:
    """The IstioOperator's spec is what the layers say, gateways as a list.

    A map of gateways lets the profile's own stay where istioctl would take the list in their place, and istioctl goes
    by a value for its namespace.
    """
    istio = wanted["istio"]
    spec = {key: value for key, value in istio.items() if key not in ("version", "metadata")}
    components = dict(spec.get("components") or {})
    known = release(Version.parse(istio["version"]).minor)
    enabled = known.components_by_profile[istio.get("profile", "default")]
    for kind, default in (("ingressGateways", "istio-ingressgateway"), ("egressGateways", "istio-egressgateway")):
        named = components.get(kind)
        if isinstance(named, dict):
            stays = not known.operator and default in enabled and default not in named
            components[kind] = [{"name": name, **gateway} for name, gateway in named.items()]
            components[kind][:0] = [{"name": default, "enabled": True}] if stays else []
    if "components" in spec:
        spec["components"] = components
    home = istio.get("namespace") or "istio-system"
    if not known.operator and home != "istio-system":
        values = spec.get("values") or {}
        shared = values.get("global") or {}
        spec["values"] = {**values, "global": {**shared, "istioNamespace": shared.get("istioNamespace") or home}}
    objects = [*built.objects, *([built.istioctl_input] if built.istioctl_input else [])]
    (resource,) = (obj for obj in objects if obj["kind"] == "IstioOperator")
    metadata = istio.get("metadata", {})
    assert same(resource["spec"], spec), f"{text_of(resource['spec'])} is not {text_of(spec)}"
    assert resource["metadata"]["name"] == metadata.get("name", "msa")
    assert resource["metadata"].get("labels", {}) == metadata.get("labels", {})
    assert resource["metadata"].get("annotations", {}) == metadata.get("annotations", {})


def assert_opened(built: Built, wanted: Object) -> None:
    """Services that are asked for have the type that they are asked for; no other one is opened."""
    types: dict[str, Any] = {}
    for obj in built.objects:
        if obj["kind"] == "Service":
            key = identity(obj)
            name = f"{key.name}.{key.namespace}" if f"{key.name}.{key.namespace}" in SERVICES else key.name
            types[name] = obj["spec"].get("type", "ClusterIP")
            asked = (wanted.get("expose") or {}).get(name)
            if asked and asked.get("ports"):
                opened = [port.get("name", port["port"]) for port in obj["spec"]["ports"]]
                assert len(opened) == len(asked["ports"]), f"{name}: {opened} instead of {asked['ports']}"
    for name, sort in types.items():
        asked = (wanted.get("expose") or {}).get(name)
        assert sort == ("ClusterIP" if asked is None else asked.get("type", "LoadBalancer")), name
