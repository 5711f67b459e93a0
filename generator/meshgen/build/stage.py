"""The words that builders share: stages, remarks, and a memory of what was built before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from meshgen.finding import Severity

KubernetesObject = dict[str, Any]
T = TypeVar("T")

# Stages are API, in the order in which they are applied: an object never changes its stage, for Flux deletes what moves
# from one Kustomization to another and makes it anew.
NAMESPACES = "namespaces"
OPERATOR = "operator"
ISTIO = "istio"
ADDONS = "addons"
# Stages whose objects are pruned when they leave the tree. Namespaces, CRDs, the operator and its CR never are: deleting
# the CR uninstalls Istio.
PRUNED = frozenset({ADDONS})


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A set of objects that is applied as one; equal to itself only, so that what is shared is seen to be."""

    name: str
    objects: tuple[KubernetesObject, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a builder has to say about the settings it was given; `pointer` leads into them.

    A cluster turns it into a Finding with the position where that setting was written.
    """

    rule: str
    message: str
    pointer: str
    hint: str | None = None
    severity: Severity = "error"
    at_key: bool = False


@dataclass(slots=True)
class Memory:
    """Builds each distinct thing once: what clusters share is made, checked and written once."""

    _kept: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = field(default_factory=dict)

    def recall(self, function: Callable[..., T], *inputs: Any) -> T:
        """Call `function`, or give what it gave for equal inputs (JSON values) or the same objects (all else)."""
        key = (function.__qualname__, *(_key(value) for value in inputs))
        kept = self._kept.get(key)
        if kept is None:
            # The inputs are kept as well, so that no other object can come to have the same id.
            kept = self._kept[key] = (function(*inputs), inputs)
        result: T = kept[0]
        return result


def _key(value: Any) -> Any:
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value)
    return id(value)
