"""A first config: a mesh with its addons, or an example."""

from __future__ import annotations

import re
from pathlib import Path

from meshgen import __version__
from meshgen.build.templates import read_text, render_text, render_yaml
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
    mesh = label(config.resolve().parent.name) if name is None else name
    if not _LABEL.fullmatch(mesh):
        hint = "lower-case letters, digits and '-', at most 63"
        raise InputError([Finding("MG101", "error", f'"{mesh}" is not a DNS-1123 label', hint=hint)])
    return {config: render_yaml("init/meshgen.yaml.j2", mesh=mesh)}


# The review of a change, for each platform, and where it looks for it.
REVIEWS = {
    "azure": ("azure.yml", "azure-pipelines-meshgen.yml"),
    "github": ("github.yaml", ".github/workflows/meshgen.yaml"),
    "gitlab": ("gitlab.yml", ".gitlab/meshgen.yml"),
}
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def review(platform: str, config: Path, output: Path) -> dict[Path, str]:
    """The file that makes a platform review each change of a config, by its path in the repository.

    Both paths are relative to the repository's root, where meshgen is run. Raises InputError for one that is not.
    """
    for path in (config, output):
        if not _PLAIN_PATH.fullmatch(path.as_posix()):
            hint = "run it in the repository's root, and name the path from there: letters, digits, '.', '_' and '-'"
            raise InputError([Finding("MG101", "error", f'"{path}" is not a path that a workflow can name', hint=hint)])
    template, target = REVIEWS[platform]
    values = {"version": __version__, "config": config.as_posix(), "output": output.as_posix()}
    return {Path(target): render_text(f"init/ci/{template}.j2", **values)}


def label(text: str) -> str:
    """The nearest DNS-1123 label to a text, such as a folder's name; `mesh` where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "mesh"
