"""The whole story of an import: IstioOperators, and what a cluster exports, in; the files of a config out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from meshgen.config.document import Document
from meshgen.config.manifestfiles import SUFFIXES
from meshgen.config.merge import merge
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.checked import check
from meshgen.importing.difference import Difference
from meshgen.importing.documents import mesh_document, overlay_document
from meshgen.importing.explained import explained
from meshgen.importing.kustomize import is_kustomized, read_kustomized
from meshgen.importing.layers import patch_between
from meshgen.importing.positions import ImportedDocument
from meshgen.importing.read import Source, read_objects
from meshgen.importing.taken import Taken, take
from meshgen.importing.written import text_of


@dataclass(frozen=True)
class Imported:
    """The files of a config by their path, what was found on the way, and what is not as it was read."""

    files: dict[Path, str]
    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]


def import_config(sources: Sequence[Source], config: Path, *, version: str | None = None) -> Imported:
    """Make the config that renders to what `sources` hold; of a folder under Kustomize, with its overlays.

    `version` is Istio's; without it a tag, or the image of an exported istiod, has to tell. Raises InputError with
    every reason why there can't be one: then nothing is to be written.
    """
    base, environments, found = _taken(sources, config.resolve().parent.name, version)
    mesh = mesh_document(base.name, base.settings, config.name, base.origins)
    overlays = {name: _overlay(base, name, taken) for name, taken in environments.items()}
    found += [*base.findings, *(one for taken in environments.values() for one in taken.findings)]
    try:
        checked = check(config.parent, mesh, overlays)
    except InputError as error:
        raise InputError((*found, *error.findings)) from error
    files = {config: text_of(checked.document, base)}
    for name, overlay in overlays.items():
        files[config.parent / overlay.file] = text_of(overlay, environments[name])
    by_cluster = ((cluster, environments.get(cluster.environment, base)) for cluster in checked.mesh.clusters)
    changed = [one for cluster, taken in by_cluster for one in explained(checked, cluster, taken)]
    return Imported(files, (*dict.fromkeys((*found, *checked.findings)),), tuple(changed))


def check_place(config: Path, files: Mapping[Path, str]) -> None:
    """Refuse a place where overlays lie already: they would be laid over what was imported."""
    folder = config.parent / "overlays"
    others = [path for path in sorted(folder.rglob("*.yaml")) if path not in files] if folder.is_dir() else []
    if others:
        hint = "import into a folder without overlays/, with -c"
        message = "this overlay is there already, and would change what is imported"
        raise InputError([Finding("MG605", "error", message, file=path.as_posix(), hint=hint) for path in others])


def _taken(
    sources: Sequence[Source], folder: str, version: str | None
) -> tuple[Taken, dict[str, Taken], list[Finding]]:
    """What the sources say together, and what each environment says where one of them is a folder of overlays."""
    kustomized = [source for source in sources if isinstance(source, Path) and is_kustomized(source)]
    if not kustomized:
        notes: list[Finding] = []
        return take(_read(sources, notes), folder, version), {}, notes
    if len(sources) > 1:
        hint = "import it by itself, with -c"
        message = "a folder under Kustomize is a whole config"
        raise InputError([Finding("MG808", "error", message, file=kustomized[0].as_posix(), hint=hint)])
    built = read_kustomized(kustomized[0])
    base = take(built.base, folder, version)
    overlays = {name: take(objects, folder, version, base=base) for name, objects in built.overlays.items()}
    return base, overlays, list(built.findings)


def _read(sources: Sequence[Source], notes: list[Finding]) -> tuple[Document, ...]:
    """The objects of the sources; refuses those that hold none at all."""
    objects = read_objects(sources, notes)
    if not objects:
        raise InputError(map(_empty, sources))
    return objects


def _empty(source: Source) -> Finding:
    name, hint = source.name, "name a file that holds an IstioOperator"
    if isinstance(source, Path):
        name = source.as_posix()
        if source.is_dir():
            hint += f", or a folder with such files ({', '.join(SUFFIXES)}); those of folders in it are not read"
    return Finding("MG801", "error", "there is no Kubernetes object in it", file=name, hint=hint)


def _overlay(base: Taken, name: str, taken: Taken) -> ImportedDocument:
    patch = patch_between(base.settings, taken.settings)
    if merge(base.settings, patch) != taken.settings:
        message = f"overlay {name} takes back what the base says in a way that no patch can say"
        hint = "a null over a value takes it away; import the overlay by itself, with -c"
        raise InputError([taken.main.finding("MG808", message, "/spec", hint=hint, at_key=True)])
    return overlay_document(name, patch, f"overlays/{name}.yaml", taken.origins)
