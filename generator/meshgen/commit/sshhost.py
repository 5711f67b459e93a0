"""Tells what host a name of ssh's config stands for: who has several accounts gives each a name of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

from meshgen.git import run

# What a platform calls itself for people, by the host that its ssh is at.
_PLATFORMS = {
    "github.com": "github.com",
    "ssh.github.com": "github.com",
    "gitlab.com": "gitlab.com",
    "altssh.gitlab.com": "gitlab.com",
    "ssh.dev.azure.com": "ssh.dev.azure.com",
    "vs-ssh.visualstudio.com": "vs-ssh.visualstudio.com",
}
_HOSTNAME = re.compile(r"^hostname (\S+)$", re.MULTILINE)
# It connects to nobody; what may take time is a lookup of names that the user's config asks for.
_SECONDS = 5


def platform_host(root: Path, host: str) -> str:
    """The host of a public platform that a name stands for; any other name as it is.

    The host of a platform of one's own stays as it is written: its ssh may be elsewhere than its pages.
    """
    if host in _PLATFORMS:
        return _PLATFORMS[host]
    ssh = _ssh(root)
    if not ssh:
        return host
    try:
        done = subprocess.run(
            [*ssh, "-G", "--", host],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return host
    found = _HOSTNAME.search(done.stdout.decode(errors="replace"))
    return _PLATFORMS.get(found[1], host) if found else host


def _ssh(root: Path) -> list[str]:
    """The ssh that Git would call, with its options; none where that is another program, which may not know -G."""
    config = run(root, "config", "--get", "core.sshCommand").stdout.decode(errors="replace")
    command = os.environ.get("GIT_SSH_COMMAND") or config or shlex.quote(os.environ.get("GIT_SSH") or "ssh")
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    return words if words and Path(words[0]).stem == "ssh" else []
