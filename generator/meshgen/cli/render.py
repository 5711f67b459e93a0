"""`meshgen render`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshgen.cli import hydration, options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.errors import InputError
from meshgen.hydrate import FOLDER, Brought, Per, bring, plain_objects
from meshgen.imagemoves import findings_of, image_moves
from meshgen.render import Rendering, render
from meshgen.tree.plan import Plan

if TYPE_CHECKING:
    from meshgen.commit.branch import BranchPlan


@click.command("render")
@options.config
@options.directory
@options.output
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the tree is not as it should be.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be done.")
@click.option("--overwrite", is_flag=True, help="Replace files that a person edited or put in the way.")
@hydration.hydrate
@click.option(
    "--hydrate-to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write plain objects into this folder, instead of hydrated/ of the tree.",
)
@click.option(
    "--branch", metavar="NAME", help="Commit plain objects to this branch, which holds nothing else, instead."
)
@hydration.per
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
    hydrate: bool,
    hydrate_to: Path | None,
    branch: str | None,
    per: Per,
    quiet: bool,
    verbose: bool,
) -> int:
    """Render the tree from the config: all or nothing, and only what changed.

    --hydrate writes the effective objects of each cluster besides, as plain YAML that needs no Kustomize.
    """
    _check_places(config, output_dir, hydrate_to, branch)
    would = check or dry_run
    try:
        rendering = render(config, date.today())
        asked = hydrate or hydrate_to is not None or branch is not None
        plain = plain_objects(rendering.built, per, directory=hydrate_to, branch=branch) if asked else None
        brought = bring(config, output_dir, rendering, plain, write=not would, overwrite=overwrite, notify=_notify)
    except InputError as error:
        if output == "json":
            print_json(_report(output_dir, None, None, [finding.to_json() for finding in error.findings]))
        raise
    findings = (*rendering.findings, *findings_of(image_moves(rendering, brought.tree), output_dir))
    report_findings(finding for finding in findings if not quiet or finding.severity == "error")
    if output == "json":
        print_json(_report(output_dir, rendering, brought, [finding.to_json() for finding in findings]))
    elif not quiet or (check and not brought.is_clean):
        _print(brought, would=would, verbose=verbose or would)
    if not quiet:
        _warn_of_dropped(brought, would=would)
    return 1 if check and not brought.is_clean else 0


def _notify(text: str) -> None:
    echo(text, err=True)


def _check_places(config: Path, output_dir: Path, hydrate_to: Path | None, branch: str | None) -> None:
    """Refuse places that would be read as something else, or that two would write."""
    overlays = config.parent / "overlays"
    if _is_inside(output_dir, overlays):
        raise click.UsageError("The tree can't stand inside overlays/: every file there is read as an environment.")
    if hydrate_to is None:
        return
    if branch is not None:
        raise click.UsageError("--hydrate-to and --branch name two places: say one.")
    if _is_inside(hydrate_to, overlays):
        raise click.UsageError("Objects can't stand inside overlays/: every file there is read as an environment.")
    if _is_inside(hydrate_to, output_dir) or _is_inside(output_dir, hydrate_to):
        raise click.UsageError("--hydrate-to names a folder apart from the tree; --hydrate writes into the tree.")


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _report(
    directory: Path, rendering: Rendering | None, brought: Brought | None, findings: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "output": str(directory),
        **_counts(brought.tree if brought else None),
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
        **_elsewhere(brought),
    }


def _elsewhere(brought: Brought | None) -> dict[str, Any]:
    """What became of plain objects that stand outside of the tree."""
    if brought and brought.directory:
        place: dict[str, Any] = {"output": str(brought.directory.root), "branch": None, "commit": None}
        return {"hydrated": place | _counts(brought.directory)}
    if brought and brought.branch:
        place = {"output": None, "branch": brought.branch.branch, "commit": brought.commit or brought.branch.tip}
        return {"hydrated": place | _counts(brought.branch)}
    return {}


def _counts(plan: Plan | BranchPlan | None) -> dict[str, int]:
    return {
        "written": len(plan.create) + len(plan.change) if plan else 0,
        "unchanged": len(plan.unchanged) if plan else 0,
        "deleted": len(plan.delete) if plan else 0,
    }


def _print(brought: Brought, *, would: bool, verbose: bool) -> None:
    _print_plan(brought.tree, str(brought.tree.root), would=would, verbose=verbose)
    if brought.tree.interrupted and would:
        echo(f"{brought.tree.root}: a run was interrupted; `meshgen render` repairs it", err=True)
    if brought.directory:
        _print_plan(brought.directory, str(brought.directory.root), would=would, verbose=verbose)
    if brought.branch:
        _print_plan(brought.branch, f"branch {brought.branch.branch}", would=would, verbose=verbose)
    if brought.commit:
        echo(f"branch {brought.branch.branch if brought.branch else ''}: commit {brought.commit[:12]}")


def _print_plan(plan: Plan | BranchPlan, place: str, *, would: bool, verbose: bool) -> None:
    if verbose:
        marks = (("+", plan.create), ("~", plan.change), ("-", plan.delete))
        for mark, path in sorted(((mark, path) for mark, paths in marks for path in paths), key=lambda one: one[1]):
            echo(f"{mark} {place}{':' if place.startswith('branch ') else '/'}{path}")
    written = len(plan.create) + len(plan.change)
    verb = "would write" if would else "wrote"
    deleted = f", {'would delete' if would else 'deleted'} {len(plan.delete)}" if plan.delete else ""
    echo(f"{place}: {verb} {written}{deleted}, {len(plan.unchanged)} unchanged")


def _warn_of_dropped(brought: Brought, *, would: bool) -> None:
    """Say that plain objects leave the tree: whoever forgot the option would wonder."""
    delete = brought.tree.delete
    gone = [path for path in delete if path.startswith(f"{FOLDER}/")]
    kept = any(path.startswith(f"{FOLDER}/") for path in brought.tree.desired)
    if gone and not kept:
        verb = "would be deleted" if would else "were deleted"
        echo(f"{brought.tree.root}/{FOLDER}: {len(gone)} file(s) {verb}, for --hydrate was not said", err=True)
