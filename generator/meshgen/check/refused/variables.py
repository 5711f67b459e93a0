"""The environment of containers: names of variables, and where their values come from.

Source: ValidateEnv and ValidateEnvFrom in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

import re

from meshgen.check.refused.names import KEY, OLD_VARIABLE, SUBDOMAIN, VARIABLE, is_qualified, misnamed, unnamed
from meshgen.check.refused.refusal import Path, Refusal, Refusals, given
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, mapping, placed, text

# From then on any printable name is one.
_RELAXED = (1, 32)
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_WHOLE_SOURCES = ("configMapRef", "secretRef")
_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
# An older name that is read all the same.
_OLD_FIELD = "spec.host"
_RESOURCES = tuple(f"{of}.{name}" for of in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage"))
_PAGES = ("limits.hugepages-", "requests.hugepages-")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]", re.DOTALL)


def variable_refusals(container: Map, at: Path, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a container's variables; none of their values is shown."""
    form = VARIABLE if minor >= _RELAXED else OLD_VARIABLE
    for index, variable in placed(container, "env"):
        here = (*at, "env", index)
        yield from unnamed(variable, here, "name", form)
        if isinstance(variable.get("valueFrom"), dict):
            yield from _source(variable, here)
    for index, source in placed(container, "envFrom"):
        here = (*at, "envFrom", index)
        yield from misnamed(source, here, "prefix", form)
        said = given(source, *_WHOLE_SOURCES)
        if len(said) != 1:
            what = "it has both sources" if said else "it has no source"
            yield Refusal(here, what, f"say one of {', '.join(_WHOLE_SOURCES)}")
        for key in said:
            yield from _reference(mapping(source, key), (*here, key))


def _source(variable: Map, at: Path) -> Refusals:
    source, here = variable["valueFrom"], (*at, "valueFrom")
    said = given(source, *_SOURCES)
    if not said:
        yield Refusal(here, "it has no source", f"say one of {', '.join(_SOURCES[:4])}", at_key=True)
    elif variable.get("value"):
        yield Refusal(here, "the variable has a value already", "keep value or valueFrom", at_key=True)
    elif len(said) > 1:
        yield Refusal(here, f"it has {' and '.join(said)}", "keep one of them", at_key=True)
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in said:
            yield from _reference(mapping(source, key), (*here, key))
            yield from misnamed(mapping(source, key), (*here, key), "name", SUBDOMAIN)
            yield from unnamed(mapping(source, key), (*here, key), "key", KEY)
    if "resourceFieldRef" in said:
        yield from _resource(mapping(source, "resourceFieldRef"), (*here, "resourceFieldRef"))
    if "fieldRef" in said:
        yield from _field(mapping(source, "fieldRef"), (*here, "fieldRef"))


def _reference(reference: Map, at: Path) -> Refusals:
    if not reference.get("name"):
        yield Refusal(at, "it names no object", "add its name", at_key=True)


def _field(reference: Map, at: Path) -> Refusals:
    path, version = text(reference, "fieldPath"), text(reference, "apiVersion")
    subscript = _SUBSCRIPT.fullmatch(path)
    if path in (*_FIELDS, _OLD_FIELD) or version not in ("", "v1") or not path:
        return
    if subscript is None or not is_qualified(subscript[2].lower() if subscript[1] == "annotations" else subscript[2]):
        hint = guess(path, _FIELDS) or "One of metadata.labels['KEY'], metadata.annotations['KEY']"
        yield Refusal((*at, "fieldPath"), f'no variable can have "{plain(path)}"', hint)


def _resource(reference: Map, at: Path) -> Refusals:
    resource = text(reference, "resource")
    if resource and resource not in _RESOURCES and not resource.startswith(_PAGES):
        hint = guess(resource, _RESOURCES)
        yield Refusal((*at, "resource"), f'no variable can have "{plain(resource)}"', hint or _RESOURCES[0])
