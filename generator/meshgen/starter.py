"""A first config: a mesh with its addons, or an example."""

from __future__ import annotations

import re
from pathlib import Path

from meshgen.build.templates import read_text, render_yaml
from meshgen.errors import InputError
from meshgen.finding import Finding

# The example `msa` is the story of Istio 1.11.3, installed by hand, whose dashboards were opened in vi.
EXAMPLES = {"msa": ("meshgen.yaml", "overlays/dev.yaml")}
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def starter(config: Path, *, example: str | None, name: str | None) -> dict[Path, str]:
    """The files of a first config, by their path. Raises InputError for a name that can't be a mesh's."""
    if example is not None:
        if name is not None:
            hint = "leave --name out, or change metadata.name afterwards"
            raise InputError([Finding("MG101", "error", "an example has its own name", hint=hint)])
        texts = {path: read_text(f"init/{example}/{path}") for path in EXAMPLES[example]}
        return {config if path == "meshgen.yaml" else config.parent / path: text for path, text in texts.items()}
    mesh = _label(config.resolve().parent.name) if name is None else name
    if not _LABEL.fullmatch(mesh):
        hint = "lower-case letters, digits and '-', at most 63"
        raise InputError([Finding("MG101", "error", f'"{mesh}" is not a DNS-1123 label', hint=hint)])
    return {config: render_yaml("init/meshgen.yaml.j2", mesh=mesh)}


def _label(folder: str) -> str:
    """The nearest DNS-1123 label to a folder's name."""
    return re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:63].strip("-") or "mesh"
