"""The references of a cluster's own objects, each to where it leads."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import Remark
from meshgen.check.dangling.known import Known
from meshgen.check.dangling.services import probe_remarks, service_remarks
from meshgen.check.dangling.targets import target_remarks
from meshgen.policy.subject import Subject


def reference_remarks(subject: Subject, apart: frozenset[str]) -> tuple[Remark, ...]:
    """References of the user's own objects that lead nowhere; `apart` are namespaces that others fill too.

    Left out is what the order of application and the policy say: Namespaces, what pods take, Istio's own resources.
    """
    return tuple(one for one in _found(Known(subject, apart)) if one.document) if subject.places else ()


def _found(known: Known) -> Iterator[Remark]:
    yield from service_remarks(known)
    yield from probe_remarks(known)
    yield from target_remarks(known)
