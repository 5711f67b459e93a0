"""Schedules of CronJobs, as the parser of Kubernetes reads them.

Source: github.com/robfig/cron parser.go, with the five fields of crontab and descriptors.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from meshgen.check.forms import GO_JSON, reads

_NAMES_OF_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES_OF_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = {name: index + 1 for index, name in enumerate(_NAMES_OF_MONTHS)}
_DAYS = {name: index for index, name in enumerate(_NAMES_OF_DAYS)}
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_EVERY = "@every "
_NUMBER = re.compile(r"[-+]?[0-9]+")


class _Field(NamedTuple):
    noun: str
    lowest: int
    highest: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def schedule_fault(schedule: str) -> str | None:
    """Say why a schedule can't be read; None where it can."""
    if schedule.startswith("@"):
        return _descriptor_fault(schedule)
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        return f"a schedule has five fields, and this one {len(parts)}"
    for part, field in zip(parts, _FIELDS, strict=True):
        for one in filter(None, part.split(",")):
            if fault := _range_fault(one, field):
                return f"{field.noun}: {fault}"
    return None


def _descriptor_fault(schedule: str) -> str | None:
    if schedule in _DESCRIPTORS:
        return None
    if schedule.startswith(_EVERY) and not reads(schedule.removeprefix(_EVERY), "duration", GO_JSON):
        return None
    return f"there are only {', '.join(_DESCRIPTORS)} and {_EVERY}DURATION"


def _range_fault(text: str, field: _Field) -> str | None:
    span, *steps = text.split("/")
    if len(steps) > 1:
        return "it has several slashes"
    first, *last = span.split("-")
    if first in ("*", "?"):
        start, end = field.lowest, field.highest
    else:
        if len(last) > 1:
            return "it has several hyphens"
        numbers = [_number(part, field) for part in (first, *last)]
        if None in numbers:
            return "it is no number"
        start, end = (number or 0 for number in (numbers[0], numbers[-1]))
    if steps and (_NUMBER.fullmatch(steps[0]) is None or int(steps[0]) <= 0):
        return "the step is no number above 0"
    if steps and not last:
        end = field.highest
    if not field.lowest <= start <= end <= field.highest:
        return f"it goes from {field.lowest} to {field.highest}"
    return None


def _number(text: str, field: _Field) -> int | None:
    named = field.names.get(text.lower())
    if named is not None:
        return named
    return int(text) if _NUMBER.fullmatch(text) and int(text) >= 0 else None
