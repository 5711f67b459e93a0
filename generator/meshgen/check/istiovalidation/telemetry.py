"""What Istio's webhook refuses of a Telemetry.

Source in istio/istio: ValidateTelemetry in pkg/config/validation. Whether a filter is an expression of CEL is not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.resource import Resource, percent_problems, unread_problems
from meshgen.check.istiovalidation.targets import target_problems
from meshgen.check.setting import Problem, Setting

# The first version that has the check, at each of its patches.
_FILTERS = (1, 13, 0)
_TAGS = {"literal": "value", "header": "name", "environment": "name"}


def telemetry_problems(telemetry: Resource) -> Iterator[Problem]:
    """What is wrong with a Telemetry."""
    yield from target_problems(telemetry)
    for key in ("metrics", "tracing", "accessLogging"):
        for one in telemetry.spec.at(key).maps():
            for provider in one.at("providers").maps():
                if provider.at("name").is_blank:
                    yield provider.problem("the provider has no name", "say name, one of meshConfig.extensionProviders")
    for logging in telemetry.spec.at("accessLogging").maps():
        expression = logging.at("filter", "expression")
        if isinstance(logging.at("filter").value, dict) and expression.is_blank and telemetry.istio >= _FILTERS:
            yield logging.at("filter").problem("the filter is empty", "say expression, such as response.code >= 400")
    for tracing in telemetry.spec.at("tracing").maps():
        yield from percent_problems(tracing.at("randomSamplingPercentage"))
        yield from _tags(tracing.at("customTags"))
    for metrics in telemetry.spec.at("metrics").maps():
        yield from unread_problems(metrics.at("reportingInterval"))
        for override in metrics.at("overrides").maps():
            yield from _override(override)


def _tags(tags: Setting) -> Iterator[Problem]:
    for name, tag in tags.entries():
        if name == "":
            yield tags.problem("a tag has a name", "name it")
        for kind, key in _TAGS.items():
            if isinstance(tag.at(kind).value, dict) and tag.at(kind, key).is_blank:
                yield tag.at(kind).problem(f"the tag has no {key}", f"say {key}")


def _override(override: Setting) -> Iterator[Problem]:
    if override.at("match", "customMetric").value == "":
        yield override.at("match", "customMetric").problem("the metric has no name", "name it")
    for _, tag in override.at("tagOverrides").entries():
        value, operation = tag.at("value"), tag.at("operation").choice(("UPSERT", "REMOVE"))
        if not isinstance(tag.value, dict):
            continue
        if operation == "UPSERT" and value.is_blank:
            yield tag.problem("the tag has no value", "say value, or operation: REMOVE")
        elif operation == "REMOVE" and not value.is_blank:
            yield value.problem("a tag that is removed has no value", "take it out, or say operation: UPSERT")
