"""`meshgen show`."""

from __future__ import annotations

from pathlib import Path

import click

from meshgen.cli import options
from meshgen.cli.report import print_json, report_findings
from meshgen.show import select
from meshgen.yaml import emit_documents


@click.command("show")
@click.argument("objects", nargs=-1, metavar="[KIND[/NAME]]...")
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this cluster; may be repeated.")
@click.option("--stage", metavar="NAME", help="Only this stage.")
@options.config
@options.output
@options.quiet
@options.debug
def command(
    objects: tuple[str, ...], clusters: tuple[str, ...], stage: str | None, config: Path, output: str, quiet: bool
) -> None:
    """Print the effective objects of clusters: exactly what their stages build.

    From Istio 1.24 on each cluster's IstioOperator is printed as well, as istioctl's input: it has no stage.
    """
    shown, findings = select(config, clusters=clusters, stage=stage, objects=objects)
    if not quiet:
        report_findings(findings)
    if output == "json":
        print_json(
            [
                {"cluster": one.cluster, "environment": one.environment, "stage": one.stage, "object": one.object}
                for one in shown
            ]
        )
    elif shown:
        click.echo(emit_documents([one.object for one in shown]), nl=False)
