"""What diff says of two configs is how the trees differ that the real kubectl builds of them."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from meshgen.diff.change import Difference
from meshgen.diff.objects import own
from meshgen.diff.story import diff
from meshgen.errors import InputError
from meshgen.render import build_mesh, render
from meshgen.tree.update import update
from tests.configs import OWN, Config, configs
from tests.layout.kustomize import exactly
from tests.objects import Object, build_all
from tests.test_invariant import write

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
# (cluster, space, group, kind, namespace, name)
Key = tuple[str, str, str, str, str, str]


@settings(max_examples=20, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), configs())
def test_diff_says_how_the_trees_differ_that_kubectl_builds(kubectl: Path, old: Config, new: Config):
    holds(kubectl, old, new)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), configs())
def test_diff_says_how_the_trees_differ_for_hundreds_of_pairs(kubectl: Path, old: Config, new: Config):
    holds(kubectl, old, new)


@settings(max_examples=20, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.sampled_from(["log", "renamed", "deleted", "engine", "addon"]), st.randoms(use_true_random=False))
def test_diff_says_what_one_mutation_of_a_config_changes(kubectl: Path, old: Config, how: str, random: Random):
    holds(kubectl, old, mutated(old, how, random))


def mutated(old: Config, how: str, random: Random) -> Config:
    """The config with one thing changed: a line of the mesh, a cluster's name, an overlay, the wiring, an addon."""
    new = deepcopy(old)
    event(how)
    if how == "log":
        istio = new.mesh["istio"]
        istio["values"] = {**(istio.get("values") or {}), "mutated": True}
    elif how == "renamed" and new.overlays:
        clusters = random.choice(new.overlays)["clusters"]
        for name in list(clusters)[:1]:
            clusters["renamed"] = clusters.pop(name)
            new.wanted["renamed"] = new.wanted.pop(name)
    elif how == "deleted" and len(new.overlays) > 1 and new.overlays[-1]["clusters"]:
        gone = new.overlays.pop()
        if not any(one["clusters"] for one in new.overlays):
            return old
        for name in gone["clusters"]:
            del new.wanted[name]
    elif how == "engine":
        new.mesh["delivery"] = {"flux": {"url": "https://example.com/other.git"}}
    elif how == "addon":
        new.mesh["addons"] = {**(new.mesh.get("addons") or {}), "loki": {"source": OWN}}
    return new


@settings(max_examples=30, deadline=None, suppress_health_check=_CHECKS)
@given(configs())
def test_a_config_does_not_differ_from_itself(config: Config):
    with TemporaryDirectory() as folder:
        for name in ("old", "new"):
            (Path(folder) / name).mkdir()
            write(Path(folder) / name, config)

        found = diff(f"{folder}/old", Path(folder) / "new" / "meshgen.yaml")

        assert found.is_empty
        assert found.total == len(config.wanted)


def holds(kubectl: Path, old: Config, new: Config) -> None:
    with TemporaryDirectory() as folder:
        trees = []
        for name, config in (("old", old), ("new", new)):
            (Path(folder) / name).mkdir()
            path = write(Path(folder) / name, config)
            # A mutation may make a config that is refused.
            assume(name == "old" or not is_refused(path))
            trees.append(built(kubectl, path))

        found = diff(f"{folder}/old", Path(folder) / "new" / "meshgen.yaml")

        assert said(found) == differing(*trees)
        assert gone_and_come(found) == {
            *((name, "removed") for name in old.wanted.keys() - new.wanted.keys()),
            *((name, "added") for name in new.wanted.keys() - old.wanted.keys()),
        }


def is_refused(path: Path) -> bool:
    try:
        build_mesh(path)
    except InputError:
        return True
    return False


def built(kubectl: Path, config: Path) -> dict[str, dict[Key, tuple[str, Object]]]:
    """Every object of every cluster, and the stage that it is in, as kubectl builds the tree."""
    rendering = render(config)
    output = config.parent / "output"
    update(output, rendering.files)
    places = {
        cluster.name: [(stage.name, "", stage.path) for stage in cluster.stages]
        + [(engine, engine, path) for engine, path in cluster.wiring.items()]
        for cluster in rendering.clusters
    }
    objects = build_all(kubectl, sorted({output / str(path) for found in places.values() for _, _, path in found}))
    return {
        name: {
            (name, space, key.group, key.kind, key.namespace, key.name): (stage, obj)
            for stage, space, path in found
            for key, obj in objects[output / str(path)].items()
        }
        for name, found in places.items()
    }


def differing(
    old: dict[str, dict[Key, tuple[str, Object]]], new: dict[str, dict[Key, tuple[str, Object]]]
) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for cluster in old.keys() & new.keys():
        before, after = old[cluster], new[cluster]
        found |= dict.fromkeys(before.keys() - after.keys(), "removed")
        found |= dict.fromkeys(after.keys() - before.keys(), "added")
        for key in before.keys() & after.keys():
            if before[key][0] != after[key][0]:
                found[key] = "moved"
            elif not exactly(before[key][1], after[key][1]):
                found[key] = "changed"
    event(f"{min(len(found), 50)} differences")
    return found


def said(difference: Difference) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for group in difference.groups:
        change = group.change
        if change.key.space == "istioctl" or change.key.kind == "HelmChartRelease":
            continue
        assert (change.action == "changed") <= bool(change.fields)
        for cluster in group.clusters:
            space, *rest, name = change.key
            key = (cluster, space, *rest, own(name, cluster) if space else name)
            assert key not in found
            found[key] = change.action  # type: ignore[index]
    return found


def gone_and_come(difference: Difference) -> set[tuple[str, str]]:
    return {(name, one.action) for one in difference.fleet if one.action != "moved" for name in one.clusters}
