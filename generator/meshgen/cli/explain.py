"""`meshgen explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from meshgen.cli import options
from meshgen.cli.report import echo, print_json
from meshgen.config.problems import guess
from meshgen.config.schema import field as schema_field
from meshgen.errors import InputError
from meshgen.finding import Finding


@click.command("explain")
@click.argument("arguments", nargs=-1, metavar="[KEY | [CLUSTER] OBJECT FIELD]")
@options.config
@options.output
@options.debug
def command(arguments: tuple[str, ...], config: Path, output: str) -> None:
    """Say what a KEY of the config means, or where a FIELD of an OBJECT comes from.

    A KEY is such as expose.kiali.type; without one the whole config is explained. An OBJECT is KIND/NAME or
    KIND/NAME.NAMESPACE, a FIELD such as spec.ports[0].port, spec.template.spec.containers[name=kiali].image or
    metadata.annotations["a.b/c"]. What is said is the field's value, the layers that made it so, and the file of the
    tree that carries it: of all clusters, or of one CLUSTER.
    """
    if len(arguments) > 3:
        raise click.UsageError("Say a KEY, or an OBJECT and a FIELD, with a CLUSTER before them if it is one's.")
    if len(arguments) < 2:
        _explain_key("".join(arguments), output)
    else:
        *clusters, selector, field = arguments
        _explain_field(config, clusters, selector, field, output)


def _explain_field(config: Path, clusters: list[str], selector: str, field: str, output: str) -> None:
    from meshgen.provenance.explain import explain
    from meshgen.provenance.story import lines

    answers = explain(config, selector, field, *clusters)
    if output == "json":
        print_json({"answers": [one.to_json() for one in answers]})
        return
    for line in lines(answers, sum(len(one.clusters) for one in answers)):
        echo(line)


def _explain_key(key: str, output: str) -> None:
    if "/" in key:
        message = f"{key} is an object, and which field of it?"
        raise InputError([Finding("MG701", "error", message, hint=f"say meshgen explain {key} metadata, for one")])
    node = schema_field(key)
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
            child = schema_field(f"{key}.{name}") or children[name]
            lines.append(f"    {name:<{width}}  {child.get('description', '')}")
    return lines


def _unknown(key: str) -> Finding:
    parts = key.split(".")
    while parts and schema_field(".".join(parts[:-1])) is None:
        parts.pop()
    above, wrong = ".".join(parts[:-1]), parts[-1] if parts else key
    node = schema_field(above) or {}
    known = list(node.get("properties", {}))
    if "object" in _listed(node.get("type")) and not known and "additionalProperties" not in node:
        message = f"{above} takes every key that Istio takes there, and {wrong} is Istio's to explain"
        return Finding("MG102", "error", message, hint="see https://istio.io/latest/docs/reference/config/")
    place = f" in {above}" if above else ""
    return Finding("MG102", "error", f'the config has no key "{wrong}"{place}', hint=guess(wrong, known))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
