"""Wrong configs, each a folder: the files of a config, and `message.txt`, which `meshgen render` prints about them.

A new story is a new folder with a config in it; `MESHGEN_UPDATE=1 pytest tests/invalid` writes its message for you to
read. Nothing of a story's folder may be missing or new after the run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.cli import main

HERE = Path(__file__).parent
STORIES = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__")
UPDATE = bool(os.environ.get("MESHGEN_UPDATE"))
# Words that only stand in these stories as credentials.
SECRETS = ("hunter2", "Hunter2", "20742", "ghp_")


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a story's folder, without the message, as the working directory."""
    copy = tmp_path / "story"
    shutil.copytree(HERE / request.param, copy)
    (copy / "message.txt").unlink(missing_ok=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("NO_COLOR", "1")
    return copy


@pytest.mark.parametrize("folder", STORIES, indirect=True, ids=STORIES)
def test_wrong_config_is_explained_and_nothing_is_written(
    folder: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _contents(folder)

    status = _run("render")

    printed = capsys.readouterr()
    if UPDATE:
        (HERE / request.node.callspec.id / "message.txt").write_text(printed.err, encoding="utf-8")
    assert printed.err == (HERE / request.node.callspec.id / "message.txt").read_text(encoding="utf-8")
    assert (status, printed.out) == (1, "")
    assert _contents(folder) == before


@pytest.mark.parametrize("folder", STORIES, indirect=True, ids=STORIES)
def test_validate_finds_the_same_and_points_at_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _contents(folder)
    _run("render")
    rendered = capsys.readouterr().err

    text_status = _run("validate")
    text = capsys.readouterr().out
    json_status = _run("validate", "-o", "json")
    findings = json.loads(capsys.readouterr().out)["findings"]

    assert (text_status, json_status, text) == (1, 1, rendered)
    assert "".join(_as_text(finding) for finding in findings) == rendered
    for finding in findings:
        if finding["line"] is not None and finding["rule"] != "MG001":
            assert (finding["line"], finding["column"]) in _places(folder / finding["file"], finding["path"])
    assert _contents(folder) == before


@pytest.mark.parametrize("folder", STORIES[::12], indirect=True, ids=STORIES[::12])
def test_installed_command_says_the_same(folder: Path, request: pytest.FixtureRequest) -> None:
    run = subprocess.run([sys.executable, "-m", "meshgen", "render"], capture_output=True, cwd=folder, check=False)

    assert run.returncode == 1
    assert run.stderr.decode() == (HERE / request.node.callspec.id / "message.txt").read_text(encoding="utf-8")
    assert run.stdout == b""


def test_every_message_says_what_to_do_next() -> None:
    for story in STORIES:
        lines = (HERE / story / "message.txt").read_text(encoding="utf-8").splitlines()
        findings = [line for line in lines if not line.startswith("  hint: ")]
        assert findings, story
        assert len(lines) == 2 * len(findings), f"{story}: a finding has no hint"


def test_no_message_prints_a_credential() -> None:
    for story in STORIES:
        message = (HERE / story / "message.txt").read_text(encoding="utf-8")
        assert not any(secret in message for secret in SECRETS), story


def _run(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def _contents(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else None,
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def _as_text(finding: dict[str, Any]) -> str:
    place = ":".join(str(part) for part in (finding["file"], finding["line"], finding["column"]) if part is not None)
    text = f"{place}: {finding['severity']} {finding['rule']}: {finding['message']}\n"
    return text + (f"  hint: {finding['hint']}\n" if finding["hint"] else "")


def _places(file: Path, path: str) -> Iterator[tuple[int, int]]:
    """Where another YAML reader sees the key or the value that a JSON pointer names, or the last part that is there."""
    for root in yaml.compose_all(file.read_text(encoding="utf-8"), yaml.SafeLoader):
        nodes = [root]
        for part in path.split("/")[1:]:
            found = _child(nodes[-1], part.replace("~1", "/").replace("~0", "~"))
            if not found:
                break
            nodes = found
        for node in nodes:
            yield node.start_mark.line + 1, node.start_mark.column + 1


def _child(node: yaml.Node, part: str) -> list[yaml.Node]:
    """The key and the value of one step, the value last."""
    if isinstance(node, yaml.MappingNode):
        return next(([key, value] for key, value in node.value if key.value == part), [])
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        return [node.value[int(part)]]
    return []
