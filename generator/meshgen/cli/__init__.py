"""The command line: it parses, calls one function, and reports."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from io import StringIO
from keyword import iskeyword
from typing import Any

import click

from meshgen import __version__
from meshgen.errors import MeshgenError

_COMMANDS = {
    "commit": "Render the tree and commit it, with what it was rendered from.",
    "completion": "Print a shell's completion script.",
    "diff": "Say what a change does to the objects of clusters, and how risky it is.",
    "explain": "Say what a key of the config means, or where a field comes from.",
    "fleet": "List the clusters, and what each of them runs.",
    "images": "List every image of every cluster.",
    "import": "Turn IstioOperators into a config.",
    "init": "Write a first meshgen.yaml.",
    "policy": "List the policy's rules, and test rules of your own.",
    "profile": "List or dump Istio's configuration profiles.",
    "render": "Render the tree.",
    "schema": "Print a JSON Schema.",
    "show": "Print the effective objects of clusters.",
    "validate": "Check the config and all objects, and write nothing.",
}


class _Commands(click.Group):
    """Imports a command when it is called: starting must not cost what one command needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        # A module can't be called by a word of Python's own.
        command: click.Command = import_module(f"meshgen.cli.{cmd_name}" + "_" * iskeyword(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], _COMMANDS, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else " `meshgen --help` lists them."
            ctx.fail(f"No such command '{args[0]}'.{meant}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meshgen", message="%(prog)s %(version)s")
def cli() -> None:
    """One reviewed file becomes a GitOps tree for the Istio service mesh."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit: the one place where errors end."""
    arguments = sys.argv[1:] if argv is None else argv
    # A run makes many values, keeps them all, and ends: collecting would only walk them again and again.
    gc.disable()
    # A stream that the caller closed is None to Python; what goes there is not wanted.
    sys.stdout = sys.stdout or StringIO()
    sys.stderr = sys.stderr or StringIO()
    status = 0
    try:
        status = _run(arguments)
        sys.stdout.flush()
        # What a write left behind when its reader had gone.
        sys.stderr.flush()
    except BrokenPipeError:
        # The reader has gone, as `head` does.
        _silence()
    except OSError as error:
        from meshgen.cli.report import report_environment

        with suppress(OSError):
            report_environment(error)
        _silence()
        status = 3
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    """Run a command and report what it raises; OSErrors are left to `main`, for it may be the report that fails."""
    try:
        status: Any = cli.main(arguments, prog_name="meshgen", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing half-written remains", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except MeshgenError as error:
        from meshgen.cli.report import report_error

        report_error(error)
        return error.exit_code
    except SystemExit:
        # So Click answers to a broken pipe, and to nothing else: with 1, which here means problems in the input.
        raise BrokenPipeError from None
    except OSError:
        raise
    except Exception as error:
        if "--debug" in arguments:
            raise
        from meshgen.cli.report import report_bug

        report_bug(error)
        return 70
    return status if isinstance(status, int) else 0


def _silence() -> None:
    """Send what is still to be printed nowhere: when Python ends it would try again, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
