"""What Istio's webhook refuses of the annotations of any of its resources.

Source in istio/istio: validateMetadata in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.resource import Resource
from meshgen.check.setting import Problem

# The first version that has the check, at each of its patches.
_INTERNAL = (1, 27, 0)
_DRY_RUN = "istio.io/dry-run"
_NOT_FOR_USERS = ("internal.istio.io/parents", "internal.istio.io/parent-namespace")
_BOOLEANS = ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")


def annotation_problems(resource: Resource, kind: str) -> Iterator[Problem]:
    """Annotations that the webhook does not let pass."""
    for name, entry in resource.metadata.at("annotations").entries():
        if name in _NOT_FOR_USERS and resource.istio >= _INTERNAL:
            yield entry.problem("Istio gives this annotation itself", "take it out")
        if name != _DRY_RUN or entry.text is None:
            continue
        if kind != "AuthorizationPolicy":
            yield entry.problem("only an AuthorizationPolicy can be run dry", "take the annotation out")
        elif resource.spec.at("action").text not in ("", "ALLOW", "DENY"):
            yield entry.problem("only action ALLOW or DENY can be run dry", "take the annotation out")
        elif entry.text not in _BOOLEANS:
            yield entry.problem("the annotation is neither true nor false", 'say "true" or "false"')
