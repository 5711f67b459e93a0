"""A setting that changes a field, found by changing it, is among those that the field is said to depend on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshgen.build.stage import Memory
from meshgen.build.stages import Built, build
from meshgen.check.settings import settings_remarks
from meshgen.config.manifests import read_manifests
from meshgen.config.schema import is_valid
from meshgen.layout.values import same
from meshgen.provenance import field as fields
from meshgen.provenance.edits import Edit, at_path, edited, leaves
from meshgen.provenance.layers import taken
from meshgen.provenance.probe import Budget, Probe, known_manifests, tree_of
from meshgen.provenance.target import Target, everything
from meshgen.provenance.trace import trace
from meshgen.provenance.variants import variants
from meshgen.render import build_mesh
from meshgen.yaml import NOWHERE
from tests.configs import Config, configs
from tests.objects import Object, mesh
from tests.test_invariant import write

_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=15, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.randoms(use_true_random=False))
def test_no_setting_is_missed(config: Config, random: Random):
    found_again(config, random)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=_CHECKS, print_blob=True)
@given(configs(), st.randoms(use_true_random=True))
def test_no_setting_is_missed_in_hundreds_of_configs(config: Config, random: Random):
    found_again(config, random)


def found_again(config: Config, random: Random) -> None:
    with TemporaryDirectory() as folder:
        built = build_mesh(write(Path(folder), config))
        manifests = read_manifests(built.mesh)
    one = random.choice(list(built.clusters))
    known = known_manifests("msa", one.cluster, one.built, manifests)
    tree = tree_of("msa", one.cluster)
    edits = list(_edits(tree, random))
    for edit in random.sample(edits, k=min(4, len(edits))):
        after = _built(edited(tree, [edit]), known)
        changed = list(_changed(one.built, after)) if after is not None else []
        if not changed:
            continue
        target, field = random.choice(changed)
        probe = Probe(tree, target, field, known, Budget())
        found = trace(probe, taken(one.cluster))
        about = [influence.path for influence in found.influences]
        assert probe.budget.short or any(_touch(path, edit.path) for path in about), (
            f"{fields.written(edit.path)} changes {fields.written(field)} of {target.name}, and found were {about}"
        )


def _edits(tree: Object, random: Random) -> Iterator[Edit]:
    """Another value of each setting, or none."""
    for path, value in leaves(tree):
        others = variants(path, value, tree)
        # Without these there is no config, and without an item of a list others take its place.
        if len(path) > 1 and path not in (("metadata", "name"), ("istio", "version")) and isinstance(path[-1], str):
            others.append(NOWHERE)
        if others:
            yield Edit(path, random.choice(others))


def _built(tree: Object, known: Any) -> Built | None:
    """What becomes of the settings; None where they are refused."""
    asked = {key: value for key, value in tree.items() if key not in ("metadata", "cloud")}
    document = {**mesh(), **asked, "metadata": tree["metadata"]}
    if not is_valid(document, "mesh") or any(one.severity == "error" for one in settings_remarks(asked, Memory())):
        return None
    built = build(tree["metadata"]["name"], asked, (tree["cloud"],), known, Memory())
    return None if any(one.severity == "error" for one in built.remarks) else built


def _changed(before: Built, after: Built) -> Iterator[tuple[Target, fields.Path]]:
    for target in everything(before):
        obj = target.again(before, after)
        for path, value in leaves(target.object) if obj is not None else ():
            other = at_path(obj, path)
            if other is NOWHERE or not same(other, value):
                yield target, path


def _touch(one: fields.Path, other: fields.Path) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]
