"""A network of a test's own, in which nothing but loopback exists: whatever is started there, nobody outside can reach.

Argo CD's controller serves its metrics on every address and has no setting for it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.processes import descendants

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_LISTENING = "0A"
# 127.0.0.1, ::1, and the first as the second's family writes it.
_LOOPBACK = ("0100007F", "0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F")
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def loopback_only() -> Iterator[None]:
    """Move this thread, and all that it starts, into a new network namespace; move it back at the end.

    It takes the right to make one and to come back, CAP_SYS_ADMIN: root has it.
    """
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.unshare(_CLONE_NEWNET))
        try:
            _bring_up("lo")
            yield
        finally:
            _checked(_libc.setns(outside, _CLONE_NEWNET))
    finally:
        os.close(outside)


def is_isolated() -> bool:
    """Whether no packet finds a way into this thread's network, or out of it: there is no route but loopback's own."""
    _, *routes = Path("/proc/thread-self/net/route").read_text().splitlines()
    return routes == []


def listening_beyond_loopback(process: int) -> set[str]:
    """Where a process or its children can be reached from afar: addresses and ports, as the kernel writes them."""
    owned = {inode for one in descendants(process) for inode in _sockets(one)}
    tables = [Path(f"/proc/thread-self/net/{family}").read_text() for family in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table.splitlines()]
    listening = {fields[1] for fields in lines if fields[3] == _LISTENING and fields[9] in owned}
    return {address for address in listening if address.partition(":")[0] not in _LOOPBACK}


def _sockets(process: int) -> Iterator[str]:
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            link = os.readlink(file)
            if link.startswith("socket:["):
                yield link[len("socket:[") : -1]


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sh14x", interface.encode(), _IFF_UP))


def _checked(status: int) -> None:
    if status:
        code = ctypes.get_errno()
        raise OSError(code, f"{os.strerror(code)}: Argo CD's tests take root, to make a network of their own")
