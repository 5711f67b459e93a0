"""Finds whether an imported config renders, and by which way to install Istio it says what was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from meshgen.config.load import Config
from meshgen.config.problems import problems
from meshgen.config.resolve import Mesh, resolve
from meshgen.config.schema import is_valid
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.documents import with_method
from meshgen.importing.positions import ImportedDocument
from meshgen.render import BuiltMesh, build_resolved
from meshgen.review import check_settings

# A setting that charts have no place for; istioctl's own manifests have.
_NOT_CARRIED = "MG215"
_OTHER_WAY = re.compile(r",? or (?:say|use) install: manifests|^say install: manifests,? (?:or )?")
# Policy is not about what was read: `meshgen validate` says it of every config.
_POLICY = "MG5"


@dataclass(frozen=True)
class Checked:
    """A config that renders: its common part, what it resolves to, and its objects where they can be built here."""

    document: ImportedDocument
    mesh: Mesh
    built: BuiltMesh | None
    findings: tuple[Finding, ...]


def check_read(document: ImportedDocument) -> None:
    """Refuse settings that have another form than istioctl gives them, before anyone looks into them."""
    check_form_of(document)
    try:
        check_settings(resolve(_config(Path(), document, {})))
    except InputError as error:
        if not _not_carried(error):
            raise


def check(folder: Path, document: ImportedDocument, overlays: Mapping[str, ImportedDocument]) -> Checked:
    """Check the documents of a config as `meshgen validate` would.

    Where charts can't carry a setting over, `install: manifests` can, and is said. Raises InputError with all problems.
    """
    check_form_of(document, *overlays.values())
    mesh = resolve(_config(folder, document, overlays))
    try:
        findings = check_settings(mesh)
        return Checked(document, mesh, build_resolved(mesh), tuple(_about_the_input(findings)))
    except InputError as error:
        lost = _not_carried(error)
        if not lost:
            raise
    document = with_method(document, "manifests")
    mesh = resolve(_config(folder, document, overlays))
    return Checked(document, mesh, None, (*_about_the_input(check_settings(mesh)), *map(_by_manifests, lost)))


def _not_carried(error: InputError) -> list[Finding]:
    """The errors, where each is of a setting that charts can't carry over; none where another is among them."""
    errors = [finding for finding in error.findings if finding.severity == "error"]
    return errors if all(finding.rule == _NOT_CARRIED for finding in errors) else []


def _about_the_input(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if not finding.rule.startswith(_POLICY))


def check_form_of(document: ImportedDocument, *overlays: ImportedDocument) -> None:
    """Refuse documents that the schema refuses."""
    parts = [(document, "mesh"), *((overlay, "overlay") for overlay in overlays)]
    wrong = [(part, definition) for part, definition in parts if not is_valid(part.value, definition)]
    if found := [finding for part, definition in wrong for finding in problems(part, definition)]:
        raise InputError(found)


def _config(folder: Path, document: ImportedDocument, overlays: Mapping[str, ImportedDocument]) -> Config:
    return Config(folder, document, {name: (overlay,) for name, overlay in overlays.items()})


def _by_manifests(lost: Finding) -> Finding:
    message = f"{lost.message}; so istio.install is manifests, which needs istioctl"
    way = _OTHER_WAY.sub("", lost.hint or "") or "take it out"
    hint = f"to install by charts, {way}"
    return Finding("MG807", "info", message, lost.file, lost.line, lost.column, lost.path, hint)
