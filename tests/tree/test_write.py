"""A plan on the disk: what a run leaves, what it refuses, and who waits for whom."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.tree.plan import plan
from meshgen.tree.write import locked, write
from tests.tree.test_plan import OURS, render


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Give everything in a tree, but of `.meshgen` only lock.json: mode and content of each path."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name == ".meshgen/lock.json" or not (name + "/").startswith(".meshgen/"):
            status = path.lstat()
            content = os.readlink(path).encode() if path.is_symlink() else b""
            found[name] = (status.st_mode, path.read_bytes() if stat.S_ISREG(status.st_mode) else content)
    return found


def in_child(action: Callable[[], object]) -> int:
    """Run in a process of its own: 0 done, 3 EnvironmentFailure, 70 anything else, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            action()
            code = 0
        except EnvironmentFailure:
            code = 3
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "output"
    render(root, OURS)
    return root


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_written_tree_is_exactly_the_desired_one(tree: Path) -> None:
    files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}

    assert files.pop(".meshgen/lock.json")
    assert files == OURS
    assert os.listdir(tree / ".meshgen") == ["lock.json"]
    assert plan(tree, OURS).is_clean


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        render(tmp_path / "output", {"folder/file": b""})
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "output/folder").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "output/folder/file").stat().st_mode) == 0o640


def test_file_that_is_right_is_not_written_again(tree: Path) -> None:
    before = (tree / "a.yaml").stat()

    render(tree, OURS | {"base/b.yaml": b"new\n"})

    after = (tree / "a.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_clean_run_does_not_touch_the_inventory(tree: Path) -> None:
    before = (tree / ".meshgen/lock.json").stat()

    render(tree, OURS)

    assert (tree / ".meshgen/lock.json").stat().st_ino == before.st_ino


def test_surplus_files_go_with_their_folders_but_not_the_root(tree: Path) -> None:
    render(tree, {})

    assert [path.name for path in tree.iterdir()] == [".meshgen"]


def test_file_and_folder_change_places(tree: Path) -> None:
    render(tree, {"a.yaml/inside": b"1", "base": b"2"})

    assert (tree / "a.yaml/inside").read_bytes() == b"1"
    assert (tree / "base").read_bytes() == b"2"


def test_conflict_is_refused_and_nothing_is_written(tree: Path) -> None:
    (tree / "base/b.yaml").write_bytes(b"mine\n")
    before = snapshot(tree)

    with pytest.raises(InputError) as caught:
        render(tree, {"new.yaml": b"n"})

    assert [finding.rule for finding in caught.value.findings] == ["MG602"]
    assert snapshot(tree) == before


def test_overwrite_replaces_edited_and_unowned_files(tree: Path) -> None:
    (tree / "a.yaml").write_bytes(b"mine\n")
    (tree / "new.yaml").write_bytes(b"mine\n")
    (tree / "other.yaml").write_bytes(b"mine\n")

    render(tree, {"a.yaml": b"a\n", "new.yaml": b"n"}, overwrite=True)

    assert [(tree / name).read_bytes() for name in ("a.yaml", "new.yaml", "other.yaml")] == [b"a\n", b"n", b"mine\n"]


def test_adopted_file_is_owned_from_then_on(tree: Path) -> None:
    (tree / "new.yaml").write_bytes(b"n")
    render(tree, OURS | {"new.yaml": b"n"})

    render(tree, OURS)

    assert not (tree / "new.yaml").exists()


def test_file_that_appears_after_the_plan_is_not_replaced(tree: Path) -> None:
    with locked(tree):
        made = plan(tree, {"late.yaml": b"ours", "x/y": b"ours"})
        (tree / "late.yaml").write_bytes(b"mine")
        before = snapshot(tree)
        with pytest.raises(EnvironmentFailure, match=r"late.yaml: File exists; nothing was written"):
            write(made)

    assert snapshot(tree) == before


def test_write_without_the_lock_is_a_bug(tree: Path) -> None:
    with pytest.raises(RuntimeError, match="was not locked"):
        write(plan(tree, {}))


def test_merge_of_two_branches_is_rendered_again_without_insisting(tmp_path: Path) -> None:
    """The merge is Git's own; the files themselves are taken from one side, as `git checkout --ours` does."""
    root = tmp_path / "output"

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, check=False)

    git("init")
    for branch, desired in {
        "main": {"a": b"0", "b": b"0"},
        "one": {"a": b"1", "b": b"0", "one": b"1"},
        "two": {"a": b"2", "b": b"0", "two": b"2"},
    }.items():
        git("checkout", "main")
        git("checkout", "-b", branch)
        render(root, desired)
        git("add", "-A")
        git("commit", "-m", branch)
    git("merge", "one")
    assert b"<<<<<<<" in (root / ".meshgen/lock.json").read_bytes()
    git("checkout", "--ours", "output/a")

    render(root, {"a": b"3", "two": b"2"})

    assert sorted(path.name for path in root.iterdir()) == [".meshgen", "a", "two"]
    assert plan(root, {"a": b"3", "two": b"2"}).is_clean


def test_root_below_missing_folders_is_made_and_unmade_when_the_run_fails(tmp_path: Path) -> None:
    root = tmp_path / "some/where/output"

    def fail() -> None:
        with locked(root):
            assert root.is_dir()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()

    assert list(tmp_path.iterdir()) == []


