"""Writes what `catalog/sail.json` says of the Sail operator's releases, from their own files.

    python -m tests.catalog.sailcrds FOLDER

FOLDER holds a folder for each release, called as its tag, with the CRDs of its `chart/crds` and its
`pkg/istioversion/versions.yaml`. A state of the main branch is called as a prerelease of the next release.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from meshgen import catalog
from meshgen.catalog import Version

KINDS = {"Istio": "istios", "IstioCNI": "istiocnis", "ZTunnel": "ztunnels"}
FACTS = Path(catalog.__file__).with_name("sail.json")
Shape = Any


def storage_version(crds: Path, kind: str) -> dict[str, Any]:
    """The version of a kind that is stored, as its CRD has it."""
    crd = yaml.load((crds / f"sailoperator.io_{KINDS[kind]}.yaml").read_bytes(), yaml.CSafeLoader)
    (found,) = (version for version in crd["spec"]["versions"] if version["storage"])
    return dict(found)


def values_shape(crds: Path, kind: str) -> Shape:
    """The shape of `spec.values` of a kind, as its CRD has it."""
    spec = storage_version(crds, kind)["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return shape(spec["properties"]["values"])


def shape(schema: dict[str, Any]) -> Shape:
    """What a schema allows, shortly; defaults, formats of numbers and sizes of lists are left out."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return "any"
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity" if "pattern" in schema else "int-or-string"
    if "enum" in schema:
        return sorted(schema["enum"])
    if schema.get("format") == "byte":
        return "bytes"
    if schema["type"] == "array":
        return {"list": shape(schema["items"])}
    if isinstance(schema.get("additionalProperties"), dict):
        return {"map": shape(schema["additionalProperties"])}
    if schema["type"] == "object":
        return _fields(schema)
    return {"minimum": schema["minimum"]} if "minimum" in schema else schema["type"]


def _fields(schema: dict[str, Any]) -> Shape:
    made: dict[str, Any] = {"fields": {name: shape(one) for name, one in sorted(schema.get("properties", {}).items())}}
    # A required field that has a default need not be written.
    if required := [name for name in schema.get("required", []) if "default" not in schema["properties"][name]]:
        made["required"] = sorted(required)
    rules = [rule["message"] for rule in schema.get("x-kubernetes-validations", [])]
    if rules:
        (rule,) = rules
        made["one"] = rule.removeprefix("At most one of [").removesuffix("] should be set").split()
    return made


def over_time(shapes: dict[str, Shape]) -> Shape:
    """The shapes of one field by release, oldest first and None where there is none, as one with its ranges."""
    names = list(shapes)
    runs: list[list[str]] = []
    for name in names:
        if runs and _alike(shapes[runs[-1][0]], shapes[name]):
            runs[-1].append(name)
        else:
            runs.append([name])
    if len(runs) == 1:
        return _merged([shapes[name] for name in names], names)
    ranges = []
    for run, following in zip(runs, [*runs[1:], None], strict=True):
        if shapes[run[0]] is not None:
            limits = {"since": run[0]} if run[0] != names[0] else {}
            limits |= {"until": following[0]} if following else {}
            ranges.append({**limits, "shape": _merged([shapes[name] for name in run], run)})
    return {"ranges": ranges}


def _alike(one: Shape, other: Shape) -> bool:
    """Whether two shapes differ at most in the fields inside."""
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        return all(
            _alike(one[key], other[key]) if key in ("list", "map") else key == "fields" or one[key] == other[key]
            for key in one
        )
    return bool(one == other)


def _merged(shapes: list[Shape], names: list[str]) -> Shape:
    first = shapes[0]
    if not isinstance(first, dict):
        return first
    if "fields" not in first:
        return {
            key: _merged([one[key] for one in shapes], names) if key in ("list", "map") else value
            for key, value in first.items()
        }
    known = sorted({field for one in shapes for field in one["fields"]})
    fields = {
        field: over_time({name: one["fields"].get(field) for name, one in zip(names, shapes, strict=True)})
        for field in known
    }
    return {**first, "fields": fields}


