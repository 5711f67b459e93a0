"""Istio's configuration profiles: what `istioctl profile` answered while it was there."""

from __future__ import annotations

from typing import Any

from meshgen.catalog import UnknownMinor, Version, profile_dump, release
from meshgen.config.problems import guess
from meshgen.errors import InputError
from meshgen.finding import Finding

DEFAULT_VERSION = "1.11.3"


def names(version: str) -> tuple[str, ...]:
    """The names of a version's profiles, sorted. Raises InputError for a version whose profiles are not there."""
    return tuple(sorted(release(_minor(version)).profiles))


def dump(version: str, name: str) -> dict[str, Any]:
    """The whole IstioOperator that a profile stands for. Raises InputError for an unknown version or profile."""
    known = names(version)
    if name not in known:
        message = f'Istio {version} has no profile "{name}"'
        raise InputError([Finding("MG204", "error", message, hint=guess(name, known))])
    profile = profile_dump(_minor(version), name)
    profile["spec"]["tag"] = version
    return profile


def _minor(version: str) -> str:
    try:
        minor = Version.parse(version).minor
    except ValueError:
        hint = "say major, minor and patch, for example 1.11.3"
        raise InputError([Finding("MG101", "error", f'"{version}" is not a version of Istio', hint=hint)]) from None
    try:
        release(minor)
        profile_dump(minor, "default")
    except (UnknownMinor, KeyError):
        hint = "meshgen holds those of 1.11; for newer ones ask that version's own istioctl"
        raise InputError(
            [Finding("MG203", "error", f"the profiles of Istio {version} are not here", hint=hint)]
        ) from None
    return minor
