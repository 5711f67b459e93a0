"""What each release of the Sail operator is like: the Istio that it serves, and the shape of its resources' values.

A shape is a word (`string`, `integer`, `number`, `boolean`, `bytes`, `quantity`, `int-or-string`, `any`), a list of the
words that are allowed, or a map with one of: `fields` (with `required`, and `one`: fields that exclude each other),
`list`, `map`, and `minimum` of a whole number.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from meshgen.catalog import Version, holds_at, load_facts

Shape = Any


def operators() -> tuple[str, ...]:
    """Every release of the operator that the catalogue knows, oldest first."""
    return tuple(load_facts("sail")["releases"])


def serves(operator: str, istio: str) -> bool | None:
    """Say whether a release installs a version of Istio; None where that release is newer than the catalogue."""
    known = load_facts("sail")["releases"]
    if operator not in known and Version.parse(operator) > Version.parse(operators()[-1]):
        return None
    return istio in known.get(operator, ())


def newest_serving(istio: str) -> str | None:
    """Name the newest release that installs a version of Istio; None where none is known to."""
    return next((operator for operator in reversed(operators()) if serves(operator, istio)), None)


def served_of_minor(minor: str) -> tuple[str, ...]:
    """Every version of an Istio minor that some release installs, oldest first."""
    listed = {istio for versions in load_facts("sail")["releases"].values() for istio in versions}
    return tuple(sorted((istio for istio in listed if Version.parse(istio).minor == minor), key=Version.parse))


def operator_chart() -> dict[str, str]:
    """Give the `name` and `repository` of the operator's chart, and the `image` without tag that it runs."""
    facts: dict[str, str] = load_facts("sail")["chart"]
    return facts


def profiles() -> tuple[str, ...]:
    """The names that `spec.profile` of Istio and IstioCNI takes."""
    return tuple(load_facts("sail")["profiles"])


def globals_read(kind: str) -> tuple[str, ...]:
    """The keys of `values.global` that the chart behind IstioCNI or ZTunnel reads."""
    return tuple(load_facts("sail")["globals"][kind])


def api_version(kind: str, operator: str) -> str:
    """The apiVersion in which a release stores a kind."""
    found: str = _at(load_facts("sail")["apiVersions"][kind], Version.parse(operator))
    return found


@cache
def values_shape(kind: str, operator: str) -> Shape:
    """The shape of `spec.values` of Istio, IstioCNI or ZTunnel at a release; not to be changed.

    One that the catalogue does not know is taken to be as the newest before it.
    """
    return _at(load_facts("sail")["values"][kind], Version.parse(operator))


def _at(shape: Shape, operator: Version) -> Shape:
    """A shape at a release, references followed; None where there is none."""
    if isinstance(shape, str):
        return _at(load_facts("sail")["shapes"][shape[1:]], operator) if shape.startswith("#") else shape
    if not isinstance(shape, dict):
        return shape
    if "ranges" in shape:
        return next((_at(part["shape"], operator) for part in shape["ranges"] if holds_at(part, operator)), None)
    return {key: _inside(key, inner, operator) for key, inner in shape.items()}


def _inside(key: str, inner: Any, operator: Version) -> Any:
    if key == "fields":
        fields = {name: _at(one, operator) for name, one in inner.items()}
        return {name: one for name, one in fields.items() if one is not None}
    return _at(inner, operator) if key in ("list", "map") else inner
