"""CEL, the language of Kubernetes' admission policies, by Google's own implementation (cel-expr-python).

It knows the standard functions and macros, and the extension `strings`; Kubernetes' own libraries (quantity, url, ip)
are not there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from meshgen.errors import EnvironmentFailure

VARIABLES = ("object", "cluster", "params")


class CelError(ValueError):
    """An expression that can't be read or evaluated; the message says why on one line, without values."""


def compiled(expression: str) -> Any:
    """The expression, read and with its types checked. Raises CelError, or EnvironmentFailure without the library."""
    try:
        return _environment().compile(expression)
    except RuntimeError as error:
        raise CelError(_reason(str(error))) from None


def value_of(expression: Any, variables: dict[str, Any]) -> Any:
    """What a compiled expression is for these variables. Raises CelError where it has no value."""
    try:
        value = expression.eval(data=variables)
        plain = value.plain_value()
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise CelError(_reason(str(error))) from None
    if value.type().name() == "ERROR":
        raise CelError(_reason(str(plain)))
    return plain


@cache
def _environment() -> Any:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_strings
    except ImportError:
        hint = "pip install 'meshgen[cel]', or move policy/ away"
        raise EnvironmentFailure("rules of your own in policy/ need the package cel-expr-python", hint) from None
    names = dict.fromkeys(VARIABLES, cel.Type.DYN)
    return cel.NewEnv(variables=names, extensions=[ext_strings.ExtStrings()])


def _reason(said: str) -> str:
    """The reason in what the library says, without its code, its place and its drawing of the text."""
    line = said.partition("\n")[0]
    line = re.sub(r"^[A-Z_]+: (ERROR: <input>:)?", "", line)
    return re.sub(r" \((in container '.*'|at .*)\)| \[[A-Z_]+\]$", "", line)[:200]
