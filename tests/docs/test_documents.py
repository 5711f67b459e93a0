"""What documents say about the project is so: links, excerpts, commands, modules, rules, references."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from types import ModuleType

import click
import pytest

from meshgen.catalog import minors
from meshgen.cli import cli
from meshgen.config.schema import schema
from tests.tools import PROJECT

OWN = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), PROJECT / "output" / "README.md"]
DOCUMENTS = {path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(OWN)}
PACKAGE = PROJECT / "generator" / "meshgen"
RULE = re.compile(r"MG[0-9]{3}")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_files_resolve(document: str):
    folder = (PROJECT / document).parent

    for target in re.findall(r"\]\(([^)\s]+)\)", _CODE.sub("", DOCUMENTS[document])):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (folder / path).resolve() if path else PROJECT / document
        assert file.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in _anchors(file.read_text(encoding="utf-8")), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_excerpts_stand_in_the_files_that_they_name(document: str):
    for name, excerpt in re.findall(
        r"^```yaml\n# (\S+\.yaml)\n(.*?)^```$", DOCUMENTS[document], re.MULTILINE | re.DOTALL
    ):
        assert excerpt in (PROJECT / name).read_text(encoding="utf-8"), f"{document} shows {name} as it is not"


def test_commands_that_make_secrets_are_those_of_the_tree():
    commands = re.findall(r"kubectl create secret .*", DOCUMENTS["docs/tutorial.md"])

    assert len(commands) == 2
    assert all(command in DOCUMENTS["output/README.md"] for command in commands)


def test_readme_names_every_command_and_the_known_versions():
    listed = re.findall(r"^\| `meshgen (\w+)", DOCUMENTS["README.md"], re.MULTILINE)

    assert sorted(listed) == cli.list_commands(click.Context(cli))
    assert f"Istio {minors()[0]} to {minors()[-1]}" in DOCUMENTS["README.md"]


def test_readme_names_every_planned_key():
    planned = {path for path, node in _fields(schema()["definitions"]["mesh"], "") if node.get("x-planned")}
    planned |= {
        f"expose.NAME.{path}"
        for path, node in _fields(schema()["definitions"]["exposure"], "")
        if node.get("x-planned")
    }
    limits = DOCUMENTS["README.md"].partition("## Limits")[2]

    assert planned
    assert [key for key in sorted(planned) if f"`{key}`" not in limits] == []


def test_readme_and_architecture_stay_short():
    assert len(DOCUMENTS["README.md"].splitlines()) <= 200
    assert len(DOCUMENTS["ARCHITECTURE.md"].splitlines()) <= 100


def test_modules_that_the_architecture_names_exist():
    named = re.findall(r"`([a-z]+(?:\.[a-z]+)*)`", DOCUMENTS["ARCHITECTURE.md"])
    modules = [name.removeprefix("meshgen.") for name in named if name.split(".")[0] in {"meshgen", *_packages()}]
    known = {path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".") for path in PACKAGE.rglob("*.py")}
    known |= {name.removesuffix(".__init__") for name in known} | {"templates", "cli.main"}

    assert len(modules) > 20
    assert [name for name in modules if name not in known] == []


@pytest.mark.parametrize("name", ["config.md", "cli.md"])
def test_reference_is_what_the_code_says(name: str):
    assert DOCUMENTS[f"docs/reference/{name}"] == _generator().REFERENCES[name](), "run `python docs/generate.py`"


def test_cli_reference_has_every_option_of_every_command():
    sections = dict(
        re.findall(r"^## (meshgen .+?)\n(.*?)(?=^## |\Z)", DOCUMENTS["docs/reference/cli.md"], re.MULTILINE | re.DOTALL)
    )
    commands = dict(_leaves(cli, click.Context(cli, info_name="meshgen")))

    assert sections.keys() == commands.keys()
    for path, command in commands.items():
        names = [name for option in command.params if isinstance(option, click.Option) for name in option.opts]
        assert [name for name in names if f"`{name}`" not in sections[path]] == []


def test_config_reference_has_every_key():
    text = DOCUMENTS["docs/reference/config.md"]

    for name, definition in schema()["definitions"].items():
        for path, node in _fields(definition, ""):
            shown = path if name != "patch" else path.split(".")[0]
            assert f"`{shown}`" in text, f"{name}: {path}"
            assert name == "patch" or node.get("description") or "$ref" in node


def test_every_rule_is_documented_with_its_severities_and_none_besides():
    rows = re.findall(r"^\| (MG\d{3}) \| ([a-z ]+) \| .+ \| .+ \|$", DOCUMENTS["docs/reference/rules.md"], re.MULTILINE)
    documented = {rule: set(severity.split(" or ")) for rule, severity in rows}
    found: dict[str, set[str]] = {}
    for rule, severity in _severities():
        found.setdefault(rule, set()).add(severity)

    assert len(rows) == len(documented)
    assert {rule for path in PACKAGE.rglob("*.py") for rule in RULE.findall(path.read_text(encoding="utf-8"))} == set(
        documented
    )
    assert {rule: found.get(rule) for rule in documented} == documented


def test_rules_that_documents_mention_exist():
    documented = set(RULE.findall(DOCUMENTS["docs/reference/rules.md"]))

    assert {rule for text in DOCUMENTS.values() for rule in RULE.findall(text)} <= documented


def _anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading in re.findall(
        r"^#+ (.+)$", _CODE.sub(lambda code: code[0] if "\n" not in code[0] else "", text), re.MULTILINE
    ):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(next(name for name in (anchor, *(f"{anchor}-{n}" for n in range(1, 100))) if name not in anchors))
    return anchors


def _packages() -> set[str]:
    return {path.name for path in PACKAGE.iterdir() if path.is_dir()} | {path.stem for path in PACKAGE.glob("*.py")}


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", PROJECT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _leaves(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield context.command_path, command
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from _leaves(child, click.Context(child, info_name=name, parent=context))


def _fields(node: dict, prefix: str) -> Iterator[tuple[str, dict]]:
    for key, child in node.get("properties", {}).items():
        yield f"{prefix}{key}", child
        yield from _fields(child, f"{prefix}{key}.")


def _severities() -> Iterator[tuple[str, str]]:
    """(rule, severity) of every call in the code that reports a rule: an error, unless the call says another."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                values = [
                    *node.args,
                    *(keyword.value for keyword in node.keywords if keyword.arg in ("rule", "severity")),
                ]
                words = [value.value for value in values if isinstance(value, ast.Constant)]
                rules = [word for word in words if isinstance(word, str) and RULE.fullmatch(word)]
                severity = next((keyword.value for keyword in node.keywords if keyword.arg == "severity"), None)
                is_open = severity is not None and not isinstance(severity, ast.Constant)
                warn = next((keyword.value for keyword in node.keywords if keyword.arg == "warn"), None)
                for rule in rules:
                    if is_open or (warn is not None and not isinstance(warn, ast.Constant)):
                        yield from ((rule, "error"), (rule, "warning"))
                    else:
                        said = {word for word in words if word in ("error", "warning", "info")}
                        yield rule, said.pop() if said else "warning" if warn is not None else "error"
