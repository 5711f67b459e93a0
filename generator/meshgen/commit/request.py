"""The change request for a branch: the command that each platform's own CLI makes one by."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from meshgen.commit.push import Remote
from meshgen.diff.written import printable
from meshgen.errors import EnvironmentFailure
from meshgen.redaction import redacted

Platform = Literal["github", "gitlab", "azure"]
_BODY: dict[Platform, str] = {"github": "--body", "gitlab": "--description", "azure": "--description"}
# GitLab takes a megabyte; one argument of a program has 128 KiB.
_MOST: dict[Platform, int] = {"github": 65_536, "gitlab": 65_536, "azure": 4_000}
_REST = "\n\n… the rest is in the commit's message"


@dataclass(frozen=True)
class ChangeRequest:
    """A pull or merge request that can be made: its platform, and the command without title and text.

    `source` is the branch, `target` what it is to be merged into.
    """

    platform: Platform
    command: tuple[str, ...]
    source: str
    target: str

    @property
    def tool(self) -> str:
        """The CLI."""
        return self.command[0]

    @property
    def text(self) -> str:
        """The command as a person types it in the repository: title and text are the commit's."""
        branch = shlex.quote(self.source)
        # A commit's message of meshgen's is never too long for the others.
        cut = f" | head -c {_MOST['azure']}" if self.platform == "azure" else ""
        title, text = f"git log -1 --format=%s {branch}", f"git log -1 --format=%b {branch}{cut}"
        return f'{shlex.join(self.command)} --title="$({title})" {_BODY[self.platform]}="$({text})"'

    def arguments(self, message: str) -> list[str]:
        """The command as it is run; no shell reads it."""
        title, _, text = message.partition("\n")
        text, most = text.strip(), _MOST[self.platform]
        if len(text) > most:
            text = text[: most - len(_REST)].rpartition("\n")[0] + _REST
        return [*self.command, f"--title={title}", f"{_BODY[self.platform]}={text}"]


def change_request(remote: Remote, branch: str, target: str, fork: Remote | None = None) -> ChangeRequest | None:
    """The request for a branch, told by the remote's URL; `fork` is the repository that has the branch, if another.

    None for a host that is none of the three platforms, and where its CLI can't say it.
    """
    parts, own = _repository(remote), _repository(fork) if fork else []
    if not remote.host or any(part.startswith("-") for part in (*parts, *own)):
        return None
    options: tuple[str, ...]
    if "github" in remote.host and len(parts) == 2:
        name = "/".join(parts if remote.host == "github.com" else [remote.host, *parts])
        head = f"{own[0]}:{branch}" if own else branch
        options = ("pr", "create", f"--repo={name}", f"--head={head}", f"--base={target}")
        return ChangeRequest("github", ("gh", *options), branch, target)
    if "gitlab" in remote.host and len(parts) > 1:
        place = f"https://{remote.host}"
        options = ("mr", "create", f"--repo={'/'.join([place, *parts])}", f"--source-branch={branch}")
        options += (f"--head={'/'.join([place, *own])}",) if own else ()
        return ChangeRequest("gitlab", ("glab", *options, f"--target-branch={target}", "--yes"), branch, target)
    azure = _azure(remote.host, parts)
    # https://github.com/Azure/azure-devops-cli-extension/issues/743: it has no word for a fork.
    if azure is None or own:
        return None
    options = ("repos", "pr", "create", *azure, f"--source-branch={branch}", f"--target-branch={target}")
    return ChangeRequest("azure", ("az", *options), branch, target)


def _repository(remote: Remote) -> list[str]:
    return [unquote(part) for part in remote.path.removesuffix(".git").split("/") if part]


def _azure(host: str, parts: list[str]) -> tuple[str, ...] | None:
    """Organisation, project and repository of Azure Repos, whose URLs have several shapes."""
    named: tuple[str, str, str] | None = None
    if host == "dev.azure.com" and len(parts) == 4 and parts[2] == "_git":
        named = (f"https://dev.azure.com/{parts[0]}", parts[1], parts[3])
    elif host in ("ssh.dev.azure.com", "vs-ssh.visualstudio.com") and len(parts) == 4 and parts[0] == "v3":
        named = (f"https://dev.azure.com/{parts[1]}", parts[2], parts[3])
    elif host.endswith(".visualstudio.com") and "_git" in parts[-2:-1]:
        inside = [part for part in parts[:-2] if part != "DefaultCollection"]
        named = (f"https://{host}", inside[0] if inside else parts[-1], parts[-1])
    if named is None:
        return None
    return (f"--organization={named[0]}", f"--project={named[1]}", f"--repository={named[2]}")


def open_request(root: Path, request: ChangeRequest, message: str) -> str | None:
    """Make the request by the platform's CLI; give the URL that it prints, None where the CLI is not there."""
    path = shutil.which(request.tool)
    if path is None:
        return None
    asks_nobody = {**os.environ, "GH_PROMPT_DISABLED": "1", "GLAB_NO_PROMPT": "1", "NO_PROMPT": "1"}
    done = subprocess.run(
        [path, *request.arguments(message)[1:]],
        cwd=root,
        env=asks_nobody,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        why = printable(redacted(lines[0])) if lines else "it did not say why"
        raise EnvironmentFailure(
            f"{request.tool} made no change request: {why}", f"the branch is pushed: {request.text}"
        )
    return next((word for word in done.stdout.split() if word.startswith("https://")), "")
