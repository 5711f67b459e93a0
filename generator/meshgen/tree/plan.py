"""Compare the files that should be in a tree with the disk, and decide what to do; nothing is changed here."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshgen.errors import InputError
from meshgen.finding import Finding
from meshgen.imagemarks import is_marked, settled
from meshgen.tree import inventory
from meshgen.tree.inventory import FOLDER, RUN, Inventory
from meshgen.tree.movedimages import FILE, MovedImages

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Plan:
    """What a run would do to a tree, each path relative to `root` and sorted.

    `make` are folders that are missing, parents first; `remove` are folders that will be empty, deepest first.
    `lock` is lock.json as it will be, `listed` whether it is so already. `interrupted` means that another run writes
    the tree or was killed while it did: the rest of the plan then describes a tree that may be a mixture. `found` are
    the kustomization.yaml that are there, where Flux moves images in any of them.
    """

    root: Path
    create: tuple[str, ...]
    change: tuple[str, ...]
    unchanged: tuple[str, ...]
    delete: tuple[str, ...]
    make: tuple[str, ...]
    remove: tuple[str, ...]
    conflicts: tuple[Finding, ...]
    interrupted: bool
    listed: bool
    # A repr may end in a message, and contents may be secret.
    desired: Mapping[str, bytes] = field(repr=False)
    found: Mapping[str, bytes] = field(repr=False)
    owned: Mapping[str, tuple[str, ...]] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)
    lock: bytes = field(repr=False)

    @property
    def is_clean(self) -> bool:
        """Tell whether the tree is as desired, so that there is nothing to do."""
        work = self.create or self.change or self.delete or self.remove or self.conflicts
        return not work and not self.interrupted and self.listed


def plan(root: Path, desired: Mapping[str, bytes], *, overwrite: bool = False) -> Plan:
    """Decide how the tree at `root`, which need not exist, becomes exactly `desired` (relative POSIX path → content).

    What stands in the way becomes a conflict: a file that meshgen does not own (MG601), an owned one that a person
    edited (MG602), anything that is not a regular file in real folders (MG603, never followed). `overwrite` insists on
    the first two, so a person's file is lost; it is for regular files only. A file that has Windows' line ends and is
    else as desired, as Git's core.autocrlf makes it, is unchanged. A damaged lock.json is an InputError
    (MG604), with `overwrite` an empty one. Wrong paths in `desired` are a bug: ValueError.
    """
    _check(desired)
    _check_root(root)
    running = _is_running(root)
    # What Flux moves later is no other file: the list has each as the config has it.
    digests = {path: _digest(content) for path, content in desired.items()}
    lock = inventory.dump(digests)
    owned = _load(root, overwrite, digests, lock)
    found = _kustomizations(root, desired, digests, owned)
    if kept := dict(MovedImages(desired, found).files()) if found else {}:
        desired = {**desired, **kept}
        digests = digests | {path: _digest(content) for path, content in kept.items()}
    disk = _Comparison(root, desired, owned.files, overwrite)
    try:
        disk.compare()
    except OSError as error:
        raise inventory.failed("read", error.filename or root, error) from error
    return Plan(
        root=root,
        create=tuple(sorted(disk.create)),
        change=tuple(sorted(disk.change)),
        unchanged=tuple(sorted(disk.unchanged)),
        delete=tuple(sorted(disk.delete)),
        make=tuple(sorted(disk.make)),
        remove=tuple(sorted(disk.remove, reverse=True)),
        conflicts=tuple(sorted(disk.conflicts, key=lambda finding: finding.file or "")),
        # Without the lock, a whole run may have passed while this one read.
        interrupted=running or _is_running(root) or inventory.read_text(root) != owned.text,
        listed=owned.text == lock or (owned.text is None and not desired),
        desired=desired,
        found=found,
        owned=owned.files,
        digests=digests,
        lock=lock,
    )


class _Comparison:
    """The walk over the folders of all desired and owned files; each folder is listed once, each file read once."""

    def __init__(
        self, root: Path, desired: Mapping[str, bytes], owned: Mapping[str, tuple[str, ...]], overwrite: bool
    ) -> None:
        self.create: list[str] = []
        self.change: list[str] = []
        self.unchanged: list[str] = []
        self.delete: set[str] = set()
        self.make: list[str] = []
        self.remove: set[str] = set()
        self.conflicts: list[Finding] = []
        self._root = root
        self._prefix = os.path.join(root, "")
        self._desired = desired
        self._owned = owned
        self._overwrite = overwrite
        self._needed = _ancestors(desired)
        self._listings: dict[str, dict[str, os.DirEntry[str]]] = {}
        # Folders that are known to be folders, all the way up.
        self._real: set[str] = set()
        self._blocked: dict[str, str] = {}
        self._occupied: list[str] = []

    def compare(self) -> None:
        names: dict[str, list[str]] = {folder: [] for folder in self._needed | _ancestors(self._owned) | {""}}
        for path in {**self._desired, **self._owned}:
            folder, _, name = path.rpartition("/")
            names[folder].append(name)
        # A folder sorts behind its parents, so what becomes of a file in its place is known by then.
        for folder in sorted(names):
            if self._is_unchanged(folder, names[folder]):
                continue
            self._list(folder)
            for name in names[folder]:
                path = f"{folder}/{name}" if folder else name
                try:
                    self._file(path, folder, self._listings[folder].get(name))
                except FileNotFoundError:
                    self._absent(path)
        self._empty_folders()
        own = self._listings[""].get(FOLDER)
        if own is not None and not own.is_dir(follow_symlinks=False):
            self._conflict("MG603", FOLDER, f"is {_kind(own)} where meshgen keeps its inventory", "move it away")

    def _is_unchanged(self, folder: str, names: list[str]) -> bool:
        """Tell whether all is as desired in a folder that is needed, the common case: nothing has to be listed then."""
        if folder not in self._needed or not (folder.rpartition("/")[0] in self._real or "/" not in folder):
            return False
        try:
            if not stat.S_ISDIR(os.lstat(self._prefix + folder).st_mode):
                return False
            self._real.add(folder)
            paths = [f"{folder}/{name}" for name in names]
            if not all(path in self._desired and self._holds(path, self._desired[path]) for path in paths):
                return False
        except OSError:
            # A link, a folder, nothing at all: the listing tells which.
            return False
        self.unchanged += paths
        return True

    def _list(self, folder: str) -> None:
        listing: dict[str, os.DirEntry[str]] = {}
        parent, _, name = folder.rpartition("/")
        if folder and parent not in self._listings:
            self._list(parent)
        entry = self._listings[parent].get(name) if folder else None
        if not folder or (entry is not None and entry.is_dir(follow_symlinks=False)):
            try:
                with os.scandir(self._prefix + folder) as entries:
                    listing = {entry.name: entry for entry in entries}
            except FileNotFoundError:
                if folder in self._needed:
                    self.make.append(folder)
        elif parent in self._blocked:
            self._blocked[folder] = self._blocked[parent]
        elif entry is not None and folder not in self.delete:
            self._block(folder, entry)
        elif folder in self._needed:
            self.make.append(folder)
        self._listings[folder] = listing

    def _block(self, folder: str, entry: os.DirEntry[str]) -> None:
        """Take note of something that stands where a folder should."""
        self._blocked[folder] = folder
        # An owned file that is below a plain file is only gone, and an owned one in the way was found to be edited.
        in_the_way = folder in self._needed and folder not in self._owned
        if in_the_way or not entry.is_file(follow_symlinks=False):
            self._conflict("MG603", folder, f"is {_kind(entry)} where meshgen needs a folder", "move it away")

    def _file(self, path: str, folder: str, entry: os.DirEntry[str] | None) -> None:
        content = self._desired.get(path)
        if entry is None:
            if folder not in self._blocked:
                self._absent(path)
        elif entry.is_dir(follow_symlinks=False):
            if content is not None:
                self._occupied.append(path)
        elif not entry.is_file(follow_symlinks=False):
            self._conflict("MG603", path, f"is {_kind(entry)} where meshgen has a regular file", "move it away")
        elif content is not None and self._holds(path, content):
            self.unchanged.append(path)
        elif not self._overwrite and path not in self._owned:
            self._conflict("MG601", path, "is not meshgen's, and meshgen would write a file of this name", self._hint())
        elif not self._overwrite and not self._is_as_written(path):
            self._edited(path, "deleted" if content is None else "written again")
        elif content is None:
            self.delete.add(path)
        else:
            self.change.append(path)

    def _edited(self, path: str, what: str) -> None:
        if inventory.CONFLICT.search((inventory.read(self._prefix + path) or b"").decode(errors="replace")):
            message = "has conflict marks of a merge"
            hint = (
                "take the side of the branch that changed the config, by `git checkout --ours` or `--theirs` "
                "and this path, and run it again"
            )
        else:
            message = "was edited since meshgen wrote it"
            hint = "put the change into the config and restore this file, or run with --overwrite to lose the change"
        self._conflict("MG602", path, f"{message}, and would be {what}", hint)

    def _hint(self) -> str:
        hint = "move it away, or run with --overwrite to replace it"
        if self._owned:
            return hint
        # As in a sparse checkout that has a part of the tree.
        return f"{hint}; if meshgen wrote it, bring back the list of its files, {inventory.FOLDER}/{inventory.LOCK}"

    def _is_as_written(self, path: str) -> bool:
        """Tell whether an owned file is as meshgen wrote it, but for what Flux moved."""
        content = inventory.read(self._prefix + path)
        return content is not None and _is_one_of(content, self._owned[path])

    def _absent(self, path: str) -> None:
        if path in self._desired:
            self.create.append(path)

    def _holds(self, path: str, content: bytes) -> bool:
        # Not blocking: a named pipe that someone put there would wait for ever.
        descriptor = os.open(self._prefix + path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            # One byte more than expected: a longer file is told from an equal one without a stat.
            found = os.read(descriptor, len(content) + 1)
            while found and len(found) < len(content) and content.startswith(found):
                more = os.read(descriptor, len(content) + 1 - len(found))
                if not more:
                    break
                found += more
            # A checkout that gave each line the ends of Windows is no edit; a carriage return of our own is content.
            if found != content and b"\r\n" in found and b"\r" not in content:
                while more := os.read(descriptor, _CHUNK):
                    found += more
                return with_unix_line_ends(found) == content
        finally:
            os.close(descriptor)
        return found == content

    def _empty_folders(self) -> None:
        """Find the folders that deletions leave empty, and the desired files that may take the place of one."""
        for folder in sorted(self._listings.keys() - self._needed - {""}, reverse=True):
            parent, _, name = folder.rpartition("/")
            if parent not in self._listings:
                self._list(parent)
            entry = self._listings[parent].get(name)
            if entry is None or not entry.is_dir(follow_symlinks=False):
                continue
            inside = {f"{folder}/{name}" for name in self._listings[folder]}
            if inside <= self.delete | self.remove:
                self.remove.add(folder)
        for path in self._occupied:
            if path in self.remove:
                self.create.append(path)
            else:
                self._conflict("MG603", path, "is a folder where meshgen has a regular file", "move it away")

    def _conflict(self, rule: str, path: str, message: str, hint: str) -> None:
        self.conflicts.append(Finding(rule, "error", message, file=str(self._root / path), hint=hint))


def _check(desired: Mapping[str, bytes]) -> None:
    """Refuse names that leave the tree, and two that some file system takes for one: ValueError, for it is a bug."""
    seen: dict[str, str] = {}
    for path in desired:
        if not inventory.is_tree_path(path):
            raise ValueError(f"{path!r} is not a path inside the tree")
    folders = _ancestors(desired)
    for path in (*desired, *folders):
        # macOS takes two spellings for one name in other ways too: é may be one character or two.
        name = path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
        if name in seen:
            raise ValueError(f"{seen[name]!r} and {path!r} cannot both be in a tree")
        seen[name] = path


def _kustomizations(
    root: Path, desired: Mapping[str, bytes], digests: Mapping[str, str], owned: Inventory
) -> dict[str, bytes]:
    """The kustomization.yaml that are there, but for those that a person edited; none where Flux moves no image."""
    paths = [path for path in owned.files if path.endswith(f"/{FILE}")]
    # The others are as they will be, and have no mark.
    near = [path for path in paths if is_marked(desired.get(path, b"")) or owned.files[path] != (digests.get(path),)]
    found = dict(_as_written(root, near, owned))
    if not any(map(is_marked, found.values())):
        return {}
    return found | dict(_as_written(root, [path for path in paths if path not in found], owned))


def _as_written(root: Path, paths: Iterable[str], owned: Inventory) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        try:
            content = inventory.read(os.path.join(root, path))
        except OSError:
            # The comparison meets it again, and says so.
            continue
        if content is not None and _is_one_of(content, owned.files[path]):
            yield path, with_unix_line_ends(content)


def _is_one_of(found: bytes, digests: Iterable[str]) -> bool:
    """Tell whether a file is one that meshgen wrote, but for what Flux moved and what a checkout did to its lines."""
    return any(_digest(settled(one)) in digests for one in (found, with_unix_line_ends(found)))


def with_unix_line_ends(content: bytes) -> bytes:
    """A file as it was before a checkout gave each line the ends of Windows, as Git's core.autocrlf does."""
    return content.replace(b"\r\n", b"\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _check_root(root: Path) -> None:
    try:
        if root.exists() and not root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except OSError as error:
        raise inventory.failed("use", root, error) from error


def _ancestors(paths: Iterable[str]) -> set[str]:
    """Give every folder that a path is in, without the root."""
    folders = {path.rpartition("/")[0] for path in paths}
    pending = folders
    while pending := {folder.rpartition("/")[0] for folder in pending} - folders:
        folders |= pending
    return folders - {""}


def _load(root: Path, overwrite: bool, digests: Mapping[str, str], lock: bytes) -> Inventory:
    text = inventory.read_text(root)
    if text == lock:
        # Nothing new: what it says is known without reading it.
        return Inventory({path: (digest,) for path, digest in digests.items()}, text)
    try:
        return inventory.parse(root, text)
    except InputError:
        if not overwrite:
            raise
        return Inventory({}, text)


def _is_running(root: Path) -> bool:
    try:
        return inventory.exists(root / FOLDER / RUN)
    except OSError as error:
        raise inventory.failed("read", root / FOLDER, error) from error


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "a symbolic link"
    return "a file" if entry.is_file(follow_symlinks=False) else "neither a file nor a folder"
