"""Security contexts of pods and containers.

Source: ValidatePodSecurityContext and ValidateSecurityContext in k8s.io/kubernetes pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import form, repeated, unnamed
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, strings
from meshgen.policy.reading import Map, mapping, placed, text

_MOST_USER = 2**31 - 1
_USERS = ("runAsUser", "runAsGroup", "fsGroup")
_PROFILES = ("seccompProfile", "appArmorProfile")
_PART = r"[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?"
_SYSCTL = form(
    "name of a sysctl",
    rf"(?:{_PART}[./])*{_PART}",
    253,
    "lower case letters, digits, - and _, in parts between dots",
)
# Before, a gate that is off drops the field.
_HOST_PROCESSES = (1, 23)


def security_refusals(holder: Map, at: Path) -> Refusals:
    """What is wrong with the users and profiles of a pod or a container."""
    context, here = mapping(holder, "securityContext"), (*at, "securityContext")
    yield from bounded(context, here, _USERS, most=_MOST_USER)
    for key in _PROFILES:
        yield from _profile(mapping(context, key), (*here, key))


def _profile(profile: Map, at: Path) -> Refusals:
    type_, named = text(profile, "type"), profile.get("localhostProfile") is not None
    if type_ == "Localhost" and not named:
        yield Refusal((*at, "type"), "it names no profile of the node", "add localhostProfile")
    elif type_ and type_ != "Localhost" and named:
        hint = "take it out, or say type: Localhost"
        yield Refusal((*at, "localhostProfile"), f"{type_} has no profile of the node", hint, at_key=True)


def context_refusals(container: Map, at: Path) -> Refusals:
    """What is wrong with the privileges of a container."""
    yield from security_refusals(container, at)
    context = mapping(container, "securityContext")
    if context.get("allowPrivilegeEscalation") is False:
        raised = "CAP_SYS_ADMIN" in [one for _, one in strings(context, "capabilities", "add")]
        if context.get("privileged") is True or raised:
            where = (*at, "securityContext", "allowPrivilegeEscalation")
            what = "CAP_SYS_ADMIN" if raised else "privileged"
            yield Refusal(where, f"{what} can't be kept from more privileges", "take one of the two out")


def pod_context_refusals(pod: Map, at: Path, minor: tuple[int, int]) -> Refusals:
    """What is wrong with the security context of a pod, and with what its containers add to it."""
    yield from security_refusals(pod, at)
    context, here = mapping(pod, "securityContext"), (*at, "securityContext")
    yield from repeated(context, here, "sysctls", "name", "sysctls")
    for index, one in placed(context, "sysctls"):
        yield from unnamed(one, (*here, "sysctls", index), "name", _SYSCTL)
    if minor < _HOST_PROCESSES or pod.get("hostNetwork") is True:
        return
    containers = [
        ((*at, key, index), one) for key in ("initContainers", "containers") for index, one in placed(pod, key)
    ]
    for where, holder in ((at, pod), *containers):
        if mapping(holder, "securityContext", "windowsOptions").get("hostProcess") is True:
            place = (*where, "securityContext", "windowsOptions", "hostProcess")
            yield Refusal(place, "a process of the host is in the host's network", "add hostNetwork: true to the pod")
            return
