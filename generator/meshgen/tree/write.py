"""Bring a plan to the disk, whole or not at all. This is the only module that changes a tree.

A run stages everything in `DIR/.meshgen/run`, so that a full disk is met before the tree is touched:

    run/new/N         the content of move N, to be moved into the tree
    run/old/N         the old file of move N, moved out of the tree
    run/lock.json     the inventory as it will be
    run/journal.json  what will be moved; it appears whole, by a rename, when all is staged

Then files are moved by renames. The last one puts lock.json in place: it is the commit. So what a run left behind that
was killed is told from two files: with both journal.json and run/lock.json it is undone, else `run` is rubbish. Only
what the run itself put there is undone, so that a person who worked on the tree in between loses nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.tree.inventory import FOLDER, JOURNAL, LOCK, RUN, Journal, Move, exists, failed, load_journal, sha256
from meshgen.tree.plan import Plan

HOLDER = "holder"
"""The file in `.meshgen` that is locked while a run lasts; it holds the pid."""

_POLL = 0.02
_VANISHED = 100


@contextmanager
def locked(root: Path, *, timeout: float = 30, notify: Callable[[str], None] | None = None) -> Iterator[None]:
    """Have the tree at `root` for oneself, and whole: what an interrupted run left is repaired first.

    Plan and write inside. Where another meshgen has the tree, `notify` is told once and `timeout` seconds are waited:
    EnvironmentFailure after that. Folders made for the lock go again where nothing was written. Don't fork processes
    inside that outlive the block: they would hold the lock.
    """
    made: list[Path] = []
    try:
        lock = _acquire(root, timeout, notify, made)
    except OSError as error:
        _remove_made(made)
        raise failed("lock", error.filename or root, error) from error
    except BaseException:
        _remove_made(made)
        raise
    try:
        _sign(lock, root)
        recover(root)
        yield
    finally:
        _release(lock, root, made)


def write(plan: Plan) -> None:
    """Make the tree as planned: wholly, or EnvironmentFailure and it is as before. Only inside `locked`.

    InputError with the plan's conflicts, if it has any.
    """
    if plan.conflicts:
        raise InputError(plan.conflicts)
    if plan.is_clean:
        return
    if plan.interrupted or _holder(plan.root) != os.getpid():
        raise RuntimeError(f"{plan.root} was not locked for this plan")
    run = plan.root / FOLDER / RUN
    try:
        journal = _stage(plan, run)
        _move(journal, plan.root, run)
    except BaseException:
        recover(plan.root)
        raise
    # The new tree is whole; what cannot be removed now, the next run removes.
    with suppress(OSError):
        shutil.rmtree(run)


def recover(root: Path) -> None:
    """Undo or tidy up what an interrupted run left; only inside `locked`, which does it first.

    It may be interrupted itself, and begun again.
    """
    run = root / FOLDER / RUN
    try:
        if exists(run / JOURNAL) and exists(run / LOCK):
            _undo(load_journal(root), root, run)
            os.unlink(run / JOURNAL)
    except OSError as error:
        message = f"cannot restore {error.filename or root}: {error.strerror or error}; {root} may be a mixture"
        hint = f"run it again when the cause is gone, or restore {root} from Git and remove {run}"
        raise EnvironmentFailure(message, hint) from error
    try:
        if exists(run):
            shutil.rmtree(run)
    except OSError as error:
        raise failed("remove", run, error) from error


def _stage(plan: Plan, run: Path) -> Journal:
    """Write all that is new beside the tree, and then the journal of what will be moved."""
    journal = _journal(plan)
    place = f"{FOLDER}/{RUN}"
    try:
        for folder in (run, run / "new", run / "old"):
            os.mkdir(folder)
        for number, move in enumerate(journal.moves):
            place = move.path
            if move.new is not None:
                _create(f"{run}/new/{number}", plan.desired[place])
        place = f"{FOLDER}/{LOCK}"
        _create(f"{run}/{LOCK}", plan.lock)
        place = f"{FOLDER}/{RUN}/{JOURNAL}"
        _create(f"{run}/{JOURNAL}.part", journal.dump())
        os.rename(f"{run}/{JOURNAL}.part", f"{run}/{JOURNAL}")
    except OSError as error:
        raise failed("write", plan.root / place, error) from error
    return journal


def _journal(plan: Plan) -> Journal:
    moves = [Move(path, old=True, new=None) for path in plan.delete]
    moves += [Move(path, old=True, new=plan.digests[path]) for path in plan.change]
    moves += [Move(path, old=False, new=plan.digests[path]) for path in plan.create]
    try:
        remove = [(folder, stat.S_IMODE(os.lstat(plan.root / folder).st_mode)) for folder in plan.remove]
    except OSError as error:
        raise failed("remove", error.filename, error) from error
    return Journal(moves, plan.make, remove)


def _create(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        written = os.write(descriptor, content)
        # A disk that is nearly full takes a part, and refuses the rest by an error.
        while written < len(content):
            written += os.write(descriptor, content[written:])
    finally:
        os.close(descriptor)


def _move(journal: Journal, root: Path, run: Path) -> None:
    """Move the old files out, the new ones in, and commit."""
    top, place = os.path.join(root, ""), ""
    try:
        for number, move in enumerate(journal.moves):
            if move.old:
                place = move.path
                os.rename(top + place, f"{run}/old/{number}")
        for place, _ in journal.remove:
            _rmdir(top + place)
        for place in journal.make:
            os.mkdir(top + place)
        for number, move in enumerate(journal.moves):
            if move.new is not None:
                place = move.path
                # A rename would replace what a person has put there since the plan was made.
                if exists(top + place):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
                os.rename(f"{run}/new/{number}", top + place)
        place = f"{FOLDER}/{LOCK}"
        os.replace(run / LOCK, top + place)
    except OSError as error:
        raise failed("write", root / place, error) from error


def _undo(journal: Journal, root: Path, run: Path) -> None:
    """Put the old tree back; what is there and not the run's own stays, and the old file of that name is given up."""
    for number, move in enumerate(journal.moves):
        staged, place = run / "new" / str(number), root / move.path
        if move.new is not None and not exists(staged) and sha256(str(place)) == move.new:
            os.rename(place, staged)
    for folder in reversed(journal.make):
        _rmdir(root / folder)
    for folder, mode in reversed(journal.remove):
        with suppress(FileExistsError, NotADirectoryError):
            os.makedirs(root / folder, exist_ok=True)
            os.chmod(root / folder, mode)
    for number, move in enumerate(journal.moves):
        aside, place = run / "old" / str(number), root / move.path
        if move.old and exists(aside) and not exists(place):
            with suppress(FileExistsError, NotADirectoryError):
                os.makedirs(place.parent, exist_ok=True)
                os.rename(aside, place)


