"""Random changes of realistic objects: what people change, and what nobody should."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from meshgen.layout.identity import identity
from meshgen.layout.normal import normalise, refusals
from tests.layout.objects import OBJECTS, Object

_HOSTILE_TEXTS = (
    *("", " ", "yes", "n", "null", "~", "1", "1.0", "1e3", "0o7", "0x1f", "2020-01-01", "12:30", "=", "<<", "- a"),
    *("#", "a #b", "{}", "[]", "*a", "&a", "!a", "%", "@", "`", "'", '"', "\\", "\\n", "\t", " a", "a ", "a\n", "\na"),
    *(" a\nb", "\ta\nb", "a\n\n", "a\n b\n", "a\r\nb", "\r", "a\tb\n", "a \nb", "\u2028", "\ufeff", "\u00a0", "a: b"),
    *("a/b", "a~b", "a~1b", "a,b", "a.b", "$patch", "delete", "<a&b>", "---", "--- a\nb", "...", "|", ">", "?", ":"),
    *("-", "🚀", "é", "x" * 300),
)
_HOSTILE_KEYS = (
    *("a/b", "a~b", "~1", "a,b", "a.b", "-", "0", "1", "true", "null", "=", "", "$patch", " ", "a b", "é", "#", "y"),
)
_TEXTS = ("a", "false", "15m", "registry.example.com/istio:1.30.3", "http", "TCP", "UDP", "line one\nline two\n")
_NUMBERS = (0, 1, 2, 80, 443, 8080, -1, 10_000_000, 2**31, 2**53, 0.25, 1.5, 1e-7)
_HOSTILE_NUMBERS = (2**53 + 1, 2**63, 2**64 - 1, -(2**63), 1e300, 1e21, 100.0, -0.0)


class Mutator:
    """Changes objects at random; `hostile` adds texts, keys and numbers that no reviewer would let pass."""

    def __init__(self, rng: random.Random, *, hostile: bool) -> None:
        self.rng = rng
        self.hostile = hostile

    def mutate(self, obj: Object) -> Object:
        """Give a changed copy that kustomize is able to carry; the head stays."""
        # Where the object itself has other things under those names, as a CRD's schema has, so may the change.
        has_references = _has_references(obj)
        while True:
            changed = copy.deepcopy(obj)
            for _ in range(self.rng.choice((1, 1, 1, 2, 3, 5))):
                self._edit(*self.rng.choice(list(_containers(changed, ()))))
            carried = not refusals(changed) and (_has_references(changed) or not has_references)
            if carried and identity(changed) == identity(obj):
                return normalise(changed)

    def _edit(self, path: tuple[str | int, ...], container: Any) -> None:
        if isinstance(container, dict):
            self._edit_map(path, container)
        else:
            self._edit_list(container)

    def _edit_map(self, path: tuple[str | int, ...], container: dict[str, Any]) -> None:
        heads: dict[tuple[str | int, ...], tuple[str, ...]] = {
            (): ("apiVersion", "kind", "metadata"),
            ("metadata",): ("name", "namespace"),
        }
        head = heads.get(path, ())
        keys = [key for key in container if key not in head]
        action = self.rng.choice(("change", "change", "change", "add", "remove", "replace"))
        if action == "add" or not keys:
            container[self._key()] = self._value(2)
            return
        key = self.rng.choice(keys)
        if action == "remove":
            del container[key]
        elif action == "change":
            container[key] = self._changed(container[key])
        else:
            container[key] = self._value(2)

    def _edit_list(self, items: list[Any]) -> None:
        action = self.rng.choice(("change", "remove", "move", "copy", "append", "insert", "empty", "duplicate"))
        if not items or action in ("append", "insert"):
            items.insert(len(items) if action == "append" else 0, self._like(items))
            return
        index = self.rng.randrange(len(items))
        if action == "change":
            items[index] = self._changed(items[index])
        elif action == "remove":
            del items[index]
        elif action == "move":
            items.insert(self.rng.randrange(len(items)), items.pop(index))
        elif action == "copy":
            items.insert(self.rng.randrange(len(items) + 1), self._like(items))
        elif action == "empty":
            items.clear()
        elif self.hostile:
            items.append(copy.deepcopy(items[index]))

    def _like(self, items: list[Any]) -> Any:
        """A new item that resembles the others, most often under a new key."""
        if not items:
            return self._value(1)
        item = copy.deepcopy(self.rng.choice(items))
        if isinstance(item, dict):
            for key in ("name", "port", "containerPort", "mountPath", "type", "ip", "uid", "topologyKey"):
                if key in item and self.rng.random() < (0.7 if self.hostile else 0.97):
                    item[key] = self.rng.randrange(1, 65535) if isinstance(item[key], int) else self._key() + "-new"
            return item
        return self._changed(item)

    def _changed(self, value: Any) -> Any:
        """Mostly another value of the same type."""
        if self.rng.random() < 0.15:
            return self._value(2)
        if isinstance(value, bool):
            return not value
        if isinstance(value, str):
            return self._text()
        if isinstance(value, int | float):
            return self._number()
        if isinstance(value, dict):
            return {key: self._changed(item) if self.rng.random() < 0.3 else item for key, item in value.items()}
        if isinstance(value, list):
            return self.rng.sample(value, self.rng.randrange(len(value) + 1))
        return self._value(1)

    def _value(self, depth: int) -> Any:
        sort = self.rng.choice(("text", "text", "number", "bool", "null", "map", "list", "maps"))
        if depth and sort == "map":
            return {self._key(): self._value(depth - 1) for _ in range(self.rng.randrange(3))}
        if depth and sort == "list":
            return [self._value(depth - 1) for _ in range(self.rng.randrange(3))]
        if depth and sort == "maps":
            return [{"name": self._key(), self._key(): self._value(depth - 1)} for _ in range(self.rng.randrange(3))]
        if sort == "number":
            return self._number()
        return {"bool": self.rng.random() < 0.5, "null": None}.get(sort, self._text())

    def _text(self) -> str:
        return self.rng.choice(_HOSTILE_TEXTS if self.hostile and self.rng.random() < 0.6 else _TEXTS)

    def _number(self) -> int | float:
        return self.rng.choice(_HOSTILE_NUMBERS if self.hostile and self.rng.random() < 0.1 else _NUMBERS)

    def _key(self) -> str:
        if self.hostile and self.rng.random() < 0.4:
            return self.rng.choice(_HOSTILE_KEYS)
        return self.rng.choice(("type", "name", "enabled", "loadBalancerIP", "annotations", "limits", "x.io/y"))


def _containers(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict | list):
        yield path, value
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _containers(item, (*path, key))


_REFERENCES: dict[str, tuple[type, type | None]] = {
    **dict.fromkeys(("containers", "initContainers", "volumes", "env", "imagePullSecrets", "secrets"), (list, dict)),
    **dict.fromkeys(("webhooks", "rules", "subjects", "sources", "ports"), (list, dict)),
    **dict.fromkeys(("spec", "template", "jobTemplate", "valueFrom", "configMap", "secret", "projected"), (dict, None)),
    **dict.fromkeys(("scaleTargetRef", "roleRef", "clientConfig", "service"), (dict, None)),
    **dict.fromkeys(("name", "kind", "apiGroup", "secretName", "serviceAccountName"), (str, None)),
    "resourceNames": (list, str),
}


def _has_references(obj: Any) -> bool:
    """Tell whether kustomize finds maps, lists and texts on its way to the names that it knows as references.

    It fails on built-in kinds where it does not, patched or not, so they say nothing about patches.
    """
    if isinstance(obj, list):
        return all(_has_references(item) for item in obj)
    if not isinstance(obj, dict):
        return True
    for key, value in obj.items():
        sort, items = _REFERENCES.get(key, (object, None))
        if value is not None and not isinstance(value, sort):
            return False
        if items and isinstance(value, list) and not all(isinstance(item, items) for item in value):
            return False
    return all(_has_references(value) for value in obj.values())


def renamed(obj: Object, name: str) -> Object:
    return obj | {"metadata": obj["metadata"] | {"name": name}}


def chain(obj: Object, seed: int, number: int, *, layers: int, hostile: bool) -> list[Object]:
    """One object in `layers` states, under a name of its own so that many fit into one directory."""
    rng = random.Random(seed)
    name = f"{obj['metadata']['name']}-{number}"
    if hostile and rng.random() < 0.1:
        name = rng.choice(("{}", "a.b+{}", "a(b)|{}", "a,{}", "0x{}", "{}e1")).format(number)
    mutator = Mutator(rng, hostile=hostile)
    states = [normalise(renamed(obj, name))]
    if rng.random() < 0.5:
        states[0] = mutator.mutate(states[0])
    while len(states) < layers:
        states.append(mutator.mutate(states[-1]))
    return states


def chains(*, layers: int, hostile: bool) -> st.SearchStrategy[list[list[Object]]]:
    """Chains enough to be worth a run of kustomize."""
    seeds = st.tuples(st.sampled_from(OBJECTS), st.integers(0, 2**32))
    return st.lists(seeds, min_size=30, max_size=60).map(
        lambda picked: [
            chain(obj, seed, number, layers=layers, hostile=hostile) for number, (obj, seed) in enumerate(picked)
        ]
    )
