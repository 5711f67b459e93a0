"""What tests of whole trees share: configs on a disk, meshgen run on them, objects as the real kubectl reads them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from meshgen.cli import cli
from meshgen.errors import InputError
from meshgen.layout.identity import Identity, identity
from tests.layout.kustomize import GoLoader, build, exactly
from tests.tools import PROJECT

Object = dict[str, Any]
Done = subprocess.CompletedProcess[str]

# Readers of YAML 1.1 fold these as line breaks, or drop them, unless they are escaped.
_ESCAPED = {character: f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029\ufeff"}


def text_of(value: Any) -> str:
    """JSON, which is YAML too: so that no test reads what meshgen's own emitter wrote."""
    return json.dumps(value, ensure_ascii=False, indent=1).translate(str.maketrans(_ESCAPED))


def mesh(**keys: Any) -> Object:
    keys.setdefault("istio", {"version": "1.11.3"})
    return {"apiVersion": "meshgen.dev/v1", "kind": "Mesh", "metadata": {"name": "msa"}, **keys}


def overlay(name: str, **keys: Any) -> Object:
    return {"apiVersion": "meshgen.dev/v1", "kind": "Overlay", "metadata": {"name": name}, **keys}


def write_config(folder: Path, mesh: Object, *overlays: Object) -> Path:
    """Write a config and its overlays; give the config's path."""
    (folder / "overlays").mkdir(parents=True, exist_ok=True)
    for one in overlays:
        (folder / "overlays" / f"{one['metadata']['name']}.yaml").write_text(text_of(one), encoding="utf-8")
    config = folder / "meshgen.yaml"
    config.write_text(text_of(mesh), encoding="utf-8")
    return config


def copy_example(folder: Path) -> Path:
    """Copy the project's own example without its tree."""
    shutil.copytree(PROJECT / "overlays", folder / "overlays")
    shutil.copy(PROJECT / "meshgen.yaml", folder)
    return folder


def meshgen(*args: str | Path, cwd: Path, env: Mapping[str, str] | None = None, **options: Any) -> Done:
    """Run meshgen as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "meshgen", *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
        text=True,
        encoding="utf-8",
        **({"capture_output": True} | options),
    )


def output_of(*args: str | Path, cwd: Path) -> str:
    """What meshgen prints when all is well; run in this process, for many tests need it."""
    result = io.StringIO()
    try:
        with contextlib.chdir(cwd), contextlib.redirect_stdout(result), contextlib.redirect_stderr(io.StringIO()):
            status = cli.main([str(arg) for arg in args], prog_name="meshgen", standalone_mode=False)
    except InputError as error:
        raise AssertionError(f"refused: {error.findings}") from None
    assert not status, f"exit {status}: {result.getvalue()}"
    return result.getvalue()


@dataclass(frozen=True)
class Tree:
    """A rendered tree, and what `render -o json` said of it."""

    folder: Path
    report: Object

    @property
    def output(self) -> Path:
        return self.folder / self.report["output"]

    def stages(self, cluster: str) -> dict[str, Path]:
        """The directory of each stage of a cluster, in the order in which they are applied."""
        found = self.cluster(cluster)
        return {stage["name"]: self.output / stage["path"] for stage in found["stages"]}

    def cluster(self, name: str) -> Object:
        return next(cluster for cluster in self.report["clusters"] if cluster["name"] == name)

    @property
    def clusters(self) -> list[str]:
        return [cluster["name"] for cluster in self.report["clusters"]]

    def wiring(self) -> list[Path]:
        return [self.output / path for cluster in self.report["clusters"] for path in cluster["wiring"].values()]

    def directories(self) -> list[Path]:
        """Every distinct directory that an engine builds."""
        stages = [path for cluster in self.clusters for path in self.stages(cluster).values()]
        return sorted({*stages, *self.wiring()})


def render(folder: Path, *args: str) -> Tree:
    return Tree(folder, json.loads(output_of("render", "-o", "json", *args, cwd=folder)))


def render_config(folder: Path, mesh: Object, *overlays: Object) -> Tree:
    write_config(folder, mesh, *overlays)
    return render(folder)


def shown(folder: Path, *args: str) -> list[Object]:
    """The entries of `meshgen show -o json`."""
    entries: list[Object] = json.loads(output_of("show", "-o", "json", *args, cwd=folder))
    return entries


def by_stage(entries: Iterable[Object]) -> dict[tuple[str, str | None], list[Object]]:
    """What `show` says, by cluster and stage."""
    found: dict[tuple[str, str | None], list[Object]] = {}
    for entry in entries:
        found.setdefault((entry["cluster"], entry["stage"]), []).append(entry["object"])
    return found


def build_all(kubectl: Path, directories: Iterable[Path]) -> dict[Path, dict[Identity, Object]]:
    """Build many directories with the real kubectl, two at a time."""
    listed = list(directories)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(listed, pool.map(lambda path: build(kubectl, path), listed), strict=True))


def assert_same(built: Mapping[Identity, Object], wanted: Iterable[Object], where: Any = "") -> None:
    """Assert that two sets of objects are equal as JSON, and name the objects that are not."""
    expected = {identity(obj): obj for obj in wanted}
    assert set(built) == set(expected), f"{where}: {set(built) ^ set(expected)}"
    for key, obj in expected.items():
        assert exactly(built[key], obj), f"{where}: {key}\nbuilt: {text_of(built[key])}\nwanted: {text_of(obj)}"


def assert_built_is_shown(kubectl: Path, tree: Tree) -> dict[str, list[Object]]:
    """Assert that kubectl builds from every stage exactly what `show` says; give the applied objects by cluster."""
    said = by_stage(shown(tree.folder))
    built = build_all(kubectl, tree.directories())
    objects: dict[str, list[Object]] = {}
    for cluster in tree.clusters:
        stages = tree.stages(cluster)
        applied = [stage for name, stage in said if name == cluster and stage is not None]
        assert applied == list(stages), f"{cluster}: {applied} are shown, {list(stages)} are rendered"
        for stage, path in stages.items():
            assert_same(built[path], said[cluster, stage], f"{cluster}/{stage}")
            objects.setdefault(cluster, []).extend(said[cluster, stage])
    return objects


def read_yaml(text: str) -> list[Object]:
    """Read a YAML stream as Go's readers do."""
    return [obj for obj in yaml.load_all(text, GoLoader) if obj]


def of_kind(objects: Iterable[Object], kind: str) -> dict[str, Object]:
    """The objects of a kind, by name."""
    return {obj["metadata"]["name"]: obj for obj in objects if obj["kind"] == kind}


def load_balancers(objects: Iterable[Object]) -> set[str]:
    services = of_kind(objects, "Service")
    return {name for name, service in services.items() if service["spec"].get("type") == "LoadBalancer"}


def files_of(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())
