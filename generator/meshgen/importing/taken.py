"""What the objects of one environment say, as the settings of a config, and where each part came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from meshgen.catalog import UnknownMinor, Version, minors, release_of
from meshgen.config.document import Document
from meshgen.config.problems import shown
from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.importing.checked import check_form_of, check_read
from meshgen.importing.cluster import Recognised, istiod_version, recognise
from meshgen.importing.documents import mesh_document
from meshgen.importing.joined import (
    Placed,
    control_plane,
    further_gateways,
    joined_remarks,
    separate_problems,
    with_gateways,
)
from meshgen.importing.operators import NOTE, check_form, istio_settings, mesh_name, own_metadata, version_in
from meshgen.importing.positions import Origin
from meshgen.importing.profile import beyond, is_dump, profile_in_full
from meshgen.importing.read import is_operator, name_of
from meshgen.values import value_at
from meshgen.yaml import pointer


@dataclass(frozen=True)
class Taken:
    """The settings that objects become, the IstioOperators among these, and what was found.

    `origins` tell where each part of the settings was read; `profile` is the whole profile where the IstioOperator
    is a dump of one.
    """

    name: str
    settings: dict[str, Any]
    operators: tuple[Document, ...]
    origins: tuple[Origin, ...]
    recognised: Recognised
    profile: dict[str, Any] | None = None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def main(self) -> Document:
        """The IstioOperator of the control plane."""
        return control_plane(self.operators)


def take(objects: Sequence[Document], folder: str, version: str | None, *, base: Taken | None = None) -> Taken:
    """Make settings of the objects of one environment; `folder` names a mesh whose IstioOperator has no name.

    An environment on a `base` is of the base's mesh, and of its Istio where its own IstioOperator doesn't say another.

    Raises InputError where there is no IstioOperator, where there are several that are not one mesh, or where nothing
    tells the version of Istio.
    """
    operators, findings = _operators(objects)
    main = control_plane(operators)
    istio_version = _version(main, objects, version, base, findings)
    placed = further_gateways(operators)
    findings += joined_remarks(operators)
    spec = with_gateways(main.value.get("spec") or {}, placed, release_of({"version": istio_version}))
    name, note = mesh_name(main, folder) if base is None else (base.name, None)
    if note is not None:
        findings.append(_renamed(main, note, name))
    istio = istio_settings(main.value, spec, name, istio_version)
    _at_home(istio, main, findings)
    origins = _origins(main, istio, placed)
    # Whoever looks further into the settings may rely on their form.
    check_read(mesh_document(name, {"istio": istio}, main.file, origins))
    profile = _dumped(spec, istio, findings, main, by_istioctl=note is not None)
    if profile is not None:
        istio = _head(istio) | beyond(spec, profile)
    recognised = recognise(objects, istio)
    settings = {"istio": istio, "addons": recognised.addons, "expose": recognised.expose}
    live = (Origin(pointer(path), part, "") for path, part in recognised.documents.items())
    kept = {key: value for key, value in settings.items() if value}
    return Taken(name, kept, operators, (*origins, *live), recognised, profile, (*findings, *recognised.findings))


def _operators(objects: Sequence[Document]) -> tuple[tuple[Document, ...], list[Finding]]:
    """The IstioOperators of one mesh, each of the form that istioctl gives it, without notes of istioctl's on it."""
    operators = tuple(part for part in objects if is_operator(part))
    if not operators:
        raise InputError(_without_operator(objects))
    _refuse(finding for one in operators for finding in check_form(one))
    for one in operators:
        settings = istio_settings(one.value, one.value.get("spec") or {}, "", "0.0.0")
        check_form_of(mesh_document("mesh", {"istio": settings}, one.file, _origins(one, settings, ())))
    notes = [one for one in operators if str(own_metadata(one.value).get("name")).startswith(NOTE)]
    if len(notes) < len(operators):
        operators = tuple(one for one in operators if one not in notes)
    else:
        notes = []
    _refuse(separate_problems(operators))
    return operators, [_left_behind(note) for note in notes]


def _left_behind(note: Document) -> Finding:
    message = f"{name_of(note.value)} is istioctl's note of what it installed, and is left out"
    return note.finding("MG803", message, "", hint="delete it once the config is applied", severity="info")


def _at_home(istio: dict[str, Any], main: Document, findings: list[Finding]) -> None:
    """Leave out a namespace that says nothing: from 1.24 on istioctl goes by `values.global.istioNamespace` alone."""
    said = istio.get("namespace")
    meant = value_at(istio.get("values"), ("global", "istioNamespace")) or "istio-system"
    if said is None or said == meant or release_of(istio).operator:
        return
    del istio["namespace"]
    message = f"spec.namespace: istioctl goes by values.global.istioNamespace from 1.24 on, and installs into {meant}"
    hint = "nothing to do, unless it should move"
    findings.append(main.finding("MG806", message, "/spec/namespace", hint=hint, severity="info", at_key=True))


