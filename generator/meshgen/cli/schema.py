"""`meshgen schema`."""

from __future__ import annotations

import click

from meshgen.cli import options
from meshgen.cli.report import print_json


@click.command("schema")
@click.argument(
    "name",
    type=click.Choice(["commit", "config", "diff", "explain", "fleet", "import", "render", "validate"]),
    default="config",
)
@options.debug
def command(name: str) -> None:
    """Print the JSON Schema of the config, or of what a command prints with -o json.

    An editor checks a config against it by this first line of the file, once it is saved as meshgen.schema.json:

        # yaml-language-server: $schema=meshgen.schema.json
    """
    if name == "config":
        from meshgen.config.schema import schema

        print_json(schema())
    else:
        from meshgen.cli.formats import FORMATS

        print_json(FORMATS[name])
