"""What Istio's webhook refuses of the way that a DestinationRule balances load.

Source in istio/istio: validateLoadBalancer in pkg/config/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.istiovalidation.resource import time_problems, unread_problems
from meshgen.check.localities import locality_problems
from meshgen.check.setting import Numbers, Problem, Setting

# The first version that has the check, at each of its patches.
_ALGORITHM = (1, 16, 0)
_LIFE_OPTIONAL = (1, 20, 0)
_MAGLEV = (1, 22, 0)
_WARMUP_SECONDS = (1, 23, 0)
_WARMUP = (1, 24, 0)
_ATTRIBUTES = (1, 28, 0)
_ZONE_AWARE = (1, 31, 0)
_LARGEST_TABLE = 5000011


def balancer_problems(balancer: Setting, istio: Numbers) -> Iterator[Problem]:
    """What is wrong with a load balancer's settings."""
    if not isinstance(balancer.value, dict):
        return
    yield from _hash(balancer.at("consistentHash"), istio)
    zones = balancer.at("zoneAwareLbSetting")
    if zones.value is not None and balancer.at("localityLbSetting").value is not None and istio >= _ZONE_AWARE:
        yield zones.problem("localityLbSetting and zoneAwareLbSetting exclude each other", "keep one of them")
    yield from locality_problems(balancer, istio)
    if _WARMUP_SECONDS <= istio < _WARMUP:
        yield from time_problems(balancer.at("warmupDurationSecs"))
    if istio >= _WARMUP:
        yield from _warmup(balancer.at("warmup"), istio)


def _hash(consistent: Setting, istio: Numbers) -> Iterator[Problem]:
    cookie, ring = consistent.at("httpCookie"), consistent.at("minimumRingSize")
    if isinstance(cookie.value, dict):
        yield from _cookie(cookie, istio)
    chosen = [key for key in ("ringHash", "maglev") if consistent.at(key).value is not None]
    if ring.number and chosen and istio >= _ALGORITHM:
        yield ring.problem(f"minimumRingSize and {chosen[0]} exclude each other", f"keep {chosen[0]}")
    maglev = consistent.at("maglev")
    if isinstance(maglev.value, dict) and istio >= _MAGLEV:
        size = maglev.at("tableSize")
        number = 0 if size.value is None else size.number
        if number is not None and not (number < _LARGEST_TABLE and _is_prime(number)):
            where = maglev if size.value is None else size
            yield where.problem(
                f"the size of Maglev's table is a prime below {_LARGEST_TABLE}", "say tableSize, such as 65537"
            )


def _cookie(cookie: Setting, istio: Numbers) -> Iterator[Problem]:
    if cookie.at("name").is_blank:
        yield cookie.problem("a cookie has a name", "say name")
    if cookie.at("ttl").value is None and istio < _LIFE_OPTIONAL:
        yield cookie.problem("a cookie has a lifetime", "say ttl, 0s for the session's")
    yield from unread_problems(cookie.at("ttl"))
    seen: set[str] = set()
    for attribute in cookie.at("attributes").maps() if istio >= _ATTRIBUTES else ():
        name = attribute.at("name")
        if name.is_blank:
            yield attribute.problem("an attribute of a cookie has a name", "say name")
        elif name.text in seen:
            yield name.problem("the cookie has another attribute of this name", "take one of them out")
        seen.add(name.text or "")


def _is_prime(number: int) -> bool:
    return number in (1, 2, 3) or (number > 3 and number % 2 == 1 and all(number % n for n in _odd_up_to(number)))


def _odd_up_to(number: int) -> range:
    """The odd numbers whose square is not more than a number."""
    return range(3, int(number**0.5) + 1, 2)


def _warmup(warmup: Setting, istio: Numbers) -> Iterator[Problem]:
    if not isinstance(warmup.value, dict):
        return
    if warmup.at("duration").value is None:
        yield warmup.problem("duration is missing", "say duration, such as 30s")
    yield from time_problems(warmup.at("duration"))
    percent, aggression = warmup.at("minimumPercent"), warmup.at("aggression")
    if (percent.number or 0) > 100:
        yield percent.problem("the percentage is more than 100", "say 100 at most")
    value = aggression.value
    if isinstance(value, int | float) and (value <= 0 or (value < 1 and istio < _ZONE_AWARE)):
        least = "more than 0" if istio >= _ZONE_AWARE else "1 at least"
        yield aggression.problem(f"aggression is {least}", f"say {least}")
