"""Errors that a user can meet; each class carries its exit code."""

from __future__ import annotations

from collections.abc import Iterable

from meshgen.finding import Finding


class MeshgenError(Exception):
    """An expected error: its message says what, where and what to do next."""

    exit_code = 1


class InputError(MeshgenError):
    """The input has problems; all that were found come along."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        if not self.findings:
            raise ValueError("nothing was found, so nothing could be said: this is a bug")
        super().__init__(f"{len(self.findings)} problem(s) in the input")


class EnvironmentFailure(MeshgenError):
    """The environment failed (disk, permission, missing tool, lock held): nothing was written."""

    exit_code = 3

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)
