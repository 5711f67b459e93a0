"""What the patch between two states of an object looks like, and that kustomize builds the one from the other."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from yaml import load_all

from meshgen.layout.identity import CLUSTER_SCOPED, Identity, identity
from meshgen.layout.keyed import SHAPES, Keyed, Shape
from meshgen.layout.normal import normalise, refusals
from meshgen.layout.patch import JSONPatch, Patch, StrategicMerge, Unpatchable, deletion, difference
from meshgen.layout.strategic import mergeable
from tests.layout.kustomize import (
    BuildFailed,
    GoLoader,
    build,
    build_chains,
    exactly,
    failures,
    write_base,
    write_overlay,
)
from tests.layout.objects import DEPLOYMENT, OBJECTS, OPERATOR, ROLE, SERVICE, Object, obj
from tests.layout.strategies import chain, chains, renamed

HEAD: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"},
}


def changed(base: Object, *path: str | int, to: Any) -> Object:
    """A copy with one value set; `...` takes it away."""
    result = copy.deepcopy(base)
    place: Any = result
    for key in path[:-1]:
        place = place[key]
    if to is ...:
        del place[path[-1]]
    elif isinstance(place, list) and path[-1] == len(place):
        place.append(to)
    else:
        place[path[-1]] = to
    return result


def merge(base: Object, effective: Object) -> Object:
    patch = difference(base, effective)
    assert isinstance(patch, StrategicMerge)
    return patch.body


def operations(base: Object, effective: Object) -> list[Object]:
    patch = difference(base, effective)
    assert isinstance(patch, JSONPatch)
    return patch.operations


def custom(**spec: Any) -> Object:
    return obj("example.io/v1", "Custom", "it", spec=spec)


class TestEquality:
    def test_equal_objects_need_no_patch(self) -> None:
        assert difference(DEPLOYMENT, copy.deepcopy(DEPLOYMENT)) is None

    def test_order_of_keys_and_the_writing_of_a_number_are_no_difference(self) -> None:
        assert difference(custom(a=1, b=2), custom(b=2.0, a=1.0)) is None

    def test_a_boolean_is_not_the_number_that_python_takes_it_for(self) -> None:
        assert difference(custom(a=True), custom(a=1)) is not None
        assert difference(custom(a=[0]), custom(a=[False])) is not None

    def test_two_different_objects_are_refused(self) -> None:
        with pytest.raises(ValueError, match="two objects"):
            difference(SERVICE, renamed(SERVICE, "other"))


class TestStrategicMerge:
    def test_a_changed_type_reads_as_if_written_by_hand(self) -> None:
        assert merge(SERVICE, changed(SERVICE, "spec", "type", to="LoadBalancer")) == HEAD | {
            "spec": {"type": "LoadBalancer"}
        }

    def test_head_comes_first_and_metadata_holds_the_name_before_its_changes(self) -> None:
        body = merge(SERVICE, changed(SERVICE, "metadata", "labels", "a", to="b"))
        assert json.dumps(body) == json.dumps(HEAD | {"metadata": HEAD["metadata"] | {"labels": {"a": "b"}}})

    def test_null_removes(self) -> None:
        body = merge(SERVICE, changed(SERVICE, "metadata", "labels", "istio", to=...))
        assert body["metadata"]["labels"] == {"istio": None}

    def test_changed_container_is_found_by_its_name(self) -> None:
        effective = changed(DEPLOYMENT, "spec", "template", "spec", "containers", 0, "image", to="pilot:2")
        assert merge(DEPLOYMENT, effective)["spec"] == {
            "template": {"spec": {"containers": [{"name": "discovery", "image": "pilot:2"}]}}
        }

    def test_appended_variable_comes_after_the_names_of_the_others(self) -> None:
        path = ("spec", "template", "spec", "containers", 0, "env")
        body = merge(DEPLOYMENT, changed(DEPLOYMENT, *path, 4, to={"name": "NEW", "value": "x"}))
        names = ["REVISION", "JWT_POLICY", "PILOT_CERT_PROVIDER", "POD_NAME"]
        env = body["spec"]["template"]["spec"]["containers"][0]["env"]
        assert env == [*({"name": name} for name in names), {"name": "NEW", "value": "x"}]

    def test_removed_volume_is_deleted_by_its_name(self) -> None:
        body = merge(DEPLOYMENT, changed(DEPLOYMENT, "spec", "template", "spec", "volumes", 1, to=...))
        assert body["spec"]["template"]["spec"]["volumes"] == [{"name": "cacerts", "$patch": "delete"}]

    def test_list_with_two_keys_is_replaced_whole(self) -> None:
        effective = changed(SERVICE, "spec", "ports", 0, to=...)
        assert merge(SERVICE, effective)["spec"] == {"ports": [{"$patch": "replace"}, *effective["spec"]["ports"]]}

    def test_changed_type_of_a_value_is_sayable_inside_a_list_that_is_replaced(self) -> None:
        assert merge(SERVICE, changed(SERVICE, "spec", "ports", 1, "targetPort", to="http"))

    def test_lists_of_custom_resources_stand_whole(self) -> None:
        effective = changed(OPERATOR, "spec", "components", "pilot", "k8s", "env", 0, "value", to="1")
        body = merge(OPERATOR, effective)
        assert body["spec"]["components"]["pilot"]["k8s"]["env"] == [
            {"name": "PILOT_TRACE_SAMPLING", "value": "1"},
            {"name": "GODEBUG", "value": "gctrace=1"},
        ]

    def test_deletion_names_the_object_and_nothing_else(self) -> None:
        assert deletion(SERVICE).body == {"$patch": "delete", **HEAD}

    def test_patch_shares_nothing_with_its_inputs(self) -> None:
        base, effective = custom(a=1), custom(a=1, b={"c": [{"d": 1}]})
        before = copy.deepcopy((base, effective))
        merge(base, effective)["spec"]["b"]["c"][0]["d"] = 2
        operations(base, custom(a="1", b={"c": []}))
        assert (base, effective) == before


class TestJSONPatch:
    @pytest.mark.parametrize(
        ("base", "effective"),
        [
            (custom(a=1), custom(a=None)),
            (custom(a=None), custom()),
            (custom(), custom(a={"b": [None]})),
            (custom(a="1"), custom(a=1)),
            (custom(a={}), custom(a=[])),
            (custom(a=True), custom(a=1)),
            (custom(a="x\n"), custom(a="\tx")),
            (custom(**{"": 1}), custom(**{"": 2})),
            (custom(**{"$patch": "a"}), custom(**{"$patch": "b"})),
            (DEPLOYMENT, changed(DEPLOYMENT, "spec", "template", "spec", "volumes", to=[])),
            (SERVICE, changed(SERVICE, "metadata", "finalizers", 0, to="c.io/z")),
            (SERVICE, changed(SERVICE, "spec", "ports", 3, to=SERVICE["spec"]["ports"][0])),
        ],
    )
    def test_what_a_strategic_merge_cannot_say_becomes_a_json_patch(self, base: Object, effective: Object) -> None:
        assert isinstance(difference(base, effective), JSONPatch)

    def test_an_item_named_twice_anywhere_makes_every_change_a_json_patch(self) -> None:
        # As in the Grafana Deployment of Istio 1.11.3, which loses a port to a strategic merge of an annotation.
        ports = ("spec", "template", "spec", "containers", 0, "ports")
        twice = changed(DEPLOYMENT, *ports, 3, to={"containerPort": 8080, "protocol": "TCP", "name": "again"})
        assert operations(twice, changed(twice, "metadata", "labels", "a", to="b")) == [
            {"op": "add", "path": "/metadata/labels/a", "value": "b"}
        ]

    def test_typed_object_inside_a_custom_resource_is_not_merged(self) -> None:
        # kustomize finds its schema by apiVersion and kind, and would merge its containers by name.
        base = custom(workload=DEPLOYMENT)
        assert isinstance(difference(base, changed(base, "spec", "a", to=1)), JSONPatch)

    def test_item_is_tested_before_it_is_entered_by_index(self) -> None:
        base = custom(servers=[{"name": "a", "ports": [{"port": 80, "on": True}, {"port": 81, "on": True}]}, {"x": 1}])
        assert operations(base, changed(base, "spec", "servers", 0, "ports", 1, "on", to=None)) == [
            {"op": "test", "path": "/spec/servers/0/name", "value": "a"},
            {"op": "test", "path": "/spec/servers/0/ports/1/port", "value": 81},
            {"op": "replace", "path": "/spec/servers/0/ports/1/on", "value": None},
        ]

    def test_list_that_only_grows_is_appended_to(self) -> None:
        assert operations(custom(a=[1]), custom(a=[1, None, 2])) == [
            {"op": "add", "path": "/spec/a/-", "value": None},
            {"op": "add", "path": "/spec/a/-", "value": 2},
        ]

    def test_list_that_shrinks_is_replaced(self) -> None:
        assert operations(custom(a=[1, 2, 3], b=1), custom(a=[1, 3], b=None))[0] == {
            "op": "replace",
            "path": "/spec/a",
            "value": [1, 3],
        }

    def test_keys_are_escaped_in_paths(self) -> None:
        assert operations(custom(**{"a/b~c": "1"}), custom(**{"a/b~c": 1}))[0]["path"] == "/spec/a~1b~0c"

    def test_target_is_escaped_and_names_group_version_kind_namespace_and_name(self) -> None:
        base = obj("networking.istio.io/v1", "Gateway", "a.b+c", "ns", x="1")
        patch = difference(base, base | {"x": 1})
        assert isinstance(patch, JSONPatch)
        assert patch.target == {
            "group": r"networking\.istio\.io",
            "version": "v1",
            "kind": "Gateway",
            "name": r"a\.b\+c",
            "namespace": "ns",
        }

    def test_target_of_the_core_group_matches_no_other_group(self) -> None:
        base = obj("v1", "ConfigMap", "it", None, x="1")
        patch = difference(base, base | {"x": 1})
        assert isinstance(patch, JSONPatch)
        assert patch.target == {
            "group": "^$",
            "version": "v1",
            "kind": "ConfigMap",
            "name": "it",
            "namespace": "default",
        }

    def test_target_of_a_cluster_scoped_kind_has_no_namespace(self) -> None:
        # Istio's own manifests give some ClusterRoles a namespace.
        base = obj("rbac.authorization.k8s.io/v1", "ClusterRole", "it", "istio-system", x="1")
        patch = difference(base, base | {"x": 1})
        assert isinstance(patch, JSONPatch)
        assert "namespace" not in patch.target

    def test_merge_that_repeats_a_long_list_for_a_short_change_becomes_a_json_patch(self) -> None:
        base = custom(items=[{"name": str(number), "on": True} for number in range(20)])
        assert operations(base, changed(base, "spec", "items", 7, "on", to=False)) == [
            {"op": "test", "path": "/spec/items/7/name", "value": "7"},
            {"op": "replace", "path": "/spec/items/7/on", "value": False},
        ]


class TestUnpatchable:
    @pytest.mark.parametrize(
        ("base", "reason"),
        [
            (custom(x="1", big=2**53 + 1), "integer"),
            (custom(x="1", text="\ta\nb"), "tab"),
            (renamed(custom(x="1"), "a,b"), "comma"),
            (obj("v1", "ServiceAccount", "it", spec={"x": "1"}), "bindings"),
        ],
    )
    def test_an_object_that_neither_patch_carries_is_unpatchable(self, base: Object, reason: str) -> None:
        with pytest.raises(Unpatchable, match=reason):
            difference(base, changed(base, "spec", "x", to=1))


class TestIdentity:
    def test_kustomize_takes_no_namespace_and_default_for_one(self) -> None:
        absent, default = identity(obj("v1", "Service", "a", None)), identity(obj("v1", "Service", "a", "default"))
        assert absent != default
        assert absent.registered == default.registered

    def test_namespace_of_a_cluster_scoped_object_means_nothing(self) -> None:
        with_namespace = identity(ROLE | {"metadata": ROLE["metadata"] | {"namespace": "x"}})
        assert with_namespace.cluster_scoped
        assert with_namespace.registered == identity(ROLE)

    def test_core_group_is_empty(self) -> None:
        assert identity(SERVICE) == Identity("", "v1", "Service", "istio-system", "istio-ingressgateway")
        assert ("", "Namespace") in CLUSTER_SCOPED


class TestAgainstKustomize:
    @settings(max_examples=20, deadline=None)
    @given(chains(layers=2, hostile=False))
    def test_overlay_builds_the_effective_objects(self, kubectl: Path, drawn: list[list[Object]]) -> None:
        assert failures(kubectl, drawn) == []

    @settings(max_examples=20, deadline=None)
    @given(chains(layers=2, hostile=True))
    def test_overlay_builds_hostile_objects(self, kubectl: Path, drawn: list[list[Object]]) -> None:
        assert failures(kubectl, drawn) == []

    @settings(max_examples=15, deadline=None)
    @given(chains(layers=3, hostile=True))
    def test_overlay_on_an_overlay_builds_the_effective_objects(self, kubectl: Path, drawn: list[list[Object]]) -> None:
        assert failures(kubectl, drawn) == []

    def test_objects_may_go_in_one_layer_and_come_back_in_the_next(self, kubectl: Path, tmp_path: Path) -> None:
        base = [normalise(renamed(state, f"{number}")) for number, state in enumerate(OBJECTS)]
        new = [normalise(renamed(state, f"new-{number}")) for number, state in enumerate(OBJECTS)]
        patches: list[Patch] = [deletion(state) for state in base]
        write_base(tmp_path / "base", base)
        write_overlay(tmp_path / "one", tmp_path / "base", patches, new)
        write_overlay(tmp_path / "two", tmp_path / "one", [deletion(new[0])], base)
        assert build(kubectl, tmp_path / "one").keys() == {identity(state) for state in new}
        built = build(kubectl, tmp_path / "two")
        expected = {identity(state): state for state in [*base, *new[1:]]}
        assert built.keys() == expected.keys()
        assert all(exactly(built[key], state) for key, state in expected.items())

    def test_kustomize_merges_the_lists_of_the_table_by_their_keys(self, kubectl: Path, tmp_path: Path) -> None:
        pairs = []
        for number, ((version, kind), shape) in enumerate(SHAPES.items()):
            head = obj(version, kind, f"it-{number}")
            pairs.append([_filled(head, shape, value) for value in ("before", "after")])
        assert all(mergeable(base) for base, _ in pairs)
        assert all(isinstance(difference(base, effective), StrategicMerge) for base, effective in pairs)
        built = build_chains(kubectl, tmp_path, pairs)
        assert [result for result, (_, after) in zip(built, pairs, strict=True) if not exactly(result, after)] == []

    def test_base_whose_items_moved_fails_the_build(self, kubectl: Path, tmp_path: Path) -> None:
        first, second = ({"name": name, "x": "1", "y": [1, 2, 3, 4, 5, 6]} for name in "ab")
        base = custom(servers=[first, second])
        # Only a JSON patch can set a null.
        patch = difference(base, changed(base, "spec", "servers", 0, "x", to=None))
        assert isinstance(patch, JSONPatch)
        write_base(tmp_path / "base", [custom(servers=[second, first])])
        write_overlay(tmp_path / "overlay", tmp_path / "base", [patch])
        with pytest.raises(BuildFailed, match="test"):
            build(kubectl, tmp_path / "overlay")


def _filled(value: Object, shape: Shape, last: str) -> Object:
    """Two items in every merged list, of which the second one says `last`."""
    result = dict(value)
    for key, inner in shape.items():
        if not isinstance(inner, Keyed):
            result[key] = _filled(value.get(key, {}), inner, last)
        elif inner.keys:
            result[key] = [
                _filled(dict.fromkeys(inner.keys, text) | {"x": x}, inner.items, last)
                for text, x in (("first", "same"), ("second", last))
            ]
        else:
            result[key] = ["example.io/a", "example.io/b"]
    return result


@pytest.mark.upstream
class TestUpstream:
    """Every object of Istio's addons and of istioctl's output, as it is and mutated with a fixed seed."""

    @pytest.fixture
    def objects(self, cases: Path) -> list[Object]:
        old, new = cases / "istio-1.11.3", cases / "istio-1.30.3"
        files = [*old.glob("addons/**/*.yaml"), *new.glob("addons/**/*.yaml")]
        files += [old / "istioctl-output/manifest-generate-seed.yaml", *old.glob("manifest-generate/output/*.yaml")]
        found = []
        for file in sorted(files):
            for document in load_all(file.read_text(encoding="utf-8"), GoLoader):
                listed = document["items"] if document and document["kind"] == "List" else [document]
                found += [state for state in listed if state]
        assert len(found) > 200
        return found

    def test_nothing_of_istio_is_refused(self, objects: list[Object]) -> None:
        assert [(identity(state), refusals(state)) for state in objects if refusals(state)] == []

    def test_istios_own_differences_are_built(self, objects: list[Object], kubectl: Path) -> None:
        """The same object in different outputs: real changes, nearly all of them strategic merges."""
        states: dict[Identity, list[Object]] = {}
        for state in objects:
            states.setdefault(identity(state), []).append(normalise(state))
        pairs = [(a, b) for same in states.values() for a in same for b in same if difference(a, b)]
        merges = sum(isinstance(difference(a, b), StrategicMerge) for a, b in pairs)
        assert merges > 0.9 * len(pairs) > 90
        named = [
            [renamed(state, f"{state['metadata']['name']}-{number}") for state in pair]
            for number, pair in enumerate(pairs)
        ]
        assert failures(kubectl, named) == []

    @pytest.mark.parametrize("layers", [2, 3])
    @pytest.mark.parametrize("hostile", [False, True])
    def test_mutated_objects_are_built(self, objects: list[Object], kubectl: Path, layers: int, hostile: bool) -> None:
        drawn = [
            chain(objects[number % len(objects)], number, number, layers=layers, hostile=hostile)
            for number in range(1500)
        ]
        wrong = [
            found for start in range(0, len(drawn), 100) for found in failures(kubectl, drawn[start : start + 100])
        ]
        assert wrong == []
