"""`meshgen init`."""

from __future__ import annotations

from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import echo
from meshgen.starter import EXAMPLES, starter
from meshgen.tree.new import write_new


@click.command("init")
@click.option("--example", type=click.Choice(sorted(EXAMPLES)), help="Start from an example instead.")
@click.option("--name", default=None, metavar="NAME", help="Name of the mesh; default: the folder's.")
@options.config
@options.quiet
@options.debug
def command(example: str | None, name: str | None, config: Path, quiet: bool) -> None:
    """Write a first config; it never overwrites."""
    files = starter(config, example=example, name=name)
    write_new(files)
    if not quiet:
        for path in files:
            echo(f"wrote {path}")
        echo("next: meshgen render", err=True)
