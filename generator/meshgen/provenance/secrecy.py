"""Keeps back what may be a credential: a question about where a value comes from never needs to print one."""

from __future__ import annotations

import re
from typing import Any

from meshgen.credentials import HIDDEN_IN_EXPLANATION, awaiting, has_shape
from meshgen.provenance.edits import at_path
from meshgen.provenance.field import Path
from meshgen.provenance.variants import schema_of
from meshgen.redaction import redacted
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
    return ENCRYPTED if is_key(path) else _shielded(value, _may_be_secret(path) or _is_named(obj, path))


def of_setting(settings: dict[str, Any], path: Path, value: Any) -> Any:
    """A setting's value with what may be a secret kept back; `settings` are what the path leads into."""
    if path[:1] in _BY_NAME and len(path) == 2:
        return _shielded(value, secret=False)
    secret = _may_be_secret(path) or _is_named(settings, path) or bool(schema_of(path).get("x-secret"))
    return _shielded(value, secret)


# Maps by names of the user's own, where `secrets` is no more than what a resource is called.
_BY_NAME = (("resources",), ("expose",))


def _may_be_secret(path: Path) -> bool:
    keys = [part for part in path if isinstance(part, str)]
    return bool(keys and HIDDEN_IN_EXPLANATION.search(keys[-1]))


def _is_named(obj: Any, path: Path) -> bool:
    """Whether a field is the value of a variable or an option that is called like a secret."""
    return bool(path) and _names(at_path(obj, path[:-1]), path[-1])


def _names(container: Any, step: Any) -> bool:
    """Whether what stands beside a value names it like a secret: `name` beside `value`, an option before its value."""
    if isinstance(container, dict):
        return step == "value" and HIDDEN_IN_EXPLANATION.search(str(container.get("name", ""))) is not None
    beside = isinstance(container, list) and isinstance(step, int) and 0 < step <= len(container)
    option = awaiting(container[step - 1]) if beside else None
    return option is not None and HIDDEN_IN_EXPLANATION.search(option) is not None


def _shielded(value: Any, secret: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _shielded(item, secret or bool(HIDDEN_IN_EXPLANATION.search(str(key))) or _names(value, key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_shielded(item, secret or _names(value, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or not value:
        return value
    if is_ciphertext(value):
        return ENCRYPTED
    return HIDDEN if secret or _holds_secret(value) else value


def _holds_secret(text: str) -> bool:
    if _SAID.search(text) or has_shape(text):
        return True
    return any(redacted(line) != line for line in text.splitlines())
