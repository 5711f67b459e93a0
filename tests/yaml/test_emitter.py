"""The emitter's output is read back unchanged: by our own reader and by both of the real Go readers in kubectl."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshgen.yaml import emit, emit_documents, flow, read_document, read_documents, scalar

# Words of YAML 1.1 and 1.2, and numbers, dates and indicators that some reader takes for something else than a string.
_WORDS = (
    "y Y yes Yes YES yEs n N no No NO nO on On ON off Off OFF true True TRUE tRUE false False FALSE null Null "
    "NULL ~ 0o17 0O17 00 08 0o7 0o8 017 0755 -0 0 1 -1 +1 1.0 1. .5 +.5 5. -.5 1e3 1E5 1e-7 6e5 12e03 012e3 "
    "1e400 123e 1e 0_1 1_000 1__0 _1 +_1 1_ 1_0.5 0x 0x1F 0X1F -0x1F 0x_1 0b 0b1 0b2 -0b1 .inf -.inf .Inf .INF "
    "+.inf .nan .NaN .NAN inf nan NaN 1:30 20:30:15 190:20:30 -1:30 1:30.5 2021-01-01 2021-1-1 "
    "2021-01-01T00:00:00Z 2001-12-14t21:59:43.10-05:00 18446744073709551616 100m 1Gi 1.10 1.11.3 #c #a a: a:b "
    ":b a#b 1,000 a,b | > |- ! % @ ` & * ? - -a --- ... = << {} [] {a a} [a a]b !!str !foo &a *a a/b ./a /a "
    "a@b a%b a?b ?a http://x/y?z=1:2 $x $(id) ${HOME} \\ ' \" '' \"\" '\"\\ \\n"
)
WORDS = _WORDS.split()
PHRASES = [
    *("", " ", "  ", "true ", " true", " lead", "trail ", "a b", "a: b", "a :b", "- a", "? a", "x #y", "# x", "a\tb"),
    *("\t", "\ta", "a\t", "2001-12-14 21:59:43", "{{ 7*7 }}", "{% raw %}", "%YAML 1.2", "--- a", "...\n", "é", "한글"),
    *("\U0001f600", "\U0010fffd", "\u00a0", "\u3000", "\u2028", "a\u2028b", "a\u2029b", "\ufeff", "x\ufeffy", "\u200d"),
    *("\u202e", "\u00ad", "\ue000", "\U000e0001", "\ufffd", "e\u0301", "\r", "a\rb", "a\r\nb\r\n", "\n", "\n\n"),
    *("a\n", "a\nb", "a\nb\n", "a\nb\n\n", "a\nb\n\n\n", "\na", "\na\nb", "a\n\nb", " a\nb", "a\n b", "a\n  b\n c\n"),
    *(
        "\ta\nb",
        "a\n\tb",
        "a\tb\nc",
        "a \nb",
        "a\nb ",
        "a\n \nb",
        "a\n \n",
        "a\n\t\n",
        "#a\n#b",
        "- a\n- b",
        "a: b\nc: d",
    ),
    *(
        "---\na\n",
        "...\na",
        "%a\nb",
        "|\na\n",
        "é\n한글\n\U0001f600\n",
        "a\n\u2028\n",
        "a\n\ufeffb",
        '"a"\n\\b\n',
        "'\n'",
    ),
    *("a" * 300, "a " * 300, "a\n" * 300, "x" * 5000, "{\n  a\n}\n", "[{op:\n", "a\\\nb"),
]
AWKWARD = [*WORDS, *PHRASES]
# Kustomize prints the key "<<" plain and writes keys beyond libyaml's limit as JSON: its own output is no YAML then.
KEYS_BEYOND_KUSTOMIZE = ("<<", "x" * 5000)
ALPHABET = "aAeEyYnNoOxX01789 \n\n\t_+-.,:;#&*?!|>'\"%@`{}[]()<>=~/\\$é한\u2028\u00a0\ufeff\U0001f600"

CHARACTERS = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
TEXTS = st.text(CHARACTERS | st.sampled_from("\t\r\n"))
LINES = st.lists(st.text(st.sampled_from("ab:# -\t|>é'\"{[")), max_size=6).map("\n".join)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | LINES
    | st.sampled_from(AWKWARD)
)
KEYS = (TEXTS | LINES | st.sampled_from(AWKWARD)).filter(lambda key: key not in KEYS_BEYOND_KUSTOMIZE)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


def go_reads(kubectl: Path, text: str) -> Any:
    """Give the `data` that the reader of Kubernetes and Argo CD finds in a ConfigMap."""
    command = [str(kubectl), "label", "--local", "-f", "-", "-o", "json", "nothing-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)["data"]


def kustomize_reads(kubectl: Path, folder: Path, text: str) -> Any:
    """Give the `data` that the reader of Flux and kustomize finds; what it prints is read by the other one."""
    (folder / "kustomization.yaml").write_text("resources: [object.yaml]\n")
    (folder / "object.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run([str(kubectl), "kustomize", str(folder)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return go_reads(kubectl, done.stdout.decode())


def config_map(data: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Sample", "metadata": {"name": "a"}, "data": data}


def awkward_strings(count: int) -> list[str]:
    source = random.Random(7)
    return ["".join(source.choices(ALPHABET, k=source.randint(1, 12))) for _ in range(count)]


def changed(want: dict[str, Any], got: dict[str, Any]) -> list[Any]:
    return [(value, got.get(key)) for key, value in want.items() if got.get(key) != value]


@given(VALUES)
def test_what_is_emitted_is_read_back_as_the_same_value(value: Any) -> None:
    text = emit(value)

    assert text.endswith("\n")
    assert read_document(text.encode()) == value


@given(VALUES)
def test_flow_style_is_one_line_and_read_back_as_the_same_value(value: Any) -> None:
    text = flow(value)

    assert "\n" not in text.replace("\n: ", ": ")
    assert read_document(text.encode()) == value
    assert read_document(f"- {text}\n- [{text}]\n".encode()) == [value, [value]]


@given(st.lists(VALUES, max_size=4))
def test_a_stream_of_documents_is_read_back_in_order(values: list[Any]) -> None:
    assert read_documents(emit_documents(values).encode()) == values


@pytest.mark.parametrize("text", AWKWARD)
def test_an_awkward_string_stays_a_string_as_value_and_as_key(text: str) -> None:
    key = "key" if text in KEYS_BEYOND_KUSTOMIZE else text
    assert read_document(emit({"a": text, key: [text, [text]]}).encode()) == {"a": text, key: [text, [text]]}


def test_both_go_readers_read_20000_awkward_strings_unchanged(kubectl: Path, tmp_path: Path) -> None:
    strings = [*AWKWARD, *awkward_strings(20_000)]
    want = {f"k{index}": text for index, text in enumerate(strings)}
    text = emit(config_map(want))

    assert changed(want, go_reads(kubectl, text)) == []
    assert changed(want, kustomize_reads(kubectl, tmp_path, text)) == []


def test_both_go_readers_read_awkward_strings_in_nested_lists_and_as_keys_unchanged(
    kubectl: Path, tmp_path: Path
) -> None:
    want = {text or "empty": [text, {"deep": {text or "empty": [[text], text]}}] for text in AWKWARD}
    text = emit(config_map(want))

    assert changed(want, go_reads(kubectl, text)) == []
    for key in KEYS_BEYOND_KUSTOMIZE:
        del want[key]
    assert changed(want, kustomize_reads(kubectl, tmp_path, emit(config_map(want)))) == []


def test_both_go_readers_read_awkward_strings_in_flow_style_unchanged(kubectl: Path, tmp_path: Path) -> None:
    want = {f"k{index}": {text: [text]} for index, text in enumerate([*AWKWARD, *awkward_strings(2_000)])}
    head = emit({**config_map(None), "data": "x"}).removesuffix("x\n")
    assert changed(want, go_reads(kubectl, f"{head}{flow(want)}\n")) == []
    want = {key: item for key, item in want.items() if not any(beyond in item for beyond in KEYS_BEYOND_KUSTOMIZE)}
    assert changed(want, kustomize_reads(kubectl, tmp_path, f"{head}{flow(want)}\n")) == []


def test_go_reads_numbers_as_the_same_numbers(kubectl: Path) -> None:
    source = random.Random(7)
    numbers = [
        0.1,
        1e-07,
        1e22,
        1e16,
        5e-324,
        1.7976931348623157e308,
        -0.0,
        1.0,
        2.0**53,
        2.0**60,
        -(2**53),
        2**53,
        3.5,
    ]
    numbers += [source.uniform(-1, 1) * 10.0 ** source.randint(-300, 300) for _ in range(2000)]

    got = go_reads(kubectl, emit(config_map(numbers)))

    # Go prints a large float with the zeros of its shortest decimal form; as a float it is the same number.
    assert [float(number) for number in got] == numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}\n"),
        ([], "[]\n"),
        ("x", "x\n"),
        (None, "null\n"),
        ({"a": {}, "b": [], "c": None, "d": True}, "a: {}\nb: []\nc: null\nd: true\n"),
        ({"b": 1, "a": 2}, "b: 1\na: 2\n"),
        ({"a": [{"k": "x", "m": [1]}, [], {}]}, "a:\n- k: x\n  m:\n  - 1\n- []\n- {}\n"),
        ([["a", "b"], [["c"]]], "- - a\n  - b\n- - - c\n"),
        ({"a": "x\ny"}, "a: |-\n  x\n  y\n"),
        ({"a": "x\n\ny\n"}, "a: |\n  x\n\n  y\n"),
        ({"a": "x\n\n\n", "b": 1}, "a: |+\n  x\n\n\nb: 1\n"),
        ([{"a": "x\ny\n"}, "v\nw"], "- a: |\n    x\n    y\n- |-\n  v\n  w\n"),
        ({"no": "no"}, '"no": "no"\n'),
        ({"a": "한글 é"}, 'a: "한글 é"\n'),
        ({"a": "a\u2028\U000e0001"}, 'a: "a\\u2028\\U000E0001"\n'),
        ({"a": 1.0, "b": 1e-07, "c": 1e22, "d": 0.1}, "a: 1\nb: 1e-07\nc: 1e+22\nd: 0.1\n"),
    ],
)
def test_documents_look_as_kubernetes_tools_write_them(value: Any, text: str) -> None:
    assert emit(value) == text


@pytest.mark.parametrize("text", ["a \nb", "a\n\tb", " a\nb", "\na\nb", "a\n\u2028", "a\r\nb", "a\n\x00"])
def test_lines_that_an_editor_or_reader_may_change_stand_in_quotes(text: str) -> None:
    assert emit({"a": text}).startswith('a: "')


def test_a_long_text_is_not_folded() -> None:
    assert emit({"a": "a b " * 1000}).count("\n") == 1


def test_a_key_longer_than_readers_look_is_marked_as_key() -> None:
    assert emit({"k" * 2000: {"a": 1}}).startswith("? k")


def test_documents_are_separated_by_three_dashes() -> None:
    assert emit_documents([{"a": 1}, [2], "x"]) == "a: 1\n---\n- 2\n---\nx\n"


def test_no_documents_are_no_text() -> None:
    assert emit_documents([]) == ""


def test_flow_style_reads_like_json() -> None:
    assert flow({"a": [1, "x y", None, {}], "1": True}) == '{a: [1, "x y", null, {}], "1": true}'


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("-inf"), float("nan"), (1,), {1}, b"x", object(), 2**64, -(2**63) - 1, {1: "a"}, {None: "a"}],
)
def test_what_json_has_no_type_for_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="can't be written"):
        emit({"a": [value]})
    with pytest.raises(ValueError, match="can't be written"):
        flow([value])


@pytest.mark.parametrize("value", [[], {}, [1], {"a": 1}])
def test_a_scalar_is_no_list_and_no_map(value: Any) -> None:
    with pytest.raises(ValueError, match="can't be written"):
        scalar(value)
