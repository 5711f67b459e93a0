"""The reader gives what every reader of a GitOps tree gives, or all problems with their positions."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshgen.yaml import Location, Mark, Problem, ReadError, locate, pointer, read_document, read_documents

# Plain scalars of which readers make different values.
BOOLEANS = "y Y yes Yes YES n N no No NO on On ON off Off OFF"
BASES = "00 017 08 -017 0o17 0O17 -0o17 0b1 -0b1 0B1 0X1F -0x1F +0x1F 012e3 00.5 08.5"
UNDERSCORES = "1_000 1_ 1__0 +_1 1_0.5 0x_1 0o1_7 0b1_1 -1_0"
INFINITE = ".inf -.inf +.INF .Inf .nan .NaN .NAN 1e400 -1e400"
DATES = "2021-01-01 2021-1-1 2021-01-01T00:00:00Z 2001-12-14t21:59:43.10-05:00"


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ReadError) as raised:
        read_document(text if isinstance(text, bytes) else text.encode())
    return raised.value.problems


def problem(text: str | bytes) -> Problem:
    (only,) = problems(text)
    return only


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"), ("", None)),
        *(("true", True), ("True", True), ("TRUE", True), ("tRue", "tRue"), ("false", False), ("FALSE", False)),
        *(("0", 0), ("-0", 0), ("+5", 5), ("-17", -17), ("0x1F", 31), ("18446744073709551615", 2**64 - 1)),
        *(("-9223372036854775808", -(2**63)), ("1.0", 1.0), ("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("+.5", 0.5)),
        *(("1e3", 1000.0), ("1E5", 1e5), ("1e-07", 1e-7), ("1e+22", 1e22), ("0e0", 0.0), ("0.5", 0.5), ("1e-400", 0.0)),
        *(("1:30", "1:30"), ("20:30:15", "20:30:15"), ("=", "="), ("<<", "<<"), ("yEs", "yEs"), ("nO", "nO")),
        *(("1.11.3", "1.11.3"), ("100m", "100m"), ("0x", "0x"), ("0b", "0b"), ("0b2", "0b2"), ("0o8", "0o8")),
        *(("_1", "_1"), ("1e", "1e"), ("-", [None]), (".", "."), ("1,000", "1,000"), ("a:b", "a:b"), ("::1", "::1")),
        *(("'yes'", "yes"), ('"017"', "017"), ('"2021-01-01"', "2021-01-01"), ("''", ""), ('"\\r"', "\r")),
        *(('"\\u00e9"', "é"), ('"\\U0001F600"', "\U0001f600"), ("é 한글", "é 한글"), ("x\u202ey", "x\u202ey")),
        *(("|\n  a\n  b\n", "a\nb\n"), (">\n  a\n  b\n", "a b\n"), ("{a: 1, b: [x]}", {"a": 1, "b": ["x"]})),
        *(("2021", 2021), ("2021-01", "2021-01"), ("10.0.0.1", "10.0.0.1"), ("1-2", "1-2"), ("+", "+")),
    ],
)
def test_a_value_is_what_kubectl_reads(kubectl: Path, text: str, value: Any) -> None:
    document = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n- {text}\n"

    read = read_document(document.encode())

    assert read["data"] == [value]
    assert type(read["data"][0]) is type(value)
    command = [str(kubectl), "label", "--local", "-f", "-", "-o", "json", "nothing-"]
    done = subprocess.run(command, input=document.encode(), capture_output=True, check=True)
    # kubectl prints every number as a float.
    assert json.loads(done.stdout, parse_int=float)["data"] == json.loads(json.dumps([value]), parse_int=float)


@pytest.mark.parametrize(
    "text",
    [
        *BOOLEANS.split(),
        *BASES.split(),
        *UNDERSCORES.split(),
        *INFINITE.split(),
        *DATES.split(),
        *("2001-12-14 21:59:43", "18446744073709551616", "-9223372036854775809", "9" * 5000, "0x1" + "0" * 16),
    ],
)
def test_what_readers_disagree_on_is_refused_with_a_hint(text: str) -> None:
    found = problem(f"a:\n  b: [x, {text}]\n")

    assert (found.mark, found.pointer) == (Mark(2, 10), "/a/b/1")
    assert found.hint is not None
    assert "quote it" in found.hint
    assert text not in found.message or len(text) <= 3


@pytest.mark.parametrize("key", ["1", "1.5", "true", "null", "~", "on", "y", "017", "2021-01-01", ".inf"])
def test_a_plain_key_that_is_no_string_is_refused(key: str) -> None:
    assert problem(f"a:\n  {key}: 1\n") == Problem("a key must be a string", Mark(2, 3), "/a", f'write "{key}"')


@pytest.mark.parametrize("text", ["? [a]\n: 1\n", "{[a]: 1}", "{{a: 1}: 2}", "? {a: 1}\n"])
def test_a_complex_key_is_refused(text: str) -> None:
    assert problem(text).message == "a key must be a string"


def test_a_quoted_or_aliased_key_is_a_string() -> None:
    assert read_document(b'"1": 1\n&k k: &v w\n*v : 2\n') == {"1": 1, "k": "w", "w": 2}


@pytest.mark.parametrize("tag", ["!!str", "!foo", "!!python/object:os.system", "!", "!<tag:yaml.org,2002:str>", "!x!y"])
@pytest.mark.parametrize("value", ["a", "[a]", "{a: b}", "'a'"])
def test_every_tag_is_refused(tag: str, value: str) -> None:
    found = problem(f"a: {tag} {value}\n")

    assert (found.message, found.mark) == ("tags are not allowed", Mark(1, 4))


def test_a_duplicate_key_names_its_first_place() -> None:
    found = problem("a:\n  b: 1\n  c: 2\n  b: 3\n")

    assert found == Problem("this key stands twice, first at 2:3", Mark(4, 3), "/a/b", "remove one of them")


def test_all_problems_are_told_at_once_in_their_order() -> None:
    found = problems("a: !x 1\nb: yes\n1: 2\nb: 017\nc: *d\ne: [")

    assert [p.mark and p.mark.line for p in found] == [1, 2, 3, 4, 4, 5, 6]


def test_problems_of_a_hopeless_file_are_limited() -> None:
    assert len(problems("- yes\n" * 10_000)) == 100
    assert len(problems("\x01" * 10_000)) == 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("b: &b {x: 1, y1: 2}\nc:\n  <<: *b\n  x: 3\n", {"x": 3, "y1": 2}),
        ("b: &b {x: 1}\nc:\n  x: 3\n  <<: *b\n", {"x": 3}),
        ("c:\n  <<: {x: 1}\n", {"x": 1}),
        ("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}\n", {"x": 1, "z": 3}),
        ("a: &a {x: 1}\nb: &b {<<: *a, z: 3}\nc: {<<: *b}\n", {"z": 3, "x": 1}),
    ],
)
def test_a_plain_merge_key_merges_and_explicit_keys_win(text: str, value: Any) -> None:
    assert read_document(text.encode())["c"] == value


@pytest.mark.parametrize("key", ['"<<"', f'"{"x" * 1001}"'])
def test_a_key_that_kustomize_can_not_carry_is_refused(key: str) -> None:
    with pytest.raises(ReadError) as refused:
        read_document(f"a:\n  ? {key}\n  : 1\n".encode())

    (problem,) = refused.value.problems
    assert "kustomize can't carry a key" in problem.message
    assert problem.mark == Mark(2, 5)


@pytest.mark.parametrize("value", ["1", "x", "null", "[1]", "[[]]"])
def test_a_merge_of_anything_but_maps_is_refused(value: str) -> None:
    assert problem(f"a: {{<<: {value}}}").pointer == "/a/<<"


def test_aliases_are_expanded_to_values_of_their_own() -> None:
    value = read_document(b"a: &a {x: [1]}\nb: *a\nc: {<<: *a}\n")

    value["b"]["x"].append(2)
    value["c"]["x"].append(3)

    assert value == {"a": {"x": [1]}, "b": {"x": [1, 2]}, "c": {"x": [1, 3]}}


def test_an_anchor_holds_until_it_is_defined_again_and_in_its_document_only() -> None:
    assert read_document(b"a: &x 1\nb: &x 2\nc: *x\n")["c"] == 2
    with pytest.raises(ReadError, match="3:3: this alias has no anchor before it"):
        read_documents(b"&x a\n---\n- *x\n")


def test_a_recursive_alias_is_refused() -> None:
    assert problem("a: &x [*x]\n").message == "this alias stands inside of what it refers to"


def test_nesting_is_limited_also_through_aliases() -> None:
    assert read_document(b"[" * 100 + b"]" * 100)
    assert problem("[" * 101 + "]" * 101).mark == Mark(1, 101)
    assert "more than 100" in problem(f"- &a {'[' * 60}{']' * 60}\n- {'[' * 60}*a{']' * 60}\n").message
    assert "more than 100" in problem("[" * 100_000).message


def test_an_alias_bomb_is_refused() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))

    assert "more than 1,000,000 values" in problem(bomb).message


def test_a_file_of_more_than_16_mib_is_refused() -> None:
    assert problem(b"#" * (16 * 1024 * 1024 + 1)) == Problem("the file is larger than 16 MiB")


def test_a_byte_order_mark_is_dropped_and_positions_stay() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1\n") == {"a": 1}
    assert problem(b"\xef\xbb\xbfa: yes\n").mark == Mark(1, 4)


def test_bytes_that_are_not_utf8_are_refused_where_they_stand() -> None:
    assert problem("é: 1\na: caf".encode() + b"\xe9\n").mark == Mark(2, 7)
    assert problem("a: 1".encode("utf-16")).hint == "save it as UTF-8, not UTF-16"
    assert problem(b"a: \xed\xa0\x80").mark == Mark(1, 4)


def test_every_character_that_cannot_be_carried_is_told_with_any_kind_of_line_break() -> None:
    found = problems("a\x01\x02\r\nb\r\x03\n\nc\x04")

    assert [p.mark for p in found] == [Mark(1, 2), Mark(1, 3), Mark(3, 1), Mark(5, 2)]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\ufffe", "\uffff"])
def test_a_character_that_kustomize_cannot_carry_is_refused_raw_and_escaped(character: str) -> None:
    escaped = problem(f'a:\n- x\n- "b\\u{ord(character):04x}"\n')

    assert problem(f"a:\n- x\n- 'b{character}'\n").mark == Mark(3, 5)
    assert (escaped.mark, escaped.pointer) == (Mark(3, 3), "/a/1")
    assert f"U+{ord(character):04X}" in escaped.message


def test_only_the_directives_of_yaml_1_1_and_1_2_are_allowed() -> None:
    assert read_document(b"%YAML 1.1\n---\na: 1\n") == read_document(b"%YAML 1.2\n---\na: 1\n") == {"a": 1}
    assert problem("%YAML 3.7\n---\na: 1\n").message == "only YAML 1.1 and 1.2 are read"
    assert problem("%TAG ! tag:example.com,2000:\n---\na: 1\n").message == "%TAG is not allowed"


CONFLICT = "a conflict of Git's stands in the file"
TWO_COLONS = 'a second ": " in one value, or a key at another indentation than its neighbours'


@pytest.mark.parametrize(
    ("text", "mark", "message"),
    [
        ("a:\n\tb: 1\n", Mark(2, 1), "found a tab where indentation is expected"),
        ("a: |\n\tb\n", Mark(2, 1), "found a tab where indentation is expected"),
        ("a: @b\n", Mark(1, 4), 'a plain value cannot begin with "@"'),
        ("a: b: c\n", Mark(1, 5), TWO_COLONS),
        ("a: 1\nbc\n", Mark(2, 1), "this line is neither a value nor a key with its colon"),
        ("a: [1,\nb: 2\n", Mark(3, 1), 'expected "," or "]" in the list that begins in line 1'),
        ("a: 'b\n\n", Mark(1, 4), "the text in quotes that begins here never ends"),
        ("a: 1\n b: 2\n", Mark(2, 3), TWO_COLONS),
        ('a: "\\ud83d"\n', Mark(1, 7), "an escape that is not a character (half of a surrogate pair)"),
        ("a: 1\n}\n", Mark(2, 1), "expected a key of the map that begins in line 1"),
        ("a:\n- b: c\n<<<<<<< HEAD\n- d\n=======\n- e\n>>>>>>> x\n", Mark(3, 1), CONFLICT),
        ("<<<<<<< HEAD\r\na: 1\r\n=======\r\na: 2\r\n>>>>>>> x\r\n", Mark(1, 1), CONFLICT),
        ("a: |\n  b\n>>>>>>> x\n", Mark(3, 1), CONFLICT),
        # Text that only looks like a conflict is none.
        ("a: |\n  <<<<<<< HEAD\nb: c: d\n", Mark(3, 5), TWO_COLONS),
        ("<<<<<<<<: a\nb: c: d\n", Mark(2, 5), TWO_COLONS),
    ],
)
def test_a_syntax_error_is_told_in_plain_words(text: str, mark: Mark, message: str) -> None:
    assert (problem(text).mark, problem(text).message) == (mark, message)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{url: https://x.example/y:1, b: 1}", {"url": "https://x.example/y:1", "b": 1}),
        (
            "[a:b, fe80::1, a?b, 'c:d', \"e?f\", http://x?y=1:2]",
            ["a:b", "fe80::1", "a?b", "c:d", "e?f", "http://x?y=1:2"],
        ),
        ("a: [b?c]\nd: |\n  e:f?g\nh: i:j # k:l\n", {"a": ["b?c"], "d": "e:f?g\n", "h": "i:j"}),
        ('{"a":1, "b":c, d: \ue000x:y\ue001}', {"a": 1, "b": "c", "d": "\ue000x:y\ue001"}),
    ],
)
def test_colons_and_question_marks_may_stand_within_a_plain_scalar_of_a_flow_collection(text: str, value: Any) -> None:
    assert read_document(text.encode()) == value


def test_problems_behind_such_a_scalar_keep_their_positions() -> None:
    assert [p.mark for p in problems("a: yes\n{b: c}: 1\nd: [e:f, a?b, no]\n")] == [Mark(1, 4), Mark(2, 1), Mark(3, 15)]


def test_empty_documents_are_left_out() -> None:
    assert read_documents(b"") == read_documents(b"# x\n") == read_documents(b"---\n---\n# x\n...\n") == []
    assert read_documents(b"---\n---\na: 1\n---\n# x\n---\n[]\n---\nnull\n") == [{"a": 1}, [], None]


def test_one_document_is_neither_none_nor_two() -> None:
    assert problem("# x\n") == Problem("the file is empty", Mark(1, 1))
    assert problem("a: 1\n---\n---\nb: 2\n").mark == Mark(3, 1)


def test_every_value_is_located() -> None:
    text = "a:\n  \"b/~c\":\n  - x\n  - '1.10'\n---\n- 1.10\n- |\n  x\n"

    first, second = locate(text.encode())

    assert first == {
        "": Location(None, Mark(1, 1), None),
        "/a": Location(Mark(1, 1), Mark(2, 3), None),
        "/a/b~1~0c": Location(Mark(2, 3), Mark(3, 3), None),
        "/a/b~1~0c/0": Location(None, Mark(3, 5), "x"),
        "/a/b~1~0c/1": Location(None, Mark(4, 5), "'1.10'"),
    }
    assert second == {
        "": Location(None, Mark(6, 1), None),
        "/0": Location(None, Mark(6, 3), "1.10"),
        "/1": Location(None, Mark(7, 3), None),
    }


def test_aliases_and_merged_keys_are_located() -> None:
    (places,) = locate(b"a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n  u: https://x\nd: [e:f]\n")

    assert places["/b"] == Location(Mark(2, 1), Mark(2, 4), None)
    assert places["/b/x"] == places["/c/x"] == Location(Mark(1, 8), Mark(1, 11), "1")
    assert "/c/<<" not in places
    assert places["/d/0"].raw == "e:f"


def test_a_pointer_escapes_as_rfc_6901_says() -> None:
    assert pointer(["a/b", 0, "c~d", ""]) == "/a~1b/0/c~0d/"
    assert pointer([]) == ""


def test_importing_the_package_does_not_import_ruamel() -> None:
    code = "import sys, meshgen.yaml; sys.exit(any(name.startswith('ruamel') for name in sys.modules))"

    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode
        == 0
    )


@pytest.mark.upstream
def test_no_attack_crashes_or_takes_200_mb(cases: Path) -> None:
    for path in sorted((cases / "attacks").glob("*.yaml")):
        data = path.read_bytes()
        tracemalloc.start()
        with contextlib.suppress(ReadError):
            read_documents(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200_000_000, path.name


@pytest.mark.upstream
def test_real_addons_read_as_yaml_loaders_read_them(cases: Path) -> None:
    paths = [*cases.glob("istio-*/addons/**/*.yaml")]

    assert paths
    for path in paths:
        data = path.read_bytes()
        want = [document for document in yaml.load_all(data, yaml.CSafeLoader) if document is not None]
        assert read_documents(data) == want, path
        assert len(locate(data)) == len(want), path
