"""Tells credentials in the clear: a warning in what a cluster gets, an error in the config; none is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.config.problems import plain
from meshgen.credentials import NAMES_CREDENTIAL, TAKES_CREDENTIAL, is_placeholder, is_random, looks_secret, secret_line
from meshgen.policy.reading import Map, containers, items, mapping
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads


def _in_config_maps(subject: Subject) -> Iterator[Breach]:
    hint = "put it into a Secret that is made on the cluster, and mount that; change it: Git keeps what it has seen"
    for obj in subject.of("ConfigMap"):
        for key, value in mapping(obj, "data").items():
            if not isinstance(value, str):
                continue
            name = key if NAMES_CREDENTIAL.search(key) and is_random(value) else secret_line(value)
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
    for part, settings in subject.settings.items():
        if part not in _REASONS:
            for path in _secret_paths(settings, (part,)):
                yield of_setting(subject, path, "looks like a credential in the clear", hint)


# Texts for people, and names of files.
_REASONS = ("policy", "resources")


def _secret_paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        # An item of `env` has its name beside its value.
        named = value.get("name") if isinstance(value.get("value"), str) else None
        for key, item in value.items():
            name = str(named) if key == "value" and named else str(key)
            if isinstance(item, str) and _is_secret(name, item, path):
                yield (*path, str(key))
            yield from _secret_paths(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, str) and looks_secret("", item):
                yield (*path, index)
            yield from _secret_paths(item, (*path, index))


def _is_secret(name: str, value: str, path: tuple[str | int, ...]) -> bool:
    if path[:1] == ("addons",) and len(path) == 2:
        # `addons.NAME.secret` is what a Secret is called.
        return False
    if path[:1] == ("addons",) and path[2:3] == ("values",) and TAKES_CREDENTIAL.search(name):
        return not is_placeholder(value)
    return looks_secret(name, value)


RULES = (
    Rule("MG535", "warning", "A credential in a ConfigMap", _in_config_maps, of_objects=True),
    Rule("MG536", "warning", "A credential in a pod's environment", _in_env, of_objects=True),
    Rule("MG537", "error", "A credential in the config", _in_settings),
)