def _origins(main: Document, istio: dict[str, Any], placed: Sequence[Placed]) -> tuple[Origin, ...]:
    """Where the parts of a config's `istio` were read."""
    return (
        Origin("", main, ""),
        Origin("/metadata/name", main, "/metadata/name"),
        Origin("/istio", main, "/spec"),
        Origin("/istio/metadata", main, "/metadata"),
        Origin("/istio/version", main, "/spec/tag"),
        *_gateway_origins(istio, placed),
    )


def _refuse(findings: Iterator[Finding]) -> None:
    if found := list(findings):
        raise InputError(found)


def _without_operator(objects: Sequence[Document]) -> list[Finding]:
    hint = "an IstioOperator has apiVersion: install.istio.io/v1alpha1 and kind: IstioOperator"
    files = {part.file: part for part in objects}
    return [part.finding("MG801", "the file holds no IstioOperator", "", hint=hint) for part in files.values()]


def _version(
    main: Document, objects: Sequence[Document], asked: str | None, base: Taken | None, findings: list[Finding]
) -> str:
    """The version of Istio, with a remark where it was only found, or where the tag says another."""
    said = version_in(main.value.get("spec") or {})
    if asked is not None:
        version = _known(main, asked, "--istio-version")
        if said and Version.parse(said).minor != Version.parse(version).minor:
            message = f"spec.tag: the images are of Istio {said}, and the file is read as of {version}"
            hint = "take the tag out of the config, or say --istio-version " + said
            findings.append(main.finding("MG802", message, "/spec/tag", hint=hint, severity="info"))
        return version
    if said:
        return _known(main, said, "the tag")
    if base is not None:
        inherited: str = base.settings["istio"]["version"]
        return inherited
    if running := istiod_version(objects):
        message = f"Istio is taken to be {running}, which istiod runs"
        findings.append(main.finding("MG802", message, "", severity="info"))
        return _known(main, running, "the image of istiod")
    hint = "say --istio-version, for example --istio-version 1.11.3"
    raise InputError([main.finding("MG802", "nothing says which Istio this is for", "/spec", hint=hint, at_key=True)])


def _known(main: Document, version: str, where: str) -> str:
    try:
        release_of({"version": version})
    except ValueError:
        message = f"{where}: {shown(version)} is not a version of Istio"
        raise InputError([Finding("MG802", "error", message, hint="say major, minor and patch: 1.11.3")]) from None
    except UnknownMinor:
        minor, oldest, newest = Version.parse(version).minor, minors()[0], minors()[-1]
        message = f"{where}: Istio {minor} is not known to this meshgen"
        hint = f"it knows {oldest} to {newest}; --istio-version says for which the file is to be read"
        raise InputError([main.finding("MG203", message, "/spec/tag", hint=hint)]) from None
    return version


def _renamed(main: Document, note: str, name: str) -> Finding:
    message = f'metadata.name: the operator ignores an IstioOperator called "{note}"; it is called {name}'
    hint = f"istioctl left {note} behind; delete it once {name} is applied"
    return main.finding("MG803", message, "/metadata/name", hint=hint, severity="info")


def _dumped(
    spec: dict[str, Any], istio: dict[str, Any], findings: list[Finding], main: Document, *, by_istioctl: bool
) -> dict[str, Any] | None:
    """The profile whose dump a spec is, where that is sure: istioctl wrote it, or nothing was changed in it."""
    profile = profile_in_full(istio) if release_of(istio).operator else None
    if profile is None or not is_dump(spec, profile):
        return None
    name, own = profile["profile"], [key for key in beyond(spec, profile) if key != "profile"]
    if own and not by_istioctl:
        message = f"this is a dump of profile {name} that someone changed in {', '.join(own)}; all of it is kept"
        hint = "what is as the profile has it can go: an upgrade then takes it from the new profile"
        findings.append(main.finding("MG806", message, "/spec", hint=hint, severity="info", at_key=True))
        return None
    message = f"this is a dump: what is as profile {name} has it is left to the profile"
    findings.append(main.finding("MG806", message, "/spec", severity="info", at_key=True))
    return profile


def _head(istio: dict[str, Any]) -> dict[str, Any]:
    return {key: istio[key] for key in ("version", "metadata") if key in istio}


def _gateway_origins(istio: dict[str, Any], placed: Sequence[Placed]) -> Iterator[Origin]:
    for one in placed:
        listed = istio["components"][one.kind]
        yield Origin(f"/istio/components/{one.kind}/{listed.index(one.settings)}", one.document, one.pointer)
