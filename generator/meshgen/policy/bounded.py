"""Runs what a stranger may have written in a process of its own, with an end to its time and its memory."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterable
from typing import Any

_MEBIBYTE = 1 << 20


def bounded(work: Callable[[], Iterable[Any]], *, seconds: float, mebibytes: int) -> tuple[list[Any], str | None]:
    """The JSON values that `work` yields, and why it was ended early (None where it came to its end).

    What came before the end is kept. The process is a fork: `work` sees everything, and changes nothing.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _serve(work, writer, seconds, mebibytes)
    os.close(writer)
    try:
        text, in_time = _received(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    lines = text.split(b"\n")
    # The last line is whole only where a line break ends it.
    values = [json.loads(line) for line in lines[:-1]]
    if values and values[-1] == _END:
        return values[:-1], None
    ended = f"it took more than {seconds:g} seconds" if not in_time or _by_clock(status) else _memory(mebibytes)
    return values, ended


_END = {"end": True}


def _memory(mebibytes: int) -> str:
    return f"it took more than {mebibytes} MiB, or failed"


def _by_clock(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU


def _received(reader: int, until: float) -> tuple[bytes, bool]:
    """What comes through a pipe until its other end closes, and whether that was in time."""
    parts: list[bytes] = []
    while (left := until - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            part = os.read(reader, 1 << 16)
            if not part:
                return b"".join(parts), True
            parts.append(part)
    return b"".join(parts), False


def _serve(work: Callable[[], Iterable[Any]], writer: int, seconds: float, mebibytes: int) -> None:
    """The child's whole life: it never returns, so that nothing of the parent runs twice."""
    try:
        # What a library prints when it gives up is nobody's to read.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        _limit(resource.RLIMIT_AS, _used() + mebibytes * _MEBIBYTE)
        _limit(resource.RLIMIT_CPU, int(seconds) + 1)
        _limit(resource.RLIMIT_CORE, 0)
        with os.fdopen(writer, "wb") as out:
            for value in work():
                out.write(json.dumps(value).encode() + b"\n")
                out.flush()
            out.write(json.dumps(_END).encode() + b"\n")
    finally:
        os._exit(0)


def _limit(what: int, most: int) -> None:
    """Lower a limit as far as it may be; a system that has none is left as it is."""
    try:
        hard = resource.getrlimit(what)[1]
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (wanted, hard))
    except (ValueError, OSError):
        pass


def _used() -> int:
    """The address space that this process has, in bytes; a gibibyte where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 1024 * _MEBIBYTE
