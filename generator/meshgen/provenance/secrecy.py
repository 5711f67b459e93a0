"""Keeps back what may be a credential: a question about where a value comes from never needs to print one."""

from __future__ import annotations

import re
from typing import Any

from meshgen.credentials import HIDDEN_IN_EXPLANATION, awaiting, may_be_secret
from meshgen.provenance.edits import at_path
from meshgen.provenance.field import Path
from meshgen.provenance.variants import schema_of
from meshgen.redaction import holds_secret
from meshgen.sops import is_ciphertext, is_key
from meshgen.yaml import NOWHERE

HIDDEN = "(not shown: it may be a secret)"
ENCRYPTED = "(encrypted)"
# A key whose value a line may say, besides those that `redacted` knows.
_SAID = re.compile(r"secret[\"']?\s*[:=]|-----BEGIN", re.I)


def of_object(obj: dict[str, Any], path: Path, value: Any) -> Any:
    """A field's value with what may be a secret kept back; all of a Secret's data is.

    `obj` is what the path leads into: an item of `env` or of `args` is told by what stands beside it.
    """
    if obj.get("kind") == "Secret" and path[:1] not in (("metadata",), ("apiVersion",), ("kind",), ("type",)):
        return value if value is NOWHERE else ENCRYPTED if is_ciphertext(value) or is_key(path) else HIDDEN
    return ENCRYPTED if is_key(path) else _at(obj, path, value)


def of_setting(settings: dict[str, Any], path: Path, value: Any) -> Any:
    """A setting's value with what may be a secret kept back; `settings` are what the path leads into."""
    if path[:1] in _BY_NAME and len(path) == 2:
        return _shielded(value, "")
    return _at(settings, path, value, secret=bool(schema_of(path).get("x-secret")))


# Maps by names of the user's own, where `secrets` is no more than what a resource is called.
_BY_NAME = (("resources",), ("expose",))


def _at(whole: Any, path: Path, value: Any, *, secret: bool = False) -> Any:
    """A value with what may be a secret kept back, by the key that leads to it and by what stands beside it."""
    keys = [part for part in path if isinstance(part, str)]
    key = keys[-1] if keys else ""
    beside = _called(at_path(whole, path[:-1]), path[-1]) if path else ""
    return _shielded(value, beside or key, secret=secret or _names(key))


def _called(container: Any, step: Any) -> str:
    """What a value is called: by `name` beside `value`, by an option before it, else by its key."""
    if isinstance(container, dict):
        return str(container.get("name", step) if step == "value" else step)
    beside = isinstance(container, list) and isinstance(step, int) and 0 < step <= len(container)
    return (awaiting(container[step - 1]) if beside else None) or ""


def _names(called: str) -> bool:
    return HIDDEN_IN_EXPLANATION.search(called) is not None


def _shielded(value: Any, called: str, *, secret: bool = False) -> Any:
    secret = secret or _names(called)
    if isinstance(value, dict):
        return {key: _shielded(item, _called(value, key), secret=secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_shielded(item, _called(value, index) or called, secret=secret) for index, item in enumerate(value)]
    if not isinstance(value, str) or not value:
        return value
    if is_ciphertext(value):
        return ENCRYPTED
    return HIDDEN if secret or may_be_secret(called, value) or _holds_secret(value) else value


def _holds_secret(text: str) -> bool:
    return _SAID.search(text) is not None or holds_secret(text)
