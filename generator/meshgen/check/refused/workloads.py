"""Deployments, StatefulSets, DaemonSets, ReplicaSets and Pods.

Source: k8s.io/kubernetes pkg/apis/apps/validation.
"""

from __future__ import annotations

import re

from meshgen.check.refused.claims import claim_refusals
from meshgen.check.refused.names import LABEL, misnamed
from meshgen.check.refused.pods import pod_refusals, template_refusals
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, whole
from meshgen.check.refused.selectors import own_selector_refusals
from meshgen.policy.reading import Map, mapping, placed, text

Minor = tuple[int, int]
_NUMBERS = ("replicas", "minReadySeconds")
_HISTORY = ("revisionHistoryLimit", "progressDeadlineSeconds")
_NAMES = ("hostname", "subdomain")
_PERCENT = re.compile(r"[0-9]+%")
_DEADLINE = 600
# The claims of a StatefulSet and the name of its Service are looked at from then on.
_SETS_CHECKED = (1, 36)


def pod(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a Pod."""
    if obj.get("spec") is None:
        yield Refusal((), "it has no spec", "add spec, with its containers")
    yield from pod_refusals(mapping(obj, "spec"), ("spec",), minor)


def deployment(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a Deployment."""
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from _workload(obj, minor)
    yield from bounded(spec, at, _HISTORY)
    deadline = whole(spec, "progressDeadlineSeconds")
    ready = whole(spec, "minReadySeconds") or 0
    if ready >= 0 and (_DEADLINE if deadline is None else max(deadline, 0)) <= ready:
        key = "minReadySeconds" if deadline is None else "progressDeadlineSeconds"
        hint = "say more than minReadySeconds" if deadline is not None else f"say progressDeadlineSeconds above {ready}"
        yield Refusal((*at, key), "the deadline ends before a pod can count as ready", hint)
    strategy, here = mapping(spec, "strategy"), (*at, "strategy")
    if text(strategy, "type") == "Recreate":
        if strategy.get("rollingUpdate") is not None:
            hint = "take it out, or say type: RollingUpdate"
            yield Refusal((*here, "rollingUpdate"), "Recreate rolls nothing", hint, at_key=True)
        return
    yield from _rolling(mapping(strategy, "rollingUpdate"), (*here, "rollingUpdate"), "25%", "25%")


def daemon_set(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a DaemonSet."""
    yield from bounded(mapping(obj, "spec"), ("spec",), _HISTORY)
    yield from _workload(obj, minor)
    strategy, at = mapping(obj, "spec", "updateStrategy"), ("spec", "updateStrategy", "rollingUpdate")
    if text(strategy, "type") != "OnDelete":
        rolling = mapping(strategy, "rollingUpdate")
        yield from _rolling(rolling, at, 1, 0)
        if _is_some(rolling.get("maxSurge", 0)) and _is_some(rolling.get("maxUnavailable", 1)):
            hint = "say maxUnavailable: 0 beside it, or take it out"
            yield Refusal((*at, "maxSurge"), "with maxUnavailable it is not said which comes first", hint)


def stateful_set(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a StatefulSet."""
    spec = mapping(obj, "spec")
    claims = frozenset(text(one, "metadata", "name") for _, one in placed(spec, "volumeClaimTemplates"))
    yield from _workload(obj, minor, claims)
    strategy, at = mapping(spec, "updateStrategy"), ("spec", "updateStrategy", "rollingUpdate")
    yield from bounded(mapping(strategy, "rollingUpdate"), at, ("partition",))
    if text(strategy, "type") == "OnDelete" and strategy.get("rollingUpdate") is not None:
        yield Refusal(at, "OnDelete rolls nothing", "take it out, or say type: RollingUpdate", at_key=True)
    if minor >= _SETS_CHECKED:
        yield from misnamed(spec, ("spec",), "serviceName", LABEL)
        for index, claim in placed(spec, "volumeClaimTemplates"):
            yield from claim_refusals(mapping(claim, "spec"), ("spec", "volumeClaimTemplates", index, "spec"))


def replica_set(obj: Map, minor: Minor) -> Refusals:
    """What is wrong with a ReplicaSet."""
    yield from _workload(obj, minor)


def _workload(obj: Map, minor: Minor, claims: frozenset[str] = frozenset()) -> Refusals:
    """What is wrong with what keeps pods running."""
    spec, at = mapping(obj, "spec"), ("spec",)
    template, here = mapping(spec, "template"), (*at, "template")
    yield from bounded(spec, at, _NUMBERS)
    yield from own_selector_refusals(spec, at, template)
    if obj["kind"] == "StatefulSet":
        # Its controller gives each pod a name of its own, whatever the template says.
        kept = {key: value for key, value in mapping(template, "spec").items() if key not in _NAMES}
        template = {**template, "spec": kept} if kept else template
    yield from template_refusals(template, here, minor, claims)
    if text(template, "spec", "restartPolicy") in ("OnFailure", "Never"):
        where = (*here, "spec", "restartPolicy")
        yield Refusal(where, f"a {obj['kind']} keeps its pods running", "say Always, or take it out")
    if mapping(template, "spec").get("activeDeadlineSeconds") is not None:
        where = (*here, "spec", "activeDeadlineSeconds")
        yield Refusal(where, f"a {obj['kind']} keeps its pods running", "take it out", at_key=True)


def _rolling(rolling: Map, at: Path, unavailable: int | str, surge: int | str) -> Refusals:
    """How many pods may be missing or too many; the last two are what counts where it says nothing."""
    for key in ("maxUnavailable", "maxSurge"):
        yield from share_refusals(rolling, at, key, capped=key == "maxUnavailable")
    values = (rolling.get("maxUnavailable"), rolling.get("maxSurge"))
    defaults = (unavailable, surge)
    counted = [default if value is None else value for value, default in zip(values, defaults, strict=True)]
    if not any(_is_some(value) for value in counted):
        where, hint = (*at, "maxUnavailable"), "say more than 0 for it or for maxSurge"
        yield Refusal(where, "with maxSurge 0 no pod could be replaced", hint)


def share_refusals(holder: Map, at: Path, key: str, *, capped: bool) -> Refusals:
    """A number of pods, or a share of them in percent, that is none; `capped` at 100%."""
    value = holder.get(key)
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield Refusal((*at, key), "the text is no share in percent", "say a whole number, or a share such as 25%")
        elif capped and int(value[:-1]) > 100:
            yield Refusal((*at, key), "there is no more than 100%", "say at most 100%")
    else:
        yield from bounded(holder, at, (key,))


def _is_some(value: object) -> bool:
    return value not in (0, "") and not (isinstance(value, str) and value.rstrip("%").strip("0") == "")
