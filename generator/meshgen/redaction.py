"""What of a line of text may be shown: everything but the credentials in it."""

from __future__ import annotations

import re

from meshgen.credentials import HIDDEN_IN_DIFF, secret_spans
from meshgen.credentialshapes import WEBHOOK, has_shape

_LINE = re.compile(rf"^(?P<key>[^=:]*?{HIDDEN_IN_DIFF}[\"']?\s*(=|:)\s*)(?P<value>\S.*)$", re.I)
_PAIR = re.compile(rf"(?P<key>{HIDDEN_IN_DIFF}[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"',;&]+)", re.I)
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.I)
_PARAMETER = re.compile(
    r"(?P<key>[?&]([\w.-]*(signature|credential|token|secret|key|passw(or)?d)|sig|sas|pass|pwd|auth|code)=)[^&\s\"'#]+",
    re.I,
)
# A data source of Go's MySQL driver, and what a machine's line in a .netrc or a directive of its own says.
_DATA_SOURCE = re.compile(r"(?P<user>(?<![\w/])[\w.${}%-]{0,64}:)[^\s\"']{1,128}@(?=(tcp|udp|unix)[46]?\()")
_WORD = re.compile(
    r"(?P<key>\blogin\s+\S+\s+password\s+|^\s*(password|passwd|requirepass|masterauth)\s+(?=\S+\s*$))\S+", re.I
)
# The logins of Docker.
_LOGIN = re.compile(r"(?P<key>\"auth\"\s*:\s*\")[A-Za-z0-9+/]{8,}={0,2}(?=\")")
_HEADER = re.compile(r"\b(?P<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
# An option in a line of a script, and its value.
_OPTION = re.compile(rf"(?P<option>(^|\s)--?[\w.-]*{HIDDEN_IN_DIFF}\s+)(?P<value>[^\s-]\S*)", re.I)
# Whatever a check would tell is hidden before. In this order: the later ones are wider.
_REDACTIONS = (
    (_URL, r"\g<scheme>(secret)@"),
    (WEBHOOK, r"\g<host>(secret)"),
    (_DATA_SOURCE, r"\g<user>(secret)@"),
    (_LOGIN, r"\g<key>(secret)"),
    (_WORD, r"\g<key>(secret)"),
    (_HEADER, r"\g<scheme> (secret)"),
    (_PARAMETER, r"\g<key>(secret)"),
    (_OPTION, r"\g<option>(secret)"),
    (_LINE, r"\g<key>(secret)"),
    (_PAIR, r"\g<key>(secret)"),
)


def redacted(line: str) -> str:
    """A line without the credentials that it holds by its own words: `password: x`, `--token=x`, `https://me:x@host`."""
    line = _cut(line)
    for pattern, kept in _REDACTIONS:
        line = pattern.sub(kept, line)
    return line


def holds_secret(text: str) -> bool:
    """Whether a text of any number of lines holds what is not shown."""
    return has_shape(text) or any(redacted(line) != line for line in text.splitlines())


def _cut(line: str) -> str:
    """The line without what a check would tell; of spans that overlap, the first stands for all."""
    kept, at = "", 0
    for start, end in sorted(secret_spans(line)):
        if start >= at:
            kept += f"{line[at:start]}(secret)"
        at = max(at, end)
    return kept + line[at:]
