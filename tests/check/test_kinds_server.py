"""A real API server with strict field validation refuses what is refused here, and nothing else is refused here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from meshgen.catalog import Version
from meshgen.catalog import kinds as catalog
from meshgen.catalog.kinds import CORE, ISTIO, Api, Type
from meshgen.check.kinds import kind_problems
from meshgen.render import build_mesh
from tests.apiserver import api_server
from tests.catalog.kindfields import PROJECTS
from tests.check.mutants import least, made_up, mutant, reached, with_at
from tests.check.strictserver import StrictServer, Verdict
from tests.check.test_kinds import documents, tables
from tests.tools import PROJECT

pytestmark = [pytest.mark.realtools, pytest.mark.upstream, pytest.mark.xdist_group("kinds")]
# What tests/go/kubernetes builds.
KUBERNETES = "1.36"
# How the server says what the fields alone decide; all else is a rule in Go or in CEL.
_BY_FIELDS = ("strict decoding error", "cannot be handled as", "unmarshal", " in body ", "Too long", "Too many")
# Combinations of JSON Schema other than groups, and what is in a status, which nobody writes.
_NOT_READ = ("must validate one and only one schema", 'unknown field "status.')
# At 1.11 a DestinationRule with `simple` and two hash keys passes its CRD, for the schema of one branch of the oneOf is
# wrong then; istiod can't read it.
_PASSES_AT_1_11 = "consistentHash and simple exclude each other"
# Known as what any of several releases takes, of which the server has one.
_OF_MANY = {"gateway", "externalsecrets"}
Object = dict[str, Any]


class Sides(NamedTuple):
    server: StrictServer
    istio: Version

    def disagreement(self, one: Object, what: str = "") -> str | None:
        """What is refused by one side only, where that is not left to the server."""
        verdict = self.server.judge(one)
        problems = list(kind_problems(one, KUBERNETES, self.istio))
        if verdict.accepted:
            mine = [found for found in problems if not found.message.endswith(_PASSES_AT_1_11)]
            return f"{one['kind']} {what} is accepted: {mine}" if mine else None
        if problems or source_of(one) in _OF_MANY or not _by_fields(verdict, one):
            return None
        return f"{one['kind']} {what}: {verdict.message[:500]}"


def source_of(one: Object) -> str:
    return catalog.source_of(Api(one["apiVersion"], one["kind"]).group)


def _by_fields(verdict: Verdict, one: Object) -> bool:
    if any(words in verdict.message for words in _NOT_READ):
        return False
    if any(words in verdict.message for words in _BY_FIELDS):
        return True
    # Of its own kinds the server says in Go what is required.
    custom = source_of(one) != CORE
    named = {field for field, reason in verdict.causes if reason == "FieldValueRequired"}
    return custom and bool(named - {"metadata.name"})


@pytest.fixture(scope="module", params=["1.11.3", "1.30.3"])
def sides(request: pytest.FixtureRequest, cases: Path) -> Iterator[Sides]:
    with api_server() as running:
        server = StrictServer(running)
        paths = [
            cases / f"istio-{request.param}/crds/crd-all.gen.yaml",
            *sorted((cases / "gitops-crds").glob("*.yaml")),
        ]
        server.install(one for path in paths for one in documents(path))
        yield Sides(server, Version.parse(request.param))


@pytest.fixture(scope="module")
def objects(sides: Sides, cases: Path) -> list[Object]:
    """Real objects, each once."""
    samples = sorted((cases / f"istio-{sides.istio}/addons").rglob("*.yaml"))
    wiring = [path for name in ("flux", "argocd") for path in sorted((PROJECT / "output").glob(f"**/{name}/**/*.yaml"))]
    found = [one for path in (*samples, *wiring) for one in documents(path)] + tables(cases, "accept")
    for cluster in build_mesh(PROJECT / "meshgen.yaml").clusters:
        found += [one for stage in cluster.built.stages for one in stage.objects]
    texts = {
        json.dumps({**one, "metadata": {**one["metadata"], "namespace": "default"}})
        for one in found
        if one.get("metadata")
    }
    return [json.loads(text) for text in sorted(texts) if len(text) < 20_000]


def placed(one: Object, server: StrictServer) -> Object:
    """An object in no namespace, for the server puts it into its own."""
    return {**one, "metadata": {key: value for key, value in one["metadata"].items() if key != "namespace"}}


def test_real_objects_and_what_is_changed_in_them(sides: Sides, objects: list[Object]):
    random = Random(20)
    by_kind: dict[tuple[str, str], list[Object]] = {}
    for one in objects:
        if sides.server.serves(one["apiVersion"], one["kind"]):
            by_kind.setdefault((one["apiVersion"], one["kind"]), []).append(one)

    found = [sides.disagreement(one) for same in by_kind.values() for one in same]
    for _ in range(2000):
        what, changed = mutant(random.choice(random.choice(list(by_kind.values()))), random)
        found.append(sides.disagreement(changed, what))

    assert len(by_kind) > 20
    assert [one for one in found if one] == []


def test_objects_that_are_made_up(sides: Sides):
    random = Random(21)
    versions = {source: catalog.version_for(source, KUBERNETES, sides.istio) for source in (ISTIO, *PROJECTS)}
    apis = [(api, version) for source, version in versions.items() for api in catalog.apis(source, version)]
    served = [(api, version) for api, version in apis if sides.server.serves(api.version, api.kind)]
    kinds = [(api, made) for api, version in served if (made := catalog.kind_type(api, version))]
    found = []
    for _ in range(2500):
        api, made = random.choice(kinds)
        fields = made_up(made, random)
        if isinstance(fields, dict):
            one = {**fields, "apiVersion": api.version, "kind": api.kind, "metadata": {"name": "one"}}
            found.append(sides.disagreement(one, json.dumps(fields)[:300]))

    assert [one for one in found if one] == []


@pytest.fixture(scope="module")
def plain() -> Iterator[StrictServer]:
    """A server that has Kubernetes' own kinds alone."""
    with api_server() as running:
        yield StrictServer(running)


def accepted(server: StrictServer, changes: Callable[[Type], Iterator[tuple[str, Any]]]) -> list[str]:
    """The changes to fields of Kubernetes' own kinds that the server does not mind."""
    version = catalog.version_for(CORE, KUBERNETES, Version.parse("1.30.3"))
    seen: set[int] = set()
    found = []
    for api in catalog.apis(CORE, version):
        made = catalog.kind_type(api, version)
        if made is None or not server.serves(*api):
            continue
        head = {"apiVersion": api.version, "kind": api.kind, "metadata": {"name": "one"}}
        for path, one in reached(made, seen):
            for what, value in changes(one) if one.word == "fields" else ():
                if server.judge({**with_at(made, path, value), **head}).accepted:
                    found.append(f"{api}: {path} {what}")
    return found


def test_every_field_that_kubernetes_requires_is_asked_for(plain: StrictServer):
    def without(made: Type) -> Iterator[tuple[str, Any]]:
        for name in made.required:
            yield name, {key: value for key, value in least(made).items() if key != name}

    assert accepted(plain, without) == []


def test_every_word_that_kubernetes_does_not_have_is_refused(plain: StrictServer):
    def other(made: Type) -> Iterator[tuple[str, Any]]:
        for name in made.fields.names():
            field = made.fields[name]
            assert field is not None
            if "enum" in (field.item or field).limits:
                yield name, {**least(made), name: ["Bogus"] if field.item else "Bogus"}

    assert accepted(plain, other) == []
