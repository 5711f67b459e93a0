"""Comments stay with the fields that they stood at."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshgen.config.document import Document
from meshgen.importing.comments import commented, comments_of
from meshgen.importing.story import import_config
from meshgen.yaml import emit, read_document
from tests.importing.inputs import imported, operators_of

TEXT = """\
# above everything
a: 1 # beside a
b: # beside b
  # above c
  c: "# no comment" # beside c
  d: |  # beside the block
    # a line of the text
    end

  # above the list
  e: [1, 2] # beside the list
f:
- g: 1
  # below g
# above the second item
- g: 2
# below everything
"""


def _placed(text: str) -> list[tuple[str, str, str]]:
    document = Document("x.yaml", text.encode(), read_document(text.encode()))
    return [(one.text.removeprefix("# "), one.pointer, one.where) for one in comments_of(document)]


def test_each_comment_belongs_to_the_field_that_a_reader_takes_it_for():
    assert _placed(TEXT) == [
        ("above everything", "/a", "above"),
        ("beside a", "/a", "beside"),
        ("beside b", "/b", "beside"),
        ("above c", "/b/c", "above"),
        ("beside c", "/b/c", "beside"),
        ("beside the block", "/b/d", "beside"),
        ("above the list", "/b/e", "above"),
        ("beside the list", "/b/e", "beside"),
        ("below g", "/f/0/g", "below"),
        ("above the second item", "/f/1", "above"),
        ("below everything", "/f/1", "below"),
    ]


def test_a_text_that_is_written_anew_has_them_at_the_same_fields():
    document = Document("x.yaml", TEXT.encode(), read_document(TEXT.encode()))

    written = commented(emit(document.value), comments_of(document))

    assert read_document(written.encode()) == document.value
    assert _placed(written) == _placed(TEXT)


@pytest.mark.parametrize("text", ["a: 'x # y'\n", "a: x#y\n", "a: |\n  # y\n", 'a: "#"\n', "'#': 1\n", "a: >-\n  #\n"])
def test_a_hash_within_a_scalar_is_no_comment(text: str):
    assert _placed(text) == []


def test_the_comment_of_a_field_that_is_not_carried_over_stands_above_what_it_was_in(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    text = (
        "# why we have this file\napiVersion: install.istio.io/v1alpha1 # never changed\nkind: IstioOperator\n"
        "metadata:\n  name: example\n  uid: abc # from the cluster\nspec:\n  # nothing yet\n  values:\n  tag: 1.11.3\n"
    )

    lines = imported(config, text, version=None).files[config].splitlines()

    assert lines[:3] == ["# why we have this file", "# never changed", "apiVersion: meshgen.dev/v1"]
    assert lines[lines.index("# from the cluster") + 2 :][:1] == ["istio:"]
    assert lines[lines.index("# nothing yet") + 1] == "istio:"


def test_the_schema_that_an_editor_took_for_the_input_is_not_named_for_the_config(tmp_path: Path):
    config = tmp_path / "meshgen.yaml"
    head = "# yaml-language-server: $schema=operator.json\n# mine\n"
    text = f"{head}apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {{tag: 1.11.3}}\n"

    assert imported(config, text, version=None).files[config].startswith("# mine\napiVersion: meshgen.dev/v1\n")


@pytest.mark.upstream
def test_comments_of_real_inputs_are_found_beside_their_fields(cases: Path, tmp_path: Path):
    with_comments = 0
    for case in operators_of(cases, "manifest-generate/input", "iop-other", "profiles"):
        if case.expect.get("verdict") != "accept" or case.name.endswith("flag_force.yaml"):
            continue
        config = tmp_path / "meshgen.yaml"
        data = case.path.read_bytes()
        before = comments_of(Document(case.name, data, read_document(data)))

        text = import_config([case.path], config, version="1.11.3").files[config]

        after = comments_of(Document("meshgen.yaml", text.encode(), read_document(text.encode())))
        here = [(one.text, one.pointer, one.where) for one in before if one.pointer.startswith("/spec/")]
        there = {(one.text, one.pointer, one.where) for one in after}
        moved = {(text, pointer.replace("/spec/", "/istio/", 1), where) for text, pointer, where in here}
        assert moved <= there, case.name
        assert {one.text for one in before} <= {one.text for one in after}, case.name
        with_comments += bool(here)
    assert with_comments >= 10