def shared(roots: dict[str, Shape]) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """The roots with every large shape that stands twice replaced by a reference, and these shapes by their names."""
    seen = Counter(json.dumps(one) for root in roots.values() for _, one in _inside(root, ""))
    names: dict[str, str] = {}
    for root in roots.values():
        for field, one in _inside(root, ""):
            text = json.dumps(one)
            if seen[text] > 1 and len(text) > 60 and text not in names:
                same = sum(name.split("~")[0] == field for name in names.values())
                names[text] = f"{field}~{same + 1}" if same else field

    def refer(one: Shape, top: bool = False) -> Shape:
        if not top and (name := names.get(json.dumps(one))):
            return f"#{name}"
        if isinstance(one, list):
            return [refer(item) for item in one]
        return {key: refer(value) for key, value in one.items()} if isinstance(one, dict) else one

    made = {kind: refer(root) for kind, root in roots.items()}
    definitions = {name: refer(json.loads(text), top=True) for text, name in sorted(names.items(), key=lambda x: x[1])}
    used = Counter(_references([made, definitions]))
    return made, {name: one for name, one in definitions.items() if used[name]}


def _inside(one: Shape, field: str) -> Iterator[tuple[str, Shape]]:
    """(name of the nearest field, shape) of every shape inside, the outer ones first."""
    if isinstance(one, dict):
        if field and "ranges" not in one:
            yield field, one
        for key in ("list", "map"):
            if key in one:
                yield from _inside(one[key], field)
        for name, inner in one.get("fields", {}).items():
            yield from _inside(inner, name)
        for part in one.get("ranges", []):
            yield from _inside(part["shape"], field)


def _references(one: Any) -> Iterator[str]:
    if isinstance(one, str) and one.startswith("#"):
        yield one[1:]
    elif isinstance(one, (list, dict)):
        for inner in one.values() if isinstance(one, dict) else one:
            yield from _references(inner)


def served_versions(path: Path) -> list[str]:
    """The Istio versions that a release can install: those without an alias, end of life or a prerelease."""
    listed = yaml.safe_load(path.read_bytes())["versions"]
    names = [entry["name"].removeprefix("v") for entry in listed if not entry.get("eol") and "ref" not in entry]
    return sorted((name for name in names if "-" not in name and name[0].isdigit()), key=Version.parse)


def filled(value: Any, indent: int = 0, lead: int = 0) -> str:
    """JSON with as many entries on a line as it holds; `lead` characters stand before it on its line."""
    text = json.dumps(value, ensure_ascii=False)
    if indent + lead + len(text) < 120 or not isinstance(value, (list, dict)):
        return text
    inner = indent + 1
    if isinstance(value, dict):
        entries = [f'"{key}": {filled(one, inner, len(key) + 4)}' for key, one in value.items()]
    else:
        entries = [filled(one, inner) for one in value]
    lines = [entries[0]]
    for entry in entries[1:]:
        if "\n" in entry + lines[-1] or inner + len(lines[-1]) + len(entry) > 116:
            lines.append(entry)
        else:
            lines[-1] += f", {entry}"
    space = "\n" + " " * inner
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + space + ("," + space).join(lines) + "\n" + " " * indent + closing


def main(folder: Path) -> None:
    """Write the facts of all releases in a folder into the catalogue, and keep the others."""
    names = sorted((path.name for path in folder.iterdir()), key=Version.parse)
    roots = {kind: over_time({name: values_shape(folder / name, kind) for name in names}) for kind in KINDS}
    values, shapes = shared(roots)
    facts = json.loads(FACTS.read_bytes())
    facts["releases"] = {name: served_versions(folder / name / "versions.yaml") for name in names if "-" not in name}
    facts["apiVersions"] = {
        kind: over_time({name: f"sailoperator.io/{storage_version(folder / name, kind)['name']}" for name in names})
        for kind in KINDS
    }
    facts |= {"values": values, "shapes": shapes}
    FACTS.write_text(filled(facts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
