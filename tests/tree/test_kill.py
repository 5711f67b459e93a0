"""A run that is killed, or meets a broken disk, at each of its steps.

Steps are Python's calls of the system, counted by a profile function in a child process: unlike audit events these
include write and close.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from meshgen.errors import EnvironmentFailure
from meshgen.tree.plan import plan
from meshgen.tree.write import locked
from tests.tree.test_plan import render
from tests.tree.test_write import in_child, snapshot

OLD = {
    "same": b"=",
    "change": b"old",
    "sub/change": b"old",
    "gone/deep/x": b"x",
    "gone/y": b"y",
    "swap": b"s",
    "pawn/p": b"",
}
NEW = {"same": b"=", "change": b"new", "sub/change": b"new", "fresh/deep/x": b"x", "swap/in": b"s", "pawn": b"p"}
CHANGING = frozenset(
    ("open", "write", "close", "mkdir", "rmdir", "rename", "replace", "unlink", "chmod", "ftruncate", "flock")
)
ALL = CHANGING | {"read", "lstat", "stat", "fstat", "scandir"}
FINISHED = 5


def at_step(number: int, of: frozenset[str], effect: Callable[[], None], action: Callable[[], object]) -> int:
    """Run in a child, where `effect` happens just before the given step; FINISHED if there are fewer steps."""

    def disturbed() -> None:
        seen = 0

        def count(_frame: FrameType, event: str, called: object) -> None:
            nonlocal seen
            if event == "c_call" and getattr(called, "__module__", None) in ("posix", "fcntl"):
                seen += getattr(called, "__name__", None) in of
                if seen == number:
                    seen += 1
                    effect()

        sys.setprofile(count)
        action()
        sys.setprofile(None)
        if seen < number:
            os._exit(FINISHED)

    return in_child(disturbed)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(params=["first run", "later run"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tree as it was before the run; on a first run there is none, and not its parent either."""
    root = tmp_path / "old" / "output"
    if request.param == "later run":
        render(root, OLD)
        (root / "sub/notes.md").write_bytes(b"mine")
        (root / "gone").chmod(0o750)
    return root


