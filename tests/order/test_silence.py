"""The check says nothing of what is in order: meshgen's own objects, its examples, and what others publish."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from meshgen.render import build_mesh
from meshgen.starter import EXAMPLES, starter
from tests.configs import MORE, OWN, OWN_OBJECTS, Config, configs
from tests.objects import Object, mesh, text_of, write_config
from tests.order.checked import checked, meshgens_own_checked
from tests.tools import PROJECT

URL = "https://example.com/shop/mesh.git"
DELIVERIES: dict[str, Object] = {
    "flux": {"flux": {"url": URL}},
    "argocd": {"argocd": {"url": URL}},
    "both": {"flux": {"url": URL}, "argocd": {"url": URL}},
    "none": {},
}
INSTALLS = [("1.11.3", "operator"), ("1.22.0", "helm"), ("1.24.0", "sail"), ("1.30.3", "helm"), ("1.30.3", "sail")]


def said(config: Path) -> list[str]:
    return [f"{one.rule} {one.message}" for one in meshgens_own_checked(build_mesh(config))]


def test_the_example() -> None:
    assert said(PROJECT / "meshgen.yaml") == []


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize(("version", "method"), INSTALLS)
@pytest.mark.parametrize("source", ["builtin", "helm"])
def test_all_ways_to_install_with_addons(version: str, method: str, delivery: str, source: str, tmp_path: Path) -> None:
    istio = {"version": version, "install": method, "profile": "demo"}
    addons = {name: {"source": source} for name in ("prometheus", "grafana")}
    config = write_config(tmp_path, mesh(istio=istio, addons=addons, delivery=DELIVERIES[delivery]))

    assert said(config) == []


@pytest.mark.parametrize("example", [None, *EXAMPLES])
def test_what_init_writes(example: str | None, tmp_path: Path) -> None:
    for path, text in starter(tmp_path / "meshgen.yaml", example=example, name=None).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert said(tmp_path / "meshgen.yaml") == []


@pytest.mark.upstream
@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("version", ["1.11.3", "1.30.3"])
@pytest.mark.parametrize("as_resources", [False, True])
def test_the_real_samples(cases: Path, tmp_path: Path, version: str, delivery: str, as_resources: bool) -> None:
    (tmp_path / "samples").mkdir()
    for file in (cases / f"istio-{version}" / "addons").glob("*.yaml"):
        shutil.copy(file, tmp_path / "samples")
    if as_resources:
        own: Object = {"resources": {"samples": {"path": "./samples"}}}
    else:
        files = sorted((tmp_path / "samples").glob("*.yaml"))
        own = {"addons": {file.stem: {"source": f"./samples/{file.name}"} for file in files}}
    config = write_config(tmp_path, mesh(istio={"version": version}, delivery=DELIVERIES[delivery], **own))

    assert [finding.message for _, finding in checked(config)] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=configs())
def test_any_config(config: Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("config")
    for name, objects in {OWN: OWN_OBJECTS, **MORE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n---\n".join(text_of(obj) for obj in objects), encoding="utf-8")

    assert said(write_config(folder, config.mesh, *config.overlays)) == []
