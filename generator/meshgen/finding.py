"""What meshgen has to say about an input: one value, formatted in one place (`meshgen.cli.report`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Finding:
    """One problem of the input, with its position and the next move.

    `rule` is an `MG…` identifier. `line` and `column` count from 1; both are None for a finding about a whole file.
    `path` is a JSON pointer into the document. `clusters` are those that it holds for; none where it is about the input
    as a whole. The message never holds a value that may be a secret.
    """

    rule: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    hint: str | None = None
    clusters: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the object that `-o json` prints."""
        return asdict(self)
