"""Kubernetes quantities, as far as a tree has to spell them anew, and a reader to compare them."""

from __future__ import annotations

import math
import re
from decimal import ROUND_UP, Decimal
from fractions import Fraction

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
_AMOUNT = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]{1,3})?")
_GREATEST = Fraction(2**63 - 1)
_BINARY: dict[str, int] = {f"{prefix}i": 1024**power for power, prefix in enumerate("KMGTPE", 1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def cpu(quantity: str | float) -> str:
    """Spell a CPU quantity as Kubernetes does once it has read it: `0.5` and `500m` are `500m`, `1000m` is `1`.

    What is no quantity stays as it is.
    """
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        return str(quantity)
    number, suffix = match.groups()
    suffix = suffix or ""
    if suffix in _BINARY or (suffix[:1] in ("e", "E") and len(suffix) > 1):
        # Nobody measures CPUs so, and Kubernetes keeps the suffix's format.
        return str(quantity)
    nanos = (Decimal(number) * Decimal(10) ** (_DECIMAL[suffix] + 9)).to_integral_value(ROUND_UP)
    return _spelled(int(nanos))


def amount_of(quantity: object) -> Fraction | None:
    """How much a quantity is, as a server keeps it: in thousandths, rounded up; None for what is none."""
    match = _AMOUNT.fullmatch(str(quantity)) if not isinstance(quantity, bool) else None
    if match is None:
        return None
    number, suffix = Fraction(match[1]), match[2] or ""
    if suffix in _BINARY:
        number *= _BINARY[suffix]
    else:
        number *= Fraction(10) ** (_DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:]))
    # Beyond these it counts as the greatest number there is.
    return max(min(Fraction(math.ceil(number * 1000), 1000), _GREATEST), -_GREATEST)


def _spelled(nanos: int) -> str:
    """The largest suffix that leaves a whole number."""
    if nanos == 0:
        return "0"
    for suffix, power in reversed(_DECIMAL.items()):
        whole, rest = divmod(nanos, 10 ** (power + 9))
        if rest == 0:
            return f"{whole}{suffix}"
    raise AssertionError("a whole number of nanos has a suffix")
