"""What istiod itself writes at run time into objects of its charts, which no engine may take for drift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from meshgen.build.chart import ChartRelease
from meshgen.build.istiooperator import namespace
from meshgen.catalog import Version, minor_key

GROUP = "admissionregistration.k8s.io"
VALIDATING, MUTATING = "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
# As many webhooks as one configuration of the charts has at most.
_WEBHOOKS = {VALIDATING: 1, MUTATING: 5}
# What the base chart makes for resources that name no revision.
_DEFAULT_VALIDATOR = "istiod-default-validator"


class Webhooks(NamedTuple):
    """A configuration of webhooks that istiod writes to."""

    kind: str
    name: str


# The first patch releases whose charts have the value base.validationFailurePolicy.
_VALUE_SINCE = {"1.28": "1.28.6", "1.29": "1.29.2"}


def validates_by_value(version: str) -> bool:
    """Whether the charts take `base.validationFailurePolicy`, so that no apply sets back what istiod made mandatory."""
    parsed = Version.parse(version)
    since = _VALUE_SINCE.get(parsed.minor)
    return parsed >= Version.parse(since) if since else minor_key(parsed.minor) >= (1, 30)


def written_at_run_time(release: ChartRelease) -> dict[str, list[str]]:
    """By kind, JSON pointers as Flux wants them: an index each, for they know no wildcard.

    They are of this release's objects alone, so that no other's drift is passed over.
    """
    kinds = dict.fromkeys(one.kind for one in webhooks_of(release))
    return {
        kind: [f"/webhooks/{index}/{field}" for index in range(_WEBHOOKS[kind]) for field in _fields(kind)]
        for kind in kinds
    }


def webhooks_of(release: ChartRelease) -> tuple[Webhooks, ...]:
    """What a release has of such configurations, named as the templates of its chart name them."""
    values = release.values
    if release.chart.name == "base":
        return (Webhooks(VALIDATING, _DEFAULT_VALIDATOR),) if values.get("defaultRevision", "default") else ()
    if release.chart.name != "istiod":
        return ()
    shared = values.get("global") or {}
    home = shared.get("istioNamespace") or "istio-system"
    made = tuple(_of_istiod(values.get("revision"), home, release.namespace, values.get("revisionTags")))
    return made if shared.get("configValidation") is not False else made[1:]


def ignored_differences(webhooks: Iterable[Webhooks]) -> list[dict[str, Any]]:
    """The same as Argo CD wants it: each configuration by its exact name, fields as jq expressions."""
    return [
        {
            "group": GROUP,
            "kind": one.kind,
            "name": one.name,
            "jqPathExpressions": [_jq(key) for key in _fields(one.kind)],
        }
        for one in webhooks
    ]


def webhooks_of_istio(istio: dict[str, Any]) -> tuple[Webhooks, ...]:
    """What the operator, the Sail operator or istioctl make of the settings."""
    values = istio.get("values") or {}
    home = (values.get("global") or {}).get("istioNamespace") or namespace(istio)
    validator, *mutating = _of_istiod(istio.get("revision"), home, namespace(istio), values.get("revisionTags"))
    if Version.parse(istio["version"]).minor == "1.11":
        return (validator, *mutating)
    return (validator, Webhooks(VALIDATING, _DEFAULT_VALIDATOR), *mutating)


def _of_istiod(revision: str | None, home: str, own: str, tags: Any) -> Iterator[Webhooks]:
    """Those of one revision; `home` is the namespace that it validates for, `own` that of its own objects."""
    suffix = f"-{revision}" if revision else ""
    elsewhere = f"-{own}" if own != "istio-system" else ""
    yield Webhooks(VALIDATING, f"istio-validator{suffix}-{home}")
    yield Webhooks(MUTATING, f"istio-sidecar-injector{suffix}{elsewhere}")
    for tag in tags if isinstance(tags, list) else ():
        yield Webhooks(MUTATING, f"istio-revision-tag-{tag}{elsewhere}")


def _fields(kind: str) -> tuple[str, ...]:
    # istiod writes its root certificate, and makes validation mandatory once it serves.
    return ("clientConfig/caBundle", "failurePolicy") if kind == VALIDATING else ("clientConfig/caBundle",)


def _jq(path: str) -> str:
    return ".webhooks[]?." + path.replace("/", ".")
