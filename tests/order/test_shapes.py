"""Objects of any shape: the check says what it has to say, or nothing; it never fails."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meshgen.build.manifests import Manifest, Places
from meshgen.build.stage import Memory, Stage
from meshgen.config.document import Document
from meshgen.order import order_remarks
from tests.objects import Object
from tests.order.checked import own_stages
from tests.order.test_cases import CASES, STORIES

ODD: list[Any] = [None, True, 3, -1.5, "", "1%", [], [None], ["a"], [[]], {}, {"name": []}, [{"name": 1}]]
# The reader of manifests sees to these.
KEPT = ("apiVersion", "kind")
URL = "https://example.com/shop/mesh.git"
DELIVERY = {"flux": {"url": URL}, "argocd": {"url": URL}}


def damaged(value: Any, draw: st.DrawFn, chance: int) -> Any:
    """A value in which some parts have become something else."""
    if draw(st.integers(0, chance)) == 0:
        return draw(st.sampled_from(ODD))
    if isinstance(value, dict):
        return {key: damaged(one, draw, chance) for key, one in value.items()}
    return [damaged(one, draw, chance) for one in value] if isinstance(value, list) else value


@st.composite
def damaged_stages(draw: st.DrawFn) -> list[tuple[str, list[Object]]]:
    story = draw(st.sampled_from(STORIES))
    stages = own_stages(CASES / story / draw(st.sampled_from(["bad", "good"])) / "meshgen.yaml")
    return [(name, [_damaged_object(obj, draw) for obj in objects]) for name, objects in stages]


def _damaged_object(obj: Object, draw: st.DrawFn) -> Object:
    rest = {key: damaged(value, draw, 12) for key, value in obj.items() if key not in KEPT}
    metadata = rest.get("metadata")
    named = {**(metadata if isinstance(metadata, dict) else {}), "name": obj["metadata"]["name"]}
    space = named.get("namespace")
    if space is not None and not isinstance(space, str):
        del named["namespace"]
    return {**{key: obj[key] for key in KEPT}, **rest, "metadata": named}


@settings(max_examples=200, deadline=None)
@given(stages=damaged_stages())
def test_any_shape(stages: list[tuple[str, list[Object]]]) -> None:
    document = Document("manifests.yaml", b"", {})
    built = tuple(Stage(name, tuple(objects)) for name, objects in stages)
    places = Places(Manifest(obj, document) for stage in built for obj in stage.objects)
    whole = {"istio": {"version": "1.26.0"}, "delivery": DELIVERY}

    remarks = order_remarks("shop", built, whole, "1.33", places, Memory())

    assert all(remark.document and remark.hint and "\n" not in remark.message for remark in remarks)