def _acquire(root: Path, timeout: float, notify: Callable[[str], None] | None, made: list[Path]) -> int:
    """Give the descriptor of the locked holder file; `made` takes the folders made for it."""
    deadline = time.monotonic() + timeout
    vanished, told = 0, False
    while True:
        try:
            return _try_lock(root, made)
        except FileNotFoundError:
            # Another run that ended took the holder file, and maybe the folder that it had made.
            vanished += 1
            if vanished > _VANISHED:
                raise
        except BlockingIOError:
            pid = _holder(root)
            other = f"another meshgen (pid {pid})" if pid else "another meshgen"
            if time.monotonic() >= deadline:
                raise EnvironmentFailure(
                    f"{other} still writes {root} after {timeout:g} s; nothing was written",
                    "wait until it ends, or stop it, and run it again",
                ) from None
            if notify is not None and not told:
                notify(f"waiting for {other} that writes {root}")
                told = True
        time.sleep(_POLL)


def _try_lock(root: Path, made: list[Path]) -> int:
    """Lock once: BlockingIOError where another has the lock, FileNotFoundError where what it stood on went away."""
    folder = root / FOLDER
    _make_folder(folder, made)
    if stat.S_ISLNK(os.lstat(folder).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "a symbolic link, not a folder", str(folder))
    # A file rather than the folder: NFS locks only what is open for writing.
    descriptor = os.open(folder / HOLDER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who had the lock may have removed the file since it was opened: then this locks nothing.
        if not os.path.samestat(os.fstat(descriptor), os.lstat(folder / HOLDER)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder / HOLDER))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _make_folder(folder: Path, made: list[Path]) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
        return
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        _make_folder(folder.parent, made)
        # Another first run may make the same folders just now.
        with suppress(FileExistsError):
            os.mkdir(folder)
            made.append(folder)
        return
    made.append(folder)


def _sign(lock: int, root: Path) -> None:
    try:
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise failed("write", root / FOLDER / HOLDER, error) from error


def _holder(root: Path) -> int | None:
    """Give the pid of the process that has the lock, or None where it has not signed yet."""
    try:
        return int((root / FOLDER / HOLDER).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise failed("read", root / FOLDER / HOLDER, error) from error


def _release(lock: int, root: Path, made: list[Path]) -> None:
    with suppress(OSError):
        os.unlink(root / FOLDER / HOLDER)
        # Without an inventory nothing was written, and the folder is not needed.
        os.rmdir(root / FOLDER)
        _remove_made(made)
    with suppress(OSError):
        os.close(lock)


def _remove_made(made: list[Path]) -> None:
    for folder in reversed(made):
        with suppress(OSError):
            os.rmdir(folder)


def _rmdir(folder: Path | str) -> None:
    """Remove a folder if it is empty and there."""
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
            raise
