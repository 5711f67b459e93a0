"""The values that a commit starts from and ends in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshgen.commit.request import ChangeRequest
from meshgen.commit.worktree import Entry
from meshgen.errors import EnvironmentFailure
from meshgen.finding import Finding


@dataclass(frozen=True)
class Asked:
    """What is asked for; `message` takes the place of the subject, `branch` is a new branch at the current commit."""

    config: Path
    output: Path
    message: str | None = None
    branch: str | None = None
    remote: str | None = None
    push: bool = False
    request: bool = False
    overwrite: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Committed:
    """What was done, or would be: `entries` are the commit's paths; `commit` is None where none was made.

    `pushed` names the remote; `request` can be made, `url` where it was.
    """

    branch: str
    message: str
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    commit: str | None = None
    pushed: str | None = None
    request: ChangeRequest | None = None
    url: str | None = None


class NotFinished(EnvironmentFailure):
    """The commit was made, and it is not as it should be or what should follow failed; `committed` is what was done."""

    def __init__(self, error: EnvironmentFailure, committed: Committed) -> None:
        self.committed = committed
        self.exit_code = error.exit_code
        super().__init__(str(error), error.hint)
