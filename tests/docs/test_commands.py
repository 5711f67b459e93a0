"""Every command that a document shows is run, and what the document shows for it is what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.commands import DOCUMENTS, Block, blocks, copy_project, run, start
from tests.tools import PROJECT

TEXTS = {name: (PROJECT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
RENDER = "python3 -m venv .venv && .venv/bin/pip install --quiet --editable . && .venv/bin/meshgen render"
TEST = ".venv/bin/pip install --quiet --editable '.[test]' && .venv/bin/pytest -n auto"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_of_a_document_do_what_it_says(document: str, tmp_path: Path, kubectl: Path):
    start(document, tmp_path)

    for block in blocks(TEXTS[document]):
        if block.is_set_up:
            continue
        done = run(block, tmp_path, kubectl)
        assert done.returncode == block.status, f"{block.script}{done.stdout}"
        if block.output is not None:
            assert done.stdout == block.output, f"{document} shows another output of\n{block.script}"


def test_readme_begins_with_two_commands_each_on_one_line():
    first, second = (block.script for block in blocks(TEXTS["README.md"])[:2])

    assert (first, second) == (f"{RENDER}\n", f"{TEST}\n")


def test_gate_runs_what_the_readme_says():
    gate = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")

    assert f"\n{RENDER}\n{TEST}\n" in gate
    assert re.search(r"^meshgen render --check$", gate, re.MULTILINE)


def test_contributors_set_up_differs_from_the_readme_in_extras_and_activation_only():
    set_up = next(block.script for block in blocks(TEXTS["CONTRIBUTING.md"]))

    expected = RENDER.replace(" --editable .", " --editable '.[test,dev]'").removesuffix(" && .venv/bin/meshgen render")
    assert set_up == f"{expected}\n. .venv/bin/activate\n"


def test_output_is_read_with_its_block():
    text = "```sh\ntrue\n```\n\n```text\nout\n```\n\n```sh\nfalse # exits with 1\n```\n\n```console\n$ not run\n```\n"

    first, second = blocks(text)

    assert (first.script, first.output, first.status) == ("true\n", "out\n", 0)
    assert (second.script, second.output, second.status) == ("false # exits with 1\n", None, 1)


def test_a_command_that_fails_in_the_middle_of_a_block_is_seen(tmp_path: Path, kubectl: Path):
    assert run(Block("false\ntrue\n", None, 0, (0, 0)), tmp_path, kubectl).returncode == 1


def test_copy_holds_no_file_that_git_ignores(tmp_path: Path):
    copy_project(tmp_path)

    assert (tmp_path / "setup.cfg").is_file()
    assert not list(tmp_path.rglob("__pycache__"))
    assert not (tmp_path / ".tools").exists()
