"""How names have to be written: of objects, containers, ports, labels and keys.

Sources: k8s.io/apimachinery pkg/util/validation and pkg/api/validate/content.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from meshgen.check.refused.refusal import Path, Refusal, Refusals, strings
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_WORD = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


class Form(NamedTuple):
    """How a text has to be written, as a pattern and in words."""

    noun: str
    pattern: re.Pattern[str]
    longest: int
    words: str

    def takes(self, word: str) -> bool:
        """Whether a text is written so."""
        return len(word.encode()) <= self.longest and self.pattern.fullmatch(word) is not None


def form(noun: str, pattern: str, longest: int, words: str) -> Form:
    """A form by the text of its pattern."""
    return Form(noun, re.compile(pattern), longest, words)


_OTHER = re.compile(r"[^a-z0-9.-]+")
_SMALL = "lower case letters, digits and hyphens, beginning and ending with a letter or a digit"
LABEL = form("DNS label", _LABEL, 63, f"at most 63 {_SMALL}")
SUBDOMAIN = form("DNS subdomain", rf"{_LABEL}(?:\.{_LABEL})*", 253, f"{_SMALL}; dots may part them")
WILDCARD = form("wildcard of a DNS domain", rf"\*\.{_LABEL}(?:\.{_LABEL})*", 253, "*. and a domain, as *.example.com")
SERVICE = form(
    "name of a Service",
    r"[a-z](?:[-a-z0-9]*[a-z0-9])?",
    63,
    "at most 63 lower case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
)
PORT = form(
    "name of a port",
    r"(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?",
    15,
    "at most 15 lower case letters, digits and single hyphens between them, a letter among them",
)
SEGMENT = form("name", r"(?!\.{1,2}$)[^/%]+", 2**31, "anything but . and .., without / and %")
KEY = form(
    "key", r"(?!\.{1,2}$)(?!\.\.)[-._a-zA-Z0-9]+", 253, "letters, digits, -, _ and ., not beginning with two dots"
)
VARIABLE = form("name of a variable", r"[ -<>-~]+", 2**31, "printable ASCII other than =")
OLD_VARIABLE = form(
    "name of a variable",
    r"(?!\.\.)(?!\.$)[-._a-zA-Z][-._a-zA-Z0-9]*",
    2**31,
    "letters, digits, _, - and ., not beginning with a digit",
)
_QUALIFIED = form("name", _WORD, 63, "at most 63 letters, digits, -, _ and ., a letter or digit at both ends")
_VALUE = form("value of a label", rf"(?:{_WORD})?", 63, _QUALIFIED.words)


def misnamed(holder: Map, at: Path, key: str, form: Form) -> Refusals:
    """A name at a key that is not written as its form has it; an empty one counts as none."""
    name = text(holder, key)
    if name and not form.takes(name):
        near = _near(name, form)
        hint = f"write {form.words}" + (f": {near}" if near else "")
        yield Refusal((*at, key), f"{_quoted(name)} is no {form.noun}", hint)


def _near(name: str, form: Form) -> str | None:
    """The name that is probably meant, in what the form allows."""
    plain_name = re.sub("-{2,}", "-", _OTHER.sub("-", name.lower()))[: form.longest].strip("-.")
    candidates = (plain_name, plain_name.replace(".", "-"))
    return next((one for one in candidates if form.takes(one)), None) if form.longest <= SUBDOMAIN.longest else None


def unnamed(holder: Map, at: Path, key: str, form: Form) -> Refusals:
    """As `misnamed`, of a name that may not be empty."""
    if holder.get(key) == "":
        yield Refusal((*at, key), "the name is empty", f"write {form.words}")
    yield from misnamed(holder, at, key, form)


def repeated(holder: Map, at: Path, list_: str, key: str, what: str, seen: set[str] | None = None) -> Refusals:
    """Entries of a list whose name another one before has; `seen` are names taken already."""
    names = set() if seen is None else set(seen)
    for index, one in placed(holder, list_):
        name = text(one, key)
        if name and name in names:
            yield Refusal((*at, list_, index, key), f"two {what} are called {_quoted(name)}", "name one otherwise")
        names.add(name)


def is_qualified(name: str) -> bool:
    """Whether a name is that of a label: a word, perhaps with a domain before a slash."""
    prefix, slash, word = name.rpartition("/")
    return _QUALIFIED.takes(word) and (not slash or SUBDOMAIN.takes(prefix))


def is_value(text: str) -> bool:
    """Whether a text can be the value of a label."""
    return _VALUE.takes(text)


def bad_labels(labels: Map, at: Path) -> Refusals:
    """Keys and values that labels can't have; values are not shown."""
    for key, value in labels.items():
        yield from _bad_key(key, (*at, key))
        if isinstance(value, str) and not _VALUE.takes(value):
            yield Refusal((*at, key), f"the value is no {_VALUE.noun}", f"it may be empty, or have {_VALUE.words}")


def bad_annotations(annotations: Map, at: Path) -> Refusals:
    """Keys that annotations can't have; case does not matter in them."""
    for key in annotations:
        if isinstance(key, str) and not is_qualified(key.lower()):
            yield from _bad_key(key, (*at, key))


def _bad_key(key: object, at: Path) -> Refusals:
    if isinstance(key, str) and not is_qualified(key):
        hint = f"{_QUALIFIED.words}; before it may stand a domain and a slash, as in example.com/tier"
        yield Refusal(at, "the key is none that labels and annotations have", hint, at_key=True)


_OPERATORS, _OF_NODES = ("In", "NotIn", "Exists", "DoesNotExist"), ("Gt", "Lt")


def bad_selector(selector: Map, at: Path) -> Refusals:
    """What a label selector can't say."""
    yield from bad_labels(mapping(selector, "matchLabels"), (*at, "matchLabels"))
    for index, one in placed(selector, "matchExpressions"):
        yield from bad_expression(one, (*at, "matchExpressions", index))


def bad_expression(expression: Map, at: Path, *, of_nodes: bool = False) -> Refusals:
    """A requirement of a selector whose values don't go with its operator, or are none that labels have."""
    operator, values = text(expression, "operator"), list(strings(expression, "values"))
    known = (*_OPERATORS, *_OF_NODES) if of_nodes else _OPERATORS
    if operator and operator not in known:
        yield Refusal((*at, "operator"), "there is no such operator", f"say one of {', '.join(known)}")
    if operator in ("In", "NotIn") and not expression.get("values"):
        yield Refusal((*at, "operator"), f"{operator} has no values", "add values, or say Exists or DoesNotExist")
    if operator in ("Exists", "DoesNotExist") and expression.get("values"):
        yield Refusal((*at, "values"), f"{operator} takes no values", "take them out, or say In or NotIn")
    if of_nodes and operator in _OF_NODES and len(expression.get("values") or ()) != 1:
        yield Refusal((*at, "operator"), f"{operator} takes one value", "say one whole number")
    key = text(expression, "key")
    if key and not is_qualified(key):
        yield Refusal((*at, "key"), f"{_quoted(key)} is no key of a label", _QUALIFIED.words)
    for index, value in values:
        # Labels of nodes are looked at by newer servers only.
        if not of_nodes and not _VALUE.takes(value):
            yield Refusal((*at, "values", index), f"the value is no {_VALUE.noun}", _VALUE.words)


def _quoted(name: str) -> str:
    return f'"{plain(name)}"'
