"""Services whose pods the tree does not have, or not with the port that they name; probes of a port without name."""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.build.stage import KubernetesObject, Remark
from meshgen.check.dangling.known import Known
from meshgen.check.refused.refusal import Path
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, items, mapping, placed, selects, template_path, text
from meshgen.policy.subject import space_of
from meshgen.sops import is_encrypted

# What injection adds to a pod: a port of the sidecar's that Services may name.
_OF_SIDECARS = frozenset({"http-envoy-prom"})
_ASKED = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")


def service_remarks(known: Known) -> Iterator[Remark]:
    """Services that lead to no pods, or to no port."""
    for service in known.subject.of("Service"):
        selector, space = mapping(service, "spec", "selector"), space_of(service)
        if not selector or text(service, "spec", "type") == "ExternalName" or is_encrypted(service):
            continue
        selected = [
            template
            for _, template in known.templates.get(space, ())
            if selects(selector, mapping(template, "metadata", "labels"))
        ]
        if selected:
            yield from _ports(known, service, selected)
        elif known.is_whole(space) and not known.may_run(space, selector):
            yield _no_pods(known, service, selector, space)


def _no_pods(known: Known, service: KubernetesObject, selector: Map, space: str) -> Remark:
    said = plain(", ".join(f"{key}: {value}" for key, value in selector.items()))
    what = f"no workload of namespace {plain(space)} has its labels: {said}"
    hint = "correct the selector: it is that of spec.template.metadata.labels"
    for key, value in selector.items():
        there = sorted({str(labels[key]) for labels in known.labels.get(space, ()) if key in labels})
        if value not in there and (near := guess(str(value), there)):
            hint = f"{plain(key)}: {near}"
    return known.absence(service, what, hint, ("spec", "selector"))


def _ports(known: Known, service: KubernetesObject, templates: list[Map]) -> Iterator[Remark]:
    names = sorted({text(port, "name") for template in templates for port in _named_ports(template)})
    for index, port in placed(service, "spec", "ports"):
        target = text(port, "targetPort")
        if target and target not in names and target not in _OF_SIDECARS and not target.isdigit():
            what = f'no container of its pods names a port "{plain(target)}"'
            hint = guess(target, names) or "name the port in the container's ports, or say its number"
            yield known.mismatch(service, what, hint, ("spec", "ports", index, "targetPort"))


def _named_ports(template: Map) -> Iterator[Map]:
    for key in ("containers", "initContainers"):
        for container in items(template, "spec", key):
            yield from (port for port in items(container, "ports") if port.get("name"))


def probe_remarks(known: Known) -> Iterator[Remark]:
    """Probes and hooks that name a port which their container does not."""
    for running in known.templates.values():
        for obj, template in running:
            for container, at in _containers(obj, template):
                names = sorted({text(port, "name") for port in items(container, "ports") if port.get("name")})
                for where, port in _asked(container):
                    if port not in names:
                        called = plain(container.get("name"))
                        what = f'it is asked at port "{plain(port)}", which container {called} does not name'
                        hint = guess(port, names) or "name the port in the container's ports, or say its number"
                        yield known.mismatch(obj, what, hint, (*at, *where))


def _containers(obj: KubernetesObject, template: Map) -> Iterator[tuple[Map, Path]]:
    path = template_path(obj)
    for key in ("containers", "initContainers"):
        for index, container in placed(template, "spec", key):
            yield container, (*path, "spec", key, index)


def _asked(container: Map) -> Iterator[tuple[Path, str]]:
    """(where it is said, name) of every port that a container is asked at by its name."""
    handlers: list[tuple[Path, Map]] = [((key,), mapping(container, key)) for key in _ASKED]
    handlers += [(("lifecycle", key), mapping(container, "lifecycle", key)) for key in _HOOKS]
    for at, handler in handlers:
        for way in ("httpGet", "tcpSocket"):
            port = text(handler, way, "port")
            if port and not port.isdigit():
                yield (*at, way, "port"), port