def test_relative_root_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    render(Path(), {"x/y": b"1"})
    render(Path("below"), {"x/y": b"1"})

    render(Path(), {})

    assert sorted(os.listdir(tmp_path)) == [".meshgen", "below"]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_root_that_is_or_lies_in_a_file_is_an_environment_failure(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(EnvironmentFailure, match=r"file.*: Not a directory; nothing was written"):
        render(tmp_path / "file" / below, OURS)


def test_folder_that_cannot_exist_is_an_environment_failure() -> None:
    with pytest.raises(EnvironmentFailure, match="cannot lock /proc/nothing"):
        render(Path("/proc/nothing"), OURS)


@pytest.mark.parametrize("place", [".", "base", "base/deep", ".meshgen"])
def test_folder_without_permission_leaves_the_old_tree(public: Path, place: str) -> None:
    new = {"new/n": b"", "base/deep/new": b"", "base/b.yaml": b"x"}

    def unprivileged() -> None:
        if os.geteuid() == 0:
            os.seteuid(65534)
        render(root, OURS)
        (root / place).chmod(0o555)
        assert in_child(lambda: render(root, new)) == 3
        (root / place).chmod(0o755)

    root = public / "output"
    public.chmod(0o777)

    assert in_child(unprivileged) == 0

    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == {*OURS, ".meshgen/lock.json"}
    assert not plan(root, OURS).interrupted


def test_second_run_is_told_who_holds_the_lock_and_waits(tree: Path) -> None:
    holding, held = os.pipe()

    def first() -> None:
        with locked(tree):
            os.write(held, b".")
            time.sleep(0.3)
            write(plan(tree, {"first": b"1"}))

    pid = os.fork()
    if pid == 0:
        first()
        os._exit(0)
    os.read(holding, 1)
    told: list[str] = []
    with locked(tree, notify=told.append):
        found = plan(tree, {"first": b"1"})

    assert os.waitpid(pid, 0)[1] == 0
    assert told == [f"waiting for another meshgen (pid {pid}) that writes {tree}"]
    assert found.is_clean
    assert os.listdir(tree / ".meshgen") == ["lock.json"]


def test_lock_that_stays_held_is_an_environment_failure_that_names_the_holder(tree: Path) -> None:
    before = snapshot(tree)

    with locked(tree), pytest.raises(EnvironmentFailure, match=rf"pid {os.getpid()}\) still writes .* after 0.1 s"):
        locked(tree, timeout=0.1).__enter__()

    assert snapshot(tree) == before


def test_holder_file_of_a_dead_process_is_no_obstacle(tree: Path) -> None:
    (tree / ".meshgen/holder").write_text("4194304999\n")

    render(tree, {"a": b"1"})

    assert os.listdir(tree / ".meshgen") == ["lock.json"]


def test_many_first_runs_at_once_of_which_some_fail_give_one_whole_tree(tmp_path: Path) -> None:
    root = tmp_path / "output"

    def run(number: int) -> None:
        for _ in range(20):
            with locked(root):
                if number % 2:
                    continue
                write(plan(root, {f"of-{number}/{i}": b"%d" % number for i in range(5)}))
        with locked(root):
            write(plan(root, {f"of-{number}/{i}": b"%d" % number for i in range(5)}))

    children = []
    for number in range(6):
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                run(number)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)

    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 6
    assert os.listdir(root / ".meshgen") == ["lock.json"]
    [folder] = [path.name for path in root.iterdir() if path.name != ".meshgen"]
    assert plan(root, {f"{folder}/{i}": folder.removeprefix("of-").encode() for i in range(5)}).is_clean


NAMES = st.sampled_from(["a", "b", "a/a", "a/b", "b/a", "b/a/a", "c/c/c"])
CONTENTS = st.sampled_from([b"", b"1", b"22"])
FILES = st.dictionaries(NAMES, CONTENTS, max_size=5).map(
    lambda files: {path: files[path] for path in files if not any(other.startswith(f"{path}/") for other in files)}
)


def person(root: Path, path: str, content: bytes | None) -> None:
    """Write or remove a file, as far as what is there allows."""
    place = root / path
    if content is None and place.is_file():
        place.unlink()
    elif content is not None and not place.is_dir() and not any(p.is_file() for p in place.parents):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


@given(old=FILES, new=FILES, edits=st.dictionaries(NAMES, st.none() | CONTENTS, max_size=4))
@settings(max_examples=150, deadline=None)
def test_files_of_a_person_never_change(
    old: dict[str, bytes], new: dict[str, bytes], edits: dict[str, bytes | None]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        render(root, old)
        for path, content in edits.items():
            person(root, path, content)
        before = snapshot(root)
        regular = {path: content for path, (mode, content) in before.items() if stat.S_ISREG(mode)}
        mine = {path: regular[path] for path in regular if regular[path] != old.get(path)} | {}
        mine.pop(".meshgen/lock.json", None)
        try:
            render(root, new)
        except InputError:
            assert snapshot(root) == before
            return
        files = {path: content for path, (mode, content) in snapshot(root).items() if stat.S_ISREG(mode)}
        files.pop(".meshgen/lock.json", None)
        assert files == {**mine, **new}
        assert all(files[path] == content for path, content in mine.items())
        assert plan(root, new).is_clean
