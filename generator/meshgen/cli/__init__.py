"""The command line: it parses, calls one function, and reports."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from meshgen import __version__
from meshgen.errors import MeshgenError

_COMMANDS = {
    "completion": "Print a shell's completion script.",
    "explain": "Say what a key of the config means.",
    "images": "List every image of every cluster.",
    "init": "Write a first meshgen.yaml.",
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
        command: click.Command = import_module(f"meshgen.cli.{cmd_name}").command
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
    try:
        status: Any = cli.main(arguments, prog_name="meshgen", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        click.echo("interrupted: nothing half-written remains", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MeshgenError as error:
        from meshgen.cli.report import report_error

        report_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader has gone, as `head` does. Python would complain again when it closes stdout.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        from meshgen.cli.report import report_environment

        report_environment(error)
        sys.exit(3)
    except Exception as error:
        if "--debug" in arguments:
            raise
        from meshgen.cli.report import report_bug

        report_bug(error)
        sys.exit(70)
    sys.exit(status if isinstance(status, int) else 0)
