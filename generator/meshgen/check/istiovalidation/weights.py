"""What Istio's webhook refuses of the weights of a route's destinations.

Sources in istio/istio: validateWeight and validateRouteDestinations in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.resource import negative_problems, percent_problems
from meshgen.check.setting import Numbers, Problem, Setting

# Since then weights are relative: istio/istio#39544.
_RELATIVE = (1, 15, 0)


def weight_problems(route: Setting, istio: Numbers) -> Iterator[Problem]:
    """Weights that are negative, make nothing of a route, or, up to 1.14, don't make 100."""
    weights = [one.at("weight") for one in route.maps()]
    for weight in weights:
        yield from percent_problems(weight) if istio < _RELATIVE else negative_problems(weight)
    total = sum(weight.number or 0 for weight in weights)
    if len(weights) < 2 or any(weight.number is None and weight.value is not None for weight in weights):
        return
    if istio < _RELATIVE and total != 100:
        yield route.problem(f"the weights make {total}", "make them 100")
    elif istio >= _RELATIVE and total == 0:
        yield route.problem("the weights make 0", "say a weight for each destination, such as 90 and 10")
