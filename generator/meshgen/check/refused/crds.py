"""CustomResourceDefinitions: their names, versions and schemas, and how versions are converted.

Source: ValidateCustomResourceDefinition in k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import SERVICE, SUBDOMAIN, misnamed, repeated, unnamed
from meshgen.check.refused.refusal import Path, Refusal, Refusals, strings
from meshgen.check.refused.schemas import schema_refusals
from meshgen.check.refused.webhooks import client_refusals
from meshgen.policy.reading import Map, mapping, placed, text

_OLDER = "apiextensions.k8s.io/v1beta1"
_WORD = SERVICE._replace(noun="name of a kind or a version")
_OF_KUBERNETES = ("k8s.io", "kubernetes.io")
_APPROVED = "api-approved.kubernetes.io"
_SCOPES = ("Cluster", "Namespaced")
_COLUMNS = ("boolean", "date", "integer", "number", "string")
_REVIEWS = ("v1", "v1beta1")


def definition(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a CRD; the older version of the kind is not looked at."""
    if obj["apiVersion"] == _OLDER:
        return
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from _group(obj, text(spec, "group"))
    if text(spec, "scope") not in ("", *_SCOPES):
        yield Refusal((*at, "scope"), "there is no such scope", f"say {' or '.join(_SCOPES)}")
    if spec.get("preserveUnknownFields") is True:
        hint = "take it out, and say x-kubernetes-preserve-unknown-fields: true in the schema"
        yield Refusal((*at, "preserveUnknownFields"), "a CRD keeps none by itself", hint, at_key=True)
    yield from _names(mapping(spec, "names"), (*at, "names"))
    yield from _versions(spec, at)
    yield from _conversion(mapping(spec, "conversion"), (*at, "conversion"))


def _group(obj: Map, group: str) -> Refusals:
    if group and not SUBDOMAIN.takes(group):
        yield Refusal(("spec", "group"), f"it is no {SUBDOMAIN.noun}", SUBDOMAIN.words)
    elif group and "." not in group:
        yield Refusal(("spec", "group"), "a group is a domain with a dot", "say one such as example.com")
    if group.endswith(tuple(f".{domain}" for domain in _OF_KUBERNETES)) or group in _OF_KUBERNETES:
        approval = mapping(obj, "metadata", "annotations").get(_APPROVED)
        if not approval:
            hint = f'add the annotation {_APPROVED}: "unapproved, why", or take a domain of your own'
            yield Refusal(("spec", "group"), "the group is Kubernetes' own, which approves its kinds", hint)


def _names(names: Map, at: Path) -> Refusals:
    for key in ("plural", "singular"):
        yield from misnamed(names, at, key, _WORD)
    for key in ("kind", "listKind"):
        if (name := text(names, key)) and not _WORD.takes(name.lower()):
            hint = "write letters, digits and hyphens, beginning with a letter"
            yield Refusal((*at, key), "it is no name of a kind", hint)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield Refusal((*at, "listKind"), "the kind is called so already", f"call it {text(names, 'kind')}List")
    for key in ("shortNames", "categories"):
        for index, name in strings(names, key):
            if not _WORD.takes(name):
                yield Refusal((*at, key, index), f"it is no {_WORD.noun}", _WORD.words)


def _versions(spec: Map, at: Path) -> Refusals:
    stored = [index for index, version in placed(spec, "versions") if version.get("storage") is True]
    if isinstance(spec.get("versions"), list) and len(stored) != 1:
        what = f"{len(stored)} versions are stored" if stored else "no version is stored"
        hint = "say storage: true of one, and storage: false of the others"
        yield Refusal((*at, "versions"), what, hint, at_key=True)
    yield from repeated(spec, at, "versions", "name", "versions")
    for index, version in placed(spec, "versions"):
        here = (*at, "versions", index)
        yield from unnamed(version, here, "name", _WORD)
        schema = mapping(version, "schema").get("openAPIV3Schema")
        if not isinstance(schema, dict):
            hint = "add schema.openAPIV3Schema, with type: object"
            yield Refusal(here, "the version has no schema", hint, at_key=True)
        else:
            yield from schema_refusals(schema, (*here, "schema", "openAPIV3Schema"))
        yield from _shown(version, here)


def _shown(version: Map, at: Path) -> Refusals:
    for index, column in placed(version, "additionalPrinterColumns"):
        here = (*at, "additionalPrinterColumns", index)
        if text(column, "type") not in ("", *_COLUMNS):
            yield Refusal((*here, "type"), "columns have no such type", f"say one of {', '.join(_COLUMNS)}")
        path = text(column, "jsonPath")
        if path and not path.startswith("."):
            yield Refusal((*here, "jsonPath"), "the path does not begin with a dot", "write it as .spec.replicas")
    scale, here = mapping(version, "subresources", "scale"), (*at, "subresources", "scale")
    for key, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        path = text(scale, key)
        if path and not path.startswith(root):
            yield Refusal((*here, key), f"the path does not lead into {root[1:-1]}", f"begin it with {root}")


def _conversion(conversion: Map, at: Path) -> Refusals:
    webhook, here = conversion.get("webhook"), (*at, "webhook")
    if text(conversion, "strategy") != "Webhook":
        if webhook is not None and conversion.get("strategy"):
            hint = "take it out, or say strategy: Webhook"
            yield Refusal(here, "the strategy has no webhook", hint, at_key=True)
        return
    if not isinstance(mapping(webhook).get("clientConfig"), dict):
        yield Refusal((*at, "strategy"), "it does not say which webhook", "add webhook.clientConfig")
        return
    yield from client_refusals(mapping(webhook, "clientConfig"), (*here, "clientConfig"))
    reviews = [review for _, review in strings(webhook, "conversionReviewVersions")]
    if not set(reviews) & set(_REVIEWS):
        where = (*here, "conversionReviewVersions") if "conversionReviewVersions" in mapping(webhook) else here
        yield Refusal(where, "it reads no review that servers write", "say conversionReviewVersions: [v1]", at_key=True)
