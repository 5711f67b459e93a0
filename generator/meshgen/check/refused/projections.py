"""Volumes whose files are keys of ConfigMaps and Secrets, fields of the pod, and tokens.

Source: validateProjectionSources and validateDownwardAPIVolumeFile in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

_KINDS = {"secret": "Secret", "configMap": "ConfigMap"}
_MOST_MODE = 0o777
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 2**32


def projection_refusals(key: str, source: Map, at: Path) -> Refusals:
    """What is wrong with a volume that is of one of them, or of several."""
    if key == "projected":
        yield from _mode(source, at, "defaultMode")
        for index, one in placed(source, "sources"):
            yield from _part(one, (*at, "sources", index))
        yield from _shared(source, at)
        return
    name = "secretName" if key == "secret" else "name"
    yield from _single(key, source, at, name)


def _single(key: str, source: Map, at: Path, name: str) -> Refusals:
    if key in _KINDS and not source.get(name):
        yield Refusal(at, f"it names no {_KINDS[key]}", f"add {name}", at_key=True)
    yield from _mode(source, at, "defaultMode")
    for index, item in placed(source, "items"):
        here = (*at, "items", index)
        yield from _mode(item, here, "mode")
        path = text(item, "path")
        if path.startswith(("/", "..")) or ".." in path.split("/"):
            yield Refusal((*here, "path"), "the path leads out of the volume", "say a relative path without ..")
        if key == "downwardAPI":
            yield from _field(item, here)


def _field(item: Map, at: Path) -> Refusals:
    said = given(item, "fieldRef", "resourceFieldRef")
    if len(said) != 1:
        what = "it is fieldRef and resourceFieldRef" if said else "it does not say what is in the file"
        yield Refusal(at, what, "say fieldRef or resourceFieldRef")
    elif said == ["resourceFieldRef"] and not mapping(item, "resourceFieldRef").get("containerName"):
        yield Refusal((*at, "resourceFieldRef"), "it does not say of which container", "add containerName", at_key=True)


def _part(source: Map, at: Path) -> Refusals:
    said = given(source, "secret", "configMap", "downwardAPI", "serviceAccountToken")
    if len(said) > 1:
        yield Refusal((*at, said[1]), f"it is {' and '.join(said)}", "a source is one of them", at_key=True)
    for key in said[:1]:
        part, here = mapping(source, key), (*at, key)
        if key == "serviceAccountToken":
            yield from bounded(part, here, ("expirationSeconds",), least=_SHORTEST_TOKEN, most=_LONGEST_TOKEN)
        else:
            yield from _single(key, part, here, "name")


def _shared(source: Map, at: Path) -> Refusals:
    """Paths that two parts of a volume have."""
    seen: set[str] = set()
    for index, part in placed(source, "sources"):
        for key in given(part, "secret", "configMap", "downwardAPI"):
            for number, item in placed(part, key, "items"):
                path = text(item, "path")
                if path and path in seen:
                    where = (*at, "sources", index, key, "items", number, "path")
                    yield Refusal(where, f"{plain(path)} is taken already", "name the file otherwise")
                seen.add(path)


def _mode(holder: Map, at: Path, key: str) -> Refusals:
    mode = whole(holder, key)
    if mode is not None and not 0 <= mode <= _MOST_MODE:
        octal = str(mode)
        meant = f": write 0{octal}, or {int(octal, 8)}" if set(octal) <= set("01234567") and len(octal) == 3 else ""
        yield Refusal((*at, key), f"{mode} is no mode of a file", f"modes are octal, 0 to 0777{meant}")
