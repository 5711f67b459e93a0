"""`meshgen fleet`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshgen.cli import options
from meshgen.cli.report import print_json, report_findings

if TYPE_CHECKING:
    from meshgen.fleet import Member

_HEADINGS = (
    "CLUSTER",
    "ENVIRONMENT",
    "CLOUD",
    "KUBERNETES",
    "ISTIO",
    "REVISION",
    "INSTALL",
    "WAVE",
    "ENGINES",
    "EXPOSURE",
    "LABELS",
)


def _pairs(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for label in values:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise click.BadParameter("say KEY=VALUE, such as region=koreacentral")
        # What kubectl's --selector takes, and no label of Kubernetes holds.
        if key.endswith("!") or value.startswith("="):
            raise click.BadParameter("say KEY=VALUE, a label that clusters have; -o json is for any other choice")
        if "," in value and "=" in value:
            raise click.BadParameter("say each label by a --label of its own; clusters are listed that have all")
        if pairs.setdefault(key, value) != value:
            raise click.BadParameter(f"no cluster has two values of {key}; clusters are listed that have all labels")
    return pairs


@click.command("fleet")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_pairs,
    help="Only clusters with this label; may be repeated: they have all of them.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="NAME",
    help="Only clusters of this environment; may be repeated.",
)
@options.config
@options.output
@options.quiet
@options.debug
def command(labels: dict[str, str], environments: tuple[str, ...], config: Path, output: str, quiet: bool) -> None:
    """List the clusters: what they run, what applies it, and which of their Services are reached from outside.

    It goes by the settings and builds nothing: what addons and manifests of your own open by themselves is not listed.
    """
    from meshgen.fleet import fleet

    members, findings = fleet(config, labels=labels, environments=environments)
    if not quiet:
        report_findings(findings)
    if output == "json":
        print_json([one.to_json() for one in members])
    elif members:
        click.echo(_table([_HEADINGS, *(_row(one) for one in members)]))


def _row(one: Member) -> tuple[str, ...]:
    reached = [f"{opened.service} ({opened.reach})" for opened in one.exposure]
    labels = [f"{key}={value}" for key, value in one.labels.items()]
    texts = (one.name, one.environment, one.cloud, one.kubernetes, one.istio, one.revision, one.install, one.wave)
    return (*(text or "-" for text in texts), *(", ".join(many) or "-" for many in (one.engines, reached, labels)))


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
