"""The words that builders share: stages, remarks, and a memory of what was built before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from meshgen.build.chart import ChartRelease
from meshgen.config.document import Document
from meshgen.finding import Severity
from meshgen.imagemarks import MarkedImage

KubernetesObject = dict[str, Any]
T = TypeVar("T")

# Stages are API, in the order in which they are applied: an object never changes its stage, for Flux deletes what moves
# from one Kustomization to another and makes it anew.
NAMESPACES = "namespaces"
OPERATOR = "operator"
ISTIO = "istio"
GATEWAYS = "gateways"
ADDONS = "addons"
CHARTS = "charts"
RESOURCES = "resources"
STAGES = (NAMESPACES, OPERATOR, ISTIO, GATEWAYS, ADDONS, CHARTS, RESOURCES)
# Stages whose objects are pruned when they leave the tree. Namespaces, CRDs, the operator and its CR never are:
# deleting the CR uninstalls Istio, and so does deleting the releases of its charts.
PRUNED = frozenset({GATEWAYS, ADDONS, CHARTS, RESOURCES})


@dataclass(frozen=True, eq=False)
class Stage:
    """A set of objects that is applied as one; equal to itself only, so that what is shared is seen to be.

    Where `releases` are its content, `objects` make Flux install them, and are empty where Flux is not asked to.
    `images` are those that Flux's image automation moves.
    """

    name: str
    objects: tuple[KubernetesObject, ...]
    releases: tuple[ChartRelease, ...] = ()
    images: tuple[MarkedImage, ...] = ()


@dataclass(frozen=True)
class Remark:
    """What a builder has to say about the settings it was given; `pointer` leads into them.

    A cluster turns it into a Finding with the position where that setting was written. With a `document`, a manifest of
    the user's own, `pointer` leads into that instead. `object` is what it is about, as `KIND/NAME`, where it is about
    one, and `namespace` where that stands; suppressions select by them.
    """

    rule: str
    message: str
    pointer: str
    hint: str | None = None
    severity: Severity = "error"
    at_key: bool = False
    document: Document | None = field(default=None, compare=False, repr=False)
    object: str | None = None
    namespace: str | None = None


class Memory:
    """Builds each distinct thing once: what clusters share is made, checked and written once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Any] = {}
        # What an id stands for is kept alive, so that no other value can come to have it.
        self._alive: dict[int, Any] = {}
        self._contents: dict[int, str] = {}

    def recall(self, function: Callable[..., T], *inputs: Any) -> T:
        """Call `function`, or give what it gave for equal inputs. Maps and lists hold JSON values."""
        key = (function, *[self._content(value) if type(value) in _CONTAINERS else value for value in inputs])
        return self._recall(key, function, inputs)

    def recall_same(self, function: Callable[..., T], *inputs: Any) -> T:
        """As `recall`, but maps and lists have to be the very same: cheaper, where equal ones are rare."""
        key = (function, *[self._same(value) if type(value) in _CONTAINERS else value for value in inputs])
        return self._recall(key, function, inputs)

    def _recall(self, key: tuple[Any, ...], function: Callable[..., T], inputs: tuple[Any, ...]) -> T:
        kept = self._kept.get(key, _NOTHING)
        if kept is _NOTHING:
            kept = self._kept[key] = function(*inputs)
        result: T = kept
        return result

    def _content(self, value: Any) -> str:
        known = self._contents.get(id(value))
        if known is None:
            self._alive[id(value)] = value
            known = self._contents[id(value)] = json.dumps(value)
        return known

    def _same(self, value: Any) -> int:
        self._alive[id(value)] = value
        return id(value)


_CONTAINERS = frozenset({dict, list})
_NOTHING = object()
