"""`meshgen images`."""

from __future__ import annotations

from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import print_json, report_findings
from meshgen.images import images_of
from meshgen.render import build_mesh


@click.command("images")
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this cluster; may be repeated.")
@options.config
@options.output
@options.quiet
@options.debug
def command(clusters: tuple[str, ...], config: Path, output: str, quiet: bool) -> None:
    """List every image of every cluster, for mirrors and scanners; in text each once, in JSON by cluster."""
    built = build_mesh(config)
    if not quiet:
        report_findings(built.findings)
    found = images_of(built, clusters)
    if output == "json":
        print_json([{"cluster": name, "images": images} for name, images in found.items()])
    else:
        for image in sorted({image for images in found.values() for image in images}):
            click.echo(image)
