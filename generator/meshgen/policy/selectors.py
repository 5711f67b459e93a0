"""Rules about what policies select: workloads and namespaces that are not there are protected by nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject
from meshgen.config.problems import guess, plain
from meshgen.policy.hosts import NETWORKING, gateway_spaces
from meshgen.policy.ingress import INSTALLERS
from meshgen.policy.reading import Map, items, mapping, selects, texts
from meshgen.policy.rule import Breach, Rule, of_object
from meshgen.policy.security import SECURITY
from meshgen.policy.subject import Subject, space_of
from meshgen.policy.workloads import workloads

_BY_LABELS = ("workloadSelector", "labels")
_BY_MATCH = ("selector", "matchLabels")
# Where each kind says what it is for.
_SELECTORS = (
    ("Sidecar", NETWORKING, _BY_LABELS),
    ("EnvoyFilter", NETWORKING, _BY_LABELS),
    ("DestinationRule", NETWORKING, ("workloadSelector", "matchLabels")),
    ("AuthorizationPolicy", SECURITY, _BY_MATCH),
    ("PeerAuthentication", SECURITY, _BY_MATCH),
    ("RequestAuthentication", SECURITY, _BY_MATCH),
    ("Telemetry", "telemetry.istio.io", _BY_MATCH),
    ("WasmPlugin", "extensions.istio.io", _BY_MATCH),
)


_Pods = dict[str, list[tuple[KubernetesObject, Map]]]


def pods(subject: Subject) -> _Pods:
    """What runs in each namespace by the tree, virtual machines among it, with the labels of its pods."""
    found: _Pods = defaultdict(list)
    for obj, template in workloads(subject):
        found[space_of(obj)].append((obj, mapping(template, "metadata", "labels")))
    for kind, path in (("WorkloadEntry", ("spec", "labels")), ("WorkloadGroup", ("spec", "metadata", "labels"))):
        for obj in subject.of(kind, NETWORKING):
            found[space_of(obj)].append((obj, {**mapping(obj, "metadata", "labels"), **mapping(obj, *path)}))
    return found


def _meets_nothing(subject: Subject) -> Iterator[Breach]:
    if not any(True for kind, group in INSTALLERS for _ in subject.of(kind, group)):
        yield from _no_workload(subject)
    yield from _no_namespace(subject)


def _no_workload(subject: Subject) -> Iterator[Breach]:
    # In these namespaces run pods that the tree only asks for, and a policy of the root namespace is for all.
    apart = {subject.home, subject.root_namespace, *gateway_spaces(subject)}
    running = pods(subject)
    for kind, group, path in _SELECTORS:
        for obj in subject.of(kind, group):
            selector, space = mapping(obj, "spec", *path), space_of(obj)
            if not selector or space in apart:
                continue
            there = running.get(space, [])
            if there and not any(selects(selector, labels) for _, labels in there):
                named = plain(", ".join(f"{key}: {value}" for key, value in selector.items()))
                what = f"no workload of namespace {plain(space)} has its labels: {named}"
                hint = "correct the labels: they are those of the pods, spec.template.metadata.labels"
                yield of_object(subject, obj, what, hint, ("spec", *path))


def _no_namespace(subject: Subject) -> Iterator[Breach]:
    made = {one["metadata"]["name"] for one in subject.of("Namespace") if subject.places.of(one)}
    # Only a tree that makes namespaces for others is where all of them are made.
    if not made or made <= subject.spaces:
        return
    known = made | subject.spaces | {subject.home, subject.root_namespace, *gateway_spaces(subject)}
    for policy in subject.of("AuthorizationPolicy", SECURITY):
        for at, name in _named(policy):
            if not any(_fits(name, one) for one in known) and name not in ("default", "kube-system"):
                what = f"{at[-2]} names {plain(name)}, and no Namespace of the tree is called so"
                hint = guess(name, sorted(made)) if "*" not in name else None
                yield of_object(subject, policy, what, hint or "correct the name, or add the Namespace", at)


def _named(policy: KubernetesObject) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every namespace that a policy's sources name, with its path."""
    for index, rule in enumerate(items(policy, "spec", "rules")):
        for number, one in enumerate(items(rule, "from")):
            for key in ("namespaces", "notNamespaces"):
                for place, name in enumerate(texts(one, "source", key)):
                    yield ("spec", "rules", index, "from", number, "source", key, place), name


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is meant: `*` may stand at the beginning or the end."""
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


RULES = (Rule("MG581", "warning", "A policy for what is not there", _meets_nothing, of_objects=True),)
