"""What a setting is to a field that depends on it."""

from __future__ import annotations

from typing import Any, Literal

from meshgen.layout.values import same
from meshgen.provenance.probe import Seen
from meshgen.provenance.search import Hit
from meshgen.yaml import NOWHERE

# `sets`: the field is the setting's value. `is part of`: the value stands within the field. `decides`: the field
# depends on it otherwise. `takes away`: a null of it is why the field, or its object, is not what a lower layer made
# it. `brings`: the object is there because of it.
Role = Literal["sets", "is part of", "decides", "takes away", "brings"]
ORDER: tuple[Role, ...] = ("sets", "is part of", "decides", "takes away", "brings")


def role_of(before: Any, now: Seen, hit: Hit) -> Role | None:
    """What a setting of this value is to a field that an edit of it changed; None where the edit tells nothing."""
    after = hit.seen.value
    if hit.seen.object is None:
        # Another Istio, or another name, has another set of objects: that says nothing of this one.
        return "brings" if hit.edit.value is NOWHERE or isinstance(hit.edit.value, bool) else None
    if now.value is NOWHERE:
        return "decides"
    ends = hit.edit.value is NOWHERE or after is NOWHERE
    if same(now.value, before) and (ends or same(after, hit.edit.value)):
        return "sets"
    return "is part of" if _holds(now.value, before) and (ends or _holds(after, hit.edit.value)) else "decides"


def _holds(value: Any, part: Any) -> bool:
    """Whether a value has another one in it: a text within a text, anything as a part of a map or list."""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return any(same(child, part) or _holds(child, part) for child in children)
    return isinstance(value, str) and isinstance(part, str) and len(part) > 2 and part in value
