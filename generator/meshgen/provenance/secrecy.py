"""Keeps back what may be a credential: a question about where a value comes from never needs to print one."""

from __future__ import annotations

import re
from typing import Any

from meshgen.credentials import HIDDEN_IN_EXPLANATION, SHAPES
from meshgen.provenance.field import Path
from meshgen.provenance.variants import schema_of
from meshgen.sops import is_ciphertext, is_key
from meshgen.yaml import NOWHERE

HIDDEN = "(not shown: it may be a secret)"
ENCRYPTED = "(encrypted)"
_SAID = re.compile(r"(passw(or)?d|secret|token|api_?key)[\"']?\s*[:=]|://[^/\s:@]+:[^/\s@]+@|-----BEGIN", re.I)


def of_object(kind: str, path: Path, value: Any) -> Any:
    """A field's value with what may be a secret kept back; all of a Secret's data is."""
    if kind == "Secret" and path[:1] not in (("metadata",), ("apiVersion",), ("kind",), ("type",)):
        return value if value is NOWHERE else ENCRYPTED if is_ciphertext(value) or is_key(path) else HIDDEN
    return ENCRYPTED if is_key(path) else _shielded(value, _may_be_secret(path))


def of_setting(path: Path, value: Any) -> Any:
    """A setting's value with what may be a secret kept back."""
    named = path[:1] in _BY_NAME and len(path) == 2
    return _shielded(value, not named and (_may_be_secret(path) or bool(schema_of(path).get("x-secret"))))


# Maps by names of the user's own, where `secrets` is no more than what a resource is called.
_BY_NAME = (("resources",), ("expose",))


def _may_be_secret(path: Path) -> bool:
    keys = [part for part in path if isinstance(part, str)]
    return bool(keys and HIDDEN_IN_EXPLANATION.search(keys[-1]))


def _shielded(value: Any, secret: bool) -> Any:
    if isinstance(value, dict):
        named = bool(HIDDEN_IN_EXPLANATION.search(str(value.get("name", ""))))
        return {
            key: _shielded(item, secret or bool(HIDDEN_IN_EXPLANATION.search(str(key))) or (named and key == "value"))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_shielded(item, secret) for item in value]
    if not isinstance(value, str) or not value:
        return value
    if is_ciphertext(value):
        return ENCRYPTED
    return HIDDEN if secret or _SAID.search(value) or SHAPES.search(value) else value
