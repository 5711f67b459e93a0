"""`meshgen commit`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from meshgen.cli import hydration, options
from meshgen.cli.report import echo, print_json, report_findings
from meshgen.commit.outcome import Asked, Committed, NotFinished
from meshgen.commit.report import to_json
from meshgen.commit.scope import display
from meshgen.commit.story import commit
from meshgen.diff.written import printable
from meshgen.errors import EnvironmentFailure, InputError
from meshgen.hydrate import Per

_FEW = 20
_SIGNS = {"added": "+", "changed": "~", "deleted": "-"}


@click.command("commit")
@options.config
@options.directory
@options.output
@click.option("-m", "--message", metavar="TEXT", help="Begin the message with this text, in place of a subject.")
@click.option("--branch", metavar="NAME", help="Commit to a new branch at the current commit; yours stays as it is.")
@click.option("--push", is_flag=True, help="Push the branch.")
@click.option("--remote", metavar="NAME", help="Push to this remote; default: as `git push` chooses it.")
@click.option("--pr", is_flag=True, help="Push, and open the change request by gh, glab or az.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be committed.")
@click.option("--overwrite", is_flag=True, help="Replace files that a person edited or put in the way.")
@hydration.hydrate
@hydration.per
@options.quiet
@click.option("-v", "--verbose", is_flag=True, help="Name every file.")
@options.debug
def command(
    config: Path,
    output_dir: Path,
    output: str,
    message: str | None,
    branch: str | None,
    push: bool,
    remote: str | None,
    pr: bool,
    dry_run: bool,
    overwrite: bool,
    hydrate: bool,
    per: Per,
    quiet: bool,
    verbose: bool,
) -> int:
    """Render the tree and commit it, with the files that it was rendered from and no others.

    The message says what changes where, riskiest first. Where the config has errors nothing is written.
    """
    if message is not None and not message.strip():
        raise click.UsageError("The message is empty: is a variable of your shell not set?")
    if remote is not None and not (push or pr):
        raise click.UsageError("--remote goes with --push or --pr.")
    asked = Asked(config, output_dir, message, branch, remote, push or pr, pr, overwrite, dry_run)
    try:
        done = commit(asked, per if hydrate else None, today=date.today(), notify=lambda text: echo(text, err=True))
    except InputError as error:
        if output == "json":
            print_json(to_json(None, error.findings))
        raise
    except EnvironmentFailure as error:
        made = error.committed if isinstance(error, NotFinished) else None
        if output == "json":
            findings = made.findings if made else ()
            print_json(to_json(made, findings, problem=str(error), hint=error.hint))
        elif made and not quiet:
            _print(made, asked, verbose=verbose)
        raise
    if output == "json":
        print_json(to_json(done, done.findings))
    elif not quiet:
        report_findings(done.findings)
        _print(done, asked, verbose=verbose)
    return 0


def _print(done: Committed, asked: Asked, *, verbose: bool) -> None:
    for note in done.notes:
        echo(f"note: {printable(note)}", err=True)
    for line in _lines(done, asked, verbose=verbose):
        echo(line)


def _lines(done: Committed, asked: Asked, *, verbose: bool) -> Iterator[str]:
    if not done.entries:
        yield f"{done.branch}: nothing to commit"
    else:
        shown = done.entries if verbose else done.entries[:_FEW]
        yield from (f"{_SIGNS[one.action]} {display(one.path)}" for one in shown)
        if len(shown) < len(done.entries):
            yield f"  … {len(done.entries) - len(shown)} more; --verbose names them"
        verb = f"commit {done.commit[:12]}" if done.commit else "would commit"
        yield f"{done.branch}: {verb}, {len(done.entries)} file(s)"
        yield ""
        yield from (f"    {printable(line)}".rstrip() for line in done.message.rstrip("\n").split("\n"))
    if asked.dry_run and asked.push:
        yield f"would push {done.branch}"
    if done.pushed:
        yield f"pushed {done.branch} to {done.pushed}"
    if done.url:
        yield f"change request: {printable(done.url)}"
    elif done.request and (done.pushed or asked.dry_run):
        yield f"change request: {printable(done.request.text)}"
