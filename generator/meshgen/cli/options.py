"""Options that commands share; each stands after the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

config = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    default=Path("meshgen.yaml"),
    show_default=True,
    help="The config; overlays/ lies beside it.",
)
directory = click.option(
    "-O",
    "--output-dir",
    type=click.Path(path_type=Path),
    default=Path("output"),
    show_default=True,
    help="The tree.",
)
output = click.option(
    "-o",
    "--output",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the result.",
)
reported = click.option(
    "-o",
    "--output",
    "output",
    type=click.Choice(["text", "json", "sarif", "github", "markdown"]),
    default="text",
    show_default=True,
    help="Format of the result; github are annotations for its workflows.",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")


def _debug(function: Command) -> Command:
    return click.option(
        "--debug", is_flag=True, expose_value=False, help="Show the traceback of a bug instead of saving it."
    )(function)


debug = _debug
