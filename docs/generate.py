"""Writes the references that follow from the code: config.md from the JSON Schema, cli.md from Click's own commands.

`python docs/generate.py` writes both; a test compares them with the code, so they can't drift.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from meshgen.cli import cli
from meshgen.config.schema import schema

REFERENCE = Path(__file__).resolve().parent / "reference"

_CONFIG_HEAD = """\
# Config

<!-- Written by `python docs/generate.py` from generator/meshgen/config/schema.json: change that, not this file. -->

`meshgen.yaml` says what all environments share, `overlays/ENVIRONMENT.yaml` what differs in one. On the command line,
`meshgen explain KEY` says the same of a key; `meshgen schema` prints the JSON Schema (draft-07) for an editor.

- A `null` takes away what a lower layer set, so every optional key may be null.
- `NAME` stands for a name of your own.
- *Planned* keys have their place here and are refused (MG105) until they work.
- What stands inside `istio.meshConfig`, `values`, `unvalidatedValues`, `spec` and `k8s` is Istio's own and passed on.\
"""
_CLI_HEAD = """\
# Command line

<!-- Written by `python docs/generate.py` from the commands themselves: change those, not this file. -->

Options stand after the command. Every command has `-h, --help`; `meshgen --version` prints the version. stdout is the
result, stderr everything else. The exit codes are in the [README](../../README.md#exit-codes).\
"""

# The definitions that get a section of their own, in this order, and how a heading calls them.
_SECTIONS = {
    "mesh": "meshgen.yaml",
    "component": "A component",
    "gateway": "A gateway",
    "addon": "An addon",
    "exposure": "An exposure",
    "resource": "A resource",
    "wave": "A wave",
    "alert": "An alert",
    "syncWindow": "A sync window",
    "suppression": "A suppression",
    "overlay": "overlays/ENVIRONMENT.yaml",
    "cluster": "A cluster",
    "patch": "A patch",
}


def config_reference() -> str:
    """Give config.md: a section for each kind of file and each shared part, a table for each map in it."""
    definitions = schema()["definitions"]
    if set(definitions) != set(_SECTIONS):
        raise ValueError(f"the schema's definitions are {sorted(definitions)}: name them all in _SECTIONS")
    lines = [_CONFIG_HEAD]
    for definition, title in _SECTIONS.items():
        section = _patch_section if definition == "patch" else _map_section
        lines += ["", f"## {title}", *section(definitions[definition])]
    return "\n".join(lines) + "\n"


def cli_reference() -> str:
    """Give cli.md: a section for each command with its arguments and options."""
    context = click.Context(cli, info_name="meshgen")
    lines = [_CLI_HEAD]
    for command, path in _commands(cli, context):
        lines += ["", f"## {path.command_path}", *_command_section(command, path)]
    return "\n".join(lines) + "\n"


REFERENCES: dict[str, Callable[[], str]] = {"config.md": config_reference, "cli.md": cli_reference}


def _patch_section(node: dict[str, Any]) -> list[str]:
    """A patch repeats the mesh's keys: their names are enough."""
    links = ", ".join(f"[`{key}`](#{_key_anchor(key)})" for key in node["properties"])
    return ["", node["description"], "", f"Its keys: {links}."]


def _map_section(node: dict[str, Any], prefix: str = "") -> list[str]:
    """The description, the table of its keys, and below it a section for each key that is a map of known keys."""
    lines = ["", node["description"], "", "| key | type | default | what it says |", "|---|---|---|---|"]
    required = node.get("required", [])
    nested = []
    for key, child in node["properties"].items():
        lines.append(_row(f"{prefix}{key}", child, required=key in required))
        if child.get("properties"):
            nested.append((f"{prefix}{key}", child))
    for name, child in nested:
        lines += ["", f"### {name}", *_map_section(child, f"{name}.")]
    return lines


def _row(name: str, node: dict[str, Any], *, required: bool) -> str:
    text = _description(node)
    examples = ", ".join(_code(example) for example in node.get("examples", []))
    if examples and not node.get("x-planned"):
        text += f" Example: {examples}."
    default = _code(node["default"]) if "default" in node else "required" if required else ""
    return f"| `{name}` | {_type(node)} | {default} | {text} |"


def _description(node: dict[str, Any]) -> str:
    reference = _reference(node)
    described = schema()["definitions"][reference] if reference and "description" not in node else node
    return str(described["description"])


def _type(node: dict[str, Any]) -> str:
    if node.get("x-planned"):
        return "*planned*"
    reference = _reference(node)
    if reference:
        return _link(reference)
    if "const" in node:
        return _code(node["const"])
    if "enum" in node:
        return ", ".join(_code(value) for value in node["enum"] if value is not None)
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return " or ".join(_shape(node, name) for name in types if name != "null")


def _shape(node: dict[str, Any], name: str) -> str:
    if name == "array":
        return f"list of {_of(node['items'])}"
    values = node.get("additionalProperties")
    if name == "object":
        return f"map by `NAME` of {_of(values)}" if isinstance(values, dict) else "map"
    return name


def _of(node: dict[str, Any]) -> str:
    reference = _reference(node)
    if reference:
        return _link(reference)
    types = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return " or ".join(f"{name}s" for name in types if name != "null")


def _reference(node: dict[str, Any]) -> str | None:
    """The definition that a node stands for, such as `addon`."""
    target = node.get("$ref") or next((part["$ref"] for part in node.get("allOf", []) if "$ref" in part), None)
    return str(target).removeprefix("#/definitions/") if target else None


def _link(reference: str) -> str:
    title = _SECTIONS[reference]
    return f"[{title[0].lower()}{title[1:]}](#{_anchor(title)})"


def _key_anchor(key: str) -> str:
    """The section that says most of a key of the mesh."""
    node = schema()["definitions"]["mesh"]["properties"][key]
    reference = _reference(node.get("additionalProperties") or {})
    return _anchor(key if node.get("properties") else _SECTIONS[reference or "mesh"])


def _anchor(title: str) -> str:
    """The anchor that GitHub and GitLab give a heading."""
    kept = [letter for letter in title.lower() if letter.isalnum() or letter in " -_"]
    return "".join(kept).replace(" ", "-")


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|")


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    if not isinstance(command, click.Group):
        yield command, context
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if child is not None:
            yield from _commands(child, click.Context(child, info_name=name, parent=context))


def _command_section(command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = ["", "```text", usage, "```", "", _help(command)]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        lines += ["", "| option | default | what it does |", "|---|---|---|"]
        lines += [_option(option, context) for option in options]
    return lines


def _help(command: click.Command) -> str:
    """The docstring; what is indented in it is code in Markdown too."""
    return inspect.cleandoc(command.help or "")


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`".replace("|", "\\|")
    default = f"`{option.default}`" if option.show_default and not option.is_flag else ""
    more = " May be repeated." if option.multiple and "repeated" not in (option.help or "") else ""
    return f"| {names}{value} | {default} | {option.help or ''}{more} |"


def main() -> None:
    """Write every reference."""
    for name, write in REFERENCES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
