"""A difference as Markdown for a comment on a change request, which holds 65,536 bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from meshgen.diff.change import HIGH, RISKS, Difference, FleetChange, Group, Risk
from meshgen.diff.written import field_lines, fleet_text, heading, printable, stage_text

LIMIT = 65_536
# Room for the last line, which says what was left out.
_ROOM = 1_000


@dataclass(frozen=True)
class _Fold:
    """How much is said: the risks that are left out, and how many fields and reasons the others show."""

    without: frozenset[Risk] = frozenset()
    low: int = 100
    high: int = 100
    reasons: int = 10


# What is given up, least first.
_FOLDS = (
    _Fold(),
    _Fold(frozenset({"cosmetic"})),
    _Fold(frozenset({"cosmetic"}), 5, 20),
    _Fold(frozenset({"cosmetic"}), 0, 5),
    _Fold(frozenset({"cosmetic", "traffic"}), 0, 5),
    _Fold(frozenset({"cosmetic", "traffic", "restart"}), 0, 5),
    _Fold(frozenset({"cosmetic", "traffic", "restart"}), 0, 0, 1),
)


def markdown(difference: Difference, *, limit: int = LIMIT) -> str:
    """The comment, never over `limit` bytes of UTF-8.

    It gives up cosmetic changes first, then fields, then traffic and restarts, and says how many. A high risk stays:
    where even their headings are too many, those of the worst risk come first, and the rest is counted.
    """
    for fold in _FOLDS:
        text = "".join(_parts(difference, fold))
        if len(text.encode()) <= limit:
            return text
    return _cut(difference, limit)


def _parts(difference: Difference, fold: _Fold) -> Iterator[str]:
    yield _head(difference)
    for risk in RISKS:
        if not difference.risks[risk] or risk in fold.without:
            continue
        yield _title(risk, difference.risks[risk])
        yield from _of_risk(difference, risk, fold)
    left = {risk: difference.risks[risk] for risk in RISKS if risk in fold.without and difference.risks[risk]}
    yield _left_out(left)


def _head(difference: Difference) -> str:
    sides = f"{_code(difference.old)} to {_code(difference.new)}"
    if difference.is_empty:
        return f"## Mesh: no difference\n\n{sides}: every object is the same.\n"
    counts = ", ".join(f"{_strong(risk)} {count}" for risk, count in difference.risks.items() if count)
    notes = "".join(f"\n{_escaped(note)}.\n" for note in difference.notes)
    return f"## Mesh: what changes\n\n{sides}, {difference.total} cluster(s) on both sides: {counts}\n{notes}"


def _strong(risk: Risk) -> str:
    return f"**{risk}**" if risk in HIGH else risk


def _title(risk: Risk, count: int) -> str:
    return f"\n### {risk} ({count})\n"


def _of_risk(difference: Difference, risk: Risk, fold: _Fold) -> Iterator[str]:
    folded = risk == "cosmetic"
    if folded:
        yield "\n<details><summary>nothing that runs reads these</summary>\n"
    yield from (_fleet(one) for one in difference.fleet if one.risk == risk)
    shown = fold.high if risk in HIGH else fold.low
    yield from (_group(one, shown, fold.reasons) for one in difference.groups if one.change.risk == risk)
    if folded:
        yield "\n</details>\n"


def _fleet(one: FleetChange) -> str:
    return f"\n- {one.action}: {_code(fleet_text(one))}: {_escaped(one.reason)}\n"


def _group(group: Group, shown: int, reasons: int) -> str:
    change = group.change
    why = "; ".join(change.reasons[:reasons]) + "; …" * (len(change.reasons) > reasons)
    text = f"\n- {change.action}: {_code(heading(group))}, stage {_code(stage_text(change))}, {_escaped(group.where)}: "
    text += f"{_escaped(_short(why))}\n"
    lines = [line for one in change.fields[:shown] for line in field_lines(one)]
    if len(change.fields) > shown:
        lines.append(f"… {len(change.fields) - shown} more field(s)")
    if not lines:
        return text
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    block = "".join(f"  {line}\n" for line in [f"{fence}diff", *map(_diff_line, lines), fence])
    return f"{text}\n{block}"


def _diff_line(line: str) -> str:
    # A diff's `~` has no colour; `!` has one.
    return f"! {line[2:]}" if line.startswith("~ ") else line.removeprefix("    ") if line[4:5] in "+-" else line


def _short(text: str) -> str:
    return text if len(text) <= 600 else f"{text[:599]}…"


def _left_out(counts: dict[Risk, int]) -> str:
    if not counts:
        return ""
    said = ", ".join(f"{count} {risk}" for risk, count in counts.items())
    return f"\nLeft out for the length of a comment: {said}. `meshgen diff` shows all.\n"


def _cut(difference: Difference, limit: int) -> str:
    """High risks alone, one line each: as many as there is room for, the riskiest first, and how many more."""
    text = _head(difference)
    room = limit - _ROOM - len(text.encode())
    left = {risk: count for risk, count in difference.risks.items() if count}
    for risk in HIGH:
        lines = [*(_fleet(one) for one in difference.fleet if one.risk == risk)]
        lines += [f"\n- {_code(heading(one))}" for one in difference.groups if one.change.risk == risk]
        for part in [_title(risk, difference.risks[risk]), *lines] if lines else []:
            room -= len(part.encode())
            if room < 0:
                return f"{text}\n{_left_out(left)}"
            text += part
            left[risk] -= not part.startswith("\n###")
    return f"{text}\n{_left_out({risk: count for risk, count in left.items() if count})}"


def _code(text: str) -> str:
    """A text as code, in which nothing is Markdown, HTML or a mention; one that holds backticks has more around it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{printable(text)}{pad}{fence}"


_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~@&!])")


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", printable(text))
