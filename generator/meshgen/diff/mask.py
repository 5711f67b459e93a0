"""What of a value may be shown: no secret, no long or binary text; of texts of several lines what differs."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from meshgen.credentials import HIDDEN_IN_DIFF, awaiting, may_be_secret
from meshgen.credentialshapes import PRIVATE_KEY
from meshgen.diff.fields import Field, Item
from meshgen.redaction import redacted
from meshgen.sops import is_ciphertext, is_key

# What SOPS encrypted.
ENCRYPTED = "(encrypted)"
LONGEST = 200
MOST_LINES = 10
# Line diffs are quadratic at worst.
_MOST_COMPARED = 1500
_KEY = re.compile(rf"{HIDDEN_IN_DIFF}$", re.I)
CHECKSUM = re.compile(r"(^|[/.-])(config-)?checksum([/.-]|$)")


def is_secret(kind: str, path: Sequence[str]) -> bool:
    """Whether what stands at a path of an object is a credential, by its kind or by what it is called."""
    if kind == "Secret" and path[:1] in (("data",), ("stringData",)):
        return True
    if path[-1:] == ("value",) and any(isinstance(step, Item) and _KEY.search(step[1:-1]) for step in path):
        return True
    return any(_KEY.search(step) for step in path if not isinstance(step, Item))


def masked(value: Any, kind: str, path: tuple[str, ...]) -> Any:
    """A value as it may be shown: a JSON value of the same shape."""
    if isinstance(value, dict):
        named = value.get("name")
        inner = (*path, named) if isinstance(named, str) and "value" in value else path
        return {
            key: masked(item, kind, (*(inner if key == "value" else path), str(key))) for key, item in value.items()
        }
    if isinstance(value, list):
        # A list of arguments may name an option in one item and its value in the next.
        options = [None, *map(awaiting, value[:-1])]
        return [
            masked(item, kind, (*path, option) if option else path)
            for option, item in zip(options, value, strict=False)
        ]
    if value is None or isinstance(value, bool) or value == "":
        return value
    if is_ciphertext(value) or is_key(path):
        return ENCRYPTED
    if is_secret(kind, path) or _is_random(path, value):
        # No digest: a short secret can be found by it.
        return f"(secret, {len(str(value))} characters)"
    return _text(value) if isinstance(value, str) else value


def _is_random(path: Sequence[str], value: Any) -> bool:
    """Whether a value is as random as a credential, and is called so that it may be one."""
    named = [step[1:-1] if isinstance(step, Item) else step for step in path[-2:]]
    called = named[0] if named[-1:] == ["value"] else named[-1] if named else ""
    return isinstance(value, str) and may_be_secret(called, value)


def _text(text: str) -> str:
    if PRIVATE_KEY.search(text):
        return f"(secret, {len(text)} characters)"
    if len(text) > LONGEST or "\n" in text.rstrip("\n") or _is_binary(text):
        return digest(text)
    return redacted(text)


def _is_binary(text: str) -> bool:
    return any(ord(character) < 32 and character not in "\t\n\r" for character in text)


def digest(text: str) -> str:
    """A text by its length and digest."""
    data = text.encode("utf-8", "surrogatepass")
    return f"({len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:12]})"


def is_checksum(field: Field) -> bool:
    """Whether it is an annotation that follows another change, by which pods restart."""
    return CHECKSUM.search(field.path[-1]) is not None and "annotations" in field.path


def shown(field: Field, kind: str) -> tuple[Any, Any, tuple[str, ...]]:
    """The old and the new value as they may be shown, and for texts of several lines the lines that differ."""
    if is_checksum(field):
        # It says no more than that something else has changed, and is another one in each cluster.
        return ("(checksum)" if field.old is not None else None), ("(checksum)" if field.new is not None else None), ()
    old, new = masked(field.old, kind, field.path), masked(field.new, kind, field.path)
    if field.action == "order":
        return old, new, ()
    return old, new, _lines(field, kind)


def _lines(field: Field, kind: str) -> tuple[str, ...]:
    texts = [text for text in (field.old, field.new) if isinstance(text, str)]
    if len(texts) < 2 or not any("\n" in text.rstrip("\n") for text in texts) or is_secret(kind, field.path):
        return ()
    if is_key(field.path):
        return ()
    if any(PRIVATE_KEY.search(text) or _is_binary(text) or _is_random(field.path, text) for text in texts):
        return ()
    before, after = _differing(_hidden(texts[0].splitlines()), _hidden(texts[1].splitlines()))
    if len(before) + len(after) > _MOST_COMPARED:
        return ()
    changed = [line for line in _compared(before, after) if line[:1] in "+-"]
    kept = [line if len(line) <= LONGEST else f"{line[0]}{digest(line[1:])}" for line in changed[:MOST_LINES]]
    if len(changed) > MOST_LINES:
        kept = [*kept[: MOST_LINES - 1], f"… {len(changed) - MOST_LINES + 1} more lines"]
    return tuple(kept)


_BLOCK = re.compile(rf"^(?P<indent>\s*).*{HIDDEN_IN_DIFF}[\"']?\s*[:=]\s*[|>]?[-+0-9]*\s*$", re.I)


def _hidden(lines: list[str]) -> list[str]:
    """The lines without what stands below a key of a credential, such as a block of YAML."""
    hidden: list[str] = []
    depth: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if depth is not None and (indent > depth or not line.strip()):
            hidden.append(f"{line[:indent]}(secret)")
            continue
        depth = indent if _BLOCK.match(line) else None
        hidden.append(line)
    return hidden


def _differing(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """What is left of both without the lines that they begin and end with alike."""
    start = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), None)
    if start is None:
        start = min(len(old), len(new))
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


def _compared(old: list[str], new: list[str]) -> Iterator[str]:
    """The unified diff without its heads. A line that hides a secret is compared before it is hidden."""
    lines = difflib.unified_diff(old, new, lineterm="", n=0)
    for line in lines:
        if not line.startswith(("---", "+++", "@@")) or line[3:4] not in ("", " "):
            yield line[0] + redacted(line[1:])
