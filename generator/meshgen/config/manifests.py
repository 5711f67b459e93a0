"""Reads the user's own manifests: what `addons.NAME.source` and `resources.NAME.path` name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshgen.build.manifests import SHIPPED, Manifest, Manifests
from meshgen.config.document import Document, reading_problems
from meshgen.config.problems import shown
from meshgen.config.resolve import Cluster, Mesh
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.layout.normal import normalise, refusals
from meshgen.yaml import ReadError, pointer, read_documents

KubernetesObject = dict[str, Any]
SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZE_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def read_manifests(mesh: Mesh) -> Manifests:
    """The objects of every file and folder that any cluster names, by the path as it is written in the config.

    They are as `kustomize build` will give them back. Raises InputError with every problem of every file.
    """
    findings: list[Finding] = []
    addons: dict[str, tuple[Manifest, ...]] = {}
    resources: dict[str, tuple[Manifest, ...]] = {}
    for cluster in mesh.clusters:
        for keys, path in addon_sources(cluster.settings):
            if path not in addons:
                addons[path] = _manifests(mesh, cluster, keys, path, findings, deep=False)
        for keys, path in resource_paths(cluster.settings):
            if path not in resources:
                resources[path] = _manifests(mesh, cluster, keys, path, findings, deep=True)
    if findings:
        raise InputError(findings)
    return Manifests(addons, resources)


Keys = tuple[str, ...]


def addon_sources(settings: dict[str, Any]) -> Iterator[tuple[Keys, str]]:
    """(where it is said, path) of the manifests that addons are made of."""
    for name, addon in (settings.get("addons") or {}).items():
        source = (addon or {}).get("source") or "builtin"
        if source not in SHIPPED:
            yield ("addons", name, "source"), source


def resource_paths(settings: dict[str, Any]) -> Iterator[tuple[Keys, str]]:
    """(where it is said, path) of the manifests that `resources` names."""
    for name, resource in (settings.get("resources") or {}).items():
        if path := (resource or {}).get("path"):
            yield ("resources", name, "path"), path


def _manifests(
    mesh: Mesh, cluster: Cluster, keys: Keys, path: str, findings: list[Finding], *, deep: bool
) -> tuple[Manifest, ...]:
    """What a path of the config holds; what is wrong with it goes into `findings`."""

    def refuse(what: str, hint: str) -> None:
        message = f"{'.'.join(keys)}: {shown(path)} {what}"
        findings.append(cluster.finding("MG213", message, pointer(keys), hint=hint))

    found: list[Finding] = []
    manifests: tuple[Manifest, ...] = ()
    try:
        files = _files(mesh.folder / path, deep=deep)
        manifests = tuple(one for file in files for one in _read(file, _display(file, mesh.folder), found))
        if not manifests and not found:
            refuse("holds no manifests", "name a file, or a folder with .yaml, .yml or .json files")
    except OSError as error:
        refuse(f"cannot be read: {error.strerror}", "the path is relative to the config's folder")
    findings += found
    return manifests


def _files(path: Path, *, deep: bool) -> list[Path]:
    """A file, or the manifests of a folder: those of the folders in it only where they are asked for.

    Without them it is as `kubectl apply -f` takes a folder. What is hidden stays out.
    """
    if not path.is_dir():
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is neither a file nor a folder")
        return [path]
    if (path / ".meshgen").exists():
        raise OSError(errno.EINVAL, "it is a tree that meshgen writes")
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    # Kustomize's own folder means what `kustomize build` makes of it, not the files that lie in it.
    if built := [entry for entry in entries if entry.name in KUSTOMIZE_FILES]:
        return built
    files = [entry for entry in entries if entry.suffix in SUFFIXES and entry.is_file()]
    folders = [entry for entry in entries if entry.is_dir()] if deep else []
    for folder in folders:
        if path.resolve().is_relative_to(folder.resolve()):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        files += _files(folder, deep=True)
    return files


def _display(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.as_posix()


def _read(file: Path, name: str, findings: list[Finding]) -> Iterator[Manifest]:
    if file.name in KUSTOMIZE_FILES:
        hint = "build it first (kubectl kustomize DIR > FILE) and name that file"
        findings.append(Finding("MG213", "error", "a Kustomize folder is not a manifest", file=name, hint=hint))
        return
    try:
        data = file.read_bytes()
        documents = read_documents(data)
    except OSError as error:
        hint = "it must be a file that you may read"
        findings.append(Finding("MG002", "error", f"cannot be read: {error.strerror}", file=name, hint=hint))
        return
    except ReadError as error:
        findings.extend(
            replace(one, hint=_HELM if _TEMPLATE in data else one.hint) for one in reading_problems(error, name)
        )
        return
    for number, document in enumerate(documents):
        for prefix, obj in items(document):
            written = Document(name, data, {}, number, prefix)
            problems = _not_an_object(obj) or refusals(obj) or _service_problems(obj)
            for at, message in problems:
                hint = next((hint for words, hint in _HINTS if words in message), "change it in that file")
                findings.append(written.finding("MG404", message, at, hint=hint))
            if not problems:
                yield Manifest(normalise(obj), written)


def items(document: Any) -> Iterator[tuple[str, Any]]:
    """(pointer, object) of the objects of a document: `kind: List` holds several, as kubectl prints them."""
    if isinstance(document, dict) and document.get("apiVersion") == "v1" and document.get("kind") == "List":
        items = document.get("items") or []
        for index, item in enumerate(items if isinstance(items, list) else [items]):
            yield f"/items/{index}", item
    else:
        yield "", document


def _not_an_object(obj: Any) -> list[tuple[str, str]]:
    if not isinstance(obj, dict):
        return [("", "this is not a Kubernetes object: it is no map")]
    for key in ("apiVersion", "kind"):
        if not isinstance(obj.get(key), str) or not obj[key]:
            return [("", f"this is not a Kubernetes object: it has no {key}")]
    if obj["apiVersion"].startswith("meshgen.dev/"):
        return [("/apiVersion", "this is a config of meshgen's, not a Kubernetes object")]
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        if isinstance(metadata, dict) and metadata.get("generateName"):
            return [("/metadata/generateName", "an object with generateName can't be kept in Git: give it a name")]
        return [("/metadata", "this is not a Kubernetes object: it has no metadata.name")]
    return []


def _service_problems(obj: KubernetesObject) -> list[tuple[str, str]]:
    """A Service whose ports can't be read; its other fields are left to the API server."""
    if obj["kind"] != "Service" or obj["apiVersion"] != "v1":
        return []
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return [("/spec", "this Service has no spec, or one that is no map")]
    ports = spec.get("ports") or []
    if not isinstance(ports, list):
        return [("/spec/ports", "the ports of a Service are a list")]
    numberless = [
        index for index, port in enumerate(ports) if not isinstance(port, dict) or type(port.get("port")) is not int
    ]
    if numberless:
        return [(f"/spec/ports/{index}", "this port of a Service has no `port`, a number") for index in numberless]
    named = ((index, port.get("name")) for index, port in enumerate(ports))
    return [
        (f"/spec/ports/{index}/name", "the name of a port is a string")
        for index, name in named
        if not isinstance(name, str | None)
    ]


_TEMPLATE = b"{{"
_HELM = "this looks like a Helm template: render it first (helm template) and name the result"
_HINTS = (
    ("it is no map", "a manifest has apiVersion, kind and metadata; take out what is none"),
    ("config of meshgen", "name the folder of your manifests alone"),
    ("it has no", "add it, or take out what is no manifest"),
    ("control character", "remove the character, or write the text in base64 under binaryData"),
)
