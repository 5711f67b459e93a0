"""What a plan says about a tree; nothing here writes except to arrange."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from meshgen.errors import EnvironmentFailure, InputError
from meshgen.tree import inventory
from meshgen.tree.plan import Plan, plan
from meshgen.tree.write import locked, write

OURS = {"a.yaml": b"a\n", "base/b.yaml": b"b\n", "base/deep/c.yaml": b"c\n"}


def render(root: Path, desired: Mapping[str, bytes], *, overwrite: bool = False) -> Plan:
    with locked(root):
        done = plan(root, desired, overwrite=overwrite)
        write(done)
    return done


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "output"
    render(root, OURS)
    return root


def rules(of: Plan) -> list[tuple[str, str]]:
    return [(finding.rule, Path(finding.file or "").relative_to(of.root).as_posix()) for finding in of.conflicts]


def test_tree_that_does_not_exist_is_created_whole(tmp_path: Path) -> None:
    found = plan(tmp_path / "output", OURS)

    assert found.create == tuple(sorted(OURS))
    assert found.make == ("base", "base/deep")
    assert not found.is_clean
    assert not (tmp_path / "output").exists()


def test_tree_as_desired_is_clean(tree: Path) -> None:
    found = plan(tree, OURS)

    assert found.is_clean
    assert found.unchanged == tuple(sorted(OURS))


def test_nothing_desired_and_nothing_there_is_clean(tmp_path: Path) -> None:
    assert plan(tmp_path / "output", {}).is_clean


def test_changed_missing_and_surplus_files_are_told_apart(tree: Path) -> None:
    (tree / "base/b.yaml").unlink()

    found = plan(tree, {"a.yaml": b"new\n", "base/b.yaml": b"b\n"})

    assert (found.change, found.create, found.delete) == (("a.yaml",), ("base/b.yaml",), ("base/deep/c.yaml",))
    assert found.remove == ("base/deep",)


def test_owned_file_that_is_gone_and_not_desired_is_forgotten_with_its_empty_folder(tree: Path) -> None:
    (tree / "base/deep/c.yaml").unlink()

    found = plan(tree, {"a.yaml": b"a\n", "base/b.yaml": b"b\n"})

    assert (found.delete, found.remove, found.conflicts) == ((), ("base/deep",), ())


@pytest.mark.parametrize("content", [b"b", b"b\nmore\n", b"", b"x\n"])
def test_edited_file_is_a_conflict_that_names_it(tree: Path, content: bytes) -> None:
    (tree / "base/b.yaml").write_bytes(content)

    found = plan(tree, OURS)

    assert rules(found) == [("MG602", "base/b.yaml")]
    assert "--overwrite" in (found.conflicts[0].hint or "")
    assert plan(tree, OURS, overwrite=True).change == ("base/b.yaml",)


def test_edited_file_that_is_to_be_deleted_is_a_conflict(tree: Path) -> None:
    (tree / "a.yaml").write_bytes(b"mine\n")

    assert rules(plan(tree, {})) == [("MG602", "a.yaml")]
    assert "a.yaml" in plan(tree, {}, overwrite=True).delete


def test_edit_that_the_config_caught_up_with_is_no_conflict(tree: Path) -> None:
    (tree / "a.yaml").write_bytes(b"new\n")

    found = plan(tree, OURS | {"a.yaml": b"new\n"})

    assert not found.conflicts
    assert "a.yaml" in found.unchanged
    assert not found.is_clean, "the inventory still has the old hash"


LINES = {"a.yaml": b"one: 1\ntwo: 2\n", "quoted.yaml": b'text: "a\\r\\n"\n', "raw.yaml": b"a\r\nb\n"}


@pytest.mark.parametrize(
    ("path", "found", "is_edited"),
    [
        ("a.yaml", b"one: 1\r\ntwo: 2\r\n", False),
        ("a.yaml", b"one: 1\ntwo: 2\r\n", False),
        ("a.yaml", b"one: 1\rtwo: 2\n", True),
        ("a.yaml", b"one: 1\r\r\ntwo: 2\r\n", True),
        ("a.yaml", b"one: 1\r\ntwo: 3\r\n", True),
        ("a.yaml", b"one: 1\r\ntwo: 2\r\nthree: 3\r\n", True),
        ("a.yaml", b"one: 1\r\n", True),
        ("quoted.yaml", b'text: "a\\r\\n"\r\n', False),
        ("quoted.yaml", b'text: "a\\n"\r\n', True),
        ("raw.yaml", b"a\nb\n", True),
        ("raw.yaml", b"a\r\nb\r\n", True),
    ],
)
def test_line_ends_of_windows_are_no_edit_and_a_carriage_return_of_the_text_is(
    tmp_path: Path, path: str, found: bytes, is_edited: bool
) -> None:
    render(tmp_path / "output", LINES)
    (tmp_path / "output" / path).write_bytes(found)

    same = plan(tmp_path / "output", LINES)
    other = plan(tmp_path / "output", {**LINES, path: b"new\n"})

    assert same.is_clean is not is_edited
    assert rules(same) == rules(other) == ([("MG602", path)] if is_edited else [])
    assert other.change == (() if is_edited else (path,))


def test_inventory_with_line_ends_of_windows_is_as_it_was(tree: Path) -> None:
    lock = tree / inventory.FOLDER / inventory.LOCK
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))

    assert plan(tree, OURS).is_clean


def test_unowned_file_in_the_way_is_a_conflict(tree: Path) -> None:
    (tree / "base/own.yaml").write_bytes(b"mine\n")
    desired = OURS | {"base/own.yaml": b"theirs\n"}

    assert rules(plan(tree, desired)) == [("MG601", "base/own.yaml")]
    assert plan(tree, desired, overwrite=True).change == ("base/own.yaml",)


def test_a_tree_whose_list_is_gone_is_told_of_the_list(tree: Path) -> None:
    own, changed = plan(tree, OURS), dict.fromkeys(OURS, b"new\n")
    (tree / inventory.FOLDER / inventory.LOCK).unlink()

    (conflict, *_) = plan(tree, changed).conflicts

    assert own.is_clean
    assert conflict.rule == "MG601"
    assert "if meshgen wrote it, bring back the list of its files, .meshgen/lock.json" in (conflict.hint or "")


def test_unowned_file_that_is_already_right_is_adopted(tree: Path) -> None:
    (tree / "base/own.yaml").write_bytes(b"same\n")

    found = plan(tree, OURS | {"base/own.yaml": b"same\n"})

    assert not found.conflicts
    assert "base/own.yaml" in found.unchanged
    assert not found.is_clean


def test_folder_that_holds_something_else_is_not_removed(tree: Path) -> None:
    (tree / "base/deep/notes.md").write_bytes(b"mine\n")

    found = plan(tree, {"a.yaml": b"a\n"})

    assert found.delete == ("base/b.yaml", "base/deep/c.yaml")
    assert found.remove == ()


@pytest.mark.parametrize("overwrite", [False, True])
def test_link_in_place_of_a_file_is_never_followed(tree: Path, tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "elsewhere").write_bytes(b"a\n")
    (tree / "a.yaml").unlink()
    (tree / "a.yaml").symlink_to(tmp_path / "elsewhere")

    assert rules(plan(tree, OURS, overwrite=overwrite)) == [("MG603", "a.yaml")]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("desired", [OURS, {"a.yaml": b"a\n"}])
def test_link_in_place_of_a_folder_is_one_conflict_for_all_its_files(
    tree: Path, tmp_path: Path, overwrite: bool, desired: dict[str, bytes]
) -> None:
    (tree / "base").rename(tmp_path / "moved")
    (tree / "base").symlink_to(tmp_path / "moved")

    found = plan(tree, desired, overwrite=overwrite)

    assert rules(found) == [("MG603", "base")]
    assert not found.delete


def test_pipe_in_place_of_a_file_is_a_conflict_and_not_opened(tree: Path) -> None:
    (tree / "a.yaml").unlink()
    os.mkfifo(tree / "a.yaml")

    assert rules(plan(tree, OURS, overwrite=True)) == [("MG603", "a.yaml")]


def test_file_in_place_of_a_folder_is_a_conflict(tmp_path: Path) -> None:
    root = tmp_path / "output"
    root.mkdir()
    (root / "base").write_bytes(b"mine\n")

    assert rules(plan(root, OURS, overwrite=True)) == [("MG603", "base")]


def test_folder_of_a_person_in_place_of_a_file_is_a_conflict(tmp_path: Path) -> None:
    root = tmp_path / "output"
    (root / "a.yaml").mkdir(parents=True)

    assert rules(plan(root, OURS, overwrite=True)) == [("MG603", "a.yaml")]


def test_meshgen_folder_that_is_a_link_is_a_conflict(tmp_path: Path) -> None:
    root = tmp_path / "output"
    root.mkdir()
    (root / ".meshgen").symlink_to(tmp_path)

    assert rules(plan(root, OURS)) == [("MG603", ".meshgen")]
    with pytest.raises(EnvironmentFailure, match="symbolic link"), locked(root):
        pass


def test_owned_file_gives_way_to_a_folder_and_a_folder_to_a_file(tree: Path) -> None:
    found = plan(tree, {"a.yaml/inside": b"1", "base": b"2"})

    assert not found.conflicts
    assert found.create == ("a.yaml/inside", "base")
    assert found.remove == ("base/deep", "base")
    assert found.make == ("a.yaml",)


def test_edited_file_does_not_give_way_to_a_folder(tree: Path) -> None:
    (tree / "a.yaml").write_bytes(b"mine\n")

    assert rules(plan(tree, {"a.yaml/inside": b"1"})) == [("MG602", "a.yaml")]


def test_folder_with_a_persons_file_does_not_give_way_to_a_file(tree: Path) -> None:
    (tree / "base/notes.md").write_bytes(b"mine\n")

    assert rules(plan(tree, {"a.yaml": b"a\n", "base": b"2"}, overwrite=True)) == [("MG603", "base")]


def test_owned_path_below_what_is_now_a_plain_file_is_forgotten(tmp_path: Path) -> None:
    root = tmp_path / "output"
    render(root, {"x/y": b"1"})
    (root / "x/y").unlink()
    (root / "x").rmdir()
    (root / "x").write_bytes(b"new")

    assert not plan(root, {"x": b"new"}).conflicts


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", "./a", ".meshgen/lock.json", ".MeshGen", "nul\0", "\ud800"],
)
def test_path_that_leaves_the_tree_is_a_bug(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the tree"):
        plan(tmp_path, {path: b""})


@pytest.mark.parametrize(
    "paths",
    [("a.yaml", "A.yaml"), ("x/a", "X/b"), ("a", "a/b"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE")],
)
def test_two_paths_that_some_file_system_takes_for_one_are_a_bug(tmp_path: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot both be in a tree"):
        plan(tmp_path, dict.fromkeys(paths, b""))


def test_root_that_is_a_file_is_an_environment_failure(tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"")

    with pytest.raises(EnvironmentFailure, match=r"output: Not a directory") as caught:
        plan(tmp_path / "output", OURS)
    assert "-O" in (caught.value.hint or "")


def test_leftover_of_a_killed_run_is_reported(tree: Path) -> None:
    (tree / ".meshgen/run").mkdir()

    found = plan(tree, OURS)

    assert found.interrupted
    assert not found.is_clean


def test_repr_of_a_plan_shows_no_content(tmp_path: Path) -> None:
    assert "hunter2" not in repr(plan(tmp_path, {"secret.yaml": b"hunter2"}))


def test_inventory_is_sorted_and_has_one_file_a_line() -> None:
    text = inventory.dump({"b": "1" * 64, "a": "0" * 64})

    assert text.decode().splitlines() == [
        "{",
        '  "version": 1,',
        '  "files": {',
        f'    "a": "{"0" * 64}",',
        f'    "b": "{"1" * 64}"',
        "  }",
        "}",
    ]
    assert text.endswith(b"}\n")


def conflicted(base: str) -> str:
    """Give a lock.json as Git leaves it after two branches changed a.yaml, and each added one file."""
    line = '    "{}": "{}"'
    return "\n".join(
        [
            '{\n  "version": 1,\n  "files": {\n<<<<<<< HEAD',
            line.format("a.yaml", "1" * 64) + ",",
            line.format("ours.yaml", "2" * 64),
            base + "=======",
            line.format("a.yaml", "3" * 64) + ",",
            line.format("theirs.yaml", "4" * 64),
            ">>>>>>> branch\n  }\n}\n",
        ]
    )


@pytest.mark.parametrize("base", ["", f'||||||| 0123abc\n    "base.yaml": "{"5" * 64}"\n'], ids=["merge", "diff3"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_conflict_marks_of_git_are_read_as_both_sides(tmp_path: Path, base: str, newline: str) -> None:
    (tmp_path / ".meshgen").mkdir()
    (tmp_path / ".meshgen/lock.json").write_bytes(conflicted(base).replace("\n", newline).encode())

    assert inventory.load(tmp_path).files == {
        "a.yaml": ("1" * 64, "3" * 64),
        "ours.yaml": ("2" * 64,),
        "theirs.yaml": ("4" * 64,),
    }


DAMAGED = {
    "empty": "",
    "truncated": '{\n  "version": 1,\n  "files": {\n    "a.yaml": "00',
    "list": "[]",
    "newer": '{"version": 2, "files": {}}',
    "outside": f'{{"version": 1, "files": {{"../../x": "{"0" * 64}"}}}}',
    "hash": '{"version": 1, "files": {"a": "no"}}',
    "deep": "[" * 100_000,
    "mark left open": conflicted("").partition(">>>>>>>")[0] + "}",
    "marks out of order": conflicted("").replace("=======\n", "=======\n=======\n"),
    "no entry in marks": conflicted("").replace("=======", "oops\n======="),
    "truncated after marks": conflicted("").partition("  }")[0],
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damaged_inventory_says_what_to_do(tree: Path, text: str) -> None:
    (tree / ".meshgen/lock.json").write_text(text)

    with pytest.raises(InputError) as caught:
        plan(tree, OURS)

    [finding] = caught.value.findings
    assert finding.rule == "MG604"
    assert finding.file == str(tree / ".meshgen/lock.json")
    assert "Git" in (finding.hint or "")
    assert "--overwrite" in (finding.hint or "")
    assert plan(tree, OURS, overwrite=True).unchanged == tuple(sorted(OURS))
