"""Containers of a pod, each by itself and beside the others.

Source: validateContainers and validateInitContainers in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import LABEL, PORT, misnamed, repeated, unnamed
from meshgen.check.refused.ports import bad_number
from meshgen.check.refused.probes import PROBES, probe_refusals
from meshgen.check.refused.quantities import resource_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, given, whole
from meshgen.check.refused.security import context_refusals
from meshgen.check.refused.variables import variable_refusals
from meshgen.check.refused.volumes import mounts_refusals
from meshgen.config.problems import guess, plain
from meshgen.policy.reading import Map, placed, text

# Before, a gate that is off drops the field.
_DEVICES_CLAIMED = (1, 34)


def container_refusals(pod: Map, at: Path, minor: tuple[int, int], claims: frozenset[str]) -> Refusals:
    """What is wrong with the containers of a pod; `claims` are volumes that a StatefulSet adds."""
    if pod.get("containers") == []:
        yield Refusal((*at, "containers"), "the pod has no container", "add one", at_key=True)
    yield from repeated(pod, at, "containers", "name", "containers")
    running = {text(one, "name") for _, one in placed(pod, "containers")}
    yield from repeated(pod, at, "initContainers", "name", "containers", running)
    yield from _host_ports(pod, at)
    for key in ("initContainers", "containers"):
        for index, container in placed(pod, key):
            here = (*at, key, index)
            yield from _single(container, here, minor)
            yield from mounts_refusals(container, here, pod, claims, minor)
            yield from _devices(container, here, pod, minor)
            if key == "containers" or text(container, "restartPolicy") == "Always":
                yield from probe_refusals(container, here, pod)
            else:
                yield from _of_sidecars(container, here)


def _of_sidecars(container: Map, at: Path) -> Refusals:
    for key in given(container, *PROBES, "lifecycle"):
        hint = "take it out, or say restartPolicy: Always to make it a sidecar"
        yield Refusal((*at, key), "an init container that ends has none", hint, at_key=True)


def _single(container: Map, at: Path, minor: tuple[int, int]) -> Refusals:
    yield from unnamed(container, at, "name", LABEL)
    if not container.get("image"):
        yield Refusal(at, "the container has no image", "add image")
    yield from _ports(container, at)
    yield from variable_refusals(container, at, minor)
    yield from resource_refusals(container, at)
    yield from context_refusals(container, at)


def _ports(container: Map, at: Path) -> Refusals:
    yield from repeated(container, at, "ports", "name", "ports")
    for index, port in placed(container, "ports"):
        here = (*at, "ports", index)
        yield from misnamed(port, here, "name", PORT)
        yield from bad_number(port, here, "containerPort")
        yield from bad_number(port, here, "hostPort", least=0)


def _devices(container: Map, at: Path, pod: Map, minor: tuple[int, int]) -> Refusals:
    names = [text(one, "name") for _, one in placed(pod, "resourceClaims")]
    for index, claim in placed(container, "resources", "claims") if minor >= _DEVICES_CLAIMED else ():
        if (name := text(claim, "name")) and name not in names:
            hint = guess(name, names) or "add it to resourceClaims, or take it out"
            where = (*at, "resources", "claims", index, "name")
            yield Refusal(where, f'the pod has no claim "{plain(name)}"', hint)


def _host_ports(pod: Map, at: Path) -> Refusals:
    """Ports of the node that two containers want, or that are no port of the pod's own in the node's network."""
    seen: set[tuple[str, str, int]] = set()
    in_host = pod.get("hostNetwork") is True
    for index, container in placed(pod, "containers"):
        for number, port in placed(container, "ports"):
            where, wanted = (*at, "containers", index, "ports", number, "hostPort"), whole(port, "hostPort")
            if not wanted:
                continue
            if in_host and wanted != whole(port, "containerPort"):
                yield Refusal(where, "with hostNetwork it has to be the containerPort", "say the same, or take it out")
            key = (text(port, "protocol") or "TCP", text(port, "hostIP"), wanted)
            if key in seen:
                yield Refusal(where, f"port {wanted} of the node is taken already", "take another")
            seen.add(key)
