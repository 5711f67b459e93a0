"""A file of the config that is no regular file: it is said, and nothing waits for a pipe that nobody writes to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.objects import mesh, overlay, write_config

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: istio-system}\nstringData: {a: b}\n"


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("fleet", "meshgen.yaml"),
        ("fleet", "overlays/dev.yaml"),
        ("fleet", "overlays/prod/p.yaml"),
        ("validate", "policy/r.yaml"),
        ("validate", ".sops.yaml"),
    ],
)
def test_a_pipe_is_said_and_not_waited_for(tmp_path: Path, command: str, place: str):
    (tmp_path / "s.yaml").write_text(SECRET)
    write_config(tmp_path, mesh(resources={"s": {"path": "./s.yaml"}}), overlay("dev", clusters={"dev-0": {}}))
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)

    done = subprocess.run(
        [sys.executable, "-m", "meshgen", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert f"{place}: error MG002: " in done.stdout + done.stderr
    assert "hint: " in done.stdout + done.stderr


def test_a_link_to_a_regular_file_is_read_as_the_file(tmp_path: Path):
    write_config(tmp_path, mesh(), overlay("dev", clusters={"dev-0": {}}))
    (tmp_path / "overlays" / "dev.yaml").rename(tmp_path / "dev.yaml")
    (tmp_path / "overlays" / "dev.yaml").symlink_to("../dev.yaml")

    done = subprocess.run(
        [sys.executable, "-m", "meshgen", "fleet"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "dev-0" in done.stdout
