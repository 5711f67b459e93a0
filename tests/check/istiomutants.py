"""Istio's resources with one thing changed: what is there, what is missing, and what stands twice."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

Object = dict[str, Any]
Way = tuple[Any, ...]
_TEXTS = (
    *("", "*", "~", ".", "x", "a.b", "A-B", "a_b", "-a", "a*b", "*.example.com", "*-a.example.com", "*.*.com", "1.2.3"),
    *("a.example.com", "a.example.com.", "b/a.example.com", "./*", "*/*", "~/*", "b/c/d", "mesh", "a" * 64, "a." * 140),
    *(
        "10.0.0.1",
        "10.0.0.0/8",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "300.1.1.1",
        "2001:db8::1",
        "::1/64",
        "a.b.c.d/8",
        "01.2.3.4",
    ),
    *("0", "80", "-1", "65536", "08", "+80", "1.5", "http", "HTTP", "https", "TLS", "TCP", "UDP", "GRPC-Web", "TLSS"),
    *("0s", "10s", "1ms", "0.5ms", "1us", "1h", "-1s", "5", "1d", "1.0005s", "1500ms", "1m30s"),
    *("unix:///a/b", "unix://@a", "unix://a", "unix:///a/", "http://1.2.3.4", "https://a.example.com:x", "ftp:/a"),
    *(
        "127.0.0.1:80",
        "[::1]:80",
        ":80",
        "127.0.0.1",
        "1.2.3.4:80",
        "127.0.0.1:0",
        "{",
        "{}",
        "[",
        "(",
        "a{2",
        "a**",
        "(?=a)",
    ),
    *(
        "%",
        "%%",
        "%A%",
        "%A(b)%",
        "%A(%",
        "100%",
        ":path",
        ":authority",
        "Host",
        "x y",
        "source.ip",
        "request.headers[a]",
    ),
    *("request.headers", "request.auth.claims[]", "destination.labels[a]", "x.y", "01.2.3.4"),
    *("@request.auth.claims.a", "@request.auth.claims", "a,b", "5xx,503", "5xx, reset", "/a/{*}", "/a/{**}/b", "/{a}"),
    *(
        "/{**}/{*}",
        "/a*/{*}",
        "eu",
        "eu/a",
        "eu/*",
        "eu/*/a",
        "*/a",
        "/a",
        "eu//b",
        "GET",
        "get",
        "NOT_FOUND",
        "CUSTOM",
    ),
    *("configmap://shop/a", "configmap://a", "oci://a.example.com/b", "a.example.com:5000/b", "s3://a/b", "file:///a"),
    *("MUTUAL", "SIMPLE", "ISTIO_MUTUAL", "PASSTHROUGH", "DNS", "STATIC", "NONE", "ALLOW", "DENY", "REMOVE"),
    *(
        "MESH_INTERNAL",
        "DYNAMIC_DNS",
        "DNS_ROUND_ROBIN",
        "HTTP_ROUTE",
        "LISTENER",
        "ALLOW_ANY",
        "REGISTRY_ONLY",
        "MERGE",
    ),
)
_NUMBERS = (0, 1, 2, -1, 50, 80, 99, 100, 101, 199, 200, 404, 600, 601, 301, 65535, 65536, 70000, 0.5, 0.00001, 5000011)
_KEYS = ("", "x", "*", "a_b", "a b", "-a", ":path", ":authority", "host", "0", "8080", "65536", "a/b/c", "a" * 64)


def mutants(objects: list[Object], random: Random, count: int) -> Iterator[tuple[str, Object]]:
    """(what was done, a copy of an object with that), each place of each object having its turn."""
    places = [(obj, way) for obj in objects for way in _ways(obj["spec"], ("spec",))]
    values: dict[Any, list[Any]] = {}
    for obj, way in places:
        values.setdefault(_name(way), []).append(_at(obj, way))
    for number in range(count):
        obj, way = places[number % len(places)] if number < len(places) else random.choice(places)
        made = copy.deepcopy(obj)
        what = _change(made, way, values, random)
        yield f"{obj['kind']} {obj['metadata']['name']} {what} {'.'.join(map(str, way))}", made


def _ways(value: Any, way: Way) -> Iterator[Way]:
    yield way
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _ways(value[key], (*way, key))


def _name(way: Way) -> Any:
    return next((key for key in reversed(way) if isinstance(key, str)), None)


def _at(value: Any, way: Way) -> Any:
    for key in way:
        value = value[key]
    return value


def _change(made: Object, way: Way, values: dict[Any, list[Any]], random: Random) -> str:
    holder, key = _at(made, way[:-1]), way[-1]
    value = holder[key]
    action = random.choice(("drop", "swap", "value", "value", "value", "twice", "rename", "add", "empty"))
    if action == "drop" and len(way) > 1:
        del holder[key]
    elif action == "swap" and len(values[_name(way)]) > 1:
        holder[key] = copy.deepcopy(random.choice(values[_name(way)]))
    elif action == "twice" and isinstance(value, list) and value:
        value.insert(random.randrange(len(value) + 1), copy.deepcopy(random.choice(value)))
    elif action == "rename" and isinstance(holder, dict) and len(way) > 1:
        holder[random.choice(_KEYS)] = holder.pop(key)
    elif action == "add" and isinstance(value, dict):
        name = random.choice([name for name in values if isinstance(name, str)])
        value[name] = copy.deepcopy(random.choice(values[name]))
    elif action == "empty" and isinstance(value, dict | list):
        value.clear()
    else:
        action, holder[key] = "value", _other(value, random)
    return action


def _other(value: Any, random: Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return random.choice(_TEXTS)
    if isinstance(value, int | float):
        return random.choice(_NUMBERS)
    if isinstance(value, list) and value:
        return [*value, _other(value[0], random)] if random.random() < 0.5 else [_other(value[0], random)]
    return type(value)()
