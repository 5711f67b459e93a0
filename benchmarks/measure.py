"""Times whole processes in turn, A B A B …, so that a machine's moods fall on both sides of a ratio."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Side:
    """What is timed: commands that run one after the other, and what has to be done before, which is not timed."""

    commands: Sequence[Command]
    folder: Path
    before: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians over the runs: CPU seconds of both sides, their ratio pair by pair, and A's peak memory in MiB."""

    a: float
    b: float
    ratio: float
    peak: float


def compare(a: Side, b: Side, *, runs: int) -> Comparison:
    """Run both sides in turn, after one warm-up each."""
    _run(a)
    _run(b)
    pairs = [(_run(a), _run(b)) for _ in range(runs)]
    return Comparison(
        a=statistics.median(one.cpu for one, _ in pairs),
        b=statistics.median(other.cpu for _, other in pairs),
        ratio=statistics.median(one.cpu / other.cpu for one, other in pairs),
        peak=max(one.peak for one, _ in pairs),
    )


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu: float
    peak: float


def _run(side: Side) -> _Cost:
    side.before()
    costs = [_run_command(command, side.folder) for command in side.commands]
    return _Cost(sum(cost.cpu for cost in costs), max(cost.peak for cost in costs))


def _run_command(command: Command, folder: Path) -> _Cost:
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}")
    return _Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
