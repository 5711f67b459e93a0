"""What is built and installed is what the checkout is: packages and data, metadata, and the trees that it renders."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from fnmatch import fnmatch
from pathlib import Path

import pytest

from meshgen import __version__
from tests.docs.commands import copy_project
from tests.tools import PROJECT

GENERATOR, TEMPLATES = PROJECT / "generator", PROJECT / "templates"
SEED = PROJECT / "templates" / "init" / "msa"


@dataclass(frozen=True, slots=True)
class Built:
    """The source distribution, the wheel that was built from it, and the wheel of the source tree itself."""

    sdist: Path
    wheel: Path
    direct: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    source = tmp_path_factory.mktemp("source")
    copy_project(source)
    first, second = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("direct")
    _run([sys.executable, "-m", "build", "--outdir", str(first), str(source)])
    shutil.rmtree(source / "build", ignore_errors=True)
    _run([sys.executable, "-m", "build", "--wheel", "--outdir", str(second), str(source)])
    return Built(next(first.glob("*.tar.gz")), next(first.glob("*.whl")), next(second.glob("*.whl")))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `meshgen` of the wheel, in an environment that knows nothing of the checkout."""
    environment = tmp_path_factory.mktemp("venv")
    _run([sys.executable, "-m", "venv", str(environment)])
    _run([str(environment / "bin" / "pip"), "install", "--quiet", str(built.wheel)])
    return environment / "bin" / "meshgen"


def test_setup_lists_every_package():
    listed = set(_setup()["options"]["packages"].split())
    folders = {path.parent for path in (GENERATOR / "meshgen").rglob("*.py")}

    assert listed == {".".join(folder.relative_to(GENERATOR).parts) for folder in folders} | {"meshgen.templates"}


def test_setup_takes_every_file_that_is_no_module():
    patterns = {key: value.replace(",", " ").split() for key, value in _setup()["options.package_data"].items()}
    templates = [path.relative_to(TEMPLATES).as_posix() for path in _data(TEMPLATES)]
    others = [path.name for path in _data(GENERATOR / "meshgen")]

    assert [name for name in templates if not _matches(name, patterns["meshgen.templates"])] == []
    assert [name for name in others if not _matches(name, patterns["*"])] == []


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_wheel_holds_the_package_its_data_and_no_tests(built: Built):
    names = {name for name in _contents(built.wheel) if ".dist-info/" not in name}
    modules = {path.relative_to(GENERATOR).as_posix() for path in _tracked(GENERATOR)}
    templates = {f"meshgen/templates/{path.relative_to(TEMPLATES).as_posix()}" for path in _tracked(TEMPLATES)}

    assert names == modules | templates
    assert {"meshgen/py.typed", "meshgen/config/schema.json", "meshgen/catalog/istio.json"} <= names
    assert "meshgen/templates/addons/kiali.yaml.j2" in names


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_source_distribution_builds_the_same_wheel_as_the_source_tree(built: Built):
    assert _contents(built.wheel) == _contents(built.direct)


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_source_distribution_holds_licence_and_readme_and_no_tests(built: Built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "CHANGELOG.md", "setup.cfg", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests", "output", ".tools", ".venv"))]


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_metadata_says_what_setup_says(built: Built):
    metadata = _metadata(built.wheel)
    extras = set(_setup()["options.extras_require"])

    assert (metadata["Name"], metadata["Version"]) == ("meshgen", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Apache-2.0" in (metadata["License-Expression"], metadata["License"])
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().startswith("# meshgen")
    assert set(metadata.get_all("Provides-Extra", [])) == extras


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_installed_wheel_renders_the_example_as_the_checkout_does(installed: Path, tmp_path: Path):
    shutil.copy2(PROJECT / "meshgen.yaml", tmp_path)
    shutil.copytree(PROJECT / "overlays", tmp_path / "overlays")

    assert _rendered(installed, tmp_path, "installed") == _rendered(_checkout(), tmp_path, "checkout")


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_installed_wheel_begins_and_renders_the_tutorials_mesh_as_the_checkout_does(installed: Path, tmp_path: Path):
    _run([str(installed), "init", "--example", "msa"], tmp_path)

    assert _files(tmp_path) == _files(SEED)
    assert _rendered(installed, tmp_path, "installed") == _rendered(_checkout(), tmp_path, "checkout")


@pytest.mark.slow
@pytest.mark.xdist_group("package")
def test_installed_command_is_of_this_version(installed: Path, tmp_path: Path):
    assert _run([str(installed), "--version"], tmp_path) == f"meshgen {__version__}\n"
    assert (
        _run([str(installed.with_name("python")), "-m", "meshgen", "--version"], tmp_path) == f"meshgen {__version__}\n"
    )


def _run(command: list[str], folder: Path | None = None) -> str:
    alone = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def _checkout() -> Path:
    return Path(sys.executable).with_name("meshgen")


def _rendered(meshgen: Path, folder: Path, output: str) -> dict[str, bytes]:
    _run([str(meshgen), "render", "--quiet", "-O", output], folder)
    files = _files(folder / output)
    assert len(files) > 40
    return files


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _setup() -> configparser.ConfigParser:
    setup = configparser.ConfigParser()
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    return setup


def _tracked(folder: Path) -> list[Path]:
    """The files of a package, without what running it left behind."""
    generated = ("__pycache__", ".egg-info")
    return [path for path in folder.rglob("*") if path.is_file() and not any(word in str(path) for word in generated)]


def _data(folder: Path) -> list[Path]:
    return [path for path in _tracked(folder) if path.suffix != ".py"]


def _matches(name: str, patterns: list[str]) -> bool:
    return any(
        fnmatch(name, pattern) or fnmatch(f"/{name}", f"/{pattern}".replace("/**/", "*/")) for pattern in patterns
    )


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _metadata(wheel: Path) -> Message:
    name = next(name for name in _contents(wheel) if name.endswith(".dist-info/METADATA"))
    return BytesParser().parsebytes(_contents(wheel)[name])
