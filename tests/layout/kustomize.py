"""Builds layers of objects with the real kustomize, many objects in one call, and reads back exactly what it wrote."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from meshgen.layout.identity import Identity, identity
from meshgen.layout.patch import JSONPatch, Patch, Unpatchable, difference
from meshgen.yaml.emitter import emit

Object = dict[str, Any]


class GoLoader(yaml.CSafeLoader):
    """Reads plain scalars as Go's YAML readers do: `=`, `<<`, `1:2` and dates are texts, `1e+20` is a number."""


GoLoader.yaml_implicit_resolvers = {}
for _tag, _pattern in {
    "null": r"~|null|",
    "bool": r"true|false",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
}.items():
    GoLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), None)


class BuildFailed(AssertionError):
    """kustomize refused the directory."""


def build(kubectl: Path, directory: Path) -> dict[Identity, Object]:
    run = subprocess.run([kubectl, "kustomize", directory], capture_output=True, check=False)
    if run.returncode:
        raise BuildFailed(run.stderr.decode(errors="replace")[:2000])
    objects = [obj for obj in yaml.load_all(run.stdout.decode(), GoLoader) if obj]
    built = {identity(obj): obj for obj in objects}
    assert len(built) == len(objects)
    return built


def write_base(directory: Path, objects: Iterable[Object]) -> None:
    directory.mkdir()
    files = {f"{number}.yaml": obj for number, obj in enumerate(objects)}
    for name, obj in files.items():
        _write(directory / name, obj)
    _write(directory / "kustomization.yaml", {"resources": list(files)})


def write_overlay(directory: Path, below: Path, patches: Iterable[Patch], added: Iterable[Object] = ()) -> None:
    directory.mkdir()
    entries: list[dict[str, Any]] = []
    for number, patch in enumerate(patches):
        path = f"{number}.patch.yaml"
        if isinstance(patch, JSONPatch):
            entries.append({"path": path, "target": patch.target})
            _write(directory / path, patch.operations)
        else:
            entries.append({"path": path})
            _write(directory / path, patch.body)
    resources = [f"../{below.name}"]
    for number, obj in enumerate(added):
        resources.append(f"{number}.yaml")
        _write(directory / resources[-1], obj)
    _write(directory / "kustomization.yaml", {"resources": resources, "patches": entries})


def _write(path: Path, value: Any) -> None:
    path.write_text(emit(value), encoding="utf-8")


def exactly(built: Any, expected: Any) -> bool:
    """Equal as JSON, and an integer is written as one: `1e+07` would not be read into a port."""
    if isinstance(expected, dict):
        return (
            isinstance(built, dict)
            and built.keys() == expected.keys()
            and all(exactly(built[key], value) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(built, list)
            and len(built) == len(expected)
            and all(exactly(one, other) for one, other in zip(built, expected, strict=True))
        )
    if isinstance(expected, float):
        return not isinstance(built, bool) and isinstance(built, int | float) and built == expected
    return type(built) is type(expected) and bool(built == expected)


Chain = Sequence[Object]


def patches_of(chain: Chain) -> list[Patch | None]:
    return [difference(below, above) for below, above in pairwise(chain)]


def is_patchable(chain: Chain) -> bool:
    try:
        patches_of(chain)
    except Unpatchable:
        return False
    return True


def build_chains(kubectl: Path, root: Path, chains: Sequence[Chain]) -> list[Object | None]:
    """Build all chains at once, layer upon layer; give what became of each. All have the same length."""
    below = root / "layer0"
    write_base(below, (chain[0] for chain in chains))
    layers = zip(*(patches_of(chain) for chain in chains), strict=True)
    for number, layer in enumerate(layers, 1):
        directory = root / f"layer{number}"
        write_overlay(directory, below, (patch for patch in layer if patch))
        below = directory
    built = build(kubectl, below)
    return [built.get(identity(chain[-1])) for chain in chains]


def failures(kubectl: Path, chains: Sequence[Chain]) -> list[tuple[Chain, list[Patch | None], Object | None]]:
    """Build all chains that patches can say; give those that came out wrong, with their patches and what was built."""
    patchable = [chain for chain in chains if is_patchable(chain)]
    with tempfile.TemporaryDirectory() as root:
        built = build_chains(kubectl, Path(root), patchable)
    return [
        (chain, patches_of(chain), result)
        for chain, result in zip(patchable, built, strict=True)
        if not exactly(result, chain[-1])
    ]
