"""Where a commit goes from here: the remote that it is pushed to, and the request to merge it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from meshgen.commit.outcome import Asked, Committed, NotFinished
from meshgen.commit.push import Remote, default_branch, goes_to, push, remote_of
from meshgen.commit.request import ChangeRequest, change_request, open_request
from meshgen.commit.start import Start
from meshgen.commit.state import tip
from meshgen.errors import EnvironmentFailure
from meshgen.git import Refused


@dataclass(frozen=True)
class Goal:
    """The remote to push to, and the change request that can be made; `opens` where it is to be made.

    `into` is the remote's branch that a fork's changes go to, as Git calls it here.
    """

    remote: Remote
    into: str | None
    request: ChangeRequest | None
    opens: bool


def goal_of(asked: Asked, start: Start) -> Goal | None:
    """What follows the commit, known before anything is written; None where it stays here.

    Raises Refused for what can't follow.
    """
    if not asked.push:
        return None
    remote = remote_of(start.root, start.branch, asked.remote)
    home = goes_to(start.root, remote, start.branch)
    target = default_branch(start.root, home)
    if asked.request and target is None:
        # To push without it could be the very merge that is to be asked for.
        hint = f"`git remote set-head {home.name} --auto` asks it; to one that is empty, push that branch first"
        message = f"remote {home.name} does not say which branch changes are merged into; nothing was written"
        raise Refused(message, hint)
    if asked.request and start.branch == target:
        hint = "name a branch for the change with --branch NAME"
        raise Refused(f"{start.branch} is what changes are merged into; nothing was written", hint)
    fork = remote if remote != home else None
    request = change_request(home, start.branch, target, fork) if target and start.branch != target else None
    if asked.request and request is None:
        hint = "push with --push, and open the request on the platform"
        what = f"of fork {remote.name} into {home.name}" if fork else f"on remote {remote.name}"
        raise Refused(f"no command is known that makes a request {what}; nothing was written", hint)
    return Goal(remote, f"{home.name}/{target}" if fork and target else None, request, asked.request)


def publish(goal: Goal, done: Committed, root: Path) -> Committed:
    """Push the branch, new commit or not, and open the request. Raises NotFinished."""
    if tip(root, done.branch) is None:
        return done
    try:
        push(root, goal.remote, done.branch, into=goal.into)
        done = replace(done, pushed=goal.remote.name)
        return _opened(goal.request, done, root) if goal.opens and goal.request else done
    except EnvironmentFailure as error:
        raise NotFinished(error, done) from error


def _opened(request: ChangeRequest, done: Committed, root: Path) -> Committed:
    url = open_request(root, request, done.message)
    if url is None:
        return replace(done, notes=(*done.notes, f"{request.tool} is not on the PATH, so no request was made"))
    return replace(done, url=url)
