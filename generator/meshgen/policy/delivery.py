"""Rules about what Flux, Argo CD and the API server make of an object on its way."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import plain
from meshgen.layout.identity import identity, lacks_namespace, scopes
from meshgen.policy.reading import mapping, text
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject
from meshgen.sops import is_ciphertext

_FLUX = "kustomize.toolkit.fluxcd.io"
_MARK = f"{_FLUX}/substitute"
# What Flux's postBuild takes for a variable: drone/envsubst.
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}")
# metadata.annotations of one object, in k8s.io/apimachinery's ValidateAnnotations.
_ANNOTATIONS = 262144
# The data of one ConfigMap, in Kubernetes' ValidateConfigMap.
_DATA = 1048576


def _substituted(subject: Subject) -> Iterator[Breach]:
    builds = _builds(subject)
    if not builds:
        return
    known = {name for build in builds for name in _given(build)}
    # What these hold, nobody can see here.
    held = any(build.get("substituteFrom") for build in builds)
    end = (
        "by nothing where substituteFrom has no such variable"
        if held
        else "though postBuild.substitute has no such variable"
    )
    hint = (
        f"annotate it {_MARK}: disabled, or write $${{…}} where the text is meant; else say the variable in postBuild"
    )
    for obj in subject.own:
        marks = (mapping(obj, "metadata", "annotations"), mapping(obj, "metadata", "labels"))
        if any(one.get(_MARK) == "disabled" for one in marks) or obj["apiVersion"].startswith(f"{_FLUX}/"):
            continue
        if unknown := [f"${{{plain(name)}}}" for name in dict.fromkeys(_variables(obj)) if name not in known]:
            breach = of_object(subject, obj, f"Flux would replace {', '.join(unknown)} in it, {end}", hint)
            yield replace(breach, severity="info") if held else breach


def _builds(subject: Subject) -> list[dict[str, Any]]:
    """Each `postBuild` by which Flux replaces variables in this tree: the config's, and that of own Kustomizations."""
    flux = mapping(subject.settings.get("delivery"), "flux")
    root = posixpath.normpath(text(flux, "path") or "./output")
    found = [mapping(flux, "postBuild")]
    for one in subject.of("Kustomization", _FLUX):
        path = posixpath.normpath(text(one, "spec", "path") or ".")
        if f"{path}/".startswith(f"{root}/"):
            found.append(mapping(one, "spec", "postBuild"))
    return [build for build in found if _given(build) or build.get("substituteFrom")]


def _given(build: dict[str, Any]) -> set[str]:
    return {name for name, value in mapping(build, "substitute").items() if value is not None}


def _variables(value: Any) -> Iterator[str]:
    """The names of the variables in an object's texts."""
    if isinstance(value, str):
        if "${" in value:
            yield from (match[1] for match in _VARIABLE.finditer(value))
        return
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _variables(one)


def _nowhere(subject: Subject) -> Iterator[Breach]:
    if not mapping(subject.settings.get("delivery"), "flux"):
        return
    brought = scopes(subject.own)
    for obj in subject.own:
        # What SOPS encrypted whole has no kind that anything could be said of.
        if not is_ciphertext(obj["kind"]) and lacks_namespace(identity(obj), brought):
            # Of fluxcd/pkg/ssa: "namespace not specified".
            yield of_object(subject, obj, "has no namespace, and Flux applies no such object", "say metadata.namespace")


def _big_annotations(subject: Subject) -> Iterator[Breach]:
    delivered = any(mapping(subject.settings.get("delivery")).values())
    for obj in subject.own:
        annotations = mapping(obj, "metadata", "annotations")
        size = _bytes(annotations)
        if size > _ANNOTATIONS:
            what = f"its annotations have {size} bytes, and the API server takes {_ANNOTATIONS}"
            yield of_object(subject, obj, what, "move what is long into a ConfigMap")
        elif not delivered and _may_be_long(obj) and size + len(json.dumps(obj)) > _ANNOTATIONS:
            what = f"is too long for `kubectl apply`, which notes it whole in an annotation of {_ANNOTATIONS} bytes"
            yield of_object(subject, obj, what, "use `kubectl apply --server-side`, or say `delivery`: both engines do")


def _may_be_long(obj: KubernetesObject) -> bool:
    """Whether it is worth to write an object out: most are far too short."""
    return obj["kind"] == "CustomResourceDefinition" or _bytes(mapping(obj, "data")) > _ANNOTATIONS // 2


def _big_data(subject: Subject) -> Iterator[Breach]:
    for obj in subject.of("ConfigMap"):
        # Kubernetes counts what the keys hold, and of binary data what base64 stands for.
        data, binary = mapping(obj, "data").values(), mapping(obj, "binaryData").values()
        size = sum(_length(one) for one in data) + sum(_length(one) for one in binary) * 3 // 4
        if size > _DATA:
            what = f"its data has {size} bytes, and the API server takes {_DATA}"
            yield of_object(subject, obj, what, "make several ConfigMaps of it")


def _bytes(values: dict[str, Any]) -> int:
    """What keys and texts of a map take."""
    return sum(_length(key) + _length(value) for key, value in values.items())


def _length(value: Any) -> int:
    """What a text takes in UTF-8."""
    if not isinstance(value, str):
        return 0
    return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))


def _fetched_in_the_clear(subject: Subject) -> Iterator[Breach]:
    for engine, settings in mapping(subject.settings.get("delivery")).items():
        if text(settings, "url").lower().startswith("http://"):
            what = f"{engine} fetches the tree without TLS: whoever stands between decides what is applied"
            yield of_setting(subject, ("delivery", engine, "url"), what, "say https:// or ssh://")


RULES = (
    Rule("MG568", "warning", "An object without a namespace, and Flux", _nowhere, of_objects=True),
    Rule("MG570", "warning", "Text that Flux takes for a variable", _substituted),
    Rule("MG571", "warning", "Annotations that are too long", _big_annotations, of_objects=True),
    Rule("MG572", "error", "A ConfigMap that is too big", _big_data, of_objects=True),
    Rule("MG573", "warning", "A tree that is fetched without TLS", _fetched_in_the_clear),
)
