"""Reads the user's own manifests: what `addons.NAME.source` and `resources.NAME.path` name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshgen.build.manifests import SHIPPED, Manifest, Manifests
from meshgen.catalog import Version, release_of
from meshgen.config.document import Document, read_regular, reading_problems, unreadable
from meshgen.config.manifestfiles import KUSTOMIZE_FILES, Home, LeadsOutError, is_dangling
from meshgen.config.manifestobjects import items, object_refusals, service_refusals
from meshgen.config.problems import shown
from meshgen.config.resolve import Cluster, Mesh
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.layout.normal import normalise
from meshgen.yaml import Problem, ReadError, pointer, read_documents


def read_manifests(mesh: Mesh) -> Manifests:
    """The objects of every file and folder that any cluster names, by the path as it is written in the config.

    They are as `kustomize build` will give them back. Raises InputError with every problem of every file.
    """
    manifests, problems = readable_manifests(mesh)
    if problems:
        raise InputError(problems)
    return manifests


def readable_manifests(mesh: Mesh) -> tuple[Manifests, list[Finding]]:
    """As `read_manifests`: the objects that could be read, and every problem of every file."""
    findings: list[Finding] = []
    addons: dict[str, tuple[Manifest, ...]] = {}
    resources: dict[str, tuple[Manifest, ...]] = {}
    home = Home.of(mesh.folder)
    for cluster in mesh.clusters:
        for keys, path in addon_sources(cluster.settings):
            if path not in addons:
                addons[path] = _manifests(home, cluster, keys, path, findings, deep=False)
        for keys, path in resource_paths(cluster.settings):
            if path not in resources:
                resources[path] = _manifests(home, cluster, keys, path, findings, deep=True)
    return Manifests(addons, resources), findings


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
    home: Home, cluster: Cluster, keys: Keys, path: str, findings: list[Finding], *, deep: bool
) -> tuple[Manifest, ...]:
    """What a path of the config holds; what is wrong with it goes into `findings`."""

    def refuse(what: str, hint: str) -> None:
        message = f"{'.'.join(keys)}: {shown(path)} {what}"
        findings.append(cluster.finding("MG213", message, pointer(keys), hint=hint))

    found: list[Finding] = []
    manifests: tuple[Manifest, ...] = ()
    try:
        files = home.files(path, deep=deep)
        manifests = tuple(one for file in files for one in _read(file, _display(file, home.folder), cluster, found))
        if not manifests and not found:
            refuse("holds no manifests", "name a file, or a folder with .yaml, .yml or .json files")
    except LeadsOutError as error:
        where = "the repository" if home.is_repository else "the config's folder"
        link = shown(_display(error.link, home.folder))
        refuse(f"has a link that leads out of {where}: {link}", f"bring what it leads to into {where}")
    except OSError as error:
        refuse(f"cannot be read: {error.strerror}", "the path is relative to the config's folder")
    findings += found
    return manifests


def _display(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.as_posix()


def _read(file: Path, name: str, cluster: Cluster, findings: list[Finding]) -> Iterator[Manifest]:
    if file.name in KUSTOMIZE_FILES:
        hint = "build it first (kubectl kustomize DIR > FILE) and name that file"
        findings.append(Finding("MG213", "error", "a Kustomize folder is not a manifest", file=name, hint=hint))
        return
    if is_dangling(file):
        hint = "mend the link, or take it away if its objects may leave the tree"
        message = "cannot be read: it is a link to what is not there"
        findings.append(Finding("MG002", "error", message, file=name, hint=hint))
        return
    try:
        data = read_regular(file)
        documents = read_documents(data)
    except OSError as error:
        findings.append(unreadable(error, name))
        return
    except ReadError as error:
        findings.extend(reading_problems(ReadError(_hinted(one, data) for one in error.problems), name))
        return
    for number, document in enumerate(documents):
        for prefix, obj in items(document):
            written = Document(name, data, {}, number, prefix)
            refused = list(_refused(obj, written, cluster))
            findings += refused
            if not refused:
                yield Manifest(normalise(obj), written)


def _hinted(problem: Problem, data: bytes) -> Problem:
    """A problem that a template of Helm's causes says so: one of syntax beside a `{{`, or a key that is one."""
    if problem.mark is None:
        return problem
    lines = data.decode("utf-8", "replace").splitlines()
    line, column = problem.mark.line - 1, problem.mark.column - 1
    if problem.pointer is None:
        is_caused = any(_TEMPLATE in text for text in lines[max(line - 1, 0) : line + 1])
    else:
        is_caused = line < len(lines) and _TEMPLATE in lines[line][max(column - 1, 0) : column + 2]
    return replace(problem, hint=_HELM) if is_caused else problem


_TEMPLATE = "{{"
_HELM = "this looks like a Helm template: render it first (helm template) and name the result"


def _refused(obj: Any, written: Document, cluster: Cluster) -> Iterator[Finding]:
    """What is wrong with an object before any stage has it; of a Service also what its cluster would refuse."""
    refusals = object_refusals(obj)
    is_object = not refusals
    refusals = refusals or service_refusals(obj)
    for at, message, hint in refusals:
        yield written.finding("MG404", message, at, hint=hint)
    if is_object and refusals:
        yield from _of_fields(obj, written, cluster, tuple(at for at, _, _ in refusals))


def _of_fields(obj: Any, written: Document, cluster: Cluster, said: tuple[str, ...]) -> Iterator[Finding]:
    from meshgen.check.kinds import kind_problems

    settings = cluster.settings["istio"]
    kubernetes = cluster.kubernetes or release_of(settings).kubernetes[1]
    for one in kind_problems(obj, kubernetes, Version.parse(settings["version"])):
        if not one.pointer.startswith(said):
            yield written.finding(
                one.rule, one.message, one.pointer, hint=one.hint, severity=one.severity, at_key=one.at_key
            )
