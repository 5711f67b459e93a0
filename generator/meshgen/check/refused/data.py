"""ConfigMaps and Secrets: their keys, never their values.

Source: ValidateConfigMap and ValidateSecret in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import KEY
from meshgen.check.refused.refusal import Refusal, Refusals
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, text

# The keys that a type of Secret has to have, all of them.
_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_LOGIN = ("username", "password")
_ACCOUNT = "kubernetes.io/service-account.name"


def config_map(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a ConfigMap."""
    yield from _keys(obj, "data", "binaryData")
    for key in mapping(obj, "data"):
        if key in mapping(obj, "binaryData"):
            yield Refusal(("data", key), "binaryData has the key too", "keep one of them", at_key=True)


def secret(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a Secret that no tool encrypted."""
    yield from _keys(obj, "data", "stringData")
    type_, there = text(obj, "type"), {**mapping(obj, "data"), **mapping(obj, "stringData")}
    for key in _KEYS.get(type_, ()):
        if key not in there:
            yield Refusal(("type",), f"a Secret of this type has {key}", f"add {key} to data or stringData")
    if type_ == "kubernetes.io/basic-auth" and not any(key in there for key in _LOGIN):
        yield Refusal(("type",), f"a Secret of this type has {' or '.join(_LOGIN)}", "add one of them")
    if type_ == "kubernetes.io/service-account-token" and not mapping(obj, "metadata", "annotations").get(_ACCOUNT):
        yield Refusal(("type",), "a token is one of a ServiceAccount", f"add the annotation {_ACCOUNT}")


def _keys(obj: Map, *parts: str) -> Refusals:
    for part in parts:
        for key in mapping(obj, part):
            if isinstance(key, str) and not KEY.takes(key):
                yield Refusal((part, key), f'"{plain(key)}" is no key of a {obj["kind"]}', KEY.words, at_key=True)
