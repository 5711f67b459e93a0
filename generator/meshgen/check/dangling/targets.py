"""What objects name of their own namespace, and what is not there: Services, roles, and what is scaled."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject, Remark
from meshgen.check.dangling.known import Known
from meshgen.check.refused.refusal import Path
from meshgen.config.problems import guess, plain
from meshgen.order.selectors import picks
from meshgen.policy.reading import Map, items, mapping, number, placed, text
from meshgen.policy.subject import space_of

_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})
_RBAC = "rbac.authorization.k8s.io"
# By this name a controller of AWS means its own annotation, and no port.
_ANNOTATED = "use-annotation"


def target_remarks(known: Known) -> Iterator[Remark]:
    """Everything that is named and not there."""
    yield from _governing(known)
    yield from _scaled(known)
    yield from _backends(known)
    yield from _roles(known)
    yield from _budgets(known)


def _missing(known: Known, obj: KubernetesObject, kind: str, group: str, at: Path, name: str) -> Iterator[Remark]:
    space = space_of(obj)
    there = known.named(kind, group, space)
    if name and name not in there and known.is_whole(space):
        what = f"it names {kind} {plain(name)}, which nothing in the tree makes in namespace {plain(space)}"
        hint = guess(name, sorted(there)) or f"correct the name, or add the {kind} to `resources`"
        yield known.absence(obj, what, hint, at)


def _governing(known: Known) -> Iterator[Remark]:
    for obj in known.subject.of("StatefulSet", "apps"):
        yield from _missing(known, obj, "Service", "", ("spec", "serviceName"), text(obj, "spec", "serviceName"))


def _scaled(known: Known) -> Iterator[Remark]:
    for obj in known.subject.of("HorizontalPodAutoscaler", "autoscaling"):
        target, at = mapping(obj, "spec", "scaleTargetRef"), ("spec", "scaleTargetRef", "name")
        kind, group = text(target, "kind"), text(target, "apiVersion").partition("/")[0]
        if kind in _SCALED and group == "apps":
            yield from _missing(known, obj, kind, group, at, text(target, "name"))


def _roles(known: Known) -> Iterator[Remark]:
    for obj in known.subject.of("RoleBinding", _RBAC):
        if text(obj, "roleRef", "kind") == "Role":
            yield from _missing(known, obj, "Role", _RBAC, ("roleRef", "name"), text(obj, "roleRef", "name"))


def _backends(known: Known) -> Iterator[Remark]:
    for obj in known.subject.of("Ingress", "networking.k8s.io"):
        there = known.named("Service", "", space_of(obj))
        for service, at in _services(obj):
            name = text(service, "name")
            if text(service, "port", "name") == _ANNOTATED:
                continue
            yield from _missing(known, obj, "Service", "", (*at, "name"), name)
            if name in there:
                yield from _port(known, obj, there[name], mapping(service, "port"), (*at, "port"))


def _services(ingress: KubernetesObject) -> Iterator[tuple[Map, Path]]:
    backends: list[tuple[Map, Path]] = [(mapping(ingress, "spec", "defaultBackend"), ("spec", "defaultBackend"))]
    for index, rule in placed(ingress, "spec", "rules"):
        for inner, path in placed(rule, "http", "paths"):
            at = ("spec", "rules", index, "http", "paths", inner, "backend")
            backends.append((mapping(path, "backend"), at))
    return ((mapping(one, "service"), (*at, "service")) for one, at in backends if mapping(one, "service"))


def _port(known: Known, obj: KubernetesObject, service: KubernetesObject, port: Map, at: Path) -> Iterator[Remark]:
    if text(service, "spec", "type") == "ExternalName":
        return
    by_name = bool(port.get("name"))
    said = port.get("name") if by_name else number(port, "number")
    there = [str(found) for one in items(service, "spec", "ports") if (found := one.get("name" if by_name else "port"))]
    if said and str(said) not in there:
        what = f"Service {plain(service['metadata']['name'])} has no port {plain(said)}"
        hint = (guess(str(said), there) if by_name else None) or f"it has {', '.join(there) or 'no names'}"
        yield known.mismatch(obj, what, hint, (*at, "name" if by_name else "number"))


def _budgets(known: Known) -> Iterator[Remark]:
    for obj in known.subject.of("PodDisruptionBudget", "policy"):
        selector, space = mapping(obj, "spec", "selector"), space_of(obj)
        if not selector or not known.is_whole(space) or known.may_run(space, mapping(selector, "matchLabels")):
            continue
        if not any(picks(selector, labels) for labels in known.labels.get(space, ())):
            what = f"no workload of namespace {plain(space)} has its labels: it protects nothing"
            hint = "correct the selector: it is that of spec.template.metadata.labels"
            yield known.absence(obj, what, hint, ("spec", "selector"))
