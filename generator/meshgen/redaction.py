"""What of a line of text may be shown: everything but the credentials in it."""

from __future__ import annotations

import re

from meshgen.credentials import HIDDEN_IN_DIFF, TOKEN, WEBHOOK

_LINE = re.compile(rf"^(?P<key>[^=:]*?{HIDDEN_IN_DIFF}[\"']?\s*(=|:)\s*)(?P<value>\S.*)$", re.I)
_PAIR = re.compile(rf"(?P<key>{HIDDEN_IN_DIFF}[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"',;&]+)", re.I)
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.I)
_PARAMETER = re.compile(
    r"(?P<key>[?&]([\w.-]*(signature|credential|token|secret|key|passw(or)?d)|sig|sas|pass|pwd|auth|code)=)[^&\s\"'#]+",
    re.I,
)
_HEADER = re.compile(r"\b(?P<scheme>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
# An option in a line of a script, and its value.
_OPTION = re.compile(rf"(?P<option>(^|\s)--?[\w.-]*{HIDDEN_IN_DIFF}\s+)(?P<value>[^\s-]\S*)", re.I)
# In this order: the later ones are wider.
_REDACTIONS = (
    (TOKEN, "(secret)"),
    (_URL, r"\g<scheme>(secret)@"),
    (WEBHOOK, r"\g<host>(secret)"),
    (_HEADER, r"\g<scheme> (secret)"),
    (_PARAMETER, r"\g<key>(secret)"),
    (_OPTION, r"\g<option>(secret)"),
    (_LINE, r"\g<key>(secret)"),
    (_PAIR, r"\g<key>(secret)"),
)


def redacted(line: str) -> str:
    """A line without the credentials that it holds by its own words: `password: x`, `--token=x`, `https://me:x@host`."""
    for pattern, kept in _REDACTIONS:
        line = pattern.sub(kept, line)
    return line
