"""Lays the forms that a type has at all releases over each other, and finds what stands twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from meshgen.catalog.openapi import Form

# What may differ from release to release within one form: the items of these lists have ranges of their own.
_LISTED = ("enum", "one", "required")
_INNER = ("list", "map")


def over_time(forms: Mapping[str, Form | None]) -> Form:
    """The forms by release, oldest first and None where there is none, as one, or as a list of parts with ranges."""
    names = list(forms)
    runs: list[list[str]] = []
    for name in names:
        if runs and _alike(forms[runs[-1][0]], forms[name]):
            runs[-1].append(name)
        else:
            runs.append([name])
    if len(runs) == 1:
        return _merged({name: forms[name] for name in names})
    return [
        {"form": _merged({name: forms[name] for name in run}), **_limits(names, run)}
        for run in runs
        if forms[run[0]] is not None
    ]


def _limits(names: list[str], run: list[str]) -> dict[str, str]:
    """The range of a run: from its first release on, and before the one that follows its last."""
    limits = {} if run[0] == names[0] else {"since": run[0]}
    after = names.index(run[-1]) + 1
    return limits if after == len(names) else {**limits, "until": names[after]}


def _alike(one: Form | None, other: Form | None) -> bool:
    """Whether two forms differ at most in what can be said inside of one."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return bool(one == other)
    outer = [{key for key in form if key not in _LISTED} for form in (one, other)]
    if outer[0] != outer[1] or ("enum" in one) != ("enum" in other):
        return False
    return all(one[key] == other[key] for key in outer[0] if key not in (*_INNER, "fields"))


def _merged(forms: dict[str, Form]) -> Form:
    first = next(iter(forms.values()))
    if not isinstance(first, dict):
        return first
    made: dict[str, Any] = {}
    for key in dict.fromkeys(key for form in forms.values() for key in form):
        having = {name: form.get(key) for name, form in forms.items()}
        if key == "fields":
            known = sorted({field for fields in having.values() for field in fields})
            made[key] = {
                field: over_time({name: fields.get(field) for name, fields in having.items()}) for field in known
            }
        elif key in _INNER:
            made[key] = over_time(having)
        else:
            made[key] = _listed(having) if key in _LISTED else first[key]
    return made


def _listed(lists: dict[str, list[Any] | None]) -> list[Any]:
    """The items of all lists, each with the ranges in which it is there where that is not always."""
    names = list(lists)
    items = {json.dumps(item): item for items in lists.values() for item in items or ()}
    made: list[Any] = []
    for item in items.values():
        runs: list[list[str]] = []
        for before, name in zip([None, *names], names, strict=False):
            if item in (lists[name] or ()):
                if not runs or runs[-1][-1] != before:
                    runs.append([])
                runs[-1].append(name)
        limits = [_limits(names, run) for run in runs]
        made += [item] if limits == [{}] else [{"value": item, **one} for one in limits]
    return made


def shared(roots: dict[str, Form]) -> tuple[dict[str, Form], dict[str, Form]]:
    """The roots with each large form that stands twice replaced by a reference, and these forms by their names."""
    seen = Counter(json.dumps(form) for root in roots.values() for _, form in _inside(root, ""))
    names: dict[str, str] = {}
    for kind, root in roots.items():
        for path, form in _inside(root, kind.partition(" ")[2]):
            text = json.dumps(form)
            if seen[text] > 1 and len(text) > 60 and text not in names:
                names[text] = f"{path}~{sum(name.partition('~')[0] == path for name in names.values()) or ''}".rstrip(
                    "~"
                )

    def refer(form: Form, top: bool = False) -> Form:
        if not top and (name := names.get(json.dumps(form))):
            return f"@{name}"
        if isinstance(form, list):
            return [refer(item) for item in form]
        return {key: refer(value) for key, value in form.items()} if isinstance(form, dict) else form

    made = {kind: refer(root) for kind, root in roots.items()}
    types = {name: refer(json.loads(text), top=True) for text, name in sorted(names.items(), key=lambda one: one[1])}
    used = Counter(_references([made, types]))
    return made, {name: form for name, form in types.items() if used[name]}


def _inside(form: Form, name: str) -> Iterator[tuple[str, Form]]:
    """(nearest field, form) of every map of limits or fields, the outer ones first."""
    if isinstance(form, list):
        for part in form:
            yield from _inside(part["form"], name)
    elif isinstance(form, dict):
        yield name, form
        for key in _INNER:
            yield from _inside(form.get(key), name)
        for field, inner in form.get("fields", {}).items():
            yield from _inside(inner, field)


def _references(form: Any) -> Iterator[str]:
    if isinstance(form, str) and form.startswith("@"):
        yield form[1:]
    elif isinstance(form, list | dict):
        for inner in form.values() if isinstance(form, dict) else form:
            yield from _references(inner)


def shortened(form: Form) -> Form:
    """A form in which `[]string` stands for `{"list": "string"}`, and `{}string` for a map of them."""
    if isinstance(form, list):
        return [shortened(item) for item in form]
    if not isinstance(form, dict):
        return form
    made = {key: shortened(value) for key, value in form.items()}
    for key, sign in (("list", "[]"), ("map", "{}")):
        if set(made) == {key} and isinstance(made[key], str):
            return sign + made[key]
    return made