def copy(old: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    if old.exists():
        shutil.copytree(old, to)
    return to


@pytest.fixture
def new(old: Path, tmp_path: Path) -> dict[str, tuple[int, bytes]]:
    """The tree that an undisturbed run gives."""
    root = copy(old, tmp_path / "new")
    render(root, NEW)
    return snapshot(root)


def test_run_killed_at_any_step_leaves_old_or_new_and_is_repaired(
    old: Path, new: dict[str, tuple[int, bytes]], tmp_path: Path
) -> None:
    before, root = snapshot(old), tmp_path / "run" / "output"
    for step in range(1, 1000):
        copy(old, root)
        if (ended := at_step(step, CHANGING, kill, lambda: render(root, NEW))) == FINISHED:
            break
        assert ended == -signal.SIGKILL
        assert plan(root, NEW).interrupted or snapshot(root) in (before, new), f"a silent mixture after step {step}"

        with locked(root):
            assert snapshot(root) in (before, new), f"not repaired after step {step}"
            assert not plan(root, NEW).interrupted
        render(root, NEW)

        assert snapshot(root) == new
        assert os.listdir(root / ".meshgen") == ["lock.json"]
    assert step > 40


def test_repair_killed_at_any_step_is_repaired(old: Path, new: dict[str, tuple[int, bytes]], tmp_path: Path) -> None:
    before, broken, root = snapshot(old), tmp_path / "broken", tmp_path / "run"

    def repair() -> None:
        with locked(root):
            pass

    for step in range(1, 1000, 4):
        copy(old, broken)
        if at_step(step, CHANGING, kill, lambda: render(broken, NEW)) == FINISHED:
            break
        for second in range(1, 1000):
            copy(broken, root)
            if at_step(second, CHANGING, kill, repair) == FINISHED:
                break
            assert plan(root, NEW).interrupted or snapshot(root) in (before, new)
            repair()
            assert snapshot(root) in (before, new), f"after steps {step} and {second}"


def test_error_at_any_step_leaves_the_old_tree(old: Path, new: dict[str, tuple[int, bytes]], tmp_path: Path) -> None:
    before, root, failures = snapshot(old), tmp_path / "run" / "output", 0
    for step in range(1, 1000):
        copy(old, root)
        ended = at_step(step, ALL, full, lambda: render(root, NEW))
        if ended == FINISHED:
            break
        assert ended in (0, 3), f"step {step}"
        failures += ended == 3
        assert snapshot(root) == (new if ended == 0 else before), f"step {step}"
        assert old.exists() or ended == 0 or not root.exists() or os.listdir(root / ".meshgen") == ["holder"]
        render(root, NEW)
        assert snapshot(root) == new
    assert failures > 40


def test_disk_that_stays_broken_from_any_step_never_gives_a_silent_mixture(
    old: Path, new: dict[str, tuple[int, bytes]], tmp_path: Path
) -> None:
    before, root = snapshot(old), tmp_path / "run"
    events = {"open", "os.mkdir", "os.rmdir", "os.rename", "os.remove", "os.truncate"}

    def broken_from(step: int) -> None:
        seen = 0

        def hook(event: str, _arguments: tuple[object, ...]) -> None:
            nonlocal seen
            seen += event in events
            if event in events and seen >= step:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        sys.addaudithook(hook)
        render(root, NEW)

    for step in range(1, 100):
        copy(old, root)
        ended = in_child(partial(broken_from, step))
        assert ended in (0, 3)
        if root.exists():
            assert plan(root, NEW).interrupted or snapshot(root) in (before, new)
        render(root, NEW)
        assert snapshot(root) == new


def test_file_size_limit_leaves_the_old_tree(tmp_path: Path) -> None:
    root = tmp_path / "output"
    render(root, OLD)
    before = snapshot(root)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with pytest.raises(EnvironmentFailure, match=r"big: File too large; nothing was written"):
            render(root, NEW | {"big": b"x" * 10_000})

    assert in_child(limited) == 0
    assert snapshot(root) == before
    assert os.listdir(root / ".meshgen") == ["lock.json"]


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """Give what makes a process meet a full disk: a tiny tmpfs where one may be mounted, else a limit of its own."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, check=False
    )

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    try:
        yield (lambda: None) if mounted.returncode == 0 else limit
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)


def test_full_disk_leaves_the_old_tree(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as confine:
        root = tmp_path / "disk" / "output"
        render(root, OLD)
        before = snapshot(root)

        def overflow() -> None:
            confine()
            render(root, {f"{i}": b"x" * 100_000 for i in range(4)})

        assert in_child(overflow) == 3
        assert snapshot(root) == before
        assert os.listdir(root / ".meshgen") == ["lock.json"]


def test_folders_that_a_person_removed_after_the_kill_do_not_stop_the_repair(tmp_path: Path) -> None:
    root = tmp_path / "output"
    for step in range(1, 1000):
        shutil.rmtree(root, ignore_errors=True)
        render(root, OLD)
        if at_step(step, CHANGING, kill, lambda: render(root, NEW)) == FINISHED:
            break
        for folder in ("gone", "sub", "fresh"):
            shutil.rmtree(root / folder, ignore_errors=True)
        render(root, NEW)
        assert plan(root, NEW).is_clean


def test_lock_on_a_holder_file_that_was_removed_meanwhile_is_taken_again(tmp_path: Path) -> None:
    holder = tmp_path / ".meshgen/holder"

    def render_with_holder() -> None:
        with locked(tmp_path):
            assert int(holder.read_text()) == os.getpid()

    # What a run does that ends between the other's open and flock.
    assert at_step(1, frozenset({"flock"}), holder.unlink, render_with_holder) == 0


def test_work_of_a_person_after_the_kill_is_kept(tmp_path: Path) -> None:
    """Every step of a killed run is undone, but not what a person did to the mixture that it left."""
    root, kept = tmp_path / "output", 0
    for step in range(1, 1000):
        shutil.rmtree(root, ignore_errors=True)
        render(root, OLD)
        if at_step(step, CHANGING, kill, lambda: render(root, NEW)) == FINISHED:
            break
        for path in ("change", "gone/y", "fresh/deep/x"):
            if (root / path).parent.is_dir():
                (root / path).write_bytes(b"mine")
        mine = [path for path in ("change", "gone/y", "fresh/deep/x") if (root / path).exists()]
        with locked(root):
            assert all((root / path).read_bytes() == b"mine" for path in mine)
        kept += len(mine)
    assert kept


@pytest.mark.parametrize(
    "journal",
    [
        "{",
        '{"moves": [["../../up", true, null]], "make": [], "remove": []}',
        '{"moves": [["out/x", true, null]], "make": [], "remove": []}',
        '{"moves": [], "make": [], "remove": [["out", 511]]}',
    ],
)
def test_journal_that_reaches_out_of_the_tree_is_refused(tmp_path: Path, journal: str) -> None:
    root, outside = tmp_path / "output", tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (root / ".meshgen/run/old").mkdir(parents=True)
    (root / ".meshgen/run/old/0").write_bytes(b"evil")
    (root / ".meshgen/run/lock.json").write_bytes(b"")
    (root / ".meshgen/run/journal.json").write_text(journal)
    (root / "out").symlink_to(outside)

    with pytest.raises(EnvironmentFailure, match="does not fit the tree") as caught:
        render(root, NEW)

    assert "restore" in (caught.value.hint or "")
    assert list(outside.iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o700
