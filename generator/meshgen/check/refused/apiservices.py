"""APIServices, by which a server of its own adds kinds.

Source: ValidateAPIService in k8s.io/kube-aggregator pkg/apis/apiregistration/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import SERVICE, SUBDOMAIN, misnamed
from meshgen.check.refused.ports import bad_number
from meshgen.check.refused.refusal import Refusal, Refusals, bounded
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, text

_PRIORITIES = {"groupPriorityMinimum": 20000, "versionPriority": 1000}
_VERSION = SERVICE._replace(noun="name of a version")


def api_service(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with an APIService."""
    if obj.get("spec") is None:
        yield Refusal((), "it has no spec", "add spec, with group, version, priorities and service")
        return
    spec, at = mapping(obj, "spec"), ("spec",)
    due = f"{text(spec, 'version')}.{text(spec, 'group')}"
    if text(spec, "version") and text(obj, "metadata", "name") != due:
        yield Refusal(
            ("metadata", "name"), "the name is not that of its version and its group", f"call it {plain(due)}"
        )
    yield from misnamed(spec, at, "group", SUBDOMAIN)
    yield from misnamed(spec, at, "version", _VERSION)
    for key, most in _PRIORITIES.items():
        yield from bounded(spec, at, (key,), least=1, most=most)
    if not isinstance(spec.get("service"), dict):
        return
    service, here = mapping(spec, "service"), (*at, "service")
    for key in ("name", "namespace"):
        if not service.get(key):
            yield Refusal(here, f"it says no {key} of the Service", f"add {key}", at_key=True)
    yield from bad_number(service, here, "port")
    if spec.get("insecureSkipTLSVerify") is True and spec.get("caBundle"):
        where = (*at, "insecureSkipTLSVerify")
        yield Refusal(where, "with caBundle the certificate is checked", "take one of the two out", at_key=True)
