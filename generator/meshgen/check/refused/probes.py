"""Probes and hooks of containers: how a container is asked, and how often.

Source: validateProbe and validateHandler in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

import re

from meshgen.check.refused.ports import bad_number, bad_number_or_name
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, whole
from meshgen.config.problems import plain
from meshgen.policy.reading import Map, mapping, placed, text

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_USUAL_GRACE = 30
_GRACE = "terminationGracePeriodSeconds"
_HEADER = re.compile(r"[-A-Za-z0-9]+")


def probe_refusals(container: Map, at: Path, pod: Map) -> Refusals:
    """What is wrong with the probes and hooks of a pod's container."""
    for key in PROBES:
        if isinstance(container.get(key), dict):
            yield from _probe(container[key], (*at, key))
    for key in HOOKS:
        hook = mapping(container, "lifecycle").get(key)
        if isinstance(hook, dict):
            yield from _handler(hook, (*at, "lifecycle", key), (*_HANDLERS[:3], "sleep"))
            yield from _sleep(mapping(hook, "sleep"), (*at, "lifecycle", key, "sleep", "seconds"), pod)


def _sleep(sleep: Map, at: Path, pod: Map) -> Refusals:
    seconds, grace = whole(sleep, "seconds") or 0, whole(pod, _GRACE)
    longest = _USUAL_GRACE if grace is None else grace
    if seconds < 0:
        yield Refusal(at, f"{seconds} is out of bounds", "it has to be at least 0")
    elif seconds > longest >= 0:
        hint = f"sleep for less, or say {_GRACE}: {seconds} or more in the pod"
        yield Refusal(at, f"the pod ends after {longest} seconds, while it still sleeps", hint)


def _probe(probe: Map, at: Path) -> Refusals:
    yield from _handler(probe, at, _HANDLERS)
    yield from bounded(probe, at, _TIMES)
    if at[-1] == "readinessProbe":
        if probe.get(_GRACE) is not None:
            yield Refusal((*at, _GRACE), "a readiness probe ends nothing", "take it out", at_key=True)
        return
    yield from bounded(probe, at, (_GRACE,), least=1)
    # Zero becomes one.
    if (whole(probe, "successThreshold") or 1) > 1:
        yield Refusal((*at, "successThreshold"), "only a readiness probe may ask for several", "say 1, or take it out")


def _handler(handler: Map, at: Path, known: tuple[str, ...]) -> Refusals:
    said = given(handler, *known)
    if len(said) != 1:
        what = f"it has {' and '.join(said)}" if said else "it has nothing to ask by"
        yield Refusal(at, what, f"say one of {', '.join(known)}", at_key=True)
        return
    here, action = (*at, said[0]), mapping(handler, said[0])
    match said[0]:
        case "exec" if not action.get("command"):
            yield Refusal(here, "it has no command", "add command: [...]", at_key=True)
        case "httpGet":
            yield from bad_number_or_name(action, here, "port")
            for index, header in placed(action, "httpHeaders"):
                name = text(header, "name")
                if not _HEADER.fullmatch(name):
                    where = (*here, "httpHeaders", index, "name")
                    yield Refusal(where, f'"{plain(name)}" is no name of a header', "letters, digits and hyphens")
        case "tcpSocket":
            yield from bad_number_or_name(action, here, "port")
        case "grpc":
            yield from bad_number(action, here, "port")
