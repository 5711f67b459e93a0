"""What Istio's webhook refuses of paths with templates in an AuthorizationPolicy.

Source in istio/istio: CheckValidPathTemplate in pkg/config/security.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_TEMPLATES = (1, 22, 0)
_LITERALS = (1, 25, 0)
_ONE, _ANY = "{*}", "{**}"
_LITERAL = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")


def path_problems(paths: Setting, istio: Numbers) -> Iterator[Problem]:
    """Paths whose templates are none."""
    for path, entry in paths.texts():
        if istio >= _TEMPLATES and (text := _fault(path, istio)):
            yield entry.problem(text, "say {*} for one part of a path, and {**} for the rest, as whole parts")


def _fault(path: str, istio: Numbers) -> str | None:
    parts = path.strip("/").split("/")
    literals = [part for part in parts if part not in (_ONE, _ANY)]
    if any("{" in part or "}" in part for part in literals):
        return "a path has braces in {*} and {**} alone"
    if istio < _LITERALS:
        return None
    if _ANY in parts and any(part in (_ONE, _ANY) for part in parts[parts.index(_ANY) + 1 :]):
        return "no template follows {**}"
    if (_ONE in path or _ANY in path) and not all(map(_LITERAL.fullmatch, literals)):
        return "beside a template a path has no other wildcard, and no empty part"
    return None
