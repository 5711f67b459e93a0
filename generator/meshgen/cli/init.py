"""`meshgen init`."""

from __future__ import annotations

from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import echo
from meshgen.starter import EXAMPLES, REVIEWS, review, starter
from meshgen.tree.new import write_new


@click.command("init")
@click.option("--example", type=click.Choice(sorted(EXAMPLES)), help="Start from an example instead.")
@click.option("--name", default=None, metavar="NAME", help="Name of the mesh; default: the folder's.")
@click.option("--ci", type=click.Choice(sorted(REVIEWS)), help="Write a review of changes for this platform instead.")
@options.config
@options.directory
@options.quiet
@options.debug
def command(example: str | None, name: str | None, ci: str | None, config: Path, output_dir: Path, quiet: bool) -> None:
    """Write a first config, or a review of changes for CI; it never overwrites."""
    if ci is not None and (example or name):
        raise click.UsageError("--ci writes no config: leave --example and --name out.")
    files = review(ci, config, output_dir) if ci else starter(config, example=example, name=name)
    write_new(files)
    if not quiet:
        for path in files:
            echo(f"wrote {path}")
        echo("next: commit it" if ci else "next: meshgen render", err=True)
