"""Fields as people and messages write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshgen.errors import InputError
from meshgen.provenance.edits import at_path, leaves
from meshgen.provenance.field import Match, Missing, find, parse, written

POD = {"containers": [{"name": "a", "image": "x"}, {"name": "kiali", "image": "y"}], "data": {"config.yaml": "z"}}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("containers[1].image", ("containers", 1, "image")),
        ("containers[name=kiali].image", ("containers", 1, "image")),
        ('data["config.yaml"]', ("data", "config.yaml")),
        ("data.config.yaml", ("data", "config.yaml")),
        ("containers", ("containers",)),
    ],
)
def test_field_leads_to_its_path(text: str, path: tuple[str | int, ...]):
    assert find(POD, parse(text)) == path


@pytest.mark.parametrize("text", ["", ".", "a..b", "a[", "a[x]", "a]", 'a["b', "a[1"])
def test_text_that_is_no_field_is_refused(text: str):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.findings[0].hint


def test_missing_field_says_how_far_it_led():
    assert find(POD, parse("containers[name=b].image")) == Missing(
        ("containers",), POD["containers"], Match("name", "b")
    )
    assert find(POD, parse("containers[2]")) == Missing(("containers",), POD["containers"], 2)
    assert find(POD, parse("containers[0].image.x")) == Missing(("containers", 0, "image"), "x", "x")


_KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_VALUES = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(_KEYS, inner, min_size=1, max_size=3),
)


@given(st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=3))
def test_written_path_leads_back_to_its_value(value: dict[str, object]):
    for path, leaf in leaves(value):
        assert find(value, parse(written(path))) == path
        assert at_path(value, path) is leaf
