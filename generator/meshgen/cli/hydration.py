"""What the commands that write plain objects share: options, and the JSON Schema of what is said of them."""

from __future__ import annotations

from typing import Any

import click

from meshgen.formats import COUNT, OPTIONAL, closed

hydrate = click.option(
    "--hydrate", is_flag=True, help="Write each cluster's plain objects besides, into hydrated/ of the tree."
)
per = click.option(
    "--per",
    type=click.Choice(["object", "stage"]),
    default="object",
    show_default=True,
    help="One file of plain objects for each object, or for each stage.",
)

HYDRATED: dict[str, Any] = {
    **closed(
        {
            "output": {**OPTIONAL, "description": "The folder; null where they are on a branch."},
            "branch": OPTIONAL,
            "commit": {**OPTIONAL, "description": "The branch's newest commit."},
            "written": COUNT,
            "unchanged": COUNT,
            "deleted": COUNT,
        }
    ),
    "description": "Plain objects that stand outside of the tree, with --hydrate-to or --branch.",
}
