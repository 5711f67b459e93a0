"""Builds a folder of Kustomize's by the user's own kustomize or kubectl, without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.finding import Finding
from meshgen.yaml import ReadError, read_documents

# In seconds; a build of a hundred objects takes a tenth of one.
_LONGEST = 120.0


def build(folder: Path) -> bytes:
    """What Kustomize makes of a folder; a stream of YAML that can be read.

    Raises InputError where Kustomize refuses it, EnvironmentFailure where there is neither kustomize nor kubectl.
    """
    tool = shutil.which("kustomize")
    command = [tool, "build"] if tool else [shutil.which("kubectl"), "kustomize"]
    if command[0] is None:
        hint = "put one of them on PATH, or import the IstioOperator that they build"
        raise EnvironmentFailure("a folder under Kustomize needs kustomize or kubectl, and PATH has neither", hint)
    argv = [str(part) for part in (*command, folder)]
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=_LONGEST, check=False, env=_without_network()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailure(f"{argv[0]} does not build {shown_path(folder)}: {type(error).__name__}") from error
    if done.returncode:
        message = f"Kustomize refuses it: {_reason(done.stderr.decode(errors='replace'))}"
        hint = "see what `kubectl kustomize` of the folder says"
        raise InputError([problem(Path(shown_path(folder)), message, hint)])
    try:
        read_documents(done.stdout)
    except ReadError as error:
        message = f"what Kustomize builds can't be read: {error}"
        hint = "quote the value in the file that it comes from"
        raise InputError([problem(Path(shown_path(folder)), message, hint)]) from error
    return done.stdout


def _without_network() -> dict[str, str]:
    """An environment in which nothing is fetched, should a path be a URL after all: no git, a proxy that is none."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return {**os.environ, **nowhere, "NO_PROXY": "", "no_proxy": "", "PATH": ""}


def _reason(text: str) -> str:
    """Why Kustomize refuses a folder: its last error, without the patches and texts that it quotes."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error: ")] or lines[-1:] or ["it says nothing"]
    said = re.sub(r"^error: ", "", errors[-1], flags=re.IGNORECASE)
    return re.split(r"[`{\[]|literals?", said)[0][:300]


def shown_path(path: Path) -> str:
    """A path as people write it: from where meshgen runs."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def problem(folder: Path, message: str, hint: str) -> Finding:
    """What is wrong with a folder of Kustomize's."""
    return Finding("MG808", "error", message, file=folder.as_posix(), hint=hint)
