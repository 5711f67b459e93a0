"""What the e2e run starts, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.isolation import is_isolated, listening_beyond_loopback, loopback_only
from tests.e2e.processes import descendants, free_port, left_of
from tests.tools import PROJECT

pytestmark = pytest.mark.realtools

STARTED = """
import sys, time
from pathlib import Path
from tests.e2e.cluster import running_cluster
with running_cluster(Path(sys.argv[1])):
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_what_was_started_goes_with_a_run_that_is_stopped(tmp_path: Path, end: signal.Signals):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", STARTED, str(tmp_path)]
    run = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert run.stdout is not None
    assert run.stdout.readline() == b"started\n"
    servers = [one for one in descendants(run.pid) if one != run.pid]
    assert len(servers) == 5

    run.send_signal(end)
    run.wait(60)

    assert left_of(servers) == []


def test_a_network_of_its_own_has_loopback_alone_and_ends():
    outside = os.readlink("/proc/thread-self/ns/net")

    with loopback_only(), socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        assert is_isolated()

    assert os.readlink("/proc/thread-self/ns/net") == outside


def test_a_server_on_every_address_is_seen():
    port = free_port()

    with socket.create_server(("127.0.0.1", 0)), socket.create_server(("0.0.0.0", port)):
        found = listening_beyond_loopback(os.getpid())

    assert found == {f"00000000:{port:04X}"}
