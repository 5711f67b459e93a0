"""What a policy is for: the labels of workloads, or the resources that it names.

Sources in istio/istio: validateOneOfSelectorType, validateWorkloadSelector and validatePolicyTargetReference in
pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.names import selector_problems
from meshgen.check.istiovalidation.resource import Resource
from meshgen.check.setting import Numbers, Problem, Setting

# The kinds that can be named, by group, and the first version that takes them.
_ALLOWED = {
    ("gateway.networking.k8s.io", "Gateway"): (1, 20, 0),
    ("", "Service"): (1, 22, 0),
    ("core", "Service"): (1, 22, 0),
    ("networking.istio.io", "ServiceEntry"): (1, 24, 0),
    ("gateway.networking.k8s.io", "GatewayClass"): (1, 25, 0),
}


def target_problems(resource: Resource) -> Iterator[Problem]:
    """What is wrong with `selector`, `targetRef` and `targetRefs` of a policy."""
    spec = resource.spec
    said = [spec.at(key) for key in ("selector", "targetRef", "targetRefs") if not spec.at(key).is_blank]
    if len(said) > 1:
        yield said[-1].problem("a policy has either a selector or targetRefs", "keep one of them")
    yield from selector_problems(spec.at("selector", "matchLabels"))
    for reference in (spec.at("targetRef"), *spec.at("targetRefs").maps()):
        if isinstance(reference.value, dict):
            yield from _reference(reference, resource.istio)


def _reference(reference: Setting, istio: Numbers) -> Iterator[Problem]:
    if reference.at("name").is_blank:
        yield reference.problem("it names nothing", "say its name")
    if reference.at("namespace").text:
        text = "a policy is for what is in its own namespace"
        yield reference.at("namespace").problem(text, "take the namespace out, or move the policy")
    group, kind = (reference.at(key).text for key in ("group", "kind"))
    if group is None or kind is None:
        return
    since = _ALLOWED.get((group, kind))
    if since is None or istio < since:
        allowed = [f"{one} ({where})" if where else one for (where, one), at in _ALLOWED.items() if istio >= at]
        listed = ", ".join(one for one in allowed if one != "Service (core)")
        yield reference.problem("Istio takes no policy for that kind, by its group", f"say the kind of {listed}")
