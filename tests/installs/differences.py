"""What may differ between objects from Helm and from istioctl, and why: a short normalisation and one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.objects import Object

# Stands for any value, and for no value.
ANY: Any = "(any)"
NONE: Any = "(none)"


@dataclass(frozen=True)
class Difference:
    """One value that differs: what it is of, a JSON pointer to it, and what stands there on both sides."""

    kind: str
    name: str
    pointer: str
    helm: Any
    istioctl: Any


@dataclass(frozen=True)
class Known:
    """Differences that are meant to be: patterns of kind, name and pointer, both values, and the reason."""

    kind: str
    name: str
    pointer: str
    helm: Any
    istioctl: Any
    reason: str

    def covers(self, found: Difference) -> bool:
        """Whether a difference is one of these."""
        patterns = ((self.kind, found.kind), (self.name, found.name), (self.pointer, found.pointer))
        if not all(fnmatchcase(text, pattern) for pattern, text in patterns):
            return False
        return self.helm in (ANY, found.helm) and self.istioctl in (ANY, found.istioctl)


_RELEASE = "istioctl calls every release istio, helm-controller calls each by its own name"

KNOWN = (
    Known("*", "*", "/metadata/labels/release", ANY, "istio", _RELEASE),
    Known("*", "*", "/metadata/labels/app.kubernetes.io~1instance", ANY, "istio", _RELEASE),
    Known("D*", "*", "/spec/template/metadata/labels/app.kubernetes.io~1instance", ANY, "istio", _RELEASE),
    Known(
        "Service",
        "istiod",
        "/spec/ports/9999/protocol",
        "TCP",
        NONE,
        "a port patched in has the protocol that the API server would write: kustomize merges ports by it",
    ),
)


def unexplained(differences: Iterable[Difference], known: Iterable[Known] = KNOWN) -> list[Difference]:
    """The differences that a table does not have."""
    table = tuple(known)
    return [one for one in differences if not any(entry.covers(one) for entry in table)]


def compare(kind: str, name: str, helm: Any, istioctl: Any) -> Iterator[Difference]:
    """Everything that differs between two objects, after normalisation."""
    for pointer, left, right in _unequal(normalised(helm), normalised(istioctl), ""):
        yield Difference(kind, name, pointer, left, right)


def normalised(value: Any, field: str = "") -> Any:
    """The same to an API server, as far as the charts' output asks for it.

    Nulls and empty labels and annotations are left out. Variables and ports stand by what Kubernetes tells them apart
    by: kustomize puts new ones first, istioctl last. An expression may end in a line break, which istioctl cuts off.
    """
    if isinstance(value, dict):
        items = {str(key): normalised(item, str(key)) for key, item in value.items()}
        return {key: item for key, item in items.items() if not _says_nothing(key, item)}
    if isinstance(value, list):
        return _keyed([normalised(item) for item in value], field)
    return value.rstrip("\n") if field == "expression" else value


def _says_nothing(key: str, item: Any) -> bool:
    return item is None or (item == {} and key in ("labels", "annotations"))


def _keyed(items: list[Any], field: str) -> Any:
    keys: Mapping[str, str] = {"env": "name", "ports": "port"}
    key = keys.get(field, "")
    names = [str(item[key]) for item in items if isinstance(item, dict) and key in item]
    # Twice the same is no map, and has to show.
    return dict(zip(names, items, strict=True)) if names and len(set(names)) == len(items) else items


def _unequal(left: Any, right: Any, pointer: str) -> Iterator[tuple[str, Any, Any]]:
    maps = [side for side in (left, right) if isinstance(side, dict)]
    if len(maps) == 2 or (any(maps) and NONE in (left, right)):
        # What one side lacks altogether differs in each of its fields, so that a table can name them.
        for key in dict.fromkeys(key for side in maps for key in side):
            here = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            one, other = (side.get(key, NONE) if isinstance(side, dict) else NONE for side in (left, right))
            yield from _unequal(one, other, here)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _unequal(one, other, f"{pointer}/{index}")
    elif left != right or isinstance(left, bool) != isinstance(right, bool):
        yield pointer, left, right


def compare_all(helm: Mapping[Any, Object], istioctl: Mapping[Any, Object]) -> Iterator[Difference]:
    """Everything that differs between two sets of objects; one that is on a side alone differs as a whole."""
    for key in dict.fromkeys((*helm, *istioctl)):
        if key in helm and key in istioctl:
            yield from compare(key.kind, key.name, helm[key], istioctl[key])
        else:
            yield Difference(key.kind, key.name, "", key if key in helm else NONE, key if key in istioctl else NONE)
