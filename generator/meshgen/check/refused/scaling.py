"""HorizontalPodAutoscalers and PodDisruptionBudgets.

Source: k8s.io/kubernetes pkg/apis/autoscaling/validation and pkg/apis/policy/validation.
"""

from __future__ import annotations

from meshgen.build.quantity import amount_of
from meshgen.check.refused.names import bad_selector
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, given, whole
from meshgen.check.refused.workloads import share_refusals
from meshgen.policy.reading import Map, mapping, placed, text

_METRICS = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "External": "external",
    "ContainerResource": "containerResource",
}
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800


def autoscaler(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a HorizontalPodAutoscaler."""
    spec, at = mapping(obj, "spec"), ("spec",)
    yield from bounded(spec, at, ("maxReplicas",), least=1)
    # Zero is for those that scale by something outside of the pods.
    yield from bounded(spec, at, ("minReplicas",), least=0 if _counts_outside(spec) else 1)
    least, most = whole(spec, "minReplicas"), whole(spec, "maxReplicas")
    if least is not None and most is not None and most >= 1 and least > most:
        yield Refusal((*at, "minReplicas"), f"{least} are more than maxReplicas, {most}", f"say at most {most}")
    if not obj["apiVersion"].endswith("/v2"):
        return
    for index, metric in placed(spec, "metrics"):
        yield from _metric(metric, (*at, "metrics", index))
    for key in ("scaleUp", "scaleDown"):
        yield from _rules(mapping(spec, "behavior", key), (*at, "behavior", key))


def _counts_outside(spec: Map) -> bool:
    return any(text(one, "type") in ("Object", "External") for _, one in placed(spec, "metrics"))


def _metric(metric: Map, at: Path) -> Refusals:
    due, said = _METRICS.get(text(metric, "type")), given(metric, *_METRICS.values())
    if due is None:
        if metric.get("type") is not None:
            yield Refusal((*at, "type"), "there is no such metric", f"say one of {', '.join(_METRICS)}")
        return
    if due not in said:
        yield Refusal((*at, "type"), f"it says nothing of {due}", f"add {due}, or correct the type")
        return
    for key in said:
        if key != due:
            hint = f"take it out, or say type: {key[:1].upper()}{key[1:]}"
            yield Refusal((*at, key), f"the type is that of {due}", hint, at_key=True)
    if said == [due]:
        yield from _target(due, mapping(metric, due, "target"), (*at, due, "target"))


def _target(kind: str, target: Map, at: Path) -> Refusals:
    yield from bounded(target, at, ("averageUtilization",), least=1)
    for key in ("value", "averageValue"):
        amount = amount_of(target.get(key))
        if amount is not None and amount <= 0:
            yield Refusal((*at, key), "the target is not positive", "say more than 0")
    if target.get("type") is not None and text(target, "type") not in _TARGET_TYPES:
        yield Refusal((*at, "type"), "there is no such target", f"say one of {', '.join(_TARGET_TYPES)}")
    keys = _TARGETS[kind]
    said = given(target, *keys)
    if not said:
        yield Refusal(at, "it says no target", f"add {' or '.join(keys)}", at_key=True)
    elif len(said) > 1 and kind != "object":
        yield Refusal((*at, said[1]), f"it and {said[0]} exclude each other", "keep one of them", at_key=True)


_TARGET_TYPES = ("Utilization", "Value", "AverageValue")
_TARGETS = {
    "object": ("value", "averageValue"),
    "external": ("value", "averageValue"),
    "pods": ("averageValue",),
    "resource": ("averageUtilization", "averageValue"),
    "containerResource": ("averageUtilization", "averageValue"),
}


def _rules(rules: Map, at: Path) -> Refusals:
    yield from bounded(rules, at, ("stabilizationWindowSeconds",), most=_LONGEST_WINDOW)
    if rules.get("policies") == []:
        yield Refusal((*at, "policies"), "it has no policy", "add one, or take policies out", at_key=True)
    for index, one in placed(rules, "policies"):
        here = (*at, "policies", index)
        if text(one, "type") not in ("", "Pods", "Percent"):
            yield Refusal((*here, "type"), "there is no such policy", "say Pods or Percent")
        yield from bounded(one, here, ("value",), least=1)
        yield from bounded(one, here, ("periodSeconds",), least=1, most=_LONGEST_PERIOD)


def budget(obj: Map, minor: tuple[int, int]) -> Refusals:
    """What is wrong with a PodDisruptionBudget."""
    spec, at = mapping(obj, "spec"), ("spec",)
    said = given(spec, "minAvailable", "maxUnavailable")
    if len(said) > 1:
        yield Refusal(
            (*at, "maxUnavailable"), "it and minAvailable exclude each other", "keep one of them", at_key=True
        )
    for key in said:
        yield from share_refusals(spec, at, key, capped=True)
    yield from bad_selector(mapping(spec, "selector"), (*at, "selector"))
