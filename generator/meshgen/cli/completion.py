"""`meshgen completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from meshgen.cli import cli, options


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@options.debug
def command(shell: str) -> None:
    """Print the completion script of a shell.

    For bash, put this into ~/.bashrc:

        eval "$(meshgen completion bash)"
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"Click completes no {shell} here.")
    click.echo(completion(cli, {}, "meshgen", "_MESHGEN_COMPLETE").source())
