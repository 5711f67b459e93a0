"""`meshgen diff`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.diff.change import HIGH, RISKS, Difference, Group
from meshgen.diff.markdown import markdown
from meshgen.diff.report import to_json
from meshgen.diff.sarif import sarif
from meshgen.diff.story import diff
from meshgen.diff.written import field_lines, fleet_text, heading, printable, stage_text
from meshgen.errors import MeshgenError
from meshgen.git import repository

_SIGN_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_ACTION_COLOURS = {"added": "green", "removed": "red", "changed": "yellow", "moved": "yellow"}


@click.command("diff")
@click.argument("revision", required=False, metavar="[REV | REV..REV | DIR]")
@options.config
@click.option(
    "-o",
    "--output",
    "output",
    type=click.Choice(["text", "json", "markdown", "sarif"]),
    default="text",
    show_default=True,
    help="Format of the result.",
)
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this cluster; may be repeated.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything differs.")
@click.option(
    "--fail-on",
    type=click.Choice(RISKS),
    metavar="RISK",
    help="Exit with 1 where a change has this risk or a worse one.",
)
@options.quiet
@options.debug
def command(
    revision: str | None,
    config: Path,
    output: str,
    clusters: tuple[str, ...],
    exit_code: bool,
    fail_on: str | None,
    quiet: bool,
) -> int:
    """Say what a change of the config does to the objects of clusters, riskiest first; write nothing.

    HEAD is compared with the working tree, or the revision REV is; A..B compares two revisions, and A...B the second
    with what both stand on. DIR is a folder that holds a config of the same name, or a config.

    The risks, riskiest first: exposure, security, replacement, restart, traffic, cosmetic.
    """
    found = diff(revision, config, clusters=clusters)
    if not quiet:
        report_findings(found.findings)
        for note in found.notes:
            echo(note, err=True)
    _print(found, output, config)
    failed = any(found.reaches(risk) for risk in RISKS if risk == fail_on)
    return 1 if failed or (exit_code and not found.is_empty) else 0


def _print(found: Difference, output: str, config: Path) -> None:
    if output == "json":
        print_json(to_json(found))
    elif output == "sarif":
        print_json(sarif(found, _from_root(config)))
    elif output == "markdown":
        echo(markdown(found).rstrip("\n"))
    else:
        for line in _lines(found):
            echo(line)


def _from_root(config: Path) -> PurePosixPath:
    """The config's path as a code host knows it; without a repository, as it was given."""
    try:
        root = repository(config.parent).root.resolve()
        return PurePosixPath((config.parent.resolve() / config.name).relative_to(root).as_posix())
    except (MeshgenError, ValueError):
        return PurePosixPath(config.as_posix())


def _lines(found: Difference) -> Iterator[str]:
    sides = printable(f"{found.old} -> {found.new}")
    if found.is_empty:
        yield f"{sides}: no difference in {found.total} cluster(s)"
        return
    counts = ", ".join(f"{count} {risk}" for risk, count in found.risks.items() if count)
    yield f"{sides}, {found.total} cluster(s) on both sides: {counts}"
    for risk in RISKS:
        if found.risks[risk]:
            yield ""
            yield click.style(f"{risk} ({found.risks[risk]})", fg="red" if risk in HIGH else None, bold=True)
        for one in found.fleet:
            if one.risk == risk:
                yield f"  {_action(one.action)} {click.style(fleet_text(one), bold=True)}"
                yield f"    {printable(one.reason)}"
        for group in found.groups:
            if group.change.risk == risk:
                yield from _group(group)


def _group(group: Group) -> Iterator[str]:
    change = group.change
    name = click.style(heading(group), bold=True)
    yield f"  {_action(change.action)} {name} ({stage_text(change)}), {group.where}"
    yield from (f"    {printable(reason)}" for reason in change.reasons)
    for one in change.fields:
        yield from (f"    {_coloured(line)}" for line in field_lines(one))


def _action(action: str) -> str:
    return click.style(action, fg=_ACTION_COLOURS[action])


def _coloured(line: str) -> str:
    sign = line.strip()[:1]
    return click.style(line, fg=_SIGN_COLOURS[sign]) if sign in _SIGN_COLOURS else line
