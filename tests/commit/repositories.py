"""What tests of commits share: a mesh in a real Git repository, and meshgen called as on the command line."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from click.testing import CliRunner

from meshgen.cli.commit import command as commit_command
from meshgen.cli.render import command as render_command
from meshgen.cli.report import finding_text
from meshgen.errors import EnvironmentFailure, InputError, MeshgenError
from tests.diff.repositories import PERSON, fleet, git

COMMANDS = {"commit": commit_command, "render": render_command}


@dataclass(frozen=True)
class Said:
    """What a command printed, its status, and the error that it ended in, with its hint."""

    stdout: str
    stderr: str
    status: int
    error: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def call(folder: Path, name: str, *arguments: str | Path, **variables: str | None) -> Said:
    """Call a command in a folder, as a person whom Git knows."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(
            COMMANDS[name], [str(one) for one in arguments], standalone_mode=False, env={**PERSON, **variables}
        )
    if done.exception is None:
        return Said(done.stdout, done.stderr, done.return_value or 0)
    if not isinstance(done.exception, MeshgenError):
        raise done.exception
    error = str(done.exception)
    if isinstance(done.exception, InputError):
        error = click.unstyle("\n".join(finding_text(one) for one in done.exception.findings))
    if isinstance(done.exception, EnvironmentFailure):
        error += f"\nhint: {done.exception.hint}"
    return Said(done.stdout, done.stderr, done.exception.exit_code, error)


def new(folder: Path, **keys: Any) -> Path:
    """A repository with a mesh of two environments that was committed and not rendered yet."""
    keys.setdefault("addons", {"kiali": {}})
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    fleet(folder, clusters=1, **keys)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A mesh")
    return folder


def rendered(folder: Path) -> Path:
    """A repository with a mesh whose tree is committed."""
    return Path(shutil.copytree(_template().name, folder, dirs_exist_ok=True))


@cache
def _template() -> TemporaryDirectory[str]:
    """The repository of `rendered`, made once: it goes when the tests end."""
    made = TemporaryDirectory()
    new(Path(made.name))
    assert call(Path(made.name), "commit").status == 0
    return made


def open_kiali(folder: Path) -> None:
    """Change the config so that objects of all clusters change."""
    fleet(folder, clusters=1, addons={"kiali": {}}, expose={"kiali": {}})


def state(folder: Path) -> tuple[str, ...]:
    """All that a command which refuses leaves alone: branches, HEAD, index, files and what differs."""
    head = (folder / ".git" / "HEAD").read_text() if (folder / ".git").is_dir() else ""
    return (
        git(folder, "for-each-ref"),
        head,
        git(folder, "ls-files", "--stage"),
        git(folder, "status", "--porcelain", "--untracked-files=all"),
        git(folder, "diff"),
    )


def files_at(folder: Path, revision: str) -> set[str]:
    return set(git(folder, "ls-tree", "-r", "--name-only", revision).splitlines())


def changed_by(folder: Path, revision: str = "HEAD") -> set[str]:
    """The paths that a commit changes."""
    listed = git(folder, "show", "--format=", "--name-only", "--no-renames", revision)
    return set(listed.splitlines())


def subject(folder: Path, revision: str = "HEAD") -> str:
    return git(folder, "log", "-1", "--format=%s", revision)


def hook(folder: Path, name: str, script: str) -> None:
    path = folder / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def bare_remote(folder: Path, repository: Path) -> Path:
    """A bare repository that is the other one's `origin`, with its main branch."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", folder], check=True)
    git(repository, "remote", "add", "origin", str(folder))
    git(repository, "push", "--quiet", "--set-upstream", "origin", "main")
    return folder
