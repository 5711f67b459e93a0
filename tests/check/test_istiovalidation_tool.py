"""`istioctl validate`, which calls what Istio's webhook does, refuses what is refused here, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from meshgen.catalog import Version
from meshgen.catalog.kinds import Api
from meshgen.check.istiovalidation import istio_problems
from meshgen.check.kinds import kind_problems
from tests.check.istiomutants import mutants
from tests.check.test_istiovalidation import REFUSED, VALID, gateway, http, jwt, match, resource, source
from tests.check.test_kinds import documents, tables
from tests.tools import tool

pytestmark = pytest.mark.realtools
# What tests/go/istio builds.
ISTIO = Version.parse("1.31.0")
KUBERNETES = "1.34"
GROUPS = ("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io")
MUTANTS = 1200
# What istioctl refuses and meshgen does not: how istioctl says it, and why.
NOT_FOUND = {
    "must be a valid CEL expression": "a reader of CEL is an extra that not everyone installs",
    "Envoy filter: bad Duration": "what a patch may hold are the types of Envoy, which meshgen does not have",
}
Object = dict[str, Any]


def istioctl(objects: Sequence[Object], folder: Path) -> Mapping[int, list[str]]:
    """Why istioctl refuses objects, by the number of each that it does."""
    file = folder / "objects.yaml"
    file.write_text("\n---\n".join(json.dumps(_numbered(obj, number)) for number, obj in enumerate(objects)))
    command = [tool("istioctl"), "validate", "-f", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    refused = defaultdict(list)
    for line in done.stderr.partition("Error:")[2].splitlines():
        if said := re.match(r"\s*\* \w+/[^/]*/n(\d+)\b[^:]*: ?(.*)", line):
            refused[int(said[1])].append(said[2])
    return refused


def _numbered(obj: Object, number: int) -> Object:
    """An object whose name tells it from others, with the dots that its own has, for some kinds take none."""
    metadata = obj.get("metadata") or {}
    dots = str(metadata.get("name", "")).partition(".")[1:]
    return obj | {"metadata": metadata | {"name": f"n{number}{''.join(dots)}"}}


def disagreements(
    objects: Sequence[tuple[str, Object]], refused: Mapping[int, list[str]]
) -> tuple[list[str], list[str]]:
    """(what istioctl alone refuses, what MG424 alone does), each with its name and why."""
    missed, invented = [], []
    for number, (name, obj) in enumerate(objects):
        webhook = [f"{one.path} {one.text}" for one in istio_problems(obj, ISTIO.numbers)]
        if number not in refused and webhook:
            invented.append(f"{name}: {webhook}")
        if number in refused and not webhook and not list(kind_problems(obj, KUBERNETES, ISTIO)):
            missed.append(f"{name}: {refused[number]}")
    return missed, invented


def unexplained(missed: Iterable[str]) -> list[str]:
    return [one for one in missed if not any(words in one for words in NOT_FOUND)]


def test_what_is_valid_is_accepted(tmp_path: Path) -> None:
    valid = list(documents(VALID))

    assert len(valid) > 25
    assert istioctl(valid, tmp_path) == {}
    assert [one for obj in valid for one in istio_problems(obj, ISTIO.numbers)] == []


def test_each_case_of_the_table_is_refused(tmp_path: Path) -> None:
    cases = [resource(kind, spec) for kind, spec, _, _ in REFUSED]

    refused = istioctl(cases, tmp_path)

    assert [REFUSED[number] for number in range(len(cases)) if number not in refused] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_mutants_are_refused_by_both_or_by_none(seed: int, tmp_path: Path) -> None:
    changed = list(mutants(list(documents(VALID)), Random(seed), MUTANTS))

    refused = istioctl([obj for _, obj in changed], tmp_path)
    missed, invented = disagreements(changed, refused)

    assert invented == []
    assert unexplained(missed) == []
    # Both ways of it are tried.
    assert MUTANTS * 0.3 < len(refused) < MUTANTS * 0.8


# What texts are put together of, and where they stand.
TEXTS: dict[str, tuple[str, Callable[[str], Object]]] = {
    "value of a header": (
        r'% % ( ) [ ] " \ , A b %A% %A( )%',
        lambda text: resource("VirtualService", http(headers={"request": {"set": {"a": text}}})),
    ),
    "expression": (
        r"a b . * + ? ( ) [ ] { } | ^ $ \ , - 1 (?i) (?: (?P<n> (?P<1> \d [a-z] {2,3} [[:alpha:]] \pL \b \A \Q \E \x41",
        lambda text: resource("VirtualService", match(uri={"regex": text})),
    ),
    "URI": (
        "http: https: HTTPS: ftp: / // a b.c : 80 @ ? # [ ::1 ] % %41",
        lambda text: resource("RequestAuthentication", jwt(jwksUri=text)),
    ),
    "duration": ("1 0 5 . s ms us h m - + ns", lambda text: resource("VirtualService", http(timeout=text))),
    "range": (
        "1 0 10.0.0.1 . / 8 32 33 :: fe80::1 %eth0 01 a :",
        lambda text: resource("AuthorizationPolicy", source(ipBlocks=[text])),
    ),
    "host": (
        "a b . * *. - / ./ ~ 1 a.b ::1 10.0.0.1 _",
        lambda text: resource("Gateway", gateway(hosts=[text])),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_is_refused_that_istio_reads(name: str, tmp_path: Path) -> None:
    parts, make = TEXTS[name]
    random = Random(3)
    texts = ["".join(random.choices(parts.split(), k=random.randint(1, 8))) for _ in range(500)]

    objects = [(text, make(text)) for text in texts]
    _, invented = disagreements(objects, istioctl([obj for _, obj in objects], tmp_path))

    assert invented == []


@pytest.mark.upstream
def test_istios_own_cases_are_refused_by_both_or_by_none(cases: Path, tmp_path: Path) -> None:
    objects = [(f"{verdict} {one['kind']}", one) for verdict in ("accept", "reject") for one in tables(cases, verdict)]
    for path in sorted((cases / "istio-1.11.3/analyzers/testdata").rglob("*.yaml")):
        objects += [(path.name, one) for one in _readable(path) if _is_istios(one)]

    missed, invented = disagreements(objects, istioctl([one for _, one in objects], tmp_path))

    assert len(objects) > 350
    assert invented == []
    assert unexplained(missed) == []


def _readable(path: Path) -> list[Any]:
    """The objects of a file; some of Istio's cases are no YAML."""
    try:
        return list(documents(path))
    except Exception:
        return []


def _is_istios(obj: Any) -> bool:
    return isinstance(obj, dict) and Api(str(obj.get("apiVersion")), "").group in GROUPS and "spec" in obj
