"""`meshgen render`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.errors import InputError
from meshgen.render import Rendering, render
from meshgen.tree.plan import Plan
from meshgen.tree.update import compare, update


@click.command("render")
@options.config
@options.directory
@options.output
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the tree is not as it should be.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be done.")
@click.option("--overwrite", is_flag=True, help="Replace files that a person edited or put in the way.")
@options.quiet
@click.option("-v", "--verbose", is_flag=True, help="Name every file that is written or deleted.")
@options.debug
def command(
    config: Path,
    output_dir: Path,
    output: str,
    check: bool,
    dry_run: bool,
    overwrite: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Render the tree from the config: all or nothing, and only what changed."""
    if output_dir.resolve().is_relative_to((config.parent / "overlays").resolve()):
        raise click.UsageError("The tree can't stand inside overlays/: every file there is read as an environment.")
    try:
        rendering = render(config, date.today())
        if check or dry_run:
            plan = compare(output_dir, rendering.files, overwrite=overwrite)
        else:
            plan = update(output_dir, rendering.files, overwrite=overwrite, notify=lambda text: echo(text, err=True))
    except InputError as error:
        if output == "json":
            print_json(_report(output_dir, None, None, [finding.to_json() for finding in error.findings]))
        raise
    findings = [finding for finding in rendering.findings if not quiet or finding.severity == "error"]
    report_findings(findings)
    if output == "json":
        print_json(_report(output_dir, rendering, plan, [finding.to_json() for finding in rendering.findings]))
    elif not quiet or (check and not plan.is_clean):
        _print_plan(plan, would=check or dry_run, verbose=verbose or check or dry_run)
    return 1 if check and not plan.is_clean else 0


def _report(
    directory: Path, rendering: Rendering | None, plan: Plan | None, findings: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "output": str(directory),
        "written": len(plan.create) + len(plan.change) if plan else 0,
        "unchanged": len(plan.unchanged) if plan else 0,
        "deleted": len(plan.delete) if plan else 0,
        "clusters": [
            {
                "name": cluster.name,
                "environment": cluster.environment,
                "wiring": cluster.wiring,
                "stages": [{"name": stage.name, "path": stage.path} for stage in cluster.stages],
            }
            for cluster in (rendering.clusters if rendering else ())
        ],
        "findings": findings,
    }


def _print_plan(plan: Plan, *, would: bool, verbose: bool) -> None:
    if verbose:
        marks = (("+", plan.create), ("~", plan.change), ("-", plan.delete))
        for mark, path in sorted(((mark, path) for mark, paths in marks for path in paths), key=lambda one: one[1]):
            echo(f"{mark} {plan.root}/{path}")
    if plan.interrupted and would:
        echo(f"{plan.root}: a run was interrupted; `meshgen render` repairs it", err=True)
    written = len(plan.create) + len(plan.change)
    verb = "would write" if would else "wrote"
    deleted = f", {'would delete' if would else 'deleted'} {len(plan.delete)}" if plan.delete else ""
    echo(f"{plan.root}: {verb} {written}{deleted}, {len(plan.unchanged)} unchanged")
