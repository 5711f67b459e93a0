"""Every field of IstioOperator's spec at every version of Istio, with its type.

A type is a word (`string`, `bool`, `int32`, `uint32`, `int64`, `double`, `duration`, `timestamp`, `bytes`, `quantity`,
`int-or-string`, `object`: a map of anything, `any`), `[]` or `{}` before a type for a list or a map of it, `@` before
the name of a message, `%` before that of an enum, or `=` before the name of the field that this is another spelling of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

from meshgen.catalog import Version, holds_at, load_facts, release_of

# Since this release istioctl decodes spec and components as Go's structs.
GO = (1, 24, 0)


class Field(NamedTuple):
    """A field at one version."""

    type: str
    deprecated: bool


class Span(NamedTuple):
    """The versions from one (None: the oldest known) up to before another (None: the newest, and later ones)."""

    since: str | None
    until: str | None


class Replacement(NamedTuple):
    """What to say instead of a setting; istioctl has `effect` (warning, error) where the value is not the default."""

    instead: str
    effect: str
    default: Any


class Fields:
    """The fields at one version; one that is newer than all that is known has those of the newest."""

    def __init__(self, version: Version) -> None:
        # A prerelease has what its release will have.
        self.version = Version.parse(".".join(str(number) for number in version.numbers))
        self._messages: dict[str, dict[str, Field]] = {}
        self._enums: dict[str, tuple[str, ...]] = {}

    @property
    def root(self) -> str:
        """The message that the spec is."""
        name: str = load_facts("fields")["root"]
        return name

    def of(self, message: str) -> Mapping[str, Field]:
        """The fields of a message by name; other spellings are among them."""
        if message not in self._messages:
            facts = load_facts("fields")["messages"][message]
            found = ((name, next(self._holding(fact), None)) for name, fact in facts.items())
            self._messages[message] = {
                name: Field(fact["type"], fact.get("deprecated", False)) for name, fact in found if fact
            }
        return self._messages[message]

    def enum(self, name: str) -> tuple[str, ...]:
        """The words of an enum, in the order of their numbers."""
        if name not in self._enums:
            facts = load_facts("fields")["enums"][name]
            found = [(word, next(self._holding(fact, "number"), None)) for word, fact in facts.items()]
            self._enums[name] = tuple(word for word, fact in found if fact)
        return self._enums[name]

    @cached_property
    def replacements(self) -> Mapping[str, Replacement]:
        """The settings that this version's istioctl calls deprecated, or refuses as such, by their dotted paths."""
        found = {path: next(self._holding(fact), None) for path, fact in load_facts("fields")["replacements"].items()}
        return {path: _replacement(fact) for path, fact in found.items() if fact}

    def _holding(self, fact: Any, key: str = "type") -> Iterator[dict[str, Any]]:
        return (part for part in _parts(fact, key) if holds_at(part, self.version))


@cache
def fields_at(version: str) -> Fields:
    """The fields at a version such as `1.11.3`."""
    return Fields(Version.parse(version))


def fields_of(istio: dict[str, Any]) -> Fields:
    """The fields for resolved `istio` settings: at their version, or the newest of the minor to be assumed instead."""
    known, version = release_of(istio), Version.parse(istio["version"])
    return fields_at(istio["version"] if version.minor == known.minor else known.latest_patch)


def ever_replaced() -> Mapping[str, Replacement]:
    """What to say instead of settings that some istioctl called deprecated, by their dotted paths."""
    facts = load_facts("fields")["replacements"].items()
    return {path: _replacement(next(_parts(fact, ""))) for path, fact in facts}


def versions_with(path: Sequence[str | int]) -> list[Span]:
    """The versions at which a path below the spec exists, oldest first; other spellings do not count."""
    reached = [(f"@{load_facts('fields')['root']}", Span(None, None))]
    for key in path:
        reached = [step for at, span in reached for step in _steps(at, key, span)]
    return _joined([span for _, span in reached])


def _steps(at: str, key: str | int, span: Span) -> Iterator[tuple[str, Span]]:
    """Where a key leads to from a type, and at which versions."""
    if at.startswith(("[]", "{}")):
        yield at[2:], span
    elif at.startswith("@"):
        for part in _parts(load_facts("fields")["messages"][at[1:]].get(key, []), "type"):
            common = _common(span, Span(part.get("since"), part.get("until")))
            if common and not part["type"].startswith("="):
                yield part["type"], common


def _common(one: Span, other: Span) -> Span | None:
    since = max((one.since, other.since), key=lambda text: Version.parse(text or "0.0.0"))
    until = min((one.until, other.until), key=lambda text: Version.parse(text or "999.0.0"))
    return None if since and until and Version.parse(since) >= Version.parse(until) else Span(since, until)


def _joined(spans: list[Span]) -> list[Span]:
    """The spans in their order, those that meet as one."""
    made: list[Span] = []
    for span in sorted(spans, key=lambda one: Version.parse(one.since or "0.0.0")):
        if made and made[-1].until == span.since and span.since:
            made[-1] = Span(made[-1].since, span.until)
        elif span not in made:
            made.append(span)
    return made


def _replacement(fact: dict[str, Any]) -> Replacement:
    return Replacement(fact["instead"], fact["effect"], fact.get("default"))


def _parts(fact: Any, key: str) -> Iterator[dict[str, Any]]:
    """The ranges of a fact, of which there is one where it holds at all versions."""
    for part in fact if isinstance(fact, list) else [fact]:
        yield part if isinstance(part, dict) else {key: part}
