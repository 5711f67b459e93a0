"""What tests of the import share: IstioOperators on a disk, imported, rendered and read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from meshgen.build.istiooperator import istio_operator
from meshgen.config.load import load
from meshgen.config.resolve import resolve
from meshgen.importing.read import Text
from meshgen.importing.story import Imported, import_config
from meshgen.tree.new import write_new
from tests.objects import Object, text_of

HEAD = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator"}


def operator(spec: Any = None, **metadata: Any) -> Object:
    return {**HEAD, "metadata": {"name": "example", "namespace": "istio-system", **metadata}, "spec": spec}


def imported(config: Path, *objects: Object | str, version: str | None = "1.11.3") -> Imported:
    """Import objects (or texts), each as a file of its own."""
    texts = [one if isinstance(one, str) else text_of(one) for one in objects]
    sources = [Text(f"input-{number}.yaml", text.encode()) for number, text in enumerate(texts)]
    return import_config(sources, config, version=version)


def rendered(found: Imported, config: Path) -> dict[str, Object]:
    """The IstioOperator of each cluster of an imported config, which is written and loaded as a user would."""
    write_new(found.files)
    mesh = resolve(load(config))
    return {cluster.name: istio_operator(mesh.name, cluster.settings["istio"]) for cluster in mesh.clusters}


def value_of(found: Imported, config: Path) -> Any:
    """The config as a value, read by another reader than meshgen's."""
    return yaml.safe_load(found.files[config])


@dataclass(frozen=True)
class Case:
    """An IstioOperator of the cases, and what its manifest expects."""

    path: Path
    name: str
    expect: Any


def operators_of(cases: Path, *parts: str) -> Iterator[Case]:
    """The IstioOperators in these parts of the cases for 1.11.3."""
    folder = cases / "istio-1.11.3"
    for file in json.loads((folder / "manifest.json").read_bytes())["files"]:
        whole = file.get("kind") == "IstioOperator" and not file["path"].endswith(".fragment.yaml")
        if whole and file["path"].startswith(tuple(f"{part}/" for part in parts)):
            yield Case(folder / file["path"], file["path"], file["expect"])


def decoded(spec: Any) -> Any:
    """A spec as the operator decodes it: what is null at its top is not there."""
    return {key: value for key, value in (spec or {}).items() if value is not None}
