"""What the policy's tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshgen.config import schema as config_schema

FRAGMENT = Path(__file__).with_name("fragment.json")


@pytest.fixture(autouse=True, scope="session")
def _policy_in_the_schema() -> Iterator[None]:
    """Lets a config say `policy` as long as the schema still plans it: what fragment.json is to become there."""
    definitions = config_schema.schema()["definitions"]
    properties = definitions["mesh"]["properties"]
    planned = properties["policy"]
    if not planned.get("x-planned"):
        yield
        return
    fragment = json.loads(FRAGMENT.read_text(encoding="utf-8"))
    properties["policy"], definitions["suppression"] = fragment["policy"], fragment["suppression"]
    config_schema._validator.cache_clear()
    yield
    properties["policy"] = planned
    del definitions["suppression"]
    config_schema._validator.cache_clear()
