"""Tells credentials that stand in the clear, by their name and by how random they are; none is ever shown."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from meshgen.policy.reading import Map, containers, items, mapping
from meshgen.policy.rule import Breach, Rule, of_object, of_setting, plain
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads

_NAME = re.compile(
    r"(^|[_.\-]|(?<=[a-z]))(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|signing[_-]?key|encryption[_-]?key|credentials?)$",
    re.I,
)
_WORDS = re.compile(r"passw|passphrase|secret|token|key|credential|://|eyJ|gh[opsur]_|xox|glpat|AKIA")
# What nobody writes but as a credential, whatever it is called.
_SHAPES = re.compile(
    r"\b(AKIA[0-9A-Z]{16}|gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{20,}"
    r"|eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,})|-----BEGIN (RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s/:@${}]{1,64}:[^\s/:@${}<>*]{6,128}@"
)
_LINE = re.compile(
    r"""^[ \t-]*["']?([\w.\-]{1,80})["']?[ \t]*[:=][ \t]*["']?([^\s"',#]{8,512})["']?,?[ \t\r]*$""", re.M
)
# A name of something, such as `grafana-admin-v2`: what a Secret is called, not what it holds.
_CALLED = re.compile(r"([A-Za-z]+|v?[0-9]{1,4})([-_./:@]([A-Za-z]+|v?[0-9]{1,4}))*")
_ENTROPY = 2.8


def looks_secret(name: str, value: str) -> bool:
    """Whether a value looks like a credential, by its own shape or by its name and how random it is."""
    if _SHAPES.search(value):
        return True
    return _NAME.search(name) is not None and _is_random(value)


def _is_random(value: str) -> bool:
    if not 8 <= len(value) <= 512 or any(mark in value for mark in ("${", "$(", "{{", "<", " ")):
        return False
    if value.startswith(("/", "./", "file:", "http:", "https:", "$")) or _CALLED.fullmatch(value):
        return False
    kinds = sum(any(test(char) for char in value) for test in (str.islower, str.isupper, str.isdigit, _is_mark))
    return kinds >= 2 and _entropy(value) >= _ENTROPY


def _is_mark(char: str) -> bool:
    return not char.isalnum()


def _entropy(value: str) -> float:
    """Shannon's entropy of a text, in bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


@lru_cache(maxsize=2048)
def secret_line(text: str) -> str | None:
    """The name of the first credential in a text of lines `name: value` or `name=value`; None where there is none."""
    if not _WORDS.search(text) and not _WORDS.search(text.lower()):
        return None
    found = next((name for name, value in _LINE.findall(text) if looks_secret(name, value)), None)
    return found or ("a key or token" if _SHAPES.search(text) else None)


def _in_config_maps(subject: Subject) -> Iterator[Breach]:
    hint = "put it into a Secret that is made on the cluster, and mount that; change it: Git keeps what it has seen"
    for obj in subject.of("ConfigMap"):
        for key, value in mapping(obj, "data").items():
            if not isinstance(value, str):
                continue
            name = key if _NAME.search(key) and _is_random(value) else secret_line(value)
            if name:
                where = plain(key) if name == key else f"{plain(name)} in {plain(key)}"
                yield of_object(subject, obj, f"{where} looks like a credential in the clear", hint)


def _in_env(subject: Subject) -> Iterator[Breach]:
    hint = "take it from a Secret: valueFrom.secretKeyRef; change it: Git keeps what it has seen"
    for obj, template in workloads(subject):
        for container in containers(template):
            for name in _secret_env(container):
                what = f"env {plain(name)} of container {plain(container.get('name'))} looks like a credential"
                yield of_object(subject, obj, f"{what} in the clear", hint)


def _secret_env(container: Map) -> Iterator[str]:
    for one in items(container, "env"):
        name, value = one.get("name"), one.get("value")
        if isinstance(name, str) and isinstance(value, str) and looks_secret(name, value):
            yield name


def _in_settings(subject: Subject) -> Iterator[Breach]:
    hint = "name a Secret that is made on the cluster instead; change it: Git keeps what it has seen"
    for part in ("meshConfig", "values", "unvalidatedValues", "components"):
        for path in _secret_paths(subject.setting(part), ("istio", part)):
            yield of_setting(subject, path, "looks like a credential in the clear", hint)


def _secret_paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        # An item of `env` has its name beside its value.
        named = value.get("name") if isinstance(value.get("value"), str) else None
        for key, item in value.items():
            name = str(named) if key == "value" and named else str(key)
            if isinstance(item, str) and looks_secret(name, item):
                yield (*path, str(key))
            yield from _secret_paths(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secret_paths(item, (*path, index))


RULES = (
    Rule("MG535", "warning", "A credential in a ConfigMap", _in_config_maps),
    Rule("MG536", "warning", "A credential in a pod's environment", _in_env),
    Rule("MG537", "warning", "A credential in the settings of Istio", _in_settings),
)
