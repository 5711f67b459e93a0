"""Servers that a test starts on loopback, waits for, and stops: those alone, by their ids."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

from tests.apiserver import KubectlFailed

T = TypeVar("T")
# Seconds. What takes longest is there in 20 where the machine is idle.
PATIENCE = 180.0


@dataclass(frozen=True)
class Server:
    """A process that serves until its context ends; all that it prints is in `log`."""

    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """The end of its log, for a failure's message."""
        return f"{self.log.name}:\n{self.log.read_text(errors='replace')[-3000:]}"


@contextmanager
def running(log: Path, command: list[str], environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server for as long as the context lasts; it goes with this process even where that is killed."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Server(process, log)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on a free port of 127.0.0.1 for as long as the context lasts; give the URL, without a slash."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # So that the end of a test waits for no client that keeps its connection.
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def descendants(process: int) -> list[int]:
    """A process, all that it started, and what those started."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [process, *(one for child in children for one in descendants(int(child)))]


def runs(process: int) -> bool:
    """Tell whether a process runs; one that only its parent's question keeps does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def left_of(processes: list[int]) -> list[int]:
    """Give the processes 10 seconds to end; give those that still run."""
    end = time.monotonic() + 10
    while any(runs(one) for one in processes) and time.monotonic() < end:
        time.sleep(0.05)
    return [one for one in processes if runs(one)]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for_port(port: int, server: Server) -> None:
    """Wait until a server takes connections."""

    def connected() -> bool:
        assert server.process.poll() is None, server.last_words()
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    eventually(connected, server.last_words, every=0.05)


def eventually(condition: Callable[[], T | None], explain: Callable[[], str], *, every: float = 0.3) -> T:
    """Ask until the answer is true, and give it; `explain` says what stands in the way when patience ends.

    An answer that the API server refuses to give, say on an object that is not there yet, is no answer yet.
    """
    end = time.monotonic() + PATIENCE
    refused = ""
    while time.monotonic() < end:
        try:
            if answer := condition():
                return answer
        except KubectlFailed as error:
            refused = str(error)
        time.sleep(every)
    raise AssertionError(f"{refused}{explain()}")
