"""Where a pod may run: tolerations, affinity, spreading and node selectors.

Source: ValidateTolerations, validateAffinity and validateTopologySpreadConstraints in k8s.io/kubernetes
pkg/apis/core/validation.
"""

from __future__ import annotations

from meshgen.check.refused.names import bad_expression, bad_labels, bad_selector, is_qualified, is_value
from meshgen.check.refused.refusal import Path, Refusal, Refusals, bounded, whole
from meshgen.policy.reading import Map, mapping, placed, text

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def placement_refusals(pod: Map, at: Path) -> Refusals:
    """What is wrong with where a pod may run."""
    yield from bad_labels(mapping(pod, "nodeSelector"), (*at, "nodeSelector"))
    for index, one in placed(pod, "tolerations"):
        yield from _toleration(one, (*at, "tolerations", index))
    yield from _spread(pod, at)
    affinity, here = mapping(pod, "affinity"), (*at, "affinity")
    yield from _to_nodes(mapping(affinity, "nodeAffinity"), (*here, "nodeAffinity"))
    for key in ("podAffinity", "podAntiAffinity"):
        yield from _to_pods(mapping(affinity, key), (*here, key))


def _toleration(toleration: Map, at: Path) -> Refusals:
    key, operator = text(toleration, "key"), text(toleration, "operator")
    if not key and operator != "Exists":
        yield Refusal(at, "a toleration without a key is one of all taints", "add a key, or say operator: Exists")
    if key and not is_qualified(key):
        yield Refusal((*at, "key"), "it is no key of a taint", "write it as the key of a label")
    if operator == "Exists" and toleration.get("value"):
        yield Refusal((*at, "value"), "Exists takes no value", "take it out, or say operator: Equal", at_key=True)
    if operator in ("", "Equal") and not is_value(text(toleration, "value")):
        yield Refusal((*at, "value"), "it is no value of a taint", "write it as the value of a label")
    if toleration.get("tolerationSeconds") is not None and text(toleration, "effect") != "NoExecute":
        where = (*at, "tolerationSeconds")
        yield Refusal(where, "only NoExecute is tolerated for a time", "say effect: NoExecute, or take it out", True)


def _spread(pod: Map, at: Path) -> Refusals:
    seen: set[tuple[str, str]] = set()
    for index, one in placed(pod, "topologySpreadConstraints"):
        here = (*at, "topologySpreadConstraints", index)
        yield from bounded(one, here, ("maxSkew", "minDomains"), least=1)
        yield from bad_selector(mapping(one, "labelSelector"), (*here, "labelSelector"))
        pair = (text(one, "topologyKey"), text(one, "whenUnsatisfiable"))
        if pair in seen:
            yield Refusal((*here, "topologyKey"), "another constraint says the same", "take one of them out")
        if one.get("minDomains") is not None and pair[1] == "ScheduleAnyway":
            hint = "say whenUnsatisfiable: DoNotSchedule, or take it out"
            yield Refusal((*here, "minDomains"), "it means nothing with ScheduleAnyway", hint, at_key=True)
        seen.add(pair)


def _to_nodes(affinity: Map, at: Path) -> Refusals:
    required = affinity.get(_REQUIRED)
    if isinstance(required, dict) and required.get("nodeSelectorTerms") == []:
        yield Refusal((*at, _REQUIRED, "nodeSelectorTerms"), "it has no term", "add one", at_key=True)
    for index, term in placed(affinity, _REQUIRED, "nodeSelectorTerms"):
        yield from _term(term, (*at, _REQUIRED, "nodeSelectorTerms", index))
    for index, one in placed(affinity, _PREFERRED):
        here = (*at, _PREFERRED, index)
        yield from bounded(one, here, ("weight",), least=1, most=100)
        yield from _term(mapping(one, "preference"), (*here, "preference"))


def _term(term: Map, at: Path) -> Refusals:
    for index, one in placed(term, "matchExpressions"):
        yield from bad_expression(one, (*at, "matchExpressions", index), of_nodes=True)


def _to_pods(affinity: Map, at: Path) -> Refusals:
    for index, term in placed(affinity, _REQUIRED):
        yield from _pod_term(term, (*at, _REQUIRED, index))
    for index, one in placed(affinity, _PREFERRED):
        here = (*at, _PREFERRED, index)
        if whole(one, "weight") is not None:
            yield from bounded(one, here, ("weight",), least=1, most=100)
        yield from _pod_term(mapping(one, "podAffinityTerm"), (*here, "podAffinityTerm"))


def _pod_term(term: Map, at: Path) -> Refusals:
    yield from bad_selector(mapping(term, "labelSelector"), (*at, "labelSelector"))
    key = term.get("topologyKey")
    if isinstance(key, str) and not is_qualified(key):
        hint = "say the key of a label of nodes, as topology.kubernetes.io/zone"
        yield Refusal((*at, "topologyKey"), "it is no key of a label", hint)
