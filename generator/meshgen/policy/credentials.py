"""Tells credentials in the clear: a warning in what a cluster gets, an error in the config; none is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshgen.config.problems import plain
from meshgen.credentials import TAKES_CREDENTIAL, arguments, looks_secret, secret_lines
from meshgen.credentialshapes import is_placeholder
from meshgen.policy.reading import Map, mapping, placed, placed_containers
from meshgen.policy.rule import Breach, Rule, of_object, of_setting
from meshgen.policy.subject import Subject
from meshgen.policy.workloads import workloads

Path = tuple[str | int, ...]


def _in_config_maps(subject: Subject) -> Iterator[Breach]:
    hint = "put it into a Secret that is made on the cluster, and mount that; change it: Git keeps what it has seen"
    for obj in subject.of("ConfigMap"):
        for key, value in mapping(obj, "data").items():
            for where in _named(key, value) if isinstance(value, str) else ():
                yield of_object(subject, obj, f"{where} looks like a credential in the clear", hint, ("data", key))


def _named(key: str, value: str) -> Iterator[str]:
    """The credentials of a value: its own key where it is one itself, else those of its lines."""
    if "\n" not in value.strip() and looks_secret(key, value):
        yield plain(key)
    else:
        yield from (f"{plain(name)} in {plain(key)}" for name in secret_lines(value))


def _in_env(subject: Subject) -> Iterator[Breach]:
    hint = "take it from a Secret: valueFrom.secretKeyRef; change it: Git keeps what it has seen"
    for obj, _ in workloads(subject):
        for path, container in placed_containers(obj):
            for at, what in (*_secret_env(container), *_secret_arguments(container)):
                where = f"{what} of container {plain(container.get('name'))}"
                yield of_object(subject, obj, f"{where} looks like a credential in the clear", hint, (*path, *at))


def _secret_env(container: Map) -> Iterator[tuple[Path, str]]:
    for index, one in placed(container, "env"):
        name, value = one.get("name"), one.get("value")
        if isinstance(name, str) and isinstance(value, str) and looks_secret(name, value):
            yield ("env", index, "value"), f"env {plain(name)}"


def _secret_arguments(container: Map) -> Iterator[tuple[Path, str]]:
    for key in ("command", "args"):
        found = container.get(key)
        told: dict[tuple[int, str], None] = {}
        for index, name, value in arguments(found if isinstance(found, list) else ()):
            if looks_secret(name, value):
                told[index, f"{plain(name)} in {key}" if name else f"an argument in {key}"] = None
        yield from (((key, index), what) for index, what in told)


def _in_settings(subject: Subject) -> Iterator[Breach]:
    hint = "name a Secret that is made on the cluster instead; change it: Git keeps what it has seen"
    for part, settings in subject.settings.items():
        if part not in _REASONS:
            for path in _secret_paths(settings, (part,)):
                yield of_setting(subject, path, "looks like a credential in the clear", hint)


# Texts for people, and names of files.
_REASONS = ("policy", "resources")


def _secret_paths(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        # An item of `env` has its name beside its value.
        named = value.get("name") if isinstance(value.get("value"), str) else None
        for key, item in value.items():
            name = str(named) if key == "value" and named else str(key)
            if isinstance(item, str) and _is_secret(name, item, path):
                yield (*path, str(key))
            yield from _secret_paths(item, (*path, str(key)))
    elif isinstance(value, list):
        told = {index for index, name, item in arguments(value) if looks_secret(name, item)}
        for index, item in enumerate(value):
            if index in told:
                yield (*path, index)
            yield from _secret_paths(item, (*path, index))


def _is_secret(name: str, value: str, path: Path) -> bool:
    if path[:1] == ("addons",) and len(path) == 2:
        # `addons.NAME.secret` is what a Secret is called.
        return False
    if path[:1] == ("addons",) and path[2:3] == ("values",) and TAKES_CREDENTIAL.search(name):
        return not is_placeholder(value)
    return looks_secret(name, value)


RULES = (
    Rule("MG535", "warning", "A credential in a ConfigMap", _in_config_maps, of_objects=True),
    Rule("MG536", "warning", "A credential in a pod's environment or arguments", _in_env, of_objects=True),
    Rule("MG537", "error", "A credential in the config", _in_settings),
)
