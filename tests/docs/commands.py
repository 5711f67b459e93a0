"""Runs what a document shows: each block of `sh` in order, and compares the output that the document gives for it.

A block of `text` right below a block of `sh` is that block's whole output. A last line that ends in `# exits with N`
says which status the block ends with; without it that is 0. `python -m tests.docs.commands` runs all documents and
writes the outputs anew.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.tools import PROJECT, tool

# The documents with commands, and whether they start from a copy of the project or from an empty folder.
DOCUMENTS = {
    "README.md": True,
    "CONTRIBUTING.md": True,
    "docs/commit.md": False,
    "docs/delivery.md": False,
    "docs/diff.md": False,
    "docs/explain.md": True,
    "docs/import.md": False,
    "docs/install.md": False,
    "docs/order.md": False,
    "docs/resources.md": False,
    "docs/secrets.md": False,
    "docs/tutorial.md": False,
}

_BLOCK = re.compile(r"^```sh\n(?P<script>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"# exits with (\d+)$")
# Set-up needs the network and minutes: tests/test_package.py and .ci/run do it for real.
_SET_UP = re.compile(r"\bpip install\b|\bpytest\b|\.ci/run|\bpre-commit\b")


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of a document, the output that it shows for them (None: none), and the status that they end with."""

    script: str
    output: str | None
    status: int
    span: tuple[int, int]

    @property
    def is_set_up(self) -> bool:
        return _SET_UP.search(self.script) is not None


def blocks(text: str) -> list[Block]:
    """Every block of commands, in order; `span` is where its output stands."""
    found = []
    for match in _BLOCK.finditer(text):
        status = _STATUS.search(match["script"].rstrip())
        found.append(Block(match["script"], match["output"], int(status[1]) if status else 0, match.span("output")))
    return found


def start(document: str, folder: Path) -> None:
    """Make the folder that a document's commands start from: a repository where it is a copy of the project."""
    if DOCUMENTS[document]:
        copy_project(folder)
        commit = "git init --quiet && git add --all && git commit --quiet --message start"
        subprocess.run(["bash", "-c", commit], cwd=folder, env=environment(), check=True)


def copy_project(folder: Path) -> None:
    """Copy what Git has or would take: a clean clone, with the changes that are not committed yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)


def environment() -> dict[str, str]:
    """The environment of a reader whose Git knows a name and no settings of this machine's."""
    person = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A Reader"), ("EMAIL", "reader@example.com"))
    }
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "LC_ALL": "C.UTF-8"}
    return {**os.environ, **person, **settings}


def run(block: Block, folder: Path, kubectl: Path) -> subprocess.CompletedProcess[str]:
    """Run one block in a folder, stdout and stderr in one as on a terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(kubectl.parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", block.script],
        cwd=folder,
        env={**environment(), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def rewrite(document: str) -> None:
    """Run a document and write the outputs that it shows anew."""
    path = PROJECT / document
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        start(document, Path(temporary))
        moved = 0
        for block in blocks(text):
            if block.is_set_up:
                continue
            done = run(block, Path(temporary), tool("kubectl"))
            if done.returncode != block.status:
                sys.exit(f"{document}: exits with {done.returncode}, not {block.status}:\n{block.script}{done.stdout}")
            if block.output is not None:
                first, last = (position + moved for position in block.span)
                text = text[:first] + done.stdout + text[last:]
                moved += len(done.stdout) - len(block.output)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in DOCUMENTS:
        rewrite(name)
