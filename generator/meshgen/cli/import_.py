"""`meshgen import`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.errors import InputError
from meshgen.importing.difference import Difference
from meshgen.importing.read import Source, Text
from meshgen.importing.story import Imported, check_place, import_config
from meshgen.tree.new import write_new

_THERE = "it is left as it is; write elsewhere with -c FILE, or insist with --overwrite"


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--istio-version", metavar="VERSION", help="Version of Istio; default: the tag in the file.")
@options.config
@options.output
@click.option("--dry-run", is_flag=True, help="Write nothing; print the config, and what would not be as it was read.")
@click.option("--overwrite", is_flag=True, help="Replace a config that is there already.")
@options.quiet
@options.debug
def command(
    files: tuple[str, ...],
    istio_version: str | None,
    config: Path,
    output: str,
    dry_run: bool,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Turn IstioOperators into a config that renders to the same.

    A FILE is an IstioOperator, a folder of manifests or of Kustomize overlays, what `kubectl get -o yaml` printed of a
    cluster, or - for standard input. Several are one mesh.
    """
    try:
        imported = import_config(_sources(files), config, version=istio_version)
    except InputError as error:
        if output != "json":
            raise
        print_json(_json(Imported({}, error.findings, ()), written=False))
        return 1
    if not dry_run:
        check_place(config, imported.files)
        write_new(imported.files, overwrite=overwrite, hint=_THERE)
    if output == "json":
        print_json(_json(imported, written=not dry_run))
        return 0
    if not quiet:
        report_findings(imported.findings)
    for line in _preview(imported) if dry_run else () if quiet else _report(imported):
        echo(line)
    if not dry_run and not quiet:
        echo("next: meshgen validate", err=True)
    return 0


def _sources(files: tuple[str, ...]) -> list[Source]:
    if "" in files:
        raise click.UsageError("A FILE is named by an empty text: is a variable of your shell not set?")
    if files.count("-") > 1:
        raise click.UsageError("Standard input can be read once: name - once.")
    # A stream that the caller closed was made an empty one.
    stdin = getattr(sys.stdin, "buffer", None)
    return [Text("<stdin>", stdin.read() if stdin else b"") if file == "-" else Path(file) for file in files]


def _json(imported: Imported, *, written: bool) -> dict[str, object]:
    return {
        "written": written,
        "files": [{"path": str(path), "text": text} for path, text in imported.files.items()],
        "findings": [finding.to_json() for finding in imported.findings],
        "differences": [difference.to_json() for difference in imported.differences],
    }


def _report(imported: Imported) -> Iterator[str]:
    yield from (f"wrote {path}" for path in imported.files)
    yield from map(_line, imported.differences)


def _preview(imported: Imported) -> Iterator[str]:
    """The files as a stream of YAML, and the differences as comments behind them."""
    for index, (path, text) in enumerate(imported.files.items()):
        yield "---\n" * bool(index) + f"# {path}\n{text}".rstrip("\n")
    yield "#"
    yield from (f"# {_line(difference)}" for difference in imported.differences)
    if not imported.differences:
        yield "# no difference: it renders to what was read"


def _line(one: Difference) -> str:
    return f"{one.object}: {one.path}: {one.read} -> {one.rendered}" + f" ({one.why})" * bool(one.why)
