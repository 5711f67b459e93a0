"""Namespaces: the labels by which the API server itself judges their pods.

Source: PolicyToEvaluate in k8s.io/pod-security-admission api.
"""

from __future__ import annotations

import re

from meshgen.check.refused.refusal import Refusal, Refusals
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping

_PREFIX = "pod-security.kubernetes.io/"
_MODES = ("audit", "enforce", "warn")
_LEVELS = ("privileged", "baseline", "restricted")
_VERSION = re.compile(r"latest|v1\.(?:0|[1-9][0-9]*)")
# Before, nobody reads the labels unless a flag says so.
_READ = (1, 23)


def namespace(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a Namespace."""
    labels, at = mapping(obj, "metadata", "labels"), ("metadata", "labels")
    for mode in _MODES if minor >= _READ else ():
        level, version = labels.get(f"{_PREFIX}{mode}"), labels.get(f"{_PREFIX}{mode}-version")
        if isinstance(level, str) and level not in _LEVELS:
            hint = guess(level, _LEVELS) or f"say one of {', '.join(_LEVELS)}"
            yield Refusal((*at, f"{_PREFIX}{mode}"), f'"{plain(level)}" is no level of security', hint)
        if isinstance(version, str) and not _VERSION.fullmatch(version):
            where = (*at, f"{_PREFIX}{mode}-version")
            yield Refusal(where, f'"{plain(version)}" is no version of Kubernetes', "say latest, or one such as v1.36")
