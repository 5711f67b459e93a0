"""Rules about what a mesh tells of its traffic, and at which cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.policy.reading import items, mapping, texts
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject, space_of

TELEMETRY = "telemetry.istio.io"


def _no_access_log(subject: Subject) -> Iterator[Breach]:
    logged = subject.mesh_config("accessLogFile") or texts(subject.mesh_config("defaultProviders"), "accessLogging")
    by_profile = subject.setting("profile") == "demo"
    if subject.production and not logged and not by_profile and not _logs_by_telemetry(subject):
        what = "no access log in production: nobody can say afterwards who called what"
        hint = "say accessLogFile: /dev/stdout, or a Telemetry with accessLogging in the root namespace"
        yield of_setting(subject, ("istio", "meshConfig", "accessLogFile"), what, hint)


def _logs_by_telemetry(subject: Subject) -> bool:
    return any(
        mapping(logging).get("disabled") is not True
        for one in subject.of("Telemetry", TELEMETRY)
        if space_of(one) == subject.root_namespace and not mapping(one, "spec").get("selector")
        for logging in items(one, "spec", "accessLogging")
    )


def _traces_everything(subject: Subject) -> Iterator[Breach]:
    if not subject.production:
        return
    what, hint = "traces every request of production", "say 1 (percent), and more for one workload by a Telemetry"
    for path in (("meshConfig", "defaultConfig", "tracing", "sampling"), ("values", "pilot", "traceSampling")):
        if _is_all(subject.setting(*path)):
            yield of_setting(subject, ("istio", *path), what, hint)
    for one in subject.of("Telemetry", TELEMETRY):
        wide = space_of(one) == subject.root_namespace and not mapping(one, "spec").get("selector")
        if wide and any(_is_all(tracing.get("randomSamplingPercentage")) for tracing in items(one, "spec", "tracing")):
            yield of_object(subject, one, what, hint)


def _is_all(percent: Any) -> bool:
    try:
        return not isinstance(percent, bool) and float(percent) >= 100
    except (TypeError, ValueError, OverflowError):
        return False


RULES = (
    Rule("MG554", "info", "No access log in production", _no_access_log),
    Rule("MG555", "warning", "Every request of production is traced", _traces_everything),
)
