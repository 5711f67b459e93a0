"""Numbers and names of ports."""

from __future__ import annotations

from meshgen.check.refused.names import PORT
from meshgen.check.refused.refusal import Path, Refusal, Refusals, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map

_LAST = 65535


def bad_number(holder: Map, at: Path, key: str, least: int = 1) -> Refusals:
    """A number that is no port; with `least` 0, zero counts as none."""
    number = whole(holder, key)
    if number is not None and not least <= number <= _LAST:
        yield Refusal((*at, key), f"{number} is no port", f"ports are 1 to {_LAST}")


def bad_number_or_name(holder: Map, at: Path, key: str) -> Refusals:
    """A port that is neither a number nor the name of one; a number in quotes is a name."""
    value = holder.get(key)
    if not isinstance(value, str):
        yield from bad_number(holder, at, key)
    elif value and not PORT.takes(value):
        number = value.isascii() and value.isdigit()
        hint = f"take the quotes off: {value[:5]}" if number else PORT.words
        text = "a number in quotes is taken for a name" if number else f'"{plain(value)}" is no {PORT.noun}'
        yield Refusal((*at, key), text, hint)
