"""What istiod itself writes at run time into objects of its charts, which no engine may take for drift."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshgen.build.chart import ChartRelease
from meshgen.build.istiooperator import namespace
from meshgen.catalog import Version, minor_key

GROUP = "admissionregistration.k8s.io"
# As many webhooks as any configuration of the charts has, revision tags included.
_WEBHOOKS = {"ValidatingWebhookConfiguration": 1, "MutatingWebhookConfiguration": 5}


# The first patch releases whose charts have the value base.validationFailurePolicy.
_VALUE_SINCE = {"1.28": "1.28.6", "1.29": "1.29.2"}


def validates_by_value(version: str) -> bool:
    """Whether the charts take `base.validationFailurePolicy`, so that no apply sets back what istiod made mandatory."""
    parsed = Version.parse(version)
    since = _VALUE_SINCE.get(parsed.minor)
    return parsed >= Version.parse(since) if since else minor_key(parsed.minor) >= (1, 30)


def written_at_run_time(releases: Iterable[ChartRelease]) -> dict[str, list[str]]:
    """By kind, JSON pointers as Flux wants them: an index each, for they know no wildcard."""
    if not any(release.chart.name in ("base", "istiod") for release in releases):
        return {}
    return {
        kind: [f"/webhooks/{index}/{field}" for index in range(count) for field in _fields(kind)]
        for kind, count in _WEBHOOKS.items()
    }


def _fields(kind: str) -> tuple[str, ...]:
    # istiod writes its root certificate, and makes validation mandatory once it serves.
    return ("clientConfig/caBundle", "failurePolicy") if kind.startswith("Validating") else ("clientConfig/caBundle",)


def ignored_differences(istio: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as Argo CD wants it: each configuration by its exact name, fields as jq expressions."""
    home, revision = namespace(istio), istio.get("revision")
    suffix = f"-{revision}" if revision else ""
    validators = [f"istio-validator{suffix}-{home}"]
    if Version.parse(istio["version"]).minor != "1.11":
        validators.append("istiod-default-validator")
    injector = f"istio-sidecar-injector{suffix}" + (f"-{home}" if home != "istio-system" else "")
    names = {"ValidatingWebhookConfiguration": validators, "MutatingWebhookConfiguration": [injector]}
    return [
        {"group": GROUP, "kind": kind, "name": name, "jqPathExpressions": [_jq(one) for one in _fields(kind)]}
        for kind, configurations in names.items()
        for name in configurations
    ]


def _jq(path: str) -> str:
    return ".webhooks[]?." + path.replace("/", ".")
