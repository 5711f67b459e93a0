"""Istio's configuration profiles: what `istioctl profile` answered while it was there."""

from __future__ import annotations

from typing import Any

from meshgen.catalog import UnknownMinor, Version, minors, profile_dump, release
from meshgen.config.problems import guess
from meshgen.errors import InputError
from meshgen.finding import Finding

DEFAULT_VERSION = "1.11.3"


def names(version: str) -> tuple[str, ...]:
    """The names of a version's profiles, sorted. Raises InputError for a version whose istioctl prints none."""
    return tuple(sorted(release(_version(version).minor).profiles))


def dump(version: str, name: str) -> dict[str, Any]:
    """The whole IstioOperator that a profile stands for. Raises InputError for an unknown version or profile."""
    known = names(version)
    if name not in known:
        message = f'Istio {version} has no profile "{name}"'
        raise InputError([Finding("MG204", "error", message, hint=guess(name, known))])
    return profile_dump(_version(version), name)


def _version(text: str) -> Version:
    try:
        version = Version.parse(text)
    except ValueError:
        hint = "say major, minor and patch, for example 1.11.3"
        raise InputError([Finding("MG101", "error", f'"{text}" is not a version of Istio', hint=hint)]) from None
    try:
        profile_dump(version, "default")
    except UnknownMinor as error:
        message = f"the profiles of Istio {text} are not here"
        raise InputError([Finding("MG203", "error", message, hint=_instead(error))]) from None
    return version


def _instead(error: UnknownMinor) -> str:
    oldest, newest = error.known[0], error.known[-1]
    if error.minor not in minors():
        return f"meshgen holds those of {oldest} to {newest}"
    profiles = ", ".join(sorted(release(error.minor).profiles))
    return f"istioctl prints those of {newest} and older only; `istio.profile` of {error.minor} takes {profiles}"
