"""YAML out: what Go's readers, in Kubernetes, Flux, Argo CD and kustomize, read back unchanged, and people can review.

A string is plain only where no reader can take it for anything else, a literal block where it has several lines that
stand as they are, and otherwise in double quotes. Nothing is folded, and maps keep their order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from meshgen.yaml.scalars import RESERVED_WORDS, in_range

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*")
# What is invisible, moves other text about, or is changed by some reader: controls, line and paragraph separators,
# spaces other than U+0020 and U+3000, soft hyphen, bidirectional marks, byte order mark, surrogates, private use,
# non-characters. Not str.isprintable(), whose answer changes with Python's version.
_UNSEEN = (
    "\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\ud800-\uf8ff\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000effff\U000f0000-\U0010ffff"
)
_ESCAPED = re.compile(f'[{_UNSEEN}"\\\\]')
_NOT_LITERAL = re.compile(f"[{_UNSEEN}]")
# An editor, or a reader's rule for indentation, changes a line that ends in a space or begins with a tab.
_RISKY_LINE = re.compile(r"[ \t]$|^\t", re.MULTILINE)
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
# Readers look for the ":" of an ordinary key only this far (libyaml's limit is 1,024 characters).
_LONGEST_KEY = 1000
# Beyond this, a float no longer tells neighbouring integers apart, and its digits would pretend to.
_EXACT = 2**53


def emit(value: Any) -> str:
    """Give one document in block style, ending in a newline; raises ValueError for what JSON has no type for."""
    lines: list[str] = []
    _Emitter(lines).root(value)
    return "".join(lines)


def emit_documents(values: Iterable[Any]) -> str:
    """Give a stream of documents, each but the first behind a line `---`."""
    return "---\n".join(emit(value) for value in values)


def scalar(value: Any) -> str:
    """Give a scalar for any place on a line, in block or flow style; raises ValueError for anything else."""
    if isinstance(value, str):
        return _string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not in_range(value):
            raise ValueError("an integer beyond 64 bits can't be written as YAML: Go's readers change it")
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    raise ValueError(f"a value of type {type(value).__name__} can't be written as YAML")


def flow(value: Any) -> str:
    """Give a scalar, list or map on one line, in flow style; raises ValueError like `emit`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


class _Emitter:
    """Writes one document as pieces of text; every piece of a node's own lines ends in a newline."""

    def __init__(self, pieces: list[str]) -> None:
        self._write = pieces.append

    def root(self, value: Any) -> None:
        if isinstance(value, dict) and value:
            self._map(value, "", "")
        elif isinstance(value, list) and value:
            self._list(value, "", "")
        else:
            self._write(self._leaf(value, "") + "\n")

    def _map(self, value: dict[str, Any], indent: str, first: str) -> None:
        """Write a map's entries; `first` stands for the first one's indentation, which a list's "- " may be."""
        write = self._write
        lead = first
        for key, item in value.items():
            name = self._key(key, indent)
            if isinstance(item, dict) and item:
                write(f"{lead}{name}:\n")
                self._map(item, indent + "  ", indent + "  ")
            elif isinstance(item, list) and item:
                write(f"{lead}{name}:\n")
                self._list(item, indent, indent)
            else:
                write(f"{lead}{name}: {self._leaf(item, indent)}\n")
            lead = indent

    def _list(self, value: list[Any], indent: str, first: str) -> None:
        write = self._write
        lead = first
        for item in value:
            if isinstance(item, dict) and item:
                self._map(item, indent + "  ", lead + "- ")
            elif isinstance(item, list) and item:
                self._list(item, indent + "  ", lead + "- ")
            else:
                write(f"{lead}- {self._leaf(item, indent)}\n")
            lead = indent

    def _key(self, key: Any, indent: str) -> str:
        name = _string(_checked_key(key))
        return name if len(name) <= _LONGEST_KEY else f"? {name}\n{indent}"

    def _leaf(self, value: Any, indent: str) -> str:
        if isinstance(value, str):
            if "\n" in value and _is_literal(value):
                return _literal(value, indent + "  ")
            return _string(value)
        if isinstance(value, dict):
            return "{}"
        return "[]" if isinstance(value, list) else scalar(value)


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a key of type {type(key).__name__} can't be written as YAML")
    return key


def _flow_key(key: Any) -> str:
    name = _string(_checked_key(key))
    return name if len(name) <= _LONGEST_KEY else f"? {name} "


# Objects of Kubernetes say the same words again and again.
@lru_cache(maxsize=8192)
def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in RESERVED_WORDS:
        return text
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}")


def _is_literal(text: str) -> bool:
    """Tell whether a text's lines can stand as they are, under an indentation that the first of them shows."""
    return not (text[0] in " \n" or _RISKY_LINE.search(text) or _NOT_LITERAL.search(text.replace("\n", "")))


def _literal(text: str, indent: str) -> str:
    """Give a literal block without its last line break."""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    lines = "\n".join(indent + line if line else "" for line in body.split("\n"))
    chomping = ("-", "")[ends] if ends < 2 else "+"
    return f"|{chomping}\n{lines}" + "\n" * max(0, ends - 1)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("an infinite number or NaN can't be written as YAML: JSON has neither")
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(float(value))
