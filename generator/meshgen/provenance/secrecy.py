"""Keeps back what may be a credential: a question about where a value comes from never needs to print one."""

from __future__ import annotations

import re
from typing import Any

from meshgen.provenance.field import Path
from meshgen.provenance.variants import schema_of
from meshgen.yaml import NOWHERE

HIDDEN = "(not shown: it may be a secret)"
# Wider than what a check warns of: a name of a Secret that is kept back does no harm.
_CREDENTIAL = re.compile(
    r"(passw(or)?d|passphrase|signing_?key|api_?key|private_?key|secret|token|credential)s?$", re.I
)
_SAID = re.compile(r"(passw(or)?d|secret|token|api_?key)[\"']?\s*[:=]|://[^/\s:@]+:[^/\s@]+@|-----BEGIN", re.I)


def of_object(kind: str, path: Path, value: Any) -> Any:
    """A field's value with what may be a secret kept back; all of a Secret's data is."""
    if kind == "Secret" and path[:1] not in (("metadata",), ("apiVersion",), ("kind",), ("type",)):
        return value if value is NOWHERE else HIDDEN
    return _shielded(value, _may_be_secret(path))


def of_setting(path: Path, value: Any) -> Any:
    """A setting's value with what may be a secret kept back."""
    return _shielded(value, _may_be_secret(path) or bool(schema_of(path).get("x-secret")))


def _may_be_secret(path: Path) -> bool:
    keys = [part for part in path if isinstance(part, str)]
    return bool(keys and _CREDENTIAL.search(keys[-1]))


def _shielded(value: Any, secret: bool) -> Any:
    if isinstance(value, dict):
        named = bool(_CREDENTIAL.search(str(value.get("name", ""))))
        return {
            key: _shielded(item, secret or bool(_CREDENTIAL.search(str(key))) or (named and key == "value"))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_shielded(item, secret) for item in value]
    return HIDDEN if isinstance(value, str) and value and (secret or _SAID.search(value)) else value
