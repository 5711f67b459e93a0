"""A setting of a mesh config as protobuf's JSON reads it, and what Istio has against one.

What has another type than asked for counts as not said: types are another check's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Numbers = tuple[int, int, int]

SECOND = 10**9
MILLISECOND = 10**6
_INTEGER = re.compile(r"[+-]?0*([0-9]{1,18})")
# What Go's time.ParseDuration reads: protobuf's own JSON has seconds alone, its Go library has them all.
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND}
_UNITS["h"] = 60 * _UNITS["m"]
_PART = re.compile(r"([0-9]{0,18})(?:\.([0-9]{0,18}))?(ns|us|µs|μs|ms|s|m|h)")


class Problem(NamedTuple):
    """What Istio says of a setting: where it is, what is wrong with it, and the next move."""

    path: tuple[str | int, ...]
    text: str
    hint: str
    warns: bool = False


@dataclass(frozen=True)
class Setting:
    """A place in a config; its value is None where nothing is said, which a null does not change."""

    value: Any
    path: tuple[str | int, ...] = ()

    def at(self, *keys: str) -> Setting:
        """The setting below these keys, each spelled as JSON does it or as the proto file does."""
        here = self
        for key in keys:
            said = here.value if isinstance(here.value, dict) else {}
            spelled = key if key in said or not said else _spelling(key, said)
            here = Setting(said.get(spelled), (*here.path, spelled))
        return here

    def each(self) -> Iterator[Setting]:
        """The items of a list."""
        for index, item in enumerate(self.value if isinstance(self.value, list) else ()):
            yield Setting(item, (*self.path, index))

    def entries(self) -> Iterator[tuple[str, Setting]]:
        """The keys and settings of a map."""
        for key, value in self.value.items() if isinstance(self.value, dict) else ():
            yield str(key), Setting(value, (*self.path, str(key)))

    def maps(self) -> list[Setting]:
        """The items of a list that are maps."""
        return [item for item in self.each() if isinstance(item.value, dict)]

    def texts(self) -> list[tuple[str, Setting]]:
        """The items of a list that are texts, each with its setting."""
        return [(item.value, item) for item in self.each() if isinstance(item.value, str)]

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said, which an empty text or list does not change."""
        return self.value is None or self.value in ("", [])

    @property
    def text(self) -> str | None:
        """A text, empty where nothing is said; None where it is none."""
        return "" if self.value is None else self.value if isinstance(self.value, str) else None

    @property
    def number(self) -> int | None:
        """A whole number, quoted or not; None where there is none."""
        if isinstance(self.value, str):
            return integer(self.value)
        whole = isinstance(self.value, int) or (isinstance(self.value, float) and self.value.is_integer())
        return int(self.value) if whole and not isinstance(self.value, bool) else None

    @property
    def nanoseconds(self) -> int | None:
        """A duration; None where there is none that Go could read."""
        return duration(self.value) if isinstance(self.value, str) else None

    def choice(self, names: Sequence[str]) -> str:
        """One of an enum's names, said by name or number; the first where nothing of the kind is said."""
        if isinstance(self.value, str) and self.value in names:
            return self.value
        index = None if isinstance(self.value, str) else self.number
        return names[index] if index is not None and 0 <= index < len(names) else names[0]

    def problem(self, text: str, hint: str, *, warns: bool = False) -> Problem:
        """What Istio has against this setting."""
        return Problem(self.path, text, hint, warns)


def _spelling(key: str, said: dict[str, Any]) -> str:
    plain = re.sub(r"(?<=[a-z0-9])[A-Z]", lambda upper: f"_{upper[0].lower()}", key)
    return plain if plain in said else key


def integer(text: str) -> int | None:
    """Read a whole number as Go's strconv does; None where it does not, or where there are too many digits."""
    match = _INTEGER.fullmatch(text)
    return int(f"-{match[1]}" if text[0] == "-" else match[1]) if match else None


def duration(text: str) -> int | None:
    """Read a duration such as `1m30s` as Go does, in nanoseconds; None where Go refuses it."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    total = 0
    if rest != "0":
        if not rest:
            return None
        while rest:
            match = _PART.match(rest)
            if match is None or not (match[1] or match[2]):
                return None
            unit, fraction = _UNITS[match[3]], match[2] or ""
            total += int(match[1] or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
            rest = rest[match.end() :]
    return -total if text[0] == "-" else total
