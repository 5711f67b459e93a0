"""A Git repository with a mesh's config and tree in it, served over HTTP as Git itself serves one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import yaml

from tests.e2e.processes import serving
from tests.objects import Object, meshgen, text_of
from tests.tools import TOOLS

# Nothing of the user's own settings may reach the repository.
_SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
_AUTHOR = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


@dataclass(frozen=True)
class Repository:
    """A working copy, `work`, and the URL that it is pushed to and that engines fetch from."""

    work: Path
    url: str

    def edit(self, file: str, change: Callable[[Object], object]) -> None:
        """Change a file of the config, given as data."""
        path = self.work / file
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(text_of(config))

    def commit(self, message: str) -> str:
        """Render the config, commit it with its tree and push; give the commit."""
        self.render()
        return self.push(message)

    def render(self, *options: str) -> None:
        """Render the config; `install: manifests` asks the istioctl that the tests build."""
        path = {"PATH": f"{TOOLS}:{os.environ['PATH']}"}
        done = meshgen("render", "--quiet", *options, cwd=self.work, env=path)
        assert done.returncode == 0, done.stderr

    def push(self, message: str) -> str:
        """Commit all that is there and push; give the commit."""
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", message)
        # In one piece: a request of unknown length is nothing that the little server takes.
        self._git("-c", "http.postBuffer=100000000", "push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *args: str) -> str:
        return git(*args, cwd=self.work)


def git(*args: str, cwd: Path) -> str:
    """Run Git without anyone's settings; give what it prints."""
    run = subprocess.run(
        ["git", *args], cwd=cwd, env={**os.environ, **_SETTINGS}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@contextmanager
def served_repository(directory: Path) -> Iterator[Repository]:
    """Make an empty repository, and serve it on loopback for as long as the context lasts."""
    bare, work = directory / "served" / "mesh.git", directory / "work"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare), cwd=directory)
    git("config", "http.receivepack", "true", cwd=bare)
    git("init", "--quiet", "--initial-branch=main", str(work), cwd=directory)
    with serving(_backend(bare.parent)) as url:
        git("remote", "add", "origin", f"{url}/mesh.git", cwd=work)
        yield Repository(work, f"{url}/mesh.git")


def _backend(root: Path) -> type[BaseHTTPRequestHandler]:
    """A server that passes each request to `git http-backend`, by CGI (RFC 3875)."""

    class Backend(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            variables = {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            run = subprocess.run(
                ["git", "http-backend"],
                env={**os.environ, **_SETTINGS, **variables},
                input=body,
                stdout=subprocess.PIPE,
                check=True,
            )
            head, _, content = run.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in {**fields, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Say nothing: pytest would show it as the test's own words."""

    return Backend
