"""Asks a remote, pushes a branch, and explains a refusal; no remote's URL starts a program that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from meshgen.commit.sshhost import platform_host
from meshgen.commit.state import current_branch
from meshgen.config.problems import guess
from meshgen.diff.written import printable
from meshgen.errors import EnvironmentFailure
from meshgen.git import Done, Refused, output_of, run, run_as_user
from meshgen.redaction import redacted

# `NAME::ADDRESS` is given to a program git-remote-NAME; these two run what the address says.
_COMMANDS = ("ext", "fd")
_NEVER = tuple(word for name in _COMMANDS for word in ("-c", f"protocol.{name}.allow=never"))
_HELPER = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)::")
# host:path, as ssh and scp write it; a slash before the colon makes it a path.
_SCP = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>\[[^\]]*\]|[^:/@]*):(?P<path>.*)")


@dataclass(frozen=True)
class Remote:
    """A remote by its name, and the URL that a push goes to; `host` and `path` are empty for a folder."""

    name: str
    url: str
    host: str = ""
    path: str = ""


class NotPushed(EnvironmentFailure):
    """The remote did not take the branch; the commit is there all the same."""


def remote_of(root: Path, branch: str, name: str | None) -> Remote:
    """The remote to push a branch to: the one named, else as `git push` chooses it.

    Raises Refused where there is none, and for a URL that Git would run as a command.
    """
    names = output_of(root, "remote").decode(errors="replace").split()
    chosen = name or _chosen(root, branch, names)
    if chosen is None:
        why = "the repository has no remote" if not names else f"it has several remotes: {', '.join(names)}"
        hint = "add one: git remote add origin URL" if not names else "name one with --remote"
        raise Refused(f"nothing can be pushed: {why}; nothing was written", hint)
    if chosen not in names:
        hint = guess(chosen, names) or "add it: git remote add NAME URL"
        raise Refused(f'there is no remote "{printable(chosen)}"; nothing was written', hint)
    said = output_of(root, "remote", "get-url", "--push", "--all", "--", chosen).decode(errors="replace")
    remotes = [_remote(root, chosen, url) for url in said.splitlines()]
    return remotes[0]


def _chosen(root: Path, branch: str, names: list[str]) -> str | None:
    for key in (f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote"):
        value = run(root, "config", "--get", key).stdout.decode(errors="replace").strip()
        if value in names:
            return value
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def _remote(root: Path, name: str, url: str) -> Remote:
    shown = printable(redacted(url))
    helper = _HELPER.match(url)
    if url.startswith("-") or (helper and helper[1] in _COMMANDS):
        raise Refused(f"remote {name}: Git would run its URL as a command: {shown}", "git remote set-url NAME URL")
    host, path = _parts(url)
    if host.startswith("-") or path.startswith("-"):
        raise Refused(f"remote {name}: a part of its URL would be an option: {shown}", "git remote set-url NAME URL")
    by_ssh = bool(host) and ("://" not in url or "ssh" in url.partition("://")[0])
    return Remote(name, url, platform_host(root, host) if by_ssh else host, path)


def _parts(url: str) -> tuple[str, str]:
    """Host and path of a URL; a user that would be an option of ssh's counts as the host."""
    if "://" in url:
        try:
            split = urlsplit(url)
            host = split.hostname or ""
        except ValueError:
            return "", ""
        user = split.username or ""
        return (user if user.startswith("-") else host), split.path.strip("/")
    match = _SCP.fullmatch(url)
    if match is None or _HELPER.match(url):
        return "", ""
    user = match["user"] or ""
    return (user if user.startswith("-") else match["host"]), match["path"].lstrip("/")


def goes_to(root: Path, remote: Remote, branch: str) -> Remote:
    """The remote that a branch's changes go to in the end: where a fork is pushed to, the one that it was made from.

    That is what the branch follows, or for a new one what the branch follows that the user is on.
    """
    names = output_of(root, "remote").decode(errors="replace").split()
    for one in (branch, current_branch(root)):
        name = run(root, "config", "--get", f"branch.{one}.remote").stdout.decode(errors="replace").strip()
        if name in names and name != remote.name:
            url = output_of(root, "remote", "get-url", "--", name).decode(errors="replace").strip()
            other = _remote(root, name, url)
            if other.host == remote.host and other.path != remote.path:
                return other
    return remote


def default_branch(root: Path, remote: Remote) -> str | None:
    """The branch that the remote's HEAD names: as it says itself, else as the clone knows; None where neither tells."""
    # A clone need not know, and what it knows may be a name of long ago.
    asked = run_as_user(root, *_NEVER, "ls-remote", "--symref", "--", remote.name, "HEAD").stdout
    if found := _HEAD.search(asked.decode(errors="replace")):
        return found["branch"]
    prefix = f"refs/remotes/{remote.name}/"
    known = run(root, "symbolic-ref", "--quiet", f"{prefix}HEAD").stdout
    return known.decode(errors="replace").strip().removeprefix(prefix) or None


_HEAD = re.compile(r"^ref: refs/heads/(?P<branch>.+)\tHEAD$", re.MULTILINE)


def push(root: Path, remote: Remote, branch: str, *, into: str | None = None) -> None:
    """Push a branch under its own name, and have it follow that, or where it is a fork's what it goes into.

    Raises NotPushed.
    """
    follows = run(root, "config", "--get", f"branch.{branch}.merge").returncode == 0
    upstream = () if follows or into else ("--set-upstream",)
    reference = f"refs/heads/{branch}:refs/heads/{branch}"
    done = run_as_user(root, *_NEVER, "push", "--porcelain", *upstream, "--", remote.name, reference)
    if done.returncode:
        message, hint = _explained(done, remote, branch)
        raise NotPushed(f"{message}; the commit is kept on {branch}", hint)
    if into and not follows:
        # So the next commit on it is known to go there; where that was never fetched, there is nothing to follow.
        run(root, "branch", "--quiet", f"--set-upstream-to={into}", branch)


def _explained(done: Done, remote: Remote, branch: str) -> tuple[str, str]:
    said = (done.stdout + done.stderr).decode(errors="replace")
    theirs = "\n".join(f"    {printable(redacted(line))}" for line in said.splitlines() if line.startswith("remote: "))
    again = f"git push {remote.name} {branch}"
    if "[remote rejected]" in said or "declined" in said:
        hint = f"a protected branch takes change requests only: commit with --branch NAME --pr\n{theirs}".rstrip()
        return f"{remote.name} refused the push to {branch}", hint
    if "[rejected]" in said:
        hint = f"git pull --rebase {remote.name} {branch}, then `meshgen commit --push`: it renders what was merged"
        return f"{remote.name} has commits on {branch} that you have not", hint
    if any(words in said for words in _CREDENTIALS):
        return f"{remote.name} does not let you in", f"look at your credentials, then {again}"
    lines = [f"    {printable(redacted(line))}" for line in done.stderr.decode(errors="replace").splitlines() if line]
    return f"{remote.name} was not pushed to", "\n".join([f"when the cause is gone: {again}", *lines[-_MOST_LINES:]])


_MOST_LINES = 20
_CREDENTIALS = (
    "Authentication failed",
    "Permission denied",
    "could not read Username",
    "could not read Password",
    "HTTP 401",
    "HTTP 403",
    "error: 403",
    "error: 401",
    "Host key verification failed",
)
