"""From bytes to the C parser's events; what is no YAML becomes a `ReadError` in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent

from meshgen.yaml.problem import Mark, Problem, ReadError

MAX_BYTES = 16 * 1024 * 1024
MAX_PROBLEMS = 100
# What kustomize can't carry: it fails on them, or changes them (found by trying each). Tab and line breaks may stand.
UNCARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_START = Mark(1, 1)

# ruamel.yaml.clib 0.2 holds libyaml 0.1.7, which stops a plain scalar of a flow collection at every ":" and "?":
# `{url: https://example.com}` is an error to it and a URL to all other readers. Such characters, always between two
# characters of a plain scalar, are disguised for a second try: to other readers they never end a token there.
_DISGUISED = re.compile(r"""(?<=[^\s,\[\]{}"':?])[:?]+(?=[^\s,\[\]{}:?])""")


def decode(data: bytes) -> str:
    """Give the text of a file without its byte order mark; raises ReadError for what no reader of YAML should see."""
    if len(data) > MAX_BYTES:
        raise ReadError([Problem(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        hint = "save it as UTF-8" + (", not UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "")
        raise ReadError([Problem("the file is not UTF-8 from here on", _after(before), hint=hint)]) from error
    problems = []
    mark, end = _START, 0
    for found in islice(UNCARRIED.finditer(text), MAX_PROBLEMS):
        mark, end = _after(text[end : found.start()], mark), found.start()
        problems.append(uncarried(found.group(), mark))
    if problems:
        raise ReadError(problems)
    return text


def uncarried(character: str, mark: Mark, pointer: str | None = None) -> Problem:
    """Say that a character can't stand in any value, however it is written."""
    message = f"the character U+{ord(character):04X} can't be carried by kustomize and kubectl"
    return Problem(message, mark, pointer, "remove it")


class EarlyStopError(Exception):
    """libyaml 0.1.7 gave up where newer readers may go on: read again, with `disguise`."""


def parse(text: str, *, disguise: bool = False) -> Iterator[Any]:
    """Yield ruamel.yaml's events of a text, as they are parsed; a syntax error raises ReadError with one problem.

    Raises EarlyStopError, without `disguise`, where the events so far may be wrong about the last scalar. Disguised or
    not, events hold the text's own values and positions.
    """
    try:
        yield from _parse_disguised(text) if disguise else _events(text)
    except YAMLError as error:
        if not disguise and _is_early_stop(error, text):
            raise EarlyStopError from error
        raise ReadError([_explain(error, text)]) from error


def _events(text: str) -> Iterator[Any]:
    # What YAML(typ="safe").parse does too, in three times the time.
    return iter(CParser(text).get_event, None)


def mark_of(mark: Any) -> Mark:
    """Give ruamel.yaml's mark, which counts from 0, as ours."""
    return Mark(mark.line + 1, mark.column + 1)


def _after(text: str, begin: Mark = _START) -> Mark:
    """Give the place right after a text that begins at another place."""
    breaks = text.count("\n") + text.count("\r") - text.count("\r\n")
    if not breaks:
        return Mark(begin.line, begin.column + len(text))
    return Mark(begin.line + breaks, len(text) - max(text.rfind("\n"), text.rfind("\r")))


def _is_early_stop(error: YAMLError, text: str) -> bool:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return False
    index = error.problem_mark.index
    return text[index : index + 1] in (":", "?") and _DISGUISED.search(text) is not None


def _parse_disguised(text: str) -> Iterator[Any]:
    unused = (character for character in map(chr, range(0xE000, 0xF900)) if character not in text)
    colon, question = next(unused), next(unused)
    disguise = str.maketrans({":": colon, "?": question})
    reveal = str.maketrans({colon: ":", question: "?"})
    # Overwriting in place, for re.sub would hold every piece of a hostile text at once.
    disguised = StringIO(text, newline="")
    for found in _DISGUISED.finditer(text):
        disguised.seek(found.start())
        disguised.write(found.group().translate(disguise))
    for event in _events(disguised.getvalue()):
        if isinstance(event, ScalarEvent):
            event.value = event.value.translate(reveal)
        yield event


_Explanation = tuple[str, str | None]
_QUOTED_ESCAPE = "write the character itself, or \\\\ for a backslash; in single quotes nothing is escaped"
# libyaml's words, and ours with the next move.
_PLAIN_WORDS: dict[str, _Explanation] = {
    "mapping values are not allowed in this context": (
        'a second ": " in one value, or a key at another indentation than its neighbours',
        "quote the value, or begin each key of a map in the same column",
    ),
    "block sequence entries are not allowed in this context": (
        'a list item ("- ") cannot begin here',
        "begin the list on a line of its own",
    ),
    "mapping keys are not allowed in this context": ('a key ("? ") cannot begin here', None),
    "could not find expected ':'": ("this line is neither a value nor a key with its colon", 'write "key: value"'),
    "found unexpected ':'": ('a ":" is not allowed here without quotes', "quote the value"),
    "found unexpected end of stream": ("the text in quotes that begins here never ends", "close the quotes"),
    "found unexpected document indicator": ("the text in quotes that begins here never ends", "close the quotes"),
    "found unknown escape character": ("no such escape in a text in double quotes", _QUOTED_ESCAPE),
    "did not find expected hexdecimal number": ("an escape lacks some of its hexadecimal digits", _QUOTED_ESCAPE),
    "found invalid Unicode character escape code": (
        "an escape that is not a character (half of a surrogate pair)",
        "write the character itself, or \\U and its eight hexadecimal digits",
    ),
    "found a tab character where an indentation space is expected": (
        "found a tab where indentation is expected",
        "indent with spaces",
    ),
    "found a tab character that violates indentation": (
        "found a tab where indentation is expected",
        "indent with spaces",
    ),
    "did not find expected comment or line break": (
        "more text behind a block scalar's | or >",
        "begin the text on the next line, or quote it",
    ),
    "found an indentation indicator equal to 0": ("a block scalar cannot be indented by 0", None),
    "did not find expected alphabetic or numeric character": (
        "a plain value cannot begin with & or *, which name anchors",
        "quote the value",
    ),
    "did not find expected ',' or ']'": ('expected "," or "]" in the list', 'close it with "]", or quote its values'),
    "did not find expected ',' or '}'": ('expected "," or "}" in the map', 'close it with "}", or quote its values'),
    "did not find expected key": (
        "expected a key of the map",
        "begin each of its keys in the same column, and quote a value that holds quotes or brackets",
    ),
    "did not find expected '-' indicator": (
        'expected an item ("- ") of the list',
        "begin each item in the same column",
    ),
    "did not find expected node content": ("expected a value", "quote it"),
    "did not find expected <document start>": (
        "more text behind the end of the document",
        'indent it like the rest, or begin a document of its own with "---"',
    ),
    "found incompatible YAML document": ("only YAML 1.1 and 1.2 are read", "leave the %YAML line out"),
    "found undefined tag handle": ("tags are not allowed", "leave the tag out"),
}
# Where the fault shows only later, the beginning of the unfinished token is what a person looks for.
_AT_BEGINNING = frozenset(
    (
        "could not find expected ':'",
        "found unexpected end of stream",
        "found unexpected document indicator",
    )
)
# Whatever the parser stopped at: to YAML a mark is text, and what is wrong may be told of a line far from it.
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |\r?$)", re.MULTILINE)
_SETTLE = "keep one side or join both, and take out the lines that begin with <<<<<<<, |||||||, ======= and >>>>>>>"
_NO_TOKEN = "found character that cannot start any token"


def _explain(error: YAMLError, text: str) -> Problem:
    """Give a parser's error in plain words, with the next move where one is known."""
    if conflict := _CONFLICT.search(text):
        return Problem("a conflict of Git's stands in the file", _after(text[: conflict.start()]), hint=_SETTLE)
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem(f"not YAML: {error}")
    problem = error.problem or "not YAML"
    mark = error.problem_mark
    if problem in _AT_BEGINNING and error.context_mark is not None:
        mark = error.context_mark
    message, hint = _PLAIN_WORDS.get(problem, (problem, None))
    if problem == _NO_TOKEN:
        message, hint = _no_token(text[mark.index : mark.index + 1])
    elif error.context == "while scanning a tag":
        message, hint = "tags are not allowed", "leave the tag out"
    elif error.context in _BEGUN and error.context_mark.line != mark.line:
        message = f"{message} that begins in line {error.context_mark.line + 1}"
    # The parser's end of an unfinished text may lie in a line that the text doesn't have.
    return Problem(message, mark_of(mark) if mark.index < len(text) else _after(text), hint=hint)


_BEGUN = frozenset(
    (
        "while parsing a block mapping",
        "while parsing a block collection",
        "while parsing a flow mapping",
        "while parsing a flow sequence",
    )
)


def _no_token(character: str) -> _Explanation:
    if character == "\t":
        return "found a tab where indentation is expected", "indent with spaces"
    return f'a plain value cannot begin with "{character}"', "quote the value"
