"""Webhooks of admission, and the policies of admission in CEL: whom they ask, about what, and what they do.

Sources: k8s.io/kubernetes pkg/apis/admissionregistration/validation, and k8s.io/apiserver pkg/util/webhook.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from meshgen.check.refused.names import SUBDOMAIN, bad_selector, misnamed, repeated, unnamed
from meshgen.check.refused.ports import bad_number
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, strings
from meshgen.policy.reading import Map, mapping, placed, text

_GROUP = "admissionregistration.k8s.io"
_HARMLESS = ("None", "NoneOnDryRun")
_REVIEWS = ("v1", "v1beta1")
_LONGEST = 30
_LISTS = {"operations": "CREATE", "apiGroups": '""', "apiVersions": "v1", "resources": "pods"}


def configuration(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with webhooks; the older version of the kinds, which allows more, is not looked at."""
    if obj["apiVersion"] != f"{_GROUP}/v1":
        return
    yield from repeated(obj, (), "webhooks", "name", "webhooks")
    for index, webhook in placed(obj, "webhooks"):
        yield from _webhook(webhook, ("webhooks", index))


def policy_binding(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with the binding of a policy that is written in CEL."""
    yield from misnamed(mapping(obj, "spec"), ("spec",), "policyName", SUBDOMAIN)
    actions, at = [action for _, action in strings(obj, "spec", "validationActions")], ("spec", "validationActions")
    if {"Deny", "Warn"} <= set(actions):
        yield Refusal(at, "what is denied is not warned of too", "keep Deny or Warn", at_key=True)
    elif len(set(actions)) != len(actions):
        yield Refusal(at, "an action is there twice", "say each once", at_key=True)


def _webhook(webhook: Map, at: Path) -> Refusals:
    yield from unnamed(webhook, at, "name", SUBDOMAIN)
    name = text(webhook, "name")
    if SUBDOMAIN.takes(name) and name.count(".") < 2:
        yield Refusal((*at, "name"), "the name is no domain of three parts", f"say one such as {name}.example.com")
    if text(webhook, "sideEffects") not in ("", *_HARMLESS):
        hint = "say None, or NoneOnDryRun where it leaves dry runs alone"
        yield Refusal((*at, "sideEffects"), "a webhook may have no side effects", hint)
    yield from bounded(webhook, at, ("timeoutSeconds",), least=1, most=_LONGEST)
    reviews, there = [review for _, review in strings(webhook, "admissionReviewVersions")], "admissionReviewVersions"
    if there in webhook and not set(reviews) & set(_REVIEWS):
        yield Refusal((*at, there), "it reads no review that servers write", f"say {there}: [v1]", at_key=True)
    for key in ("namespaceSelector", "objectSelector"):
        yield from bad_selector(mapping(webhook, key), (*at, key))
    if isinstance(webhook.get("clientConfig"), dict):
        yield from client_refusals(webhook["clientConfig"], (*at, "clientConfig"))
    for index, rule in placed(webhook, "rules"):
        yield from _rule(rule, (*at, "rules", index))


def _rule(rule: Map, at: Path) -> Refusals:
    for key, example in _LISTS.items():
        said = [one for _, one in strings(rule, key)]
        if not rule.get(key):
            yield Refusal((*at, key) if key in rule else at, f"the rule says no {key}", f"add {key}: [{example}]")
        everything = "*/*" if key == "resources" else "*"
        if everything in said and len(said) > 1:
            hint = f'keep "{everything}", or name them without it'
            yield Refusal((*at, key), f"with {everything} all others are meant already", hint, at_key=True)


def client_refusals(client: Map, at: Path) -> Refusals:
    """What is wrong with where a webhook is: a Service or a URL, which is not shown."""
    said = given(client, "service", "url")
    if len(said) != 1:
        what = "it has a service and a url" if said else "it does not say where the webhook is"
        yield Refusal(at, what, "say service or url", at_key=True)
    elif said == ["url"]:
        fault = next(_faults_of(text(client, "url")), None)
        if fault:
            yield Refusal((*at, "url"), fault, "write it as https://HOST/PATH")
    else:
        service, here = mapping(client, "service"), (*at, "service")
        for key in ("name", "namespace"):
            if service.get(key) == "":
                yield Refusal((*here, key), f"the {key} is empty", f"say the Service's {key}")
        yield from bad_number(service, here, "port")
        yield from _path(text(service, "path"), (*here, "path"))


def _faults_of(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    if parts.scheme != "https":
        yield "a webhook is asked by https"
    if not parts.netloc:
        yield "the URL has no host"
    if "@" in parts.netloc:
        yield "the URL has a user"
    if parts.query or parts.fragment:
        yield "the URL has more than a path"


def _path(path: str, at: Path) -> Refusals:
    if path in ("", "/"):
        return
    if not path.startswith("/"):
        yield Refusal(at, "the path does not begin at the root", "begin it with /")
    elif not all(SUBDOMAIN.takes(part) for part in path[1:].removesuffix("/").split("/")):
        hint = f"write each part of {SUBDOMAIN.words}"
        yield Refusal(at, f"a part of the path is no {SUBDOMAIN.noun}", hint)
