"""Versions as people say them."""

from __future__ import annotations

from collections.abc import Iterable

from meshgen.catalog import Version
from meshgen.catalog.fields import Span


def said(spans: Iterable[Span]) -> str:
    """Which Istio has something, such as `Istio has it from 1.18.0 on` or `Istio had it until 1.23`."""
    spans = list(spans)
    *before, last = [_said(span) for span in spans]
    verb = "has" if spans[-1].until is None else "had"
    return f"Istio {verb} it {' and '.join([', '.join(before), last] if before else [last])}"


def _said(span: Span) -> str:
    if span.until is None:
        return f"from {span.since} on" if span.since else "at every version"
    major, minor, patch = Version.parse(span.until).numbers
    last = f"{major}.{minor}.{patch - 1}" if patch else f"{major}.{minor - 1}"
    if span.since is None:
        return f"until {last}"
    # Backports: each minor has it from a patch of its own on.
    if Version.parse(span.since).minor == last:
        return f"in {last} from {span.since} on"
    return f"from {span.since} until {last}"
