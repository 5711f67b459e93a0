"""What Istio refuses of a mesh config's `defaultTrafficPolicy`, which it has from 1.31 on.

Source in istio/istio: validateMeshConfigDefaultTrafficPolicy in pkg/config/validation/agent.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshgen.check.proxyconfig import duration_problems
from meshgen.check.setting import MILLISECOND, Problem, Setting

_UPGRADES = ("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")
_COUNTS = (
    ("http", "http1MaxPendingRequests"),
    ("http", "http2MaxRequests"),
    ("http", "maxRequestsPerConnection"),
    ("http", "maxRetries"),
    ("http", "maxConcurrentStreams"),
    ("tcp", "maxConnections"),
)
_DURATIONS = (
    ("connectionPool", "http", "idleTimeout"),
    ("connectionPool", "tcp", "connectTimeout"),
    ("connectionPool", "tcp", "maxConnectionDuration"),
    ("connectionPool", "tcp", "tcpKeepalive", "time"),
    ("connectionPool", "tcp", "tcpKeepalive", "interval"),
    ("outlierDetection", "baseEjectionTime"),
    ("outlierDetection", "interval"),
)


def traffic_policy_problems(policy: Setting) -> Iterator[Problem]:
    """What is wrong with `defaultTrafficPolicy` of a mesh config."""
    pool = policy.at("connectionPool")
    if isinstance(pool.value, dict) and pool.at("http").value is None and pool.at("tcp").value is None:
        yield pool.problem("a connection pool has one field at least", "say http or tcp, or take it out")
    for part, key in _COUNTS:
        count = pool.at(part, key)
        if (count.number or 0) < 0:
            yield count.problem("the number must be non-negative", "say 0 or more")
    for path in _DURATIONS:
        yield from duration_problems(policy.at(*path))
    # Less than a millisecond is none at all.
    idle = pool.at("tcp", "idleTimeout")
    if abs(idle.nanoseconds or 0) >= MILLISECOND:
        yield from duration_problems(idle)
    http = pool.at("http")
    if http.at("h2UpgradePolicy").choice(_UPGRADES) == "UPGRADE" and http.at("useClientProtocol").value is True:
        yield http.at("useClientProtocol").problem("must not be true with h2UpgradePolicy: UPGRADE", "take one out")
    yield from _outliers(policy.at("outlierDetection"))


def _outliers(detection: Setting) -> Iterator[Problem]:
    failures = detection.at("consecutiveLocalOriginFailures")
    if (failures.number or 0) > 0 and detection.at("splitExternalLocalOriginErrors").value in (None, False):
        yield failures.problem("says nothing without splitExternalLocalOriginErrors: true", "say it, or take this out")
    for key in ("maxEjectionPercent", "minHealthPercent"):
        percent = detection.at(key).number
        if percent is not None and not 0 <= percent <= 100:
            yield detection.at(key).problem("the percentage is not in the range 0..100", "say 0 to 100")
