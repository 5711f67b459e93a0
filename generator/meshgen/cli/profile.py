"""`meshgen profile`."""

from __future__ import annotations

import click

from meshgen.cli import options
from meshgen.cli.report import print_json
from meshgen.profiles import DEFAULT_VERSION, dump, names

_version = click.option(
    "--istio-version", default=DEFAULT_VERSION, show_default=True, metavar="VERSION", help="Version of Istio."
)


@click.group("profile")
def command() -> None:
    """List or dump Istio's configuration profiles, as `istioctl profile` did."""


@command.command("list")
@_version
@options.output
@options.debug
def list_command(istio_version: str, output: str) -> None:
    """List the profiles of a version."""
    profiles = names(istio_version)
    if output == "json":
        print_json(list(profiles))
        return
    click.echo("Istio configuration profiles:")
    for name in profiles:
        click.echo(f"    {name}")


@command.command("dump")
@click.argument("name", default="default")
@_version
@options.output
@options.debug
def dump_command(name: str, istio_version: str, output: str) -> None:
    """Print all that a profile sets."""
    from meshgen.yaml import emit

    profile = dump(istio_version, name)
    if output == "json":
        print_json(profile)
    else:
        click.echo(emit(profile), nl=False)
