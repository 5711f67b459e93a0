"""A real API server refuses all that is refused here, by mutants and by hand, and takes what is taken here."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from meshgen.check.refused import refusals_of
from meshgen.render import build_mesh
from tests.apiserver import APIServer, KubectlFailed, api_server
from tests.check.refused.bad import BAD
from tests.check.refused.badcluster import BAD_OF_CLUSTERS
from tests.check.refused.objects import Object, good
from tests.check.strictserver import StrictServer
from tests.check.test_kinds import documents
from tests.tools import PROJECT

pytestmark = [pytest.mark.realtools, pytest.mark.xdist_group("refused")]
# What tests/go/kubernetes builds.
KUBERNETES = "1.36"
# What may stand anywhere, and means something somewhere.
_VALUES: tuple[Any, ...] = (
    *(-1, 0, 1, 80, 99999, 2**31 - 1, None, True, [], {}, ["x"], {"a": "b"}, {"bad key": "x"}, {"a": "bad value!"}),
    *(
        "",
        "x",
        "B_d",
        "a.b",
        "a/b",
        "..",
        "/x",
        "-x",
        "x-",
        "한글",
        "a" * 64,
        "a" * 300,
        "8080",
        "http",
        "*",
        "*.example.com",
    ),
    *("25%", "0%", "101%", "1Gi", "-1", "100m", "0.5", "10.0.0.0/8", "10.0.0.1", "10.0.0.0/33", "010.0.0.1"),
    *("Always", "Never", "In", "Exists", "NotIn", "ClusterIP", "LoadBalancer", "NodePort", "ExternalName", "None"),
    *("* * * * *", "61 * * * *", "@every 5m", "@often", "*/0 * * * *", "5-3 * * * *", "0 0 1 1 mon", "0 0 1 1 7"),
    *(
        "TZ=UTC 0 0 * * *",
        "Local",
        "UTC",
        "metadata.name",
        "metadata.annotations['x y']",
        "Recreate",
        "OnDelete",
        "Indexed",
    ),
    *("array", "object", "string", "map", "set", "atomic", "Webhook", "v1", ["*"], ["*/*", "x"], ["v9"], [{}], False),
    *("https://a@b/c", "https://a/b?c", "http://a", "//", "/a//b", "/A/b", "restricted", "latest", "v1.30", "v1.030"),
    *("Recycle", "Retain", "Localhost", "RuntimeDefault", "Terminating", "NotTerminating", "Container", "Pod", "1.5"),
    *("127.0.0.1", "::1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "fd00::1", "::ffff:10.0.0.1", "SingleStack", "IPv6"),
    *(30, 31, 599, 600),
)
_KEYS = ("B_d", "bad key", "x/y/z", "ok", "a.b/c", "한")


@pytest.fixture(scope="module")
def running() -> Iterator[APIServer]:
    with api_server() as server:
        yield server


@pytest.fixture(scope="module")
def server(running: APIServer) -> StrictServer:
    return StrictServer(running)


def refused(one: Object) -> list[str]:
    """What is refused; no dry run looks at the range of the ports that nodes have."""
    found = [refusal for refusal in refusals_of(one, KUBERNETES) if refusal.path[-1:] != ("nodePort",)]
    return [f"{refusal.path}: {refusal.text}" for refusal in found]


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key, (*way, key)
        yield from places(value[key], (*way, key))


def mutant(one: Object, random: Random) -> Object:
    """A copy with one thing taken out, doubled, moved, named or said otherwise."""
    made = copy.deepcopy(one)
    spots = [
        (holder, key) for holder, key, way in places(made) if way not in (("apiVersion",), ("kind",), ("metadata",))
    ]
    holder, key = random.choice(spots)
    match random.choice(("drop", "change", "change", "change", "double", "copy", "key")):
        case "drop":
            del holder[key]
        case "double" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case "copy":
            there, where = random.choice(spots)
            there[where] = copy.deepcopy(holder[key])
        case "key" if isinstance(holder, dict):
            holder[random.choice(_KEYS)] = holder.pop(key)
        case _:
            holder[key] = random.choice(_VALUES)
    return made


def test_good_objects_are_accepted(server: StrictServer):
    assert [(one["kind"], verdict.message) for one in good() if not (verdict := server.judge(one)).accepted] == []


def test_bad_objects_are_refused(server: StrictServer):
    accepted = [bad for bad in BAD + BAD_OF_CLUSTERS if server.judge(bad.made()).accepted]

    assert accepted == []


def test_mutants_that_are_refused_here_are_refused_there(server: StrictServer):
    random, wrong, agreed = Random(425), [], 0
    bases = good()
    for _ in range(9000):
        made = mutant(random.choice(bases), random)
        if random.random() < 0.3 and "name" in made["metadata"]:
            made = mutant(made, random)
        named = isinstance(made["metadata"].get("name"), str)
        if named and (mine := refused(made)):
            verdict = server.judge(made)
            agreed += not verdict.accepted
            wrong += [(made["kind"], mine)] if verdict.accepted else []

    assert wrong == []
    assert agreed > 2500


@pytest.mark.parametrize("port", [8080, 70000, -1])
def test_a_port_of_nodes_outside_of_the_usual_range_is_not_given_out(running: APIServer, port: int):
    service = next(one for one in good() if one["metadata"]["name"] == "two")
    service["spec"]["ports"][0]["nodePort"] = port

    assert len(list(refusals_of(service, KUBERNETES))) == 1
    with pytest.raises(KubectlFailed, match="not in the valid range"):
        running.kubectl("create", "-f", "-", stdin=json.dumps(service))


@pytest.mark.upstream
def test_real_manifests_are_not_refused(cases: Path):
    """Istio's samples and what the example builds; what istioctl's analyzers are tested with is wrong on purpose."""
    paths = [path for path in sorted(cases.glob("istio-*/**/*.yaml")) if "testdata" not in path.parts]
    objects = [one for path in paths for one in documents(path) if isinstance(one.get("metadata"), dict)]
    for cluster in build_mesh(PROJECT / "meshgen.yaml").clusters:
        objects += [one for stage in cluster.built.stages for one in stage.objects]
    found = [
        (one["kind"], one["metadata"]["name"], why)
        for one in objects
        if isinstance(one["metadata"].get("name"), str) and isinstance(one.get("kind"), str)
        for why in refused(one)
    ]

    assert len(objects) > 300
    # Its tests say that for what is not looked at.
    assert [one for one in found if one[:2] != ("Deployment", "istiod")] == []
