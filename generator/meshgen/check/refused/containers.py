"""Containers of a pod, each by itself and beside the others.

Source: validateContainers and validateInitContainers in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import LABEL, PORT, misnamed, repeated, unnamed
from meshgen.check.refused.ports import bad_number
from meshgen.check.refused.probes import PROBES, probe_refusals
from meshgen.check.refused.quantities import resource_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, strings, whole
from meshgen.check.refused.variables import variable_refusals
from meshgen.check.refused.volumes import mounts_refusals
from meshgen.policy.reading import Map, mapping, placed, text

_MOST_USER = 2**31 - 1
_USERS = ("runAsUser", "runAsGroup")


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
            yield from mounts_refusals(container, here, pod, claims)
            if key == "containers" or text(container, "restartPolicy") == "Always":
                yield from probe_refusals(container, here)
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
    yield from security_refusals(container, at)
    context = mapping(container, "securityContext")
    if context.get("allowPrivilegeEscalation") is False:
        raised = "CAP_SYS_ADMIN" in [one for _, one in strings(context, "capabilities", "add")]
        if context.get("privileged") is True or raised:
            where = (*at, "securityContext", "allowPrivilegeEscalation")
            what = "CAP_SYS_ADMIN" if raised else "privileged"
            yield Refusal(where, f"{what} can't be kept from more privileges", "take one of the two out")


def security_refusals(holder: Map, at: Path) -> Refusals:
    """Users and groups of a pod or a container that are none."""
    here = (*at, "securityContext")
    yield from bounded(mapping(holder, "securityContext"), here, (*_USERS, "fsGroup"), most=_MOST_USER)


def _ports(container: Map, at: Path) -> Refusals:
    yield from repeated(container, at, "ports", "name", "ports")
    for index, port in placed(container, "ports"):
        here = (*at, "ports", index)
        yield from misnamed(port, here, "name", PORT)
        yield from bad_number(port, here, "containerPort")
        yield from bad_number(port, here, "hostPort", least=0)


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
