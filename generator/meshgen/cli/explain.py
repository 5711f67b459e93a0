"""`meshgen explain`."""

from __future__ import annotations

import json
from typing import Any

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json
from meshgen.config.problems import guess
from meshgen.config.schema import field
from meshgen.errors import InputError
from meshgen.finding import Finding


@click.command("explain")
@click.argument("key", default="")
@options.output
@options.debug
def command(key: str, output: str) -> None:
    """Say what the schema says of a KEY of the config, such as expose.kiali.type; of the whole without one."""
    node = field(key)
    if node is None:
        raise InputError([_unknown(key)])
    if output == "json":
        print_json({name: value for name, value in node.items() if name != "definitions"})
        return
    for line in _lines(key, node):
        echo(line)


def _lines(key: str, node: dict[str, Any]) -> list[str]:
    types = [name for name in _listed(node.get("type")) if name != "null"]
    lines = [f"{key or 'meshgen.yaml'} ({' or '.join(types) or 'any'})", f"  {node.get('description', '')}"]
    if "enum" in node:
        lines.append(f"  one of: {', '.join(str(value) for value in node['enum'] if value is not None)}")
    if "default" in node:
        lines.append(f"  default: {json.dumps(node['default'], ensure_ascii=False)}")
    for example in node.get("examples", []):
        lines.append(f"  example: {json.dumps(example, ensure_ascii=False)}")
    children = node.get("properties", {})
    if children:
        lines.append("  keys:")
        width = max(len(name) for name in children)
        for name in children:
            child = field(f"{key}.{name}") or children[name]
            lines.append(f"    {name:<{width}}  {child.get('description', '')}")
    return lines


def _unknown(key: str) -> Finding:
    parts = key.split(".")
    while parts and field(".".join(parts[:-1])) is None:
        parts.pop()
    above, wrong = ".".join(parts[:-1]), parts[-1] if parts else key
    node = field(above) or {}
    known = list(node.get("properties", {}))
    if "object" in _listed(node.get("type")) and not known and "additionalProperties" not in node:
        message = f"{above} takes every key that Istio takes there, and {wrong} is Istio's to explain"
        return Finding("MG102", "error", message, hint="see https://istio.io/latest/docs/reference/config/")
    place = f" in {above}" if above else ""
    return Finding("MG102", "error", f'the config has no key "{wrong}"{place}', hint=guess(wrong, known))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
